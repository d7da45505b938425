/** Several calendars of a Google account as one request, and what becomes of it when parts of that fail. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fault, googleFaults } from '../../../src/sandbox/index.ts';
import { lasting, openCall } from '../../harness.ts';
import { BATCH, calendars, eventOf, type Opened, openMany, owned, readAll, told } from './many-calendars.ts';

const isBatch = ({ path }: { path: string }): boolean => path === BATCH;
const isOf =
  (id: string) =>
  ({ path }: { path: string }): boolean =>
    path === `/google/calendar/v3/calendars/${id}/events`;
const ids = ['c1', 'c2', 'c3'];
const all = ids.map((id) => [id]);
const shape = (requests: readonly { readonly path: string; readonly batch?: readonly unknown[] }[]): string[] =>
  requests.map(({ path, batch }) =>
    batch === undefined ? (path.split('/').at(-2) ?? '') : `batch of ${batch.length}`,
  );

/** Three calendars for all those who leave nothing behind. */
let shared: Opened;
let end: () => Promise<void>;
beforeAll(async () => {
  ({ opened: shared, end } = await lasting(() => openMany(calendars(3))));
});
afterAll(() => end());

/** While a fault strikes. */
async function during<T>(fault: Fault, work: () => Promise<T>): Promise<T> {
  let isOver = false;
  shared.sandbox.fail({ ...fault, match: (target) => !isOver && fault.match(target) });
  shared.asked();
  try {
    return await work();
  } finally {
    isOver = true;
  }
}

describe('several calendars', () => {
  test('are one request, each with its own events, whatever the order of the answers', async () => {
    shared.asked();
    expect((await readAll(shared.provider, ids)).map(told)).toEqual(all);
    const requests = shared.asked();
    expect(shape(requests)).toEqual(['batch of 3']);
    expect(requests[0]?.batch?.map(({ query }) => query)).toEqual(
      ids.map(() => ({
        singleEvents: 'true',
        showHiddenInvitations: 'false',
        eventTypes: 'default,outOfOffice,focusTime,workingLocation,birthday,fromGmail',
        maxResults: '2500',
        timeMin: '2026-11-22T00:00:00.000Z',
        timeMax: '2026-12-01T00:00:00.000Z',
        fields: expect.stringContaining('nextSyncToken,items('),
      })),
    );
  });

  test('with ids that need it are asked for by their ids', async () => {
    const odd = ['en.dutch#holiday@group.v.calendar.google.com', 'a+b@c.example', 'ä ö/ü?&%@x', 'x\r\nEvil: 1'];
    const { provider, asked } = await openMany(odd.map((id) => owned(id)));
    expect((await readAll(provider, odd)).map(told)).toEqual(odd.map((id) => [id]));
    expect(shape(asked())).toEqual(['batch of 4']);
  });

  test('ask what one alone asks, and are told the same', async () => {
    const { provider, asked } = shared;
    asked();
    const [together] = await readAll(provider, ['c1', 'c2']);
    const [alone] = await readAll(provider, ['c1']);
    const [batch, single] = asked();
    expect(single?.query).toEqual(batch?.batch?.[0]?.query);
    const { mark: _one, ...inBatch } = together as { mark?: string };
    const { mark: _other, ...byItself } = alone as { mark?: string };
    expect(inBatch).toEqual(byItself);
  });

  test('W04: of which one has more than a page are read to their ends', async () => {
    const many = Array.from({ length: 2_501 }, (_, index) => eventOf(`event ${index}`));
    const { provider, asked } = await openMany([owned('big', many), owned('small')]);
    const [big, small] = (await readAll(provider, ['big', 'small'])).map(told);
    expect([new Set(big).size, small]).toEqual([2_501, ['small']]);
    expect(shape(asked())).toEqual(['batch of 2', 'big']);
  });
});

