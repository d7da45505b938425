/** A file of its own, as every command loads it. */
import { CalmcpError } from '../core/errors.ts';
import { createLog, LOG_LEVELS, type LogLevel } from '../io/log.ts';
import type { LightShell } from './shell.ts';

/** The log that was asked for, on stderr. @throws CalmcpError INPUT_INVALID for a level that there is not */
export function logOf(
  shell: Pick<LightShell, 'env' | 'stderr'>,
  options: { readonly log?: string | undefined },
): ReturnType<typeof createLog> {
  const level = options.log ?? (shell.env.CALMCP_LOG || 'warn');
  if (!(LOG_LEVELS as readonly string[]).includes(level))
    throw new CalmcpError('INPUT_INVALID', 'unknown log level', { hint: `one of ${LOG_LEVELS.join(', ')}` });
  return createLog({ level: level as LogLevel, write: (line) => shell.stderr.write(line), now: () => new Date() });
}
