/**
 * The one owner of a child server: starts it when it is needed, sees that it answers, starts it again when it crashes, and
 * ends it. What it says to others is a state.
 */

import { join } from 'node:path';
import type { ChildAnswer, ChildServer, ChildSpec, ChildState } from '../core/child.ts';
import { CalmcpError, toCalmcpError } from '../core/errors.ts';
import type { Call, Logger } from '../core/provider.ts';
import { type ChildConnection, type ChildMachine, calmcpErrorIn, connectChild } from './child-connection.ts';
import { runChildOnce } from './child-errand.ts';
import { createLadder } from './child-ladder.ts';
import { type HeldLease, holdLease } from './child-lease.ts';
import { createChildLog } from './child-log.ts';
import type { CheckedTools } from './child-tools.ts';
import type { Limiter } from './limiter.ts';
import { limitedSignal, pause } from './time-limit.ts';

/** Milliseconds, all of them. Tests are in more of a hurry. */
export interface ChildTimes {
  /** From the start of its process to its list of tools. */
  readonly start: number;
  /** Without a call for this long it is ended. */
  readonly idle: number;
  readonly pingEvery: number;
  readonly ping: number;
  /** Backoff after a crash: a random part of this, doubled each time, up to `backoffCap`. */
  readonly backoff: number;
  readonly backoffCap: number;
  /** How long a call waits for a server that is started again. */
  readonly reconnect: number;
  /** Running for this long without a crash makes up for earlier ones. */
  readonly stable: number;
}

export const CHILD_TIMES: ChildTimes = {
  start: 30_000,
  idle: 15 * 60_000,
  pingEvery: 30_000,
  ping: 5_000,
  backoff: 1_000,
  backoffCap: 60_000,
  reconnect: 3_000,
  stable: 5 * 60_000,
};

/** Pings missed one after the other before it counts as hung. */
const MISSED_PINGS = 3;

export interface ChildHost {
  /** The folder of all child servers of all accounts. */
  readonly folder: string;
  readonly machine: ChildMachine;
  readonly log: Logger;
  /** How many start at once. */
  readonly starts: Limiter;
  /** Resolves when what an earlier calmcp left behind has gone. */
  readonly cleared: Promise<unknown>;
  readonly times: ChildTimes;
  /** Uniform in [0, 1): the jitter. */
  readonly random: () => number;
}

