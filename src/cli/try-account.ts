/** One account, tried out: its calendars are listed and today is read. */
import type { Account, App } from '../accounts/registry.ts';
import { type AccountCoverage, failedCoverage } from '../core/coverage.ts';
import { CalmcpError, ERRORS, type ErrorCode, toCalmcpError } from '../core/errors.ts';
import { eventsInRange, parseQuestion, readQuestion } from '../operations/question.ts';
import { EXIT_INCOMPLETE } from './command.ts';

export interface Trial {
  readonly coverage: AccountCoverage;
  /** Events of today. */
  readonly events?: number;
  readonly milliseconds: number;
  /** Why nothing of it could be read. */
  readonly error?: CalmcpError;
}

export async function tryAccount(app: App, account: Account, signal: AbortSignal): Promise<Trial> {
  const started = performance.now();
  const took = (): number => Math.round(performance.now() - started);
  try {
    const answered = await readQuestion(app, parseQuestion(app, { accounts: account.id }), { signal });
    const [own] = answered.head.accounts;
    if (own === undefined) throw new TypeError('no coverage');
    return { coverage: own, events: eventsInRange(answered).length, milliseconds: took() };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toCalmcpError(thrown).of(account.id);
    return { coverage: failedCoverage(account.id, error), milliseconds: took(), error };
  }
}

/** Exit status where some of several failed: 3 as long as one answered, else the status that all failures share. */
export function exitOf(failures: readonly ErrorCode[], answered: boolean): number {
  const [first] = failures;
  if (first === undefined) return 0;
  if (answered) return EXIT_INCOMPLETE;
  const exits = new Set(failures.map((code) => ERRORS[code].exit));
  return ERRORS[exits.size === 1 ? first : 'UNAVAILABLE'].exit;
}

/** Seconds that one account may take. @throws CalmcpError INPUT_INVALID */
export function parseTimeout(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 600) return seconds * 1_000;
  throw new CalmcpError('INPUT_INVALID', `${JSON.stringify(text.slice(0, 20))} is no time limit`, {
    hint: 'give seconds, more than 0 and at most 600',
  });
}
