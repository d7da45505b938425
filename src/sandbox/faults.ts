import { setTimeout as wait } from 'node:timers/promises';
import { googleError } from './google-refusal.ts';
import type { Answer } from './http.ts';
import type { Fault, FaultTarget } from './records.ts';

/** The request is to be served and its answer to be thrown away. */
export const lostAnswer = Symbol('lost answer');

export interface Faults {
  add(fault: Fault): void;
  /** What the first fault that strikes does, or undefined when the request goes on to the service. */
  strike(target: FaultTarget, inBatch: boolean, signal: AbortSignal): Promise<Answer | typeof lostAnswer | undefined>;
}

export function createFaults(): Faults {
  const armed: { fault: Fault; left: number }[] = [];

  return {
    add: (fault) => {
      armed.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
    },
    strike: async (target, inBatch, signal) => {
      const found = armed.find(
        ({ fault, left }) => left > 0 && (!inBatch || fault.inBatch !== false) && fault.match(target),
      );
      if (found === undefined) return undefined;
      found.left -= 1;
      const { fault } = found;
      if (fault.hang === true) await hang(signal);
      if (fault.delayMs !== undefined) await wait(fault.delayMs, undefined, { signal });
      return fault.dropAnswer === true ? lostAnswer : answerOfFault(fault, target);
    },
  };
}

function answerOfFault({ status, headers, body }: Fault, { path }: FaultTarget): Answer | undefined {
  if (status === undefined && headers === undefined && body === undefined) return undefined;
  const answered = status ?? 503;
  const message = 'A fault injected into the sandbox.';
  const fallback = path.startsWith('/google/')
    ? googleError(answered, message, { reason: answered >= 500 ? 'backendError' : 'sandboxFault' })
    : { error: { code: faultCode(answered), message } };
  return { status: answered, headers: headers ?? {}, body: body ?? fallback };
}

function faultCode(status: number): string {
  if (status === 429) return 'TooManyRequests';
  return status >= 500 ? 'serviceNotAvailable' : 'sandboxFault';
}

function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
