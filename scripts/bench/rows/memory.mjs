// What the processes hold: idle, after the first answer, and after thousands of long ones.
import { spawn } from 'node:child_process';
import { connectSession, openLineSession } from '../line-session.mjs';
import { memoryOf, pause } from '../processes.mjs';

/** 20 accounts x 3 calendars x 17 events: a little more than a thousand, all in the range. */
const WORLD = { accounts: 20, events: 17 };
const QUESTION = { range: 'this week' };
const SETTLE_MS = 2_000;
/** One in so many is read anew. */
const LIVE_EACH = 20;

export async function measureMemory(laboratory, { program, quick }) {
  const world = await laboratory.world(WORLD);
  const answers = quick ? 500 : 10_000;
  const daemon = await world.startDaemon(program);

  const relay = spawn(process.execPath, [program, 'mcp'], {
    env: world.environment,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const client = await openLineSession(relay.stdout, relay.stdin);
  await client.request('tools/list');
  await pause(SETTLE_MS);
  const [attached, idle] = [memoryOf(relay.pid), memoryOf(daemon.pid)];
  relay.stdin.end();

  const session = await connectSession(daemon.socket, { answers: 'script' });
  const ask = async (input) => {
    const { events } = await session.ask('list_events', { ...QUESTION, ...input });
    if (events.length < 1_000) throw new Error(`${events.length} events`);
  };
  await ask({});
  await pause(SETTLE_MS);
  const first = memoryOf(daemon.pid);
  /** Megabytes after each tenth. The first one is to get to its size: what the compiler and the heap need is no leak. */
  const tenths = [];
  for (let round = 1; round <= answers; round++) {
    await ask(round % LIVE_EACH === 0 ? { maxAgeSeconds: 0 } : {});
    if (round % (answers / 10) !== 0) continue;
    await pause(SETTLE_MS);
    tenths.push(memoryOf(daemon.pid));
    console.error(`  ${round.toLocaleString('en')} answers: ${tenths.at(-1).toFixed(0)} MB`);
  }
  const [before, after] = [tenths[0], tenths.at(-1)];
  session.close();
  await world.stopDaemon();
  const row = (what, figure, aim) => ({ what, figure, unit: 'MB', ...(aim === undefined ? {} : { aim }) });
  const many = answers.toLocaleString('en');
  return [
    row('memory: calmcp mcp with the daemon, idle', attached, 60),
    row('memory: the daemon, 20 accounts, idle', idle, 120),
    row('memory: the daemon after one answer of 1,000 events', first),
    row(`memory: the daemon after ${many} of them`, after),
    row(`memory: growth from answer ${(answers / 10).toLocaleString('en')} to ${many}`, after - before, 10),
  ];
}
