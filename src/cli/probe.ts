import { type CalmcpError, type ErrorCode, toCalmcpError } from '../core/errors.ts';

/** What `calmcp doctor` found out about one thing. */
export interface Probe {
  /** What was looked at: `config`, `keystore`, `sign-in`, … */
  readonly name: string;
  readonly account?: string;
  readonly state: 'ok' | 'warn' | 'fail' | 'skipped';
  readonly message: string;
  /** What to do about it, best of all the command to type. */
  readonly hint?: string | undefined;
  /** Every single problem, where there are several. */
  readonly problems?: readonly string[];
  /** Of a failure. */
  readonly code?: ErrorCode;
}

export function failedProbe(name: string, thrown: unknown, account?: string): Probe {
  const error: CalmcpError = toCalmcpError(thrown);
  const { code, message, hint, problems } = account === undefined ? error : error.of(account);
  return {
    name,
    ...(account === undefined ? {} : { account }),
    state: 'fail',
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(problems.length === 0 ? {} : { problems }),
    code,
  };
}
