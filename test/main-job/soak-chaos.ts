/** What goes wrong in the soak, by chance: at the vendors, with the sign-ins, with accounts.yaml, and with the processes. */
import { readDaemonRecord } from '../../src/io/daemon-record.ts';
import type { FaultTarget } from '../../src/sandbox/index.ts';
import { childrenUnder } from '../processes.ts';
import type { Chance } from './soak-chance.ts';
import { runProgram, type Surroundings, sleep } from './soak-clients.ts';
import { ACCOUNTS, type SoakWorld, type Strike, type Strikes } from './soak-world.ts';

/** A stretch in which something was so, in epoch milliseconds. */
export interface Incident {
  readonly kind:
    | 'killed'
    | 'finished'
    | 'stopped'
    | 'broken'
    | 'edited'
    | 'revoked'
    | 'expired'
    | 'child killed'
    | Strike;
  readonly account?: string;
  readonly from: number;
  /** Infinity while it lasts. */
  until: number;
}

interface Window {
  readonly strike: Strike;
  readonly mailbox: string;
  readonly share: number;
  readonly until: number;
  left: number;
}

export interface Chaos {
  readonly incidents: readonly Incident[];
  /** How often each came about: a soak in which something never struck has shown nothing of it. */
  readonly counts: ReadonlyMap<string, number>;
  /** One thing after the other, until it is told to end; then everything is mended. */
  run(until: number): Promise<void>;
  /** The daemon is killed with signal 9; whoever needs one starts the next. */
  kill(): Promise<void>;
  /** It is told to finish, and started again. */
  restart(): Promise<void>;
}

/** Of the requests of one account that fit, for so long: how many, and what share of them. */
const WINDOWS: readonly {
  readonly strike: Strike;
  readonly ms: readonly [number, number];
  readonly most: number;
  readonly share: number;
}[] = [
  { strike: 'throttle', ms: [500, 3_000], most: 12, share: 0.7 },
  { strike: 'throttle-after', ms: [500, 3_000], most: 12, share: 0.7 },
  { strike: 'busy', ms: [500, 4_000], most: 20, share: 0.8 },
  { strike: 'cut', ms: [1_000, 4_000], most: 6, share: 0.7 },
  { strike: 'drop', ms: [1_000, 4_000], most: 6, share: 0.7 },
  { strike: 'slow', ms: [1_000, 5_000], most: 20, share: 0.8 },
  { strike: 'stall', ms: [500, 1_500], most: 2, share: 0.5 },
  { strike: 'hang', ms: [500, 1_500], most: 2, share: 0.5 },
];

const BROKEN = ['version: 1\naccounts: [\n', 'version: 1\naccounts:\n  orchid: { provider: nobody }\n', ''];

/** Milliseconds from one expiry of all tokens to the next, at least. */
const EXPIRY_MS = 45_000;
/** The longest that a hung or stalled request holds its question, and a little. */
const SETTLED_MS = 2_000;

