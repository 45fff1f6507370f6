/** Runs `task` with `subject` once everything that waits on settled promises has run, before the next event. */
export const afterPromises = <Subject>(task: (subject: Subject) => void, subject: Subject): void =>
  process.nextTick(task, subject);