/** @param before resolves when the one that this takes the place of has gone */
export function createChildServer(spec: ChildSpec, host: ChildHost, before: Promise<unknown>): ChildServer {
  const { account, kind } = spec;
  const { times, machine } = host;
  const folder = join(host.folder, account);
  const log = createChildLog(join(folder, 'server.log'));
  const closing = new AbortController();

  let state: ChildState = 'idle';
  let lease: Promise<HeldLease> | undefined;
  let connection: ChildConnection | undefined;
  let starting: Promise<ChildConnection> | undefined;
  let tools: CheckedTools = { usable: new Set(), withheld: new Map() };
  /** What is in its environment, where that is how it learns the token; and what was there before. */
  let lent: string | undefined;
  const retired = new Set<string | undefined>();
  let lastToken: string | undefined;
  let lastError: CalmcpError | undefined;
  const ladder = createLadder({ first: times.backoff, cap: times.backoffCap, random: host.random });
  let restarts = 0;
  let since: number | undefined;
  let running: { pid: number; started: string; group: number; port: number | undefined } | undefined;
  let inFlight = 0;
  let toolsAreStale = false;
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
    new CalmcpError('UNAVAILABLE', message, { account, ...more, cause: lastError });

  const seeLog = `see what it said: calmcp children logs ${account}`;

  let inFile: string | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  /** Where it reads the token from a file: the newest one is in there before it is asked. */
  async function putToken(token: string): Promise<void> {
    if (spec.writeToken === undefined) return;
    const { writeToken } = spec;
    const next = writing.then(async () => {
      if (inFile === token || lease === undefined) return;
      await writeToken((await lease).folder, token, Date.now());
      inFile = token;
    });
    writing = next.catch(() => undefined);
    await next;
  }

  /** It has ended, or must be, though nobody asked it to. */
  function crashed(error: CalmcpError): void {
    lastError = error;
    for (const name of ['idle', 'ping', 'stable'] as const) clearTimeout(timers[name]);
    connection = undefined;
    running = undefined;
    log.note(error.message);
    host.log.info('child server failed', { account, error });
    if (closing.signal.aborted) return;
    const wait = ladder.crashed(performance.now());
    if (wait === undefined) {
      enter('crash-loop');
      return;
    }
    enter('backoff');
    after('again', wait, () => {
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
    lease ??= holdLease(host.folder, { account, server: kind.server, transport: spec.transport });
    const held = await lease.catch((thrown: unknown) => {
      lease = undefined;
      throw thrown;
    });
    enter('starting');
    const signal = limitedSignal(
      times.start,
      () => unavailable(`its child server was not ready within ${Math.round(times.start / 1_000)} s`, { hint: seeLog }),
      closing.signal,
    );
    return host.starts.run(1, signal, async () => {
      await spec.prepare?.(held.folder);
      if (token !== undefined) await putToken(token);
      let broken: CalmcpError | undefined;
      const opened = await connectChild(spec, machine, {
        token,
        signal,
        log,
        folder: held.folder,
        nonce: held.nonce,
        spawned({ pid, started, group }, port) {
          running = { pid, started, group, port };
          since = Date.now();
          enter('starting');
        },
        broken(error) {
          broken = error;
          void opened.process.stop({ ms: 0, ignoresStdin: true });
        },
        toolsChanged() {
          toolsAreStale = true;
        },
      });
      void opened.process.ended.then(({ code, signal: by }) => {
        if (connection !== opened) return;
        // What it leaves behind goes with it.
        void opened.stop();
        void (async () => {
          if (await held.takeRestart()) {
            log.note('ended to be started again');
            connection = undefined;
            running = undefined;
            ladder.forgive();
            restarts++;
            enter('idle');
            void start(lastToken).catch(() => undefined);
          } else
            crashed(
              broken ??
                unavailable(`its child server ended by itself (${by === null ? `exit ${code}` : by})`, {
                  hint: seeLog,
                }),
            );
        })();
      });
      return opened;
    });
  }

  /** The one attempt that is under way, whoever waits for it. */
  function start(token: string | undefined): Promise<ChildConnection> {
    clearTimeout(timers.again);
    starting ??= startOnce(token)
      .then((opened) => {
        connection = opened;
        lent = token;
        lastToken = token ?? lastToken;
        if (ladder.crashes > 0) restarts++;
        take(opened.tools);
        after('stable', times.stable, ladder.forgive);
        keepAlive();
        watch();
        return opened;
      })
      .catch((thrown: unknown) => {
        const error = toCalmcpError(thrown).of(account);
        running = undefined;
        if (isForPeople(error)) {
          lastError = error;
          log.note(error.message);
          enter(error.code === 'AUTH_REQUIRED' ? 'needs-login' : 'idle');
        } else crashed(error);
        throw error;
      })
      .finally(() => {
        starting = undefined;
      });
    return starting;
  }

  function take(looked: CheckedTools): void {
    tools = looked;
    toolsAreStale = false;
    for (const [name, why] of tools.withheld) log.note(`the tool ${name} is not used: ${why}`);
    enter(tools.withheld.size === 0 ? 'ready' : 'degraded');
  }

  function keepAlive(): void {
    after('idle', times.idle, () => {
      if (inFlight > 0) keepAlive();
      else void stop();
    });
  }

  /** Asks it for a sign of life from time to time. */
  function watch(soon = false, missed = 0): void {
    after('ping', soon ? 0 : times.pingEvery, () => void feelPulse(missed));
  }

  /** Without a sign of life, several times over, it is ended, and so started again. */
  async function feelPulse(missed: number): Promise<void> {
    const own = connection;
    if (own === undefined) return;
    const isAlive = await isAnswering(own);
    if (connection !== own) return;
    if (isAlive) {
      watch();
      return;
    }
    log.note(`no answer to a ping (${missed + 1})`);
    if (missed + 1 < MISSED_PINGS) {
      watch(true, missed + 1);
      return;
    }
    connection = undefined;
    await own.process.stop({ ms: 0, ignoresStdin: true });
    crashed(unavailable('its child server does not answer any more', { hint: seeLog }));
  }

  async function isAnswering({ client, headers }: ChildConnection): Promise<boolean> {
    const options = { timeout: times.ping, headers: headers(lastToken) };
    try {
      // What takes the place of a ping in the protocol of 2026: there is none any more.
      if (client.getProtocolEra() === 'modern') await client.discover(options);
      else await client.ping(options);
      return true;
    } catch (thrown) {
      // A refusal is a sign of life.
      return (
        thrown instanceof Error &&
        !/TIMEOUT|CLOSED|NOT_CONNECTED|SEND_FAILED/.test(String((thrown as { code?: unknown }).code))
      );
    }
  }

  /** Waits for what others need as well, as long as the question may. */
  function within<T>(work: Promise<T>, { signal }: Call, limitMs?: number): Promise<T> {
    work.catch(() => undefined);
    return new Promise<T>((resolve, reject) => {
      const abort = (): void => {
        const late = signal.reason;
        reject(
          state === 'starting'
            ? unavailable('its child server is still starting', { hint: 'ask again in a moment' })
            : late,
        );
      };
      const timer = limitMs === undefined ? undefined : setTimeout(() => reject(restarting()), Math.max(0, limitMs));
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
  async function replace(old: ChildConnection, token: string | undefined): Promise<ChildConnection> {
    retired.add(lent);
    connection = undefined;
    enter('stopping');
    try {
      while (inFlight > 0) await pause(20, closing.signal);
      await old.stop();
    } finally {
      starting = undefined;
    }
    return start(token);
  }

  /** A server that answers, with the token that it needs. @throws CalmcpError */
  async function ready(call: Call, token: string | undefined): Promise<ChildConnection> {
    closing.signal.throwIfAborted();
    if (connection !== undefined && !connection.process.hasEnded()) {
      if (spec.lending !== 'environment' || lent === token || retired.has(token)) return connection;
      starting = replace(connection, token);
      return within(starting, call);
    }
    if (starting !== undefined) return within(starting, call);
    const asked = lease === undefined ? false : await (await lease).takeRestart();
    if (asked) ladder.forgive();
    else if (state === 'crash-loop')
      throw unavailable(`its child server keeps crashing, ${ladder.crashes} times by now, and was left alone`, {
        hint: `${lastError?.message ?? ''}; ${seeLog}, then: calmcp children restart ${account}`,
      });
    if (state === 'backoff' && ladder.waiting(performance.now()) > 0) {
      if (!ladder.takeAttempt()) throw restarting();
      return within(start(token), call, times.reconnect);
    }
    return within(start(token), call);
  }

  async function callOnce(
    opened: ChildConnection,
    tool: string,
    input: Readonly<Record<string, unknown>>,
    call: Call,
    token: string | undefined,
  ): Promise<ChildAnswer> {
    if (toolsAreStale) take(await opened.refresh(call.signal));
    const why = tools.withheld.get(tool);
    if (why !== undefined || !tools.usable.has(tool))
      throw new CalmcpError(
        'BAD_RESPONSE',
        `the tool ${tool} of its child server is not used: ${why ?? 'calmcp does not know it'}`,
        {
          account,
          hint: `install the version that calmcp knows: npm i -g ${kind.package}@${kind.version}`,
        },
      );
    if (token !== undefined) await putToken(token);
    call.countRequest();
    const left = Math.max(1, call.deadline - performance.now());
    const answer = await opened.client.callTool(
      { name: tool, arguments: { ...input } },
      { signal: call.signal, timeout: left, maxTotalTimeout: left, headers: opened.headers(token) },
    );
    const parts = Array.isArray(answer.content) ? answer.content : [];
    const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
    return { text, isError: answer.isError === true, meta: answer._meta ?? {} };
  }

  /** Its own end, as opposed to its saying no. */
  async function isLoss(opened: ChildConnection, thrown: unknown): Promise<boolean> {
    const { code } = thrown as { code?: unknown };
    if (['CONNECTION_CLOSED', 'SEND_FAILED', 'NOT_CONNECTED'].includes(String(code))) return true;
    // An answer, though it is one that says no.
    if (typeof code === 'number') return false;
    // A broken connection is noticed before the end that it comes of.
    await Promise.race([opened.process.ended, pause(200, closing.signal).catch(() => undefined)]);
    return opened.process.hasEnded() || connection !== opened;
  }

  async function stop(): Promise<void> {
    const old = connection;
    for (const timer of Object.values(timers)) clearTimeout(timer);
    if (old === undefined && starting === undefined) {
      enter('idle');
      return;
    }
    enter('stopping');
    connection = undefined;
    await starting?.then((opened) => opened.stop()).catch(() => undefined);
    connection = undefined;
    for (const timer of Object.values(timers)) clearTimeout(timer);
    await old?.stop();
    running = undefined;
    enter('idle');
  }

  let closed: Promise<void> | undefined;
  return {
    folder,
    async read(tool, input, call, token) {
      lastToken = token ?? lastToken;
      for (let tries = 1; ; tries++) {
        const opened = await ready(call, token);
        inFlight++;
        keepAlive();
        try {
          return await callOnce(opened, tool, input, call, token);
        } catch (thrown) {
          if (call.signal.aborted) {
            // It may hang: that is found out now, and not by the next question.
            if (connection === opened) watch(true);
            throw call.signal.reason;
          }
          const own = calmcpErrorIn(thrown);
          if (own !== undefined) throw own.of(account);
          const { status } = thrown as { status?: unknown };
          if (status === 401)
            throw new CalmcpError('AUTH_REQUIRED', 'its child server did not accept the sign-in', {
              account,
              cause: { status: 401 },
            });
          if (!(await isLoss(opened, thrown)))
            throw new CalmcpError('BAD_RESPONSE', 'its child server could not answer', {
              account,
              hint: seeLog,
              cause: thrown,
            });
          // Reading changes nothing, so it may be done again; once, as a question may be what it crashes of.
          await settledAfterLoss(opened);
          if (lastError?.code === 'BAD_RESPONSE') throw lastError.of(account);
          if (tries >= 2) throw restarting();
        } finally {
          inFlight--;
          keepAlive();
        }
      }
    },
    needsLogin(error) {
      lastError = error;
      if (connection === undefined && starting === undefined) enter('needs-login');
    },
    runOnce: (args, options) => runChildOnce(spec, machine, host.folder, args, options),
    async probe(call, token) {
      const began = performance.now();
      const opened = await ready(call, token);
      return {
        program: opened.program.name,
        version: opened.program.version,
        withheld: [...tools.withheld].map(([name, why]) => `${name}: ${why}`),
        milliseconds: Math.round(performance.now() - began),
      };
    },
    stop,
    close() {
      closed ??= (async () => {
        closing.abort(new CalmcpError('UNAVAILABLE', 'calmcp is closing'));
        await stop();
        await log.flush();
        await (await lease?.catch(() => undefined))?.release();
      })();
      return closed;
    },
  };

  /** Until its end has been noticed by all of this. */
  async function settledAfterLoss(opened: ChildConnection): Promise<void> {
    for (let waited = 0; connection === opened && waited < 500; waited += 10) await pause(10, closing.signal);
  }
}
