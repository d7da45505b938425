/**
 * Sixteen clients at once, for two minutes (CALMCP_SOAK_MINUTES), while everything that can fail does so by chance: no answer is
 * wrong, what is missing is said to be, nothing is answered or written twice, and nothing is left in the end. A run can be had
 * again, as far as time allows, with the seed that it prints (CALMCP_SOAK_SEED).
 */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { logPath } from '../../src/cli/daemon/lifecycle.ts';
import { readDaemonRecord } from '../../src/io/daemon-record.ts';
import { keepAsking, keepWriting, type Soak, type Written } from './soak-askers.ts';
import { createChance } from './soak-chance.ts';
import { createChaos } from './soak-chaos.ts';
import {
  type Asker,
  openCommandClient,
  openRelayClient,
  openSocketClient,
  runProgram,
  type Surroundings,
  sleep,
} from './soak-clients.ts';
import { datesAfter, standing } from './soak-ledger.ts';
import { type Answer, checkCoverage, checkEvents, type Question } from './soak-oracles.ts';
import { openFiles, processesOf, residentOf, watchLogs } from './soak-watch.ts';
import { ACCOUNTS, DAYS, openSoakWorld, type SoakWorld } from './soak-world.ts';

const MINUTES = Number(process.env.CALMCP_SOAK_MINUTES ?? 2);
const SEED = process.env.CALMCP_SOAK_SEED ?? String(Math.floor(Math.random() * 1e9));
const LENGTH_MS = MINUTES * 60_000;
/** How long it may take until everything is well again after the last fault: pauses that vendors ask for, and the longest of a breaker. */
const RECOVERY_MS = 90_000;
/** Relays whose daemon breaks twice within a minute go on alone for good, which is not what this is about. */
const KILL_EVERY_MS = 80_000;
/** Idle connections to the vendors close after five seconds; a look in the background may have opened new ones. */
const QUIET_MS = 20_000;
/** Handles more than at the first look: connections to the vendors that are about to close. */
const MORE_FILES = 6;
/**
 * Megabytes that the daemon may grow after its first half minute. What it keeps of the eight calendars is well below one; the
 * rest is Node's heap, which is let grow before it is tidied (`HEAP_FLAGS` keeps that small), and code that is compiled late.
 */
const MORE_MEGABYTES = 40;
/** Of all questions, in every run: fewer would show that the soak has hardly asked. */
const LEAST_ANSWERS = 120;

/** Warnings that have to be there when things go wrong. Anything else is a violation. */
const EXPECTED = [/^warn accounts\.yaml not taken over/];

const STOPPED = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

async function daemonPid({ stateFolder }: SoakWorld): Promise<number> {
  const record = await readDaemonRecord(stateFolder);
  if (record === undefined) throw new Error('no daemon runs');
  return record.pid;
}

const everything = ({ monday }: SoakWorld): Question => ({
  tool: 'list_events',
  range: { first: monday, last: datesAfter(monday, DAYS - 1), zone: 'UTC' },
  accounts: undefined,
  audience: undefined,
  query: undefined,
  maxAge: 0,
  isFull: true,
});

async function askEverything(asker: Asker, world: SoakWorld): Promise<Answer | undefined> {
  const { range } = everything(world);
  const asked = Date.now();
  const outcome = await asker.ask('list_events', {
    from: range.first,
    to: range.last,
    timeZone: range.zone,
    maxAgeSeconds: 0,
    limit: 1_000,
    detail: 'full',
  });
  if (outcome.kind !== 'answer') return undefined;
  return { asked, answered: Date.now(), structured: outcome.structured, text: outcome.text };
}

/** @returns the first answer that is complete. @throws when there is none in time */
async function untilComplete(asker: Asker, world: SoakWorld): Promise<Answer> {
  let last: Answer | undefined;
  for (const end = performance.now() + RECOVERY_MS; performance.now() < end; await sleep(500)) {
    last = await askEverything(asker, world);
    if (last?.structured.complete === true) return last;
  }
  throw new Error(`not complete after ${RECOVERY_MS / 1_000} s: ${JSON.stringify(last?.structured.accounts)}`);
}

