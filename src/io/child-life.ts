/**
 * The life of one child server: started when it is needed, watched, started again when it crashes, ended. What it tells others
 * is a state.
 */
import { join } from 'node:path';
import type { ChildSpec, ChildState } from '../core/child.ts';
import { CalmcpError, toCalmcpError } from '../core/errors.ts';
import type { Call } from '../core/provider.ts';
import { type ChildConnection, connectChild } from './child-connection.ts';
import type { ChildHost } from './child-host.ts';
import { createLadder } from './child-ladder.ts';
import { type HeldLease, holdLease } from './child-lease.ts';
import { createChildLog } from './child-log.ts';
import { feelPulse } from './child-pulse.ts';
import type { CheckedTools } from './child-tools.ts';
import { limitedSignal, pause, settledWithin } from './time-limit.ts';

/** A question hears what is the matter with its child server before its own time is up. */
const MARGIN_MS = 250;

/** Milliseconds that may be waited for something in a question. */
export const timeLeft = ({ deadline }: Call): number => {
  const left = deadline - performance.now();
  return Math.max(1, left - Math.min(MARGIN_MS, left / 10));
};

/** A server that somebody is about to ask. */
export interface Occupied {
  readonly opened: ChildConnection;
  /** It has answered. */
  free(): void;
}

export interface ChildLife {
  /** Where the files of the account are that outlive its servers. */
  readonly folder: string;
  /**
   * A server that answers, with the token that it needs: with another one it could answer for somebody else.
   * @throws CalmcpError why there is none
   */
  ready(call: Call, token: string | undefined): Promise<Occupied>;
  /** Whether it is the one that runs. */
  isCurrent(opened: ChildConnection): boolean;
  /** Which of its tools are used; looked at again where it said that they have changed. */
  tools(opened: ChildConnection, call: Call, token: string | undefined): Promise<CheckedTools>;
  /** Lends a token for the calls that follow, where it reads it from a file. */
  putToken(token: string): Promise<void>;
  /** It may hang: that is found out now. */
  doubt(opened: ChildConnection): void;
  /** It is of no use any more. */
  lose(opened: ChildConnection, error: CalmcpError): void;
  /** Why it is of no use any more. */
  whyLost(opened: ChildConnection): CalmcpError | undefined;
  /** What to say while it is started again. */
  restarting(): CalmcpError;
  needsLogin(error: CalmcpError): void;
  /** Ends it; it can be started again. */
  stop(): Promise<void>;
  /** Ends it for good. */
  close(why?: string): Promise<void>;
  /** Aborts when it is closed. */
  readonly closed: AbortSignal;
}

