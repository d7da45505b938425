/**
 * Starts child servers and kills them, or the calmcp that they belong to, at random moments, and looks at what is left: run by
 * test/main-job/child-killed.test.ts for some rounds and by scripts/child-kill-rounds.mjs for many.
 */
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isPortFree } from '../../src/io/port-owner.ts';
import { pause } from '../../src/io/time-limit.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { openTestApp } from '../harness.ts';
import { childrenUnder, untilNoneUnder } from '../processes.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');
const forever = new AbortController().signal;
const sleep = (ms: number): Promise<void> => pause(ms, forever);

/** How soon a server is gone whose calmcp was killed: it has to notice that by itself. */
const GONE_MS = 10_000;

/** Whoever kills a server throws the answer away; after so many of these rounds one is asked for that has to be complete. */
const ASK_EVERY = 10;

export interface KillRounds {
  readonly rounds: number;
  /** Home of a calmcp. */
  readonly folder: string;
  readonly yaml: string;
  readonly env: Readonly<Record<string, string>>;
  /** Ports that its servers use. */
  readonly ports: readonly number[];
  /** Milliseconds that a question takes here, about. */
  readonly typicalMs: number;
}

/** Folders of servers that have not been removed. */
async function instances(folder: string): Promise<string[]> {
  const children = join(folder, 'state', 'children');
  const accounts = await readdir(children).catch(() => []);
  const names = await Promise.all(accounts.map((account) => readdir(join(children, account))));
  return names.flat().filter((name) => /^\d+-/.test(name));
}

async function requireNothingLeft({ folder, ports }: KillRounds, round: number): Promise<void> {
  const left = await instances(folder);
  if (left.length > 0) throw new Error(`round ${round}: folders left: ${left.join(', ')}`);
  const running = await childrenUnder(folder);
  if (running.length > 0) throw new Error(`round ${round}: processes left: ${running.join(', ')}`);
  for (const port of ports) if (!(await isPortFree(port))) throw new Error(`round ${round}: port ${port} is not free`);
}

/** @returns why the answer is not complete */
const ask = async ({ yaml, folder }: KillRounds, meanwhile?: () => Promise<void>): Promise<string | undefined> => {
  const { app } = await openTestApp(yaml, { folder });
  try {
    const question = listEvents.run(app, { range: 'today', detail: 'full' }, { signal: forever });
    const told = question.then(
      ({ complete, accounts }) => (complete ? undefined : JSON.stringify(accounts)),
      (thrown: unknown) => String(thrown),
    );
    const [why] = await Promise.all([told, meanwhile?.()]);
    return why;
  } finally {
    await app.close();
  }
};

/** calmcp itself is killed with signal 9. @returns whether that came before its end */
async function killCalmcp(setting: KillRounds): Promise<boolean> {
  const { folder, env, typicalMs } = setting;
  const running = spawn(process.execPath, [bin, 'agenda', 'today'], { env, stdio: 'ignore' });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => running.once('exit', (_code, by) => resolve(by)));
  const timer = setTimeout(() => running.kill('SIGKILL'), Math.random() * typicalMs);
  const by = await ended;
  clearTimeout(timer);
  await untilNoneUnder(folder, GONE_MS);
  return by === 'SIGKILL';
}

/** A server is killed while it starts or works. */
async function killServer(setting: KillRounds): Promise<void> {
  await ask(setting, async () => {
    await sleep(Math.random() * setting.typicalMs * 0.6);
    for (const pid of await childrenUnder(setting.folder)) {
      try {
        process.kill(pid, Math.random() < 0.5 ? 'SIGKILL' : 'SIGTERM');
      } catch {
        // It has gone by itself.
      }
    }
  });
}

export interface KillOutcome {
  /** Rounds in which calmcp was killed before it ended by itself. */
  readonly killed: number;
}

/** @throws Error when anything is left, or when questions stay unanswered after that */
export async function childKillRounds(setting: KillRounds): Promise<KillOutcome> {
  let killed = 0;
  let kills = 0;
  const requireAnswer = async (round: number): Promise<void> => {
    const why = await ask(setting);
    if (why !== undefined) throw new Error(`round ${round}: no complete answer: ${why}`);
  };
  for (let round = 0; round < setting.rounds; round++) {
    if (round % 3 === 0) {
      if (await killCalmcp(setting)) killed++;
      // The next start removes what is left of this one.
      await requireAnswer(round);
    } else {
      await killServer(setting);
      kills++;
      if (kills % ASK_EVERY === 0) await requireAnswer(round);
    }
    await requireNothingLeft(setting, round);
  }
  return { killed };
}
