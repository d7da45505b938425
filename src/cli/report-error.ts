import { ERRORS, toCalmcpError } from '../core/errors.ts';
import { renderError } from '../server/text.ts';
import { inCommandWords } from './help/command-words.ts';
import { logOf } from './log-of.ts';
import type { LightShell } from './shell.ts';

/** Says on stderr why a command failed. @returns the exit status */
export function reportError(
  shell: Pick<LightShell, 'env' | 'stderr'>,
  thrown: unknown,
  level: string | undefined,
): number {
  const error = toCalmcpError(thrown);
  shell.stderr.write(`calmcp: ${inCommandWords(renderError(error).replace(`${error.code}: `, ''))}\n`);
  try {
    logOf(shell, { log: level }).debug('failed', { error: thrown });
  } catch {
    // An unknown log level has been reported already, as the error itself.
  }
  return ERRORS[error.code].exit;
}
