/** A child server's program run once for something else than serving: a sign-in of its own. */
import type { ChildSpec, RunOnce } from '../core/child.ts';
import { type ChildMachine, findProgram } from './child-connection.ts';
import { holdLease } from './child-lease.ts';
import { startProcess } from './child-process.ts';
import { settledWithin } from './time-limit.ts';

const MAX_BYTES = 1_048_576;
const LAST_WORDS_MS = 200;

/** @throws CalmcpError, or the signal's reason when it aborts: nothing runs then */
export async function runChildOnce(
  spec: ChildSpec,
  machine: ChildMachine,
  folder: string,
  args: readonly string[],
  { signal, heard }: RunOnce,
): Promise<{ readonly status: number | null; readonly stdout: string }> {
  const program = await findProgram(spec, machine);
  const lease = await holdLease(folder, { account: spec.account, server: spec.kind.server, transport: spec.transport });
  try {
    await spec.prepare?.(lease.folder);
    const running = await startProcess({
      command: program.command,
      args: [...program.args, ...args],
      env: spec.environment(lease.folder, undefined),
      nodeOptions: spec.nodeOptions,
      folder: lease.folder,
      nonce: lease.nonce,
      system: machine.env,
    });
    const { pid, started, group } = running;
    await lease.update({ state: 'starting', restarts: 0, process: { pid, started, group }, since: Date.now() });
    let stdout = '';
    const stop = (): Promise<void> => running.stop({ ms: 1_000, ignoresStdin: true });
    const abort = (): void => void stop();
    signal.addEventListener('abort', abort, { once: true });
    running.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < MAX_BYTES) stdout += text;
      heard?.(text);
    });
    running.stderr.setEncoding('utf8').on('data', (text: string) => heard?.(text));
    try {
      if (signal.aborted) abort();
      const { code } = await running.ended;
      // What it printed last may come after its end.
      await settledWithin(new Promise((resolve) => running.stdout.once('close', resolve)), LAST_WORDS_MS);
      signal.throwIfAborted();
      return { status: code, stdout };
    } finally {
      signal.removeEventListener('abort', abort);
      await stop();
    }
  } finally {
    await lease.release();
  }
}
