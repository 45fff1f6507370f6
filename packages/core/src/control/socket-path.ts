/** Where `wellknown up` opens its control socket, and where the commands look for it: the user's runtime directory. */
export function defaultControlPath(environment: Readonly<Record<string, string | undefined>>, uid: number): string {
  if (environment.XDG_RUNTIME_DIR !== undefined && environment.XDG_RUNTIME_DIR !== '')
    return `${environment.XDG_RUNTIME_DIR}/wellknown.sock`;
  // file-hierarchy(7): only root may write to /run; /tmp is shared by all users, so the name says whose it is.
  return uid === 0 ? '/run/wellknown.sock' : `/tmp/wellknown-${uid}.sock`;
}
