/** What an answer read, account by account. Unknown is never free: this is where that is kept. */
import { CalmcpError, type ErrorCode } from './errors.ts';
import { neutralize } from './text.ts';

export const ACCOUNT_STATUSES = [
  'ok',
  'stale',
  'partial',
  'needs-login',
  'unavailable',
  'rate-limited',
  'forbidden',
  'disabled',
] as const;
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

export interface AccountCoverage {
  readonly account: string;
  readonly status: AccountStatus;
  /** Calendars read completely. */
  readonly calendars?: number | undefined;
  /** Calendars left out by configuration. */
  readonly skipped?: number | undefined;
  /** RFC 3339 instant of the oldest thing read. */
  readonly asOf?: string | undefined;
  /** HTTP requests this question cost. */
  readonly requests?: number | undefined;
  /** How many of them were sent again. */
  readonly retries?: number | undefined;
  /** It was in memory. */
  readonly cached?: true | undefined;
  /** What went wrong, in calmcp's words. */
  readonly message?: string | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** Seconds after which asking again may help. */
  readonly retryAfterSeconds?: number | undefined;
  /** Calendars, or series in them, that could not be read. */
  readonly problems?: readonly string[] | undefined;
}

const STATUS_OF: Readonly<Partial<Record<ErrorCode, AccountStatus>>> = {
  AUTH_REQUIRED: 'needs-login',
  FORBIDDEN: 'forbidden',
  RATE_LIMITED: 'rate-limited',
};

/** An account that could not be read, in the words of its error. */
export function failedCoverage(account: string, error: CalmcpError, requests?: number): AccountCoverage {
  return {
    account,
    status: STATUS_OF[error.code] ?? 'unavailable',
    message: neutralize(error.message),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(error.retryAfterMs / 1000) }),
    ...(requests === undefined ? {} : { requests }),
  };
}

/** Whether everything that was asked was read. */
export function isComplete(accounts: readonly AccountCoverage[]): boolean {
  return accounts.every(({ status }) => status === 'ok' || status === 'stale');
}

/**
 * The error of a question that no account answered: there is no empty day, there is no answer (F02).
 * Its code is the one that all accounts share, else UNAVAILABLE.
 */
export function nothingRead(
  failures: readonly { readonly account: string; readonly error: CalmcpError }[],
): CalmcpError {
  const [first] = failures;
  if (failures.length === 1 && first) return first.error.of(first.account);
  const codes = new Set(failures.map(({ error }) => error.code));
  const hints = [...new Set(failures.flatMap(({ error }) => error.hint ?? []))];
  return new CalmcpError(
    codes.size === 1 && first ? first.error.code : 'UNAVAILABLE',
    `none of the ${failures.length} accounts could be read, so nothing is known about this time`,
    {
      problems: failures.map(({ account, error }) => `${account}: ${neutralize(error.message)}`),
      ...(hints.length === 0 ? {} : { hint: hints.join('; ') }),
    },
  );
}
