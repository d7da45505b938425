/** What one code means to a shell, to an HTTP client and to the retry loop. */
interface ErrorKind {
  /** Exit status of the command line (sysexits.h where one fits). */
  readonly exit: number;
  /** Status of the HTTP front. */
  readonly http: number;
  /** Whether `io/http` may try the request again. */
  readonly retried: boolean;
}

export const ERRORS = {
  CONFIG_INVALID: { exit: 78, http: 500, retried: false },
  INPUT_INVALID: { exit: 64, http: 400, retried: false },
  ACCOUNT_UNKNOWN: { exit: 64, http: 404, retried: false },
  AUTH_REQUIRED: { exit: 77, http: 401, retried: false },
  FORBIDDEN: { exit: 77, http: 403, retried: false },
  READ_ONLY: { exit: 77, http: 405, retried: false },
  NOT_FOUND: { exit: 66, http: 404, retried: false },
  CONFLICT: { exit: 75, http: 409, retried: false },
  RATE_LIMITED: { exit: 75, http: 429, retried: true },
  UNAVAILABLE: { exit: 69, http: 503, retried: true },
  BAD_RESPONSE: { exit: 76, http: 502, retried: false },
  INTERNAL: { exit: 70, http: 500, retried: false },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetails {
  /** The account it happened to, where there is one. */
  readonly account?: string | undefined;
  /** What to do next, best of all the command to type. */
  readonly hint?: string | undefined;
  /** Milliseconds after which the same request may succeed. */
  readonly retryAfterMs?: number | undefined;
  /** Every single problem, where one error stands for several (a configuration file, all accounts). */
  readonly problems?: readonly string[] | undefined;
  /** What a third party said. Goes to the log, never to a model or a screen. */
  readonly cause?: unknown;
}

/**
 * Everything that can go wrong for a user or a backend. A programmer's wrong call is a `TypeError` instead.
 *
 * `message`, `hint` and `problems` are calmcp's own words: safe to show, free of secrets and of third-party text.
 */
export class CalmcpError extends Error {
  override readonly name = 'CalmcpError';
  readonly code: ErrorCode;
  readonly account: string | undefined;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly problems: readonly string[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.account = details.account;
    this.hint = details.hint;
    this.retryAfterMs = details.retryAfterMs;
    this.problems = details.problems ?? [];
  }

  /** The same error, said of `account`, whose name takes the place of `<account>` in the hint. */
  of(account: string): CalmcpError {
    if (this.account !== undefined) return this;
    return new CalmcpError(this.code, this.message, {
      account,
      hint: this.hint?.replaceAll('<account>', account),
      retryAfterMs: this.retryAfterMs,
      problems: this.problems,
      cause: this.cause,
    });
  }
}

/**
 * Any thrown value as a {@link CalmcpError}. What is not one already becomes INTERNAL, with the value as its cause:
 * the text of an unexpected error may hold anything, so it is logged and not shown.
 */
export function toCalmcpError(thrown: unknown): CalmcpError {
  if (thrown instanceof CalmcpError) return thrown;
  return new CalmcpError('INTERNAL', 'something in calmcp went wrong', {
    cause: thrown,
    hint: 'run it again with --log debug and report what it prints',
  });
}
