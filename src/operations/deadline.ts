/** The time that one question has, shared by all who are asked. */
import { setMaxListeners } from 'node:events';
import { CalmcpError } from '../core/errors.ts';
import type { Call } from '../core/provider.ts';
import type { Asker } from './operation.ts';

export interface Deadline {
  /** Aborts when the time is up, when the asker gives up, and when it is ended. */
  readonly signal: AbortSignal;
  /** In milliseconds of `performance.now()`. */
  readonly at: number;
  /** Gives up what still runs. */
  end(): void;
}

/** One for all: an error costs its stack. */
const ANSWERED = new CalmcpError('UNAVAILABLE', 'the question has been answered');

export function startDeadline({ signal: asker }: Asker, milliseconds: number): Deadline {
  asker.throwIfAborted();
  const seconds = Math.round(milliseconds / 100) / 10;
  const late = new AbortController();
  // One listener for each account and request under way: more than ten are no leak.
  // Not 0, which means the same: Node's fetch cannot read that, and has an error for each request.
  setMaxListeners(Number.POSITIVE_INFINITY, late.signal);
  const timer = setTimeout(
    () => late.abort(new CalmcpError('UNAVAILABLE', `did not answer within ${seconds} s`)),
    milliseconds,
  );
  // One controller for both: a signal made of others may be collected as garbage on Node 20 before it fires.
  const giveUp = (): void => late.abort(asker.reason);
  asker.addEventListener('abort', giveUp, { once: true });
  return {
    signal: late.signal,
    at: performance.now() + milliseconds,
    end() {
      clearTimeout(timer);
      asker.removeEventListener('abort', giveUp);
      late.abort(ANSWERED);
    },
  };
}

/** Settles when `task` does or when `signal` aborts, whichever is first: nobody waits for what ignores its signal. */
export function orAbort<T>(task: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    task.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Runs `work` with a call that has so much time. */
export async function limitedCall<T>(asker: Asker, milliseconds: number, work: (call: Call) => Promise<T>): Promise<T> {
  const time = startDeadline(asker, milliseconds);
  const { signal } = time;
  try {
    return await orAbort(work({ signal, deadline: time.at, countRequest: () => undefined }), signal);
  } finally {
    time.end();
  }
}
