import { describe, expect, test } from 'vitest';
import { errorOf, get, openSandbox, postBatch, tokenFor } from './client.ts';

describe('the concurrency of one mailbox', () => {
  test('is four: the fifth request at the same time is refused with Retry-After', async () => {
    const sandbox = await openSandbox({ delayMs: 150 });
    const token = await tokenFor(sandbox);
    const replies = await Promise.all(
      Array.from({ length: 5 }, () => get(`${sandbox.origin}/v1.0/me/calendars`, token)),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 429]);
    const refused = replies.find(({ status }) => status === 429);
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect(refused === undefined ? undefined : errorOf(refused)).toMatchObject({
      code: 'ApplicationThrottled',
      message: 'Application is over its MailboxConcurrency limit.',
    });
    expect((await get(`${sandbox.origin}/v1.0/me/calendars`, token)).status).toBe(200);
  });

  test('of one mailbox does not count for another', async () => {
    const sandbox = await openSandbox({ delayMs: 100 });
    const tokens = await Promise.all([tokenFor(sandbox), tokenFor(sandbox, { username: 'bench@xebia.example' })]);
    const replies = await Promise.all(
      tokens.flatMap((token) => Array.from({ length: 4 }, () => get(`${sandbox.origin}/v1.0/me/calendars`, token))),
    );
    expect(replies.every(({ status }) => status === 200)).toBe(true);
  });

  test('is kept by a batch alone, and broken by a batch next to other requests, step by step', async () => {
    const sandbox = await openSandbox({ delayMs: 150 });
    const token = await tokenFor(sandbox);
    const steps = Array.from({ length: 6 }, (_, index) => ({ id: String(index), method: 'GET', url: '/me/calendars' }));
    const alone = await postBatch(sandbox, token, steps);
    expect(alone.body.responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);

    const other = Promise.all([1, 2].map(() => get(`${sandbox.origin}/v1.0/me/calendars`, token)));
    const crowded = await postBatch(sandbox, token, steps.slice(0, 4));
    const all = [...crowded.body.responses.map(({ status }) => status), ...(await other).map(({ status }) => status)];
    expect(crowded.status).toBe(200);
    expect(all.filter((status) => status === 429)).toHaveLength(2);
    for (const { status, headers } of crowded.body.responses) {
      if (status === 429) expect(headers['retry-after']).toBe('1');
    }
  });

  test('is given back by a client that gave up', async () => {
    const sandbox = await openSandbox({ delayMs: 300 });
    const token = await tokenFor(sandbox);
    const impatient = { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(50) };
    const url = `${sandbox.origin}/v1.0/me/calendars`;
    await Promise.allSettled(Array.from({ length: 4 }, () => fetch(url, impatient)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await get(url, token)).status).toBe(200);
  });
});

describe('an injected fault', () => {
  test('strikes what it matches, as often as it says, with its status, headers and body', async () => {
    const sandbox = await openSandbox();
    const token = await tokenFor(sandbox);
    sandbox.fail({
      match: ({ path, mailbox }) => path === '/v1.0/me/calendars' && mailbox === 'you@xebia.example',
      times: 2,
      status: 503,
      headers: { 'retry-after': '7' },
      body: '<html>not JSON</html>',
    });
    const read = () => fetch(`${sandbox.origin}/v1.0/me/calendars`, { headers: { authorization: `Bearer ${token}` } });
    const first = await read();
    expect([first.status, first.headers.get('retry-after'), await first.text()]).toEqual([
      503,
      '7',
      '<html>not JSON</html>',
    ]);
    expect((await get(`${sandbox.origin}/v1.0/me`, token)).status).toBe(200);
    expect((await read()).status).toBe(503);
    expect((await read()).status).toBe(200);
  });

  test('strikes the token endpoint too', async () => {
    const sandbox = await openSandbox();
    sandbox.fail({ match: ({ path }) => path.endsWith('/devicecode'), times: 1, status: 500, body: '{}' });
    await expect(tokenFor(sandbox)).rejects.toThrow();
    await tokenFor(sandbox);
  });

  test('strikes the steps of a batch unless it says that it does not', async () => {
    const sandbox = await openSandbox();
    const token = await tokenFor(sandbox);
    const statuses = async () => {
      const steps = [1, 2].map((id) => ({ id: String(id), method: 'GET', url: '/me/calendars' }));
      const { body } = await postBatch(sandbox, token, steps);
      return body.responses.map(({ status }) => status).sort();
    };
    const match = ({ path }: { path: string }) => path === '/v1.0/me/calendars';
    sandbox.fail({ match, status: 429, inBatch: false });
    expect(await statuses()).toEqual([200, 200]);
    sandbox.fail({ match, status: 429, times: 1 });
    expect(await statuses()).toEqual([200, 429]);
  });

  test('that only delays lets the request through afterwards', async () => {
    const sandbox = await openSandbox();
    const token = await tokenFor(sandbox);
    sandbox.fail({ match: () => true, delayMs: 80 });
    const before = performance.now();
    expect((await get(`${sandbox.origin}/v1.0/me`, token)).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThan(70);
  });

  test('that hangs ends when the client gives up or the sandbox closes', async () => {
    const sandbox = await openSandbox();
    sandbox.fail({ match: () => true, hang: true });
    await expect(fetch(sandbox.origin, { signal: AbortSignal.timeout(50) })).rejects.toThrow();
    const hanging = fetch(sandbox.origin);
    const ended = expect(hanging).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await sandbox.close();
    await ended;
  });
});