describe('what fails within the answer', () => {
  test.each([
    ['rateLimitExceeded', 403],
    ['tooManyRequests', 429],
    ['backendError', 503],
  ] as const)('%s is asked again by itself, once, and counted', async (fault, status) => {
    const { sandbox, provider, asked } = await openMany(calendars(3));
    sandbox.fail({ match: isOf('c2'), times: 1, ...googleFaults[fault] });
    let retries = 0;
    const call = { ...openCall(), countRetry: () => void retries++ };
    expect((await readAll(provider, ids, call)).map(told)).toEqual(all);
    const requests = asked();
    expect(shape(requests)).toEqual(['batch of 3', 'c2']);
    expect(requests[0]?.batch?.map((inner) => inner.status)).toEqual([200, status, 200]);
    expect(retries).toBe(1);
  });

  test('and asks us to wait beyond the deadline is that calendar’s error at once', async () => {
    const { sandbox, provider, asked } = await openMany(calendars(3));
    sandbox.fail({ match: isOf('c2'), ...googleFaults.tooManyRequests, headers: { 'retry-after': '60' } });
    const reads = await readAll(provider, ids);
    expect(reads.map(told)).toEqual([['c1'], 'RATE_LIMITED', ['c3']]);
    expect(reads[1]).toMatchObject({ error: { account: 'home', retryAfterMs: 60_000 } });
    expect(shape(asked())).toEqual(['batch of 3']);
  });

  test('is not asked again before the time that the service names', async () => {
    const { sandbox, provider } = await openMany(calendars(2));
    sandbox.fail({ match: isOf('c2'), times: 1, ...googleFaults.tooManyRequests, headers: { 'retry-after': '1' } });
    const began = performance.now();
    expect((await readAll(provider, ['c1', 'c2'])).map(told)).toEqual([['c1'], ['c2']]);
    expect(performance.now() - began).toBeGreaterThanOrEqual(990);
  });

  test.each([
    ['quotaExceeded', 'FORBIDDEN', /limited the calendar use/],
    [404, 'NOT_FOUND', /does not know/],
    [403, 'FORBIDDEN', /does not allow this account to read this calendar/],
    [400, 'BAD_RESPONSE', /refused the request \(HTTP 400\)/],
    [302, 'BAD_RESPONSE', /refused the request \(HTTP 302\)/],
  ] as const)(
    '%s is that calendar’s error in the words of the direct way, and no other’s',
    async (fault, code, message) => {
      const answer = typeof fault === 'number' ? { status: fault } : googleFaults[fault];
      const { sandbox, provider, asked } = await openMany(calendars(3));
      sandbox.fail({ match: isOf('c2'), ...answer });
      const reads = await readAll(provider, ids);
      expect(reads.map(told)).toEqual([['c1'], code, ['c3']]);
      expect(reads[1]).toMatchObject({ error: { account: 'home', message: expect.stringMatching(message) } });
      expect(shape(asked())).toEqual(['batch of 3']);
      if (fault === 302) return;
      const [alone] = await readAll(provider, ['c2']);
      const { error } = reads[1] as { error: Error };
      expect((alone as { error: Error }).error.message).toBe(error.message);
    },
  );

  test.each([
    '{}',
    '{"items":[]}',
    '{"kind":"calendar#events","items":{}}',
    '[]',
    'null',
    '',
    '<html>',
    '{"kind":"cal',
  ])('%j with status 200 is that calendar’s error, never an empty day', async (body) => {
    const { sandbox, provider } = await openMany(calendars(3));
    sandbox.fail({ match: isOf('c2'), status: 200, body });
    expect((await readAll(provider, ids)).map(told)).toEqual([['c1'], 'BAD_RESPONSE', ['c3']]);
  });
});

describe('a token', () => {
  test.each([
    ['all', () => true],
    ['one', isOf('c2')],
  ])('that is refused for %s of them is replaced once, and nothing is missing', async (_, match) => {
    const { sandbox, provider, asked } = await openMany(calendars(3));
    const isInner = (target: { path: string }): boolean => target.path.endsWith('/events') && match(target);
    sandbox.fail({ match: isInner, times: 1, ...googleFaults.authError });
    expect((await readAll(provider, ids)).map(told)).toEqual(all);
    expect(shape(asked())).toEqual(['batch of 3', 'batch of 3']);
    expect(sandbox.google.redemptions.filter(({ grant }) => grant === 'refresh_token')).toHaveLength(1);
  });

  test.each([
    ['of the request as a whole', isBatch],
    ['as it has expired', () => false],
  ])('that is refused %s is replaced once', async (_, match) => {
    const { sandbox, provider } = await openMany(calendars(3));
    sandbox.fail({ match, times: 1, ...googleFaults.authError });
    if (!match({ path: BATCH })) sandbox.expireAccessTokens();
    expect((await readAll(provider, ids)).map(told)).toEqual(all);
    expect(sandbox.google.redemptions.filter(({ grant }) => grant === 'refresh_token')).toHaveLength(1);
  });

  test('that is refused again though it is fresh is told, and the account rests', async () => {
    const { sandbox, provider, asked } = await openMany(calendars(3));
    sandbox.fail({ match: isOf('c2'), ...googleFaults.authError });
    const reads = await readAll(provider, ids);
    expect(reads.map(told)).toEqual([['c1'], 'AUTH_REQUIRED', ['c3']]);
    expect(reads[1]).toMatchObject({ error: { message: 'Google no longer accepts the sign-in' } });
    expect(shape(asked())).toEqual(['batch of 3', 'batch of 3', 'batch of 3']);
    expect((await readAll(provider, ids)).map(told)).toEqual(ids.map(() => 'AUTH_REQUIRED'));
    expect(asked()).toEqual([]);
  });
});

