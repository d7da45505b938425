/** `calmcp mcp` with a daemon: next to nothing is loaded, and this process stays small. */
import { type Duplex, duplexPair } from 'node:stream';
import { type Channel, openChannel, type Told } from '../../io/daemon-connection.ts';
import { createLog, LOG_LEVELS, type LogLevel } from '../../io/log.ts';
import type { LightShell } from '../shell.ts';
import { type AttachOptions, attachDaemon } from './attach.ts';
import type { McpChoice } from './plain-mcp.ts';
import { relay } from './relay.ts';

/**
 * Passes on what a client says on stdin, until it has gone.
 * @param alone serves a client in this process, and resolves when that has gone
 * @returns false where there is no daemon to use: nothing of stdin has been read then
 */
export async function serveThroughDaemon(
  shell: LightShell,
  { readOnly, tools, ...options }: McpChoice & AttachOptions,
  alone: (client: Duplex, heard: Told) => Promise<void>,
): Promise<boolean> {
  const level = options.log ?? (shell.env.CALMCP_LOG || 'warn');
  // What is wrong with it is said by whoever reads all options.
  if (shell.streams === undefined || !(LOG_LEVELS as readonly string[]).includes(level)) return false;
  const log = createLog({
    level: level as LogLevel,
    write: (line) => shell.stderr.write(line),
    now: () => new Date(),
  });
  const attach = (patienceMs = 0, heard: Told = []): Promise<Channel | undefined> =>
    attachDaemon(shell, options, { readOnly, tools, answers: 'model', heard }, log, patienceMs);
  const first = await attach();
  if (first === undefined) return false;
  let served: Promise<void> | undefined;
  await relay({
    ...shell.streams(),
    gone: shell.stdinEnded(),
    log,
    first,
    reattach: attach,
    async alone(heard) {
      log.info('goes on without the daemon');
      const [ours, theirs] = duplexPair();
      // To destroy one of them says nothing to the other one.
      ours.once('close', () => theirs.destroy());
      theirs.once('close', () => ours.destroy());
      served = alone(theirs, heard);
      served.catch(() => theirs.destroy());
      return openChannel(ours);
    },
  });
  await served;
  return true;
}