export function createChaos(chance: Chance, world: SoakWorld, here: Surroundings): Chaos {
  const incidents: Incident[] = [];
  const counts = new Map<string, number>();
  let windows: Window[] = [];
  let elsewhere = 0;

  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  function incident(kind: Incident['kind'], account?: string): Incident {
    const began: Incident = {
      kind,
      ...(account === undefined ? {} : { account }),
      from: Date.now(),
      until: Number.POSITIVE_INFINITY,
    };
    incidents.push(began);
    return began;
  }
  const over = (began: Incident): void => {
    began.until = Date.now();
  };

  const strikes: Strikes = {
    take(strike, { mailbox, method }: FaultTarget) {
      const now = Date.now();
      const window = windows.find(
        (each) => each.strike === strike && each.mailbox === mailbox && each.left > 0 && now < each.until,
      );
      // A write that hangs takes its 25 seconds; more than a few are only time.
      if (window === undefined || (strike === 'hang' && method !== 'GET' && !chance.happens(0.3))) return false;
      if (!chance.happens(window.share)) return false;
      window.left--;
      count(strike);
      return true;
    },
  };
  world.setStrikes(strikes);

  function openWindow(): void {
    const { strike, ms, most, share } = chance.pick(WINDOWS);
    const target = chance.pick(ACCOUNTS.filter(({ kind }) => kind !== 'memory'));
    const now = Date.now();
    windows = windows.filter(({ until }) => until > now);
    const until = now + chance.between(...ms);
    windows.push({ strike, mailbox: target.username, share, until, left: most });
    incidents.push({ kind: strike, account: target.id, from: now, until });
  }

  async function revoke(): Promise<void> {
    const target = chance.pick(ACCOUNTS.filter(({ kind }) => kind !== 'memory' && kind !== 'feed'));
    const began = incident('revoked', target.id);
    world.sandbox.revoke(target.username);
    await sleep(chance.between(1_500, 4_000));
    await world.signIn(target.id);
    over(began);
  }

  async function edit(): Promise<void> {
    const how = chance.whole(1, 4);
    const began = incident(how === 1 ? 'broken' : 'edited');
    if (how === 1) await world.writeConfig({ text: chance.pick(BROKEN) });
    else
      await world.writeConfig({ spare: how > 2, ...(how > 3 ? { displayName: `Name ${chance.whole(1, 99)}` } : {}) });
    await sleep(chance.between(800, 2_500));
    await world.writeConfig();
    over(began);
  }

  async function killChildren(): Promise<void> {
    const began = incident('child killed', 'maple');
    for (const pid of await childrenUnder(world.folder))
      try {
        process.kill(pid, chance.happens(0.7) ? 'SIGKILL' : 'SIGTERM');
        count('child that was killed');
      } catch {
        // It has ended by itself.
      }
    over(began);
  }

  const daemonPid = async (): Promise<number | undefined> => (await readDaemonRecord(world.stateFolder))?.pid;

  async function stop(): Promise<void> {
    const pid = await daemonPid();
    if (pid === undefined) return;
    const began = incident('stopped');
    try {
      process.kill(pid, 'SIGSTOP');
      await sleep(chance.between(500, 1_700));
      process.kill(pid, 'SIGCONT');
    } catch {
      // It has just been replaced.
    }
    over(began);
  }

  /** Somebody else writes into a calendar of this person. */
  function others(): void {
    const target = chance.pick(ACCOUNTS.filter(({ kind }) => kind !== 'memory'));
    const own = world.ledger
      .of(target.id)
      .filter(({ versions }) =>
        versions.every(({ from, to, title }) => from.by === 'others' && to === undefined && / else /.test(title)),
      );
    const how = chance.whole(1, 3);
    const [oldest] = own;
    count('change by others');
    if (own.length < 3 || how === 1 || oldest === undefined)
      world.addElsewhere(target.id, `${target.bird} else ${++elsewhere}`, world.spanOf(chance));
    else if (how === 2) world.moveElsewhere(chance.pick(own), world.spanOf(chance));
    else world.removeElsewhere(oldest);
  }

  const LOT: readonly (readonly [string, number, () => unknown])[] = [
    ['window', 10, openWindow],
    ['others', 6, others],
    [
      'expiry',
      2,
      () => {
        const last = incidents.findLast(({ kind }) => kind === 'expired')?.from ?? 0;
        // Two within one question are a service that refuses fresh tokens: that rests for minutes, and rightly.
        if (Date.now() - last < EXPIRY_MS) return;
        over(incident('expired'));
        count('token expiry');
        world.sandbox.expireAccessTokens();
        if (chance.happens(0.5)) world.sandbox.google.expireSyncTokens();
      },
    ],
    ['revoke', 1.5, revoke],
    ['edit', 2, edit],
    ['kill child', 1, killChildren],
    ['stop', 1, stop],
  ];
  const WHOLE = LOT.reduce((sum, [, weight]) => sum + weight, 0);

  let held: Promise<unknown> = Promise.resolve();
  /** One at a time of those that would step on each other's feet: a config that is broken, a daemon that is away. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const next = held.then(work);
    held = next.catch(() => undefined);
    return next;
  };

  return {
    incidents,
    counts,
    async run(until) {
      const running = new Set<Promise<unknown>>();
      while (Date.now() < until) {
        const at = chance.between(0, WHOLE);
        let sum = 0;
        const found = LOT.find(([, weight]) => {
          sum += weight;
          return sum > at;
        });
        if (found === undefined) throw new RangeError('the lot is short');
        const [name, , work] = found;
        count(name);
        const isAlone = ['edit', 'revoke', 'stop'].includes(name);
        const done = isAlone
          ? alone(async () => {
              if (Date.now() < until) await work();
            })
          : Promise.resolve(work());
        running.add(done);
        void done.finally(() => running.delete(done));
        await sleep(chance.between(300, 1_200));
      }
      await Promise.all(running);
      windows = [];
      await sleep(SETTLED_MS / 2);
    },
    kill: () =>
      alone(async () => {
        const pid = await daemonPid();
        if (pid === undefined) return;
        count('daemon that was killed');
        const began = incident('killed');
        process.kill(pid, 'SIGKILL');
        await untilAnother(pid);
        over(began);
      }),
    restart: () =>
      alone(async () => {
        const pid = await daemonPid();
        if (pid === undefined) return;
        count('daemon that was restarted');
        const began = incident('finished');
        process.kill(pid, 'SIGTERM');
        const { status, stderr } = await runProgram(['daemon', 'start', '--idle-minutes', '5'], here);
        if (status !== 0) here.violation(`daemon start: ${status} ${stderr.slice(-500)}`);
        await untilAnother(pid);
        over(began);
      }),
  };

  async function untilAnother(pid: number): Promise<void> {
    for (const end = performance.now() + 15_000; performance.now() < end; await sleep(50)) {
      const now = await daemonPid();
      if (now !== undefined && now !== pid) return;
    }
    here.violation('no other daemon came');
  }
}
