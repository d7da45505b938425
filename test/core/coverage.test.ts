import { describe, expect, it } from 'vitest';
import { ACCOUNT_STATUSES, failedCoverage, isComplete, nothingRead } from '../../src/core/coverage.ts';
import { CalmcpError, ERRORS, type ErrorCode, toCalmcpError } from '../../src/core/errors.ts';

describe('an account that failed', () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])('is never ok: %s', (code) => {
    const coverage = failedCoverage('work', new CalmcpError(code, 'words'));
    expect(isComplete([coverage])).toBe(false);
    expect(ACCOUNT_STATUSES).toContain(coverage.status);
  });

  it.each([
    ['AUTH_REQUIRED', 'needs-login'],
    ['FORBIDDEN', 'forbidden'],
    ['RATE_LIMITED', 'rate-limited'],
    ['UNAVAILABLE', 'unavailable'],
    ['NOT_FOUND', 'unavailable'],
    ['INTERNAL', 'unavailable'],
  ] as const)('%s is %s', (code, status) => {
    expect(failedCoverage('work', new CalmcpError(code, 'words')).status).toBe(status);
  });

  it('says what happened, what to do, when to ask again and what it cost', () => {
    const error = new CalmcpError('RATE_LIMITED', 'graph asks us to slow down', { retryAfterMs: 6_001, hint: 'wait' });
    expect(failedCoverage('work', error, 3)).toEqual({
      account: 'work',
      status: 'rate-limited',
      message: 'graph asks us to slow down',
      hint: 'wait',
      retryAfterSeconds: 7,
      requests: 3,
    });
  });

  it('says no more than it knows', () => {
    expect(failedCoverage('work', new CalmcpError('UNAVAILABLE', 'words'))).toEqual({
      account: 'work',
      status: 'unavailable',
      message: 'words',
    });
    expect(failedCoverage('work', new CalmcpError('UNAVAILABLE', 'w', { retryAfterMs: 0 }), 0)).toMatchObject({
      retryAfterSeconds: 0,
      requests: 0,
    });
  });

  it('shows no word of a third party', () => {
    const thrown = toCalmcpError(new Error('SECRET'));
    expect(JSON.stringify(failedCoverage('work', thrown))).not.toContain('SECRET');
    expect(
      JSON.stringify(failedCoverage('work', new CalmcpError('UNAVAILABLE', 'w', { cause: 'SECRET' }))),
    ).not.toContain('SECRET');
  });
});

describe('a complete answer', () => {
  it('has read every account that was asked', () => {
    expect(isComplete([{ account: 'a', status: 'ok' }])).toBe(true);
    expect(
      isComplete([
        { account: 'a', status: 'ok' },
        { account: 'b', status: 'stale' },
      ]),
    ).toBe(true);
    for (const status of ACCOUNT_STATUSES)
      expect(
        isComplete([
          { account: 'a', status: 'ok' },
          { account: 'b', status },
        ]),
      ).toBe(status === 'ok' || status === 'stale');
  });
});

describe('F02: a question that no account answered', () => {
  const failure = (account: string, code: ErrorCode, hint?: string) => ({
    account,
    error: new CalmcpError(code, `${code} happened`, { hint, cause: 'SECRET' }),
  });

  it('is the error of that account where there is one only', () => {
    const error = nothingRead([failure('work', 'AUTH_REQUIRED', 'run: calmcp login --account work')]);
    expect(error).toMatchObject({
      code: 'AUTH_REQUIRED',
      account: 'work',
      message: 'AUTH_REQUIRED happened',
      hint: 'run: calmcp login --account work',
    });
  });

  it('has the code that all of them share, and tells what happened to each', () => {
    const error = nothingRead([
      failure('work', 'AUTH_REQUIRED', 'login work'),
      failure('home', 'AUTH_REQUIRED', 'login home'),
      failure('feed', 'AUTH_REQUIRED', 'login home'),
    ]);
    expect(error.code).toBe('AUTH_REQUIRED');
    expect(error.message).toBe('none of the 3 accounts could be read, so nothing is known about this time');
    expect(error.problems).toEqual([
      'work: AUTH_REQUIRED happened',
      'home: AUTH_REQUIRED happened',
      'feed: AUTH_REQUIRED happened',
    ]);
    expect(error.hint).toBe('login work; login home');
    expect(JSON.stringify({ ...error, message: error.message })).not.toContain('SECRET');
  });

  it('is UNAVAILABLE where they failed in several ways', () => {
    const error = nothingRead([failure('work', 'AUTH_REQUIRED'), failure('home', 'RATE_LIMITED')]);
    expect(error.code).toBe('UNAVAILABLE');
    expect(error.hint).toBeUndefined();
  });

  it('is an error even where no account was asked', () => {
    expect(nothingRead([])).toMatchObject({ code: 'UNAVAILABLE' });
  });
});
