import { describe, expect, test } from 'vitest';
import { CalmcpError } from '../../src/core/errors.ts';
import { type AccessToken, createAccessTokens } from '../../src/io/access-tokens.ts';

/** What is kept, and a vendor that counts how often it is asked. */
function world() {
  let version = 1;
  let clock = 1_000_000;
  let asked = 0;
  let tail: Promise<unknown> = Promise.resolve();
  const answers: (AccessToken | CalmcpError)[] = [];
  const tokens = createAccessTokens({
    clock: () => clock,
    secrets: {
      version: async () => String(version),
      exclusively(work) {
        const turn = tail.then(work);
        tail = turn.catch(() => undefined);
        return turn;
      },
    },
    async obtain() {
      asked++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      const answer = answers.shift() ?? { accessToken: `token ${asked}`, expiresAt: clock + 3_600_000 };
      if (answer instanceof CalmcpError) throw answer;
      version++;
      return answer;
    },
  });
  return {
    tokens,
    asked: () => asked,
    answer: (answer: AccessToken | CalmcpError) => answers.push(answer),
    signInElsewhere: () => {
      version++;
    },
    wait: (ms: number) => {
      clock += ms;
    },
  };
}

const dead = new CalmcpError('AUTH_REQUIRED', 'gone');

describe('an access token', () => {
  test('is asked for once, however many want it, and then comes from memory', async () => {
    const { tokens, asked } = world();
    const got = await Promise.all(Array.from({ length: 20 }, () => tokens.get('a')));
    expect(new Set(got)).toEqual(new Set(['token 1']));
    expect(await tokens.get('a')).toBe('token 1');
    expect(asked()).toBe(1);
  });

  test('F13: is got anew five minutes before it expires, however the clock got there', async () => {
    const { tokens, asked, wait } = world();
    await tokens.get('a');
    wait(3_600_000 - 300_001);
    expect(await tokens.get('a')).toBe('token 1');
    wait(1);
    expect(await tokens.get('a')).toBe('token 2');
    expect(asked()).toBe(2);
  });

  test('is looked up again when another process has changed what is kept', async () => {
    const { tokens, asked, signInElsewhere } = world();
    await tokens.get('a');
    signInElsewhere();
    await tokens.get('a');
    expect(asked()).toBe(2);
  });

  test('that was refused is replaced once, however many were refused with it', async () => {
    const { tokens, asked } = world();
    await tokens.get('a');
    const got = await Promise.all(Array.from({ length: 20 }, () => tokens.get('a', 'token 1')));
    expect(new Set(got)).toEqual(new Set(['token 2']));
    expect(await tokens.get('a', 'token 1')).toBe('token 2');
    expect(asked()).toBe(2);
  });

  test('of one account says nothing of another', async () => {
    const { tokens } = world();
    expect(await tokens.get('a')).not.toBe(await tokens.get('b'));
  });
});

describe('a dead account', () => {
  test('is not asked about again until somebody has signed in', async () => {
    const { tokens, asked, answer, signInElsewhere } = world();
    answer(dead);
    for (let time = 0; time < 5; time++) await expect(tokens.get('a')).rejects.toBe(dead);
    expect(asked()).toBe(1);
    signInElsewhere();
    expect(await tokens.get('a')).toBe('token 2');
  });

  test('is not the same as a service that is down', async () => {
    const { tokens, asked, answer } = world();
    answer(new CalmcpError('UNAVAILABLE', 'down'));
    await expect(tokens.get('a')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await tokens.get('a')).toBe('token 2');
    expect(asked()).toBe(2);
  });

  test('whose fresh tokens are refused rests for five minutes', async () => {
    const { tokens, asked, wait } = world();
    await tokens.get('a');
    await tokens.get('a', 'token 1');
    await tokens.rest('a', dead);
    await expect(tokens.get('a')).rejects.toBe(dead);
    wait(300_000);
    expect(await tokens.get('a')).toBe('token 2');
    expect(asked()).toBe(2);
  });

  test('does not rest for a day because the clock was set back by one', async () => {
    const { tokens, asked, answer, wait } = world();
    answer(new CalmcpError('FORBIDDEN', 'an administrator has to allow it'));
    await expect(tokens.get('a')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    wait(-86_400_000);
    expect(await tokens.get('a')).toBe('token 2');
    expect(asked()).toBe(2);
  });

  test('whose grant is gone stays so, however the clock is set', async () => {
    const { tokens, asked, answer, wait } = world();
    answer(dead);
    await expect(tokens.get('a')).rejects.toBe(dead);
    for (const jump of [86_400_000, -3 * 86_400_000]) {
      wait(jump);
      await expect(tokens.get('a')).rejects.toBe(dead);
    }
    expect(asked()).toBe(1);
  });
});
