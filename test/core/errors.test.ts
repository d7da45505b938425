import { describe, expect, it } from 'vitest';
import { CalmcpError, ERRORS, toCalmcpError } from '../../src/core/errors.ts';

const shown = ({ message, hint, problems }: CalmcpError): string => JSON.stringify({ message, hint, problems });

describe('the table of errors', () => {
  it('is the one that the design promises', () => {
    const table = Object.entries(ERRORS).map(([code, { exit, http, retried }]) => [code, exit, http, retried]);
    expect(table).toEqual([
      ['CONFIG_INVALID', 78, 500, false],
      ['INPUT_INVALID', 64, 400, false],
      ['ACCOUNT_UNKNOWN', 64, 404, false],
      ['AUTH_REQUIRED', 77, 401, false],
      ['FORBIDDEN', 77, 403, false],
      ['READ_ONLY', 77, 405, false],
      ['NOT_FOUND', 66, 404, false],
      ['CONFLICT', 75, 409, false],
      ['RATE_LIMITED', 75, 429, true],
      ['UNAVAILABLE', 69, 503, true],
      ['BAD_RESPONSE', 76, 502, false],
      ['INTERNAL', 70, 500, false],
    ]);
  });

  it('keeps exit status 3 for an answer that is incomplete', () => {
    for (const { exit } of Object.values(ERRORS)) expect([0, 1, 2, 3]).not.toContain(exit);
  });
});

describe('toCalmcpError', () => {
  it('gives back what is one already', () => {
    const error = new CalmcpError('NOT_FOUND', 'no such event');
    expect(toCalmcpError(error)).toBe(error);
  });

  it.each([
    new Error('SECRET in a message'),
    new TypeError('SECRET', { cause: 'SECRET' }),
    'SECRET',
    { message: 'SECRET', code: 'NOT_FOUND', hint: 'SECRET' },
    Object.assign(new Error('SECRET'), { code: 'NOT_FOUND', hint: 'SECRET', problems: ['SECRET'] }),
    null,
    undefined,
    0,
  ])('keeps %o for the log and shows nothing of it', (thrown) => {
    const error = toCalmcpError(thrown);
    expect(error.code).toBe('INTERNAL');
    expect(error.cause).toBe(thrown);
    expect(shown(error)).not.toContain('SECRET');
    expect(error.hint).toContain('--log debug');
  });
});

describe('CalmcpError', () => {
  const full = new CalmcpError('RATE_LIMITED', 'slow down', {
    hint: 'wait',
    retryAfterMs: 1_500,
    problems: ['one', 'two'],
    cause: 'SECRET',
  });

  it('is said of an account with all that it says', () => {
    const said = full.of('work');
    expect(said).toMatchObject({
      code: 'RATE_LIMITED',
      message: 'slow down',
      account: 'work',
      hint: 'wait',
      retryAfterMs: 1_500,
      problems: ['one', 'two'],
      cause: 'SECRET',
    });
    expect(said).toBeInstanceOf(CalmcpError);
    expect(full.account).toBeUndefined();
  });

  it('stays with the account that it was said of first', () => {
    expect(full.of('work').of('home').account).toBe('work');
  });

  it('has no cause where it was given none', () => {
    expect('cause' in new CalmcpError('INTERNAL', 'x')).toBe(false);
    expect('cause' in new CalmcpError('INTERNAL', 'x').of('work')).toBe(false);
  });
});