/** @param before resolves when the one that this takes the place of has gone */
export function createChildLife(spec: ChildSpec, host: ChildHost, before: Promise<unknown>): ChildLife {
  const { account } = spec;
  const { times, machine } = host;
  const folder = join(host.folder, account);
  const log = createChildLog(join(folder, 'server.log'));
  const closing = new AbortController();

  let state: ChildState = 'idle';
  let lease: Promise<HeldLease> | undefined;
  let connection: ChildConnection | undefined;
  let starting: Promise<ChildConnection> | undefined;
  /** Until nothing of those that were let go of runs any more: two of them would want the same port. */
  let leaving: Promise<void> = Promise.resolve();
  let tools: CheckedTools = { usable: new Set(), withheld: new Map() };
  /** What is in its environment, where that is how it learns the token. */
  const tokens = new WeakMap<ChildConnection, string | undefined>();
  let lastToken: string | undefined;
  let lastError: CalmcpError | undefined;
  const ladder = createLadder({ first: times.backoff, cap: times.backoffCap, random: host.random });
  let restarts = 0;
  let isRestart = false;
  let since: number | undefined;
  let running: { pid: number; started: string; group: number; port: number | undefined } | undefined;
  let inFlight = 0;
  let toolsAreStale = false;
  const lost = new WeakMap<ChildConnection, CalmcpError>();
  const timers = {
    idle: undefined as NodeJS.Timeout | undefined,
    ping: undefined as NodeJS.Timeout | undefined,
    again: undefined as NodeJS.Timeout | undefined,
    stable: undefined as NodeJS.Timeout | undefined,
  };

  function after(name: keyof typeof timers, ms: number, work: () => void): void {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(work, ms);
    timers[name].unref();
  }

  function enter(next: ChildState): void {
    if (state !== next) host.log.debug('child server', { account, state: next });
    state = next;
    void lease
      ?.then((held) =>
        held.update({
          state,
          restarts,
          ...(running === undefined ? {} : { process: running, since }),
          ...(running?.port === undefined ? {} : { port: running.port }),
          ...(connection?.program.version === undefined ? {} : { version: connection.program.version }),
          ...(lastError === undefined ? {} : { lastError: lastError.message }),
        }),
      )
      .catch((error: unknown) => host.log.warn('child server not recorded', { account, error }));
  }

  const unavailable = (message: string, more: { retryAfterMs?: number; hint?: string } = {}): CalmcpError =>
    new CalmcpError('UNAVAILABLE', message, { account, ...more });

  const seeLog = `see what it said: calmcp children logs ${account}`;

  let inFile: string | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  /** Where it reads the token from a file: the newest one is in there before it is asked. */
  async function putToken(token: string): Promise<void> {
    if (spec.writeToken === undefined) return;
    const { writeToken } = spec;
    const next = writing.then(async () => {
      if (inFile === token || lease === undefined) return;
      closing.signal.throwIfAborted();
      await writeToken((await lease).folder, token);
      inFile = token;
    });
    writing = next.catch(() => undefined);
    await next;
  }

  /** From now on nobody asks the one that runs. @param end sees to it that it ends */
  function letGo(end: () => Promise<unknown>): Promise<void> {
    connection = undefined;
    for (const name of ['idle', 'ping', 'stable'] as const) clearTimeout(timers[name]);
    leaving = leaving.then(end).then(
      () => undefined,
      (error: unknown) => host.log.warn('child server not ended', { account, error }),
    );
    return leaving;
  }

  /** It has ended, or must be, though nobody here asked it to. */
  function lose(own: ChildConnection, error: CalmcpError): void {
    if (connection !== own) return;
    const before = lastError;
    lastError = error;
    lost.set(own, error);
    void letGo(async () => {
      // What it leaves behind goes with it.
      await own.stop(true);
      running = undefined;
      if (!(await (await lease)?.takeRestart())) {
        crashed(error);
        return;
      }
      log.note('ended to be started again');
      lastError = before;
      ladder.forgive();
      isRestart = true;
      enter('idle');
      void start(lastToken).catch(() => undefined);
    });
  }

  /** It does not run, and is started again after a while. */
  function crashed(error: CalmcpError): void {
    lastError = error;
    isRestart = true;
    log.note(error.message);
    host.log.info('child server failed', { account, error });
    if (closing.signal.aborted) return;
    const wait = ladder.crashed(performance.now());
    if (wait === undefined) {
      enter('crash-loop');
      return;
    }
    rest(error);
  }

  function rest(error: CalmcpError): void {
    lastError = error;
    enter('backoff');
    after('again', ladder.waiting(performance.now()), () => {
      // A mistake of the machine (not installed, nobody signed in) is met by the next call, not by a timer.
      if (state === 'backoff') void start(lastToken).catch(() => undefined);
    });
  }

  /** Whether it is no crash: somebody has to do something first. */
  const isForPeople = ({ code }: CalmcpError): boolean => code === 'CONFIG_INVALID' || code === 'AUTH_REQUIRED';

  async function startOnce(token: string | undefined): Promise<ChildConnection> {
    await before;
    await host.cleared;
    closing.signal.throwIfAborted();
    lease ??= holdLease(host.folder, { account, server: spec.kind.server, transport: spec.transport });
    const held = await lease.catch((thrown: unknown) => {
      lease = undefined;
      throw thrown;
    });
    await leaving;
    closing.signal.throwIfAborted();
    if (await held.takeRestart()) ladder.forgive();
    enter('starting');
    let opening: Promise<ChildConnection> | undefined;
    await host.starts.run(1, closing.signal, async () => {
      opening = open(held, token);
      // One that takes longer is waited for, and keeps no processor busy: others need not wait for it.
      await settledWithin(opening, times.slot);
    });
    if (opening === undefined) throw new TypeError('not started');
    return opening;
  }

  async function open(held: HeldLease, token: string | undefined): Promise<ChildConnection> {
    const signal = limitedSignal(
      times.start,
      () => unavailable(`its child server was not ready within ${Math.ceil(times.start / 1_000)} s`, { hint: seeLog }),
      closing.signal,
    );
    await spec.prepare?.(held.folder);
    if (token !== undefined) await putToken(token);
    const opened = await connectChild(spec, machine, {
      token,
      signal,
      log,
      folder: held.folder,
      nonce: held.nonce,
      stopMs: times.stop,
      spawned({ pid, started, group }, port) {
        running = { pid, started, group, port };
        since = Date.now();
        enter('starting');
      },
      broken: (error) => lose(opened, error),
      toolsChanged() {
        toolsAreStale = true;
      },
    });
    return opened;
  }

  /**
   * The one attempt that is under way, whoever waits for it.
   * @param isEarly in the middle of a pause: where it fails, the pause goes on as if it had not been made
   */
  function start(token: string | undefined, isEarly = false): Promise<ChildConnection> {
    clearTimeout(timers.again);
    starting ??= startOnce(token)
      .then((opened) => {
        connection = opened;
        tokens.set(opened, token);
        lastToken = token ?? lastToken;
        if (isRestart) restarts++;
        isRestart = false;
        take(opened.tools);
        after('stable', times.stable, ladder.forgive);
        keepAlive();
        watch();
        void opened.process.ended.then(({ code, signal }) =>
          lose(
            opened,
            unavailable(`its child server ended by itself (${signal === null ? `exit ${code}` : signal})`, {
              hint: seeLog,
            }),
          ),
        );
        return opened;
      })
      .catch((thrown: unknown) => {
        const error = toCalmcpError(thrown).of(account);
        running = undefined;
        if (isForPeople(error)) {
          lastError = error;
          log.note(error.message);
          enter(error.code === 'AUTH_REQUIRED' ? 'needs-login' : 'idle');
        } else if (isEarly && ladder.waiting(performance.now()) > 0) {
          log.note(error.message);
          rest(error);
        } else crashed(error);
        throw error;
      })
      .finally(() => {
        starting = undefined;
      });
    return starting;
  }

  function take(looked: CheckedTools): void {
    for (const [name, why] of looked.withheld)
      if (tools.withheld.get(name) !== why) log.note(`the tool ${name} is not used: ${why}`);
    tools = looked;
    toolsAreStale = false;
    enter(calmState());
  }

  let looking: Promise<void> | undefined;

  /** Once for all calls that come meanwhile. */
  function lookAtTools(opened: ChildConnection, token: string | undefined): Promise<void> {
    looking ??= opened
      .refresh(closing.signal, token)
      .then((looked) => {
        if (connection === opened) take(looked);
      })
      .finally(() => {
        looking = undefined;
      });
    return looking;
  }

  const calmState = (): ChildState => (tools.withheld.size === 0 ? 'ready' : 'degraded');

  function keepAlive(): void {
    if (connection === undefined) return;
    after('idle', times.idle, () => {
      if (inFlight > 0) keepAlive();
      else void stop();
    });
  }

  /** Asks it for a sign of life from time to time; without one it is ended, and so started again. */
  function watch(soon = false): void {
    after('ping', soon ? 0 : times.pingEvery, () => void lookAfter());
  }

  let felt: ChildConnection | undefined;

  async function lookAfter(): Promise<void> {
    const own = connection;
    if (own === undefined || felt === own) return;
    felt = own;
    const isAlive = await feelPulse(own, {
      ms: times.ping,
      token: lastToken,
      isWanted: () => connection === own,
      missed: (count) => log.note(`no answer to a ping (${count})`),
    });
    if (!isAlive) lose(own, unavailable('its child server does not answer any more', { hint: seeLog }));
    if (felt === own) felt = undefined;
    // Over a port nobody is told of a change: it is looked for with the next call.
    if (own.port !== undefined) toolsAreStale = true;
    if (connection === own) watch();
  }

  /** Waits for what others need as well, as long as the question may. */
  function within<T>(work: Promise<T>, call: Call, limitMs = Number.POSITIVE_INFINITY): Promise<T> {
    const { signal } = call;
    work.catch(() => undefined);
    return new Promise<T>((resolve, reject) => {
      const late = (): CalmcpError =>
        state === 'starting'
          ? unavailable('its child server is still starting', { hint: 'ask again in a moment' })
          : restarting();
      const abort = (): void => reject(signal.reason);
      const timer = setTimeout(() => reject(late()), Math.min(limitMs, timeLeft(call)));
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      work.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      });
    });
  }

  const restarting = (): CalmcpError => {
    const wait = ladder.waiting(performance.now());
    return unavailable('its child server is restarting', {
      ...(wait > 0 ? { retryAfterMs: wait } : {}),
      hint: lastError === undefined ? 'ask again in a moment' : `${lastError.message}; ${seeLog}`,
    });
  };

  /** Another token in the environment needs another process. What the old one is busy with is let finish. */
  function replace(old: ChildConnection): void {
    enter('stopping');
    void letGo(async () => {
      try {
        while (inFlight > 0) await pause(20, closing.signal);
      } finally {
        await old.stop();
        running = undefined;
      }
    });
  }

  const hasToken = (opened: ChildConnection, token: string | undefined): boolean =>
    spec.lending !== 'environment' || token === undefined || tokens.get(opened) === token;

  function occupy(opened: ChildConnection): Occupied {
    inFlight++;
    if (state === 'needs-login') {
      lastError = undefined;
      enter(calmState());
    }
    keepAlive();
    return {
      opened,
      free() {
        inFlight--;
        keepAlive();
      },
    };
  }

  async function ready(call: Call, token: string | undefined): Promise<Occupied> {
    if (token !== undefined && token !== lastToken) log.hide(token);
    lastToken = token ?? lastToken;
    for (;;) {
      closing.signal.throwIfAborted();
      if (connection !== undefined && hasToken(connection, token)) return occupy(connection);
      if (connection !== undefined) replace(connection);
      await within(leaving, call);
      if (connection !== undefined) continue;
      const opened = await (starting === undefined ? begin(call, token) : within(starting, call));
      // Whoever started it may have done so with another token. One that fits is kept until it has been asked, though others
      // may be waiting to replace it.
      if (hasToken(opened, token)) return occupy(opened);
    }
  }

  async function begin(call: Call, token: string | undefined): Promise<ChildConnection> {
    closing.signal.throwIfAborted();
    if (ladder.isLeftAlone) {
      if (!(await (await lease)?.takeRestart()))
        throw unavailable(`its child server keeps crashing, ${ladder.crashes} times by now, and was left alone`, {
          hint: `${lastError?.message ?? ''}; ${seeLog}, then: calmcp children restart ${account}`,
        });
      ladder.forgive();
    }
    if (starting === undefined && state === 'backoff' && ladder.waiting(performance.now()) > 0) {
      if (!ladder.takeAttempt()) throw restarting();
      return within(start(token, true), call, times.reconnect);
    }
    return within(start(token), call);
  }

  async function stop(): Promise<void> {
    for (const timer of Object.values(timers)) clearTimeout(timer);
    await starting?.catch(() => undefined);
    const old = connection;
    if (old !== undefined) {
      enter('stopping');
      void letGo(async () => {
        await old.stop();
        running = undefined;
      });
    }
    await leaving;
    clearTimeout(timers.again);
    if (starting === undefined && connection === undefined) enter(ladder.isLeftAlone ? 'crash-loop' : 'idle');
  }

  let ended: Promise<void> | undefined;
  return {
    folder,
    ready,
    isCurrent: (opened) => connection === opened,
    async tools(opened, call, token) {
      if (toolsAreStale) await within(lookAtTools(opened, token), call);
      return tools;
    },
    putToken,
    doubt(opened) {
      if (connection === opened) watch(true);
    },
    lose,
    whyLost: (opened) => lost.get(opened),
    restarting,
    needsLogin(error) {
      if (closing.signal.aborted || starting !== undefined || ladder.isLeftAlone) return;
      lastError = error;
      // So that others see it: nothing may ever have been started.
      lease ??= holdLease(host.folder, { account, server: spec.kind.server, transport: spec.transport });
      lease.catch(() => {
        lease = undefined;
      });
      enter('needs-login');
    },
    async stop() {
      await stop();
      ladder.forgive();
      if (state === 'crash-loop') enter('idle');
    },
    close(why = 'calmcp is closing') {
      ended ??= (async () => {
        closing.abort(new CalmcpError('UNAVAILABLE', why, { account, hint: 'ask again' }));
        await stop();
        await writing;
        await log.flush();
        await (await lease?.catch(() => undefined))?.release();
      })();
      return ended;
    },
    closed: closing.signal,
  };
}
