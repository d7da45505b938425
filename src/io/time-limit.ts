/**
 * A signal that aborts after `ms`, or with one of `others`.
 *
 * `AbortSignal.any([…, AbortSignal.timeout(ms)])` would say the same, but on Node 20 the timeout in it may be collected
 * as garbage and never fire (seen with --expose-gc): here the timer holds on to what it is for.
 * The timer does not keep a process alive.
 */
export function limitedSignal(ms: number, reason: () => Error, ...others: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  const end = (why: unknown): void => {
    clearTimeout(timer);
    for (const { other, abort } of listeners) other.removeEventListener('abort', abort);
    controller.abort(why);
  };
  const timer = setTimeout(() => end(reason()), ms);
  timer.unref();
  const listeners = others.map((other) => ({ other, abort: () => end(other.reason) }));
  for (const { other, abort } of listeners) other.addEventListener('abort', abort, { once: true });
  const ended = others.find((other) => other.aborted);
  if (ended) end(ended.reason);
  return controller.signal;
}

/** Resolves after `ms`. @throws the signal's reason when it aborts first */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
  });
}

/** Resolves when `work` has come to an end, whatever it is, or after `ms`. No timer is left that keeps a process alive. */
export async function settledWithin(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}
