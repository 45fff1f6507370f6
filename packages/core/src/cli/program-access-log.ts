// `--access-log` of a program: where its lines go, opened again on USR1.

import { openAccessLog } from '../observe/access-log-file.ts';
import { fileProblem } from '../files/file-problem.ts';
import { fail, ok, type Result } from '../result.ts';
import type { BuildContext } from './server-command.ts';

/**
 * Writes a line, with its line feed, to the file that was given, `-` being standard error; undefined where none was, or
 * only a check is asked for. Given back with the service. The problem is a sentence that begins with the option.
 */
export function openProgramAccessLog(
  file: string | undefined,
  { log, runAs, errorOutput, isCheck, whenReleased }: Omit<BuildContext, 'portOffset' | 'isServing'>,
): Result<((line: string) => void) | undefined, string> {
  if (file === undefined || isCheck === true) return ok(undefined);
  if (file === '-' && errorOutput !== undefined) return ok(errorOutput);
  try {
    const opened = openAccessLog(
      file,
      (error) => log.error({ err: error }, `the access log ${file} can't be written, or not opened again`),
      {
        owner: runAs,
        onLost: (lines) =>
          log.warn({ lost: lines }, 'lines of the access log were lost: it could not be written for a while'),
      },
    );
    // In a primary too, which writes nothing: it may make the new file where its workers may not.
    const reopen = (): void => opened.reopen();
    process.on('SIGUSR1', reopen);
    whenReleased?.(() => {
      process.off('SIGUSR1', reopen);
      opened.close();
    });
    return ok((line) => opened.write(line));
  } catch (error) {
    return fail(`--access-log '${file}' ${fileProblem('opened', error)}`);
  }
}
