/** Runs what the system has for its services. */
import { execFile } from 'node:child_process';
import { childEnvironment } from '../../io/child-environment.ts';
import { quoted } from '../../io/private-file.ts';
import type { Shell } from '../shell.ts';
import { windowsArgument } from './service-task.ts';

export interface ToolCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** With what status it may fail, or any: it takes away what need not be there. */
  readonly mayRefuse?: true | readonly number[];
  /** How often it is tried, half a second apart: what it waits for goes in its own time. */
  readonly tries?: number;
}

export type ToolResult =
  | { readonly outcome: 'done'; readonly printed: string }
  | { readonly outcome: 'refused'; readonly exit: number | string; readonly said: string }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'slow' };

const LIMIT_MS = 10_000;
const MAX_BYTES = 1_048_576;

/** As a person types it. */
export const typed = ({ program, args }: ToolCommand, platform: NodeJS.Platform): string =>
  [program, ...args].map(platform === 'win32' ? windowsArgument : quoted).join(' ');

/** Without a shell, in the environment of the person without what may be secret in it. */
export function runTool(
  { program, args }: ToolCommand,
  { env, interrupted }: Pick<Shell, 'env' | 'interrupted'>,
  limitMs = LIMIT_MS,
): Promise<ToolResult> {
  return new Promise((resolve) => {
    execFile(
      program,
      [...args],
      {
        // Its words are for the log, and in English there.
        env: { ...childEnvironment(env), LC_ALL: 'C' },
        timeout: limitMs,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_BYTES,
        windowsHide: true,
        signal: interrupted,
      },
      (error, stdout, stderr) => {
        if (error === null) return resolve({ outcome: 'done', printed: stdout });
        if (error.code === 'ENOENT' || error.code === 'EACCES') return resolve({ outcome: 'missing' });
        if (error.killed && !interrupted.aborted) return resolve({ outcome: 'slow' });
        resolve({ outcome: 'refused', exit: error.code ?? error.signal ?? 'by signal', said: stderr });
      },
    );
  });
}
