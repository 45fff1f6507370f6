/** What a user is told when the server begins to drain. */
export const DRAIN_NOTICE = '\nThis server is going down.\n';