// In CI a second run may follow on a first one that failed: what that one found stands in the log.
test.skipIf(process.platform !== 'linux')(
  'sixteen clients get right answers, each once, whatever fails meanwhile, and nothing is left in the end',
  { retry: process.env.CI === undefined ? 0 : 1, timeout: LENGTH_MS + RECOVERY_MS * 2 + 180_000 },
  async () => {
    const violations: string[] = [];
    const violation = (what: string): void => {
      violations.push(what);
      if (process.env.CALMCP_SOAK_LOUD !== undefined) process.stderr.write(`VIOLATION ${what}\n`);
    };
    const counts = new Map<string, number>();
    const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
    process.stderr.write(`soak: seed ${SEED}, ${MINUTES} min\n`);
    const chance = createChance(SEED);
    const world = await openSoakWorld(chance.of('world'));
    const { folder, stateFolder, ledger } = world;
    const logs = watchLogs(world.secrets, violation, process.env.CALMCP_SOAK_LOG);
    const here: Surroundings = { env: world.env, stateFolder, violation, log: logs.take };
    onTestFinished(async () => {
      for (const { pid } of await processesOf(folder)) if (pid !== process.pid) process.kill(pid, 'SIGKILL');
    });

    await world.writeConfig();
    for (const { id } of ACCOUNTS) await world.signIn(id);
    const started = await runProgram(['daemon', 'start', '--idle-minutes', '5'], here);
    expect(started.status, started.stderr).toBe(0);
    const unfollow = logs.follow(logPath(stateFolder));

    // What it holds when all is well and nobody asks: to be compared with the end.
    const first = await openSocketClient('first', '2026', true, here);
    const complete = await untilComplete(first, world);
    expect([
      ...checkCoverage(everything(world), complete, []),
      ...checkEvents(everything(world), [complete], ledger),
    ]).toEqual([]);
    await first.end();
    await sleep(6_000);
    const atFirst = await openFiles(await daemonPid(world));

    const clients: Asker[] = [];
    const chaos = createChaos(chance.of('chaos'), world, here);
    for (let index = 1; index <= 6; index++)
      clients.push(await openSocketClient(`socket ${index}`, index % 2 === 0 ? '2025' : '2026', index % 3 === 0, here));
    clients.push(
      ...(await Promise.all(
        [1, 2, 3, 4, 5, 6].map((index) => openRelayClient(`relay ${index}`, index % 2 === 0 ? '2025' : '2026', here)),
      )),
    );
    for (let index = 1; index <= 4; index++) clients.push(openCommandClient(`command ${index}`, here));

    const from = Date.now();
    const soak: Soak = { world, chaos, until: from + LENGTH_MS, violation, count, askers: clients, known: [] };
    const written: Written = { updates: 0, updated: 0, deletes: 0, deleted: 0 };
    const writes: string[] = [];
    const tidying = setInterval(() => {
      writes.push(...world.takeWrites());
      ledger.prune(Date.now() - 900_000);
      soak.known.splice(0, 20);
    }, 5_000);
    const writers: Readonly<Record<string, readonly string[]>> = {
      'socket 1': ['orchid', 'aspen'],
      'relay 1': ['willow', 'rowan'],
      'command 1': ['orchid', 'willow', 'aspen', 'rowan'],
    };
    const working = clients.map((asker) => {
      const own = chance.of(asker.name);
      const accounts = writers[asker.name];
      const isCommand = asker.way === 'command';
      if (accounts !== undefined)
        return keepWriting(soak, asker, own, accounts, isCommand ? [1_500, 3_500] : [500, 1_500], written);
      return isCommand
        ? keepAsking(soak, asker, own, 1, [1_500, 4_000])
        : keepAsking(soak, asker, own, 4, [300, 1_500]);
    });

    let atHalfMinute = 0;
    const ends = async (): Promise<void> => {
      // The last daemon lives for more than half of the time, so that a leak of it would show.
      const kills = Array.from(
        { length: Math.max(1, Math.floor((0.35 * LENGTH_MS) / KILL_EVERY_MS)) },
        (_, index) => 0.1 * LENGTH_MS + index * KILL_EVERY_MS,
      );
      for (const at of kills) {
        await sleep(Math.max(0, from + at - Date.now()));
        await chaos.kill();
      }
      await sleep(Math.max(0, from + 0.36 * LENGTH_MS - Date.now()));
      await chaos.restart();
      await sleep(Math.min(30_000, LENGTH_MS / 4));
      atHalfMinute = await residentOf(await daemonPid(world));
    };
    await Promise.all([...working, ends(), chaos.run(soak.until)]);
    const lasted = Date.now() - from;

    // Everything is mended: everything is there again, and as it was written.
    await world.writeConfig();
    for (const { id } of ACCOUNTS) await world.signIn(id);
    // One that was killed five times within ten minutes is left alone until somebody says so.
    const restarted = await runProgram(['children', 'restart', 'maple'], here);
    if (restarted.status !== 0) violation(`children restart: ${restarted.status} ${restarted.stderr}`);
    const [socket] = clients;
    const relay = clients.find(({ way }) => way === 'relay');
    if (socket === undefined || relay === undefined) throw new Error('nobody to ask');
    for (const asker of [socket, relay]) {
      const answer = await untilComplete(asker, world);
      for (const what of [
        ...checkCoverage(everything(world), answer, chaos.incidents),
        ...checkEvents(everything(world), [answer], ledger),
      ])
        violation(`in the end, ${asker.name}: ${what}`);
    }
    clearInterval(tidying);
    writes.push(...world.takeWrites());
    const now = { asked: Date.now(), answered: Date.now(), asOf: Date.now() };
    for (const { account, versions } of ledger.entries)
      for (const version of versions) {
        const held = world.held(account, version.title);
        const is = standing(version, now);
        const isNamedSo = versions
          .filter(({ title }) => title === version.title)
          .every((one) => standing(one, now) === 'gone');
        if (held === undefined) continue;
        if (is === 'there' && held.length !== 1)
          violation(`in the end, ${version.title} is there ${held.length} times`);
        if (is === 'gone' && isNamedSo && held.length > 0) violation(`in the end, ${version.title} is still there`);
        if (is === 'either' && held.length > 1) violation(`in the end, ${version.title} is there ${held.length} times`);
      }
    const sent = (method: RegExp): number => writes.filter((one) => method.test(one)).length;
    if (sent(/^(?:PATCH|PUT)/) > written.updates)
      violation(`${written.updates} changes were asked for, and ${sent(/^(?:PATCH|PUT)/)} made`);
    if (sent(/^DELETE/) > written.deletes)
      violation(`${written.deletes} deletions were asked for, and ${sent(/^DELETE/)} made`);

    // Nothing is left but the daemon and what it wants.
    const pid = await daemonPid(world);
    await Promise.all(clients.map((asker) => asker.end()));
    const isBack = async (): Promise<boolean> => {
      const running = await processesOf(folder);
      const files = await openFiles(pid);
      const known = new Set([pid]);
      for (const one of running) if (known.has(one.parent)) known.add(one.pid);
      return running.every((one) => known.has(one.pid)) && files.length <= atFirst.length + MORE_FILES;
    };
    await sleep(6_000);
    for (const end = performance.now() + QUIET_MS; performance.now() < end && !(await isBack()); ) await sleep(500);
    const files = await openFiles(pid);
    if (!(await isBack()))
      violation(
        `left in the end: ${JSON.stringify({ running: await processesOf(folder), daemon: pid, atFirst, files })}`,
      );
    const atEnd = await residentOf(pid);
    if (atEnd > atHalfMinute + MORE_MEGABYTES) violation(`the daemon grew from ${atHalfMinute} to ${atEnd} MB`);
    if ((await daemonPid(world)) !== pid || STOPPED(pid)) violation('the daemon has gone');
    const stopped = await runProgram(['daemon', 'stop'], here);
    if (stopped.status !== 0) violation(`daemon stop: ${stopped.status} ${stopped.stderr}`);
    for (const end = performance.now() + QUIET_MS; performance.now() < end && (await processesOf(folder)).length > 0; )
      await sleep(200);
    const left = await processesOf(folder);
    if (left.length > 0) violation(`left after the daemon: ${JSON.stringify(left)}`);
    await unfollow();
    for (const [line, times] of logs.loud)
      if (!EXPECTED.some((pattern) => pattern.test(line))) violation(`in a log, ${times} times: ${line.slice(0, 400)}`);

    const answers = [...counts].filter(([what]) => / answer$/.test(what)).reduce((sum, [, many]) => sum + many, 0);
    const report = [...counts, ...chaos.counts].map(([what, many]) => `  ${what}: ${many}`).sort();
    process.stderr.write(
      [
        `soak: ${answers} answers in ${Math.round(lasted / 1_000)} s, ${logs.lines} lines of logs, daemon ${atHalfMinute} -> ${atEnd} MB, ${atFirst.length} -> ${files.length} handles, ${writes.length} writes`,
        ...report,
        '',
      ].join('\n'),
    );
    for (const what of violations.slice(0, 20)) process.stderr.write(`soak: violation: ${what}\n`);
    expect(
      violations.slice(0, 20),
      `seed ${SEED}; ${violations.length} in all; state was in ${join(folder, 'state')}`,
    ).toEqual([]);
    // A soak in which nothing happened has shown nothing.
    expect(answers).toBeGreaterThan(LEAST_ANSWERS * MINUTES);
    for (const what of ['account own ok', 'account own unavailable', 'account others ok'])
      expect(counts.get(what) ?? 0, what).toBeGreaterThan(0);
    for (const what of ['daemon that was killed', 'daemon that was restarted', 'window', 'change by others'])
      expect(chaos.counts.get(what) ?? 0, what).toBeGreaterThan(0);
  },
);