describe('the answer as a whole', () => {
  const empty = JSON.stringify({ kind: 'calendar#events', items: [] });
  const multipart = (...parts: readonly (readonly [id: string, body: string])[]): string =>
    parts
      .map(
        ([id, body]) =>
          `--b\r\nContent-Type: application/http\r\nContent-ID: <response-${id}>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n${body}\r\n`,
      )
      .join('');
  const headers = { 'content-type': 'multipart/mixed; boundary=b' };

  test.each([
    ['leaves one out', `${multipart(['item-0', empty], ['item-2', empty])}--b--`],
    ['has one twice', `${multipart(['item-0', empty], ['item-1', empty], ['item-1', empty], ['item-2', empty])}--b--`],
    ['is about others', `${multipart(['item-0', empty], ['item-9', empty], ['item-2', empty])}--b--`],
  ])('that %s is that calendar’s error, never an empty day', async (_, body) => {
    const reads = await during({ match: isBatch, status: 200, headers, body }, () => readAll(shared.provider, ids));
    expect(reads.map(told)).toEqual([[], 'BAD_RESPONSE', []]);
    expect(reads[1]).toMatchObject({ error: { message: 'Google left out a part of its answer', account: 'home' } });
  });

  test('that is cut short is the error of all that is not there in full', async () => {
    const body = multipart(['item-0', empty], ['item-1', empty]).slice(0, -10);
    const reads = await during({ match: isBatch, status: 200, headers, body }, () => readAll(shared.provider, ids));
    expect(reads.map(told)).toEqual([[], 'BAD_RESPONSE', 'BAD_RESPONSE']);
  });

  test.each([
    ['a web page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>hotel</html>' }],
    ['an empty object', { status: 200, body: '{}' }],
    ['a refusal', { status: 400, body: '[{"error":{"code":400}}]' }],
    ['that there is no such thing', { status: 404 }],
    ['that it is not allowed', { status: 405 }],
    ['a way to somewhere else', { status: 302, headers: { location: 'https://evil.example/' } }],
  ])('that is %s is no answer: each calendar is asked by itself', async (_, answer) => {
    const reads = await during({ match: isBatch, ...answer }, () => readAll(shared.provider, ids));
    expect(reads.map(told)).toEqual(all);
    expect(shape(shared.asked()).sort()).toEqual(['batch of 0', ...ids].sort());
  });

  test('a web page for everything is an error of each, never an empty day', async () => {
    const page = { match: () => true, status: 200, body: '<html>hotel</html>' };
    const reads = await during(page, () => readAll(shared.provider, ids));
    expect(reads.map(told)).toEqual(ids.map(() => 'BAD_RESPONSE'));
  });

  test.each([
    ['quotaExceeded', 'FORBIDDEN'],
    ['backendError', 'UNAVAILABLE'],
    ['rateLimitExceeded', 'RATE_LIMITED'],
  ] as const)('that is %s is the error of each, and nobody asks one by one', async (fault, code) => {
    const { sandbox, provider, asked } = await openMany(calendars(3));
    const { status, body } = googleFaults[fault];
    // The endpoint of batches wraps its own refusals in a list.
    sandbox.fail({ match: isBatch, status, body: `[${body}]` });
    expect((await readAll(provider, ids, openCall(400))).map(told)).toEqual(ids.map(() => code));
    expect(asked().every(isBatch)).toBe(true);
  });

  test('that does not come in time is told as that', async () => {
    const { sandbox, provider } = await openMany(calendars(3));
    sandbox.fail({ match: isBatch, hang: true });
    await expect(readAll(provider, ids, openCall(200))).rejects.toThrow(/timeout/);
  });
});
