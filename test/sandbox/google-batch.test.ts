import { describe, expect, test } from 'vitest';
import { batchPath } from '../../src/sandbox/google-batch.ts';
import type { Sandbox } from '../../src/sandbox/index.ts';
import { openSandbox } from './client.ts';
import { googleToken } from './google-client.ts';

interface Sending {
  readonly token?: string;
  readonly contentType?: string;
  /** Lines of each part, the line of the request last; or all of the body. */
  readonly body: readonly (readonly string[])[] | string;
}

const part = (id: string, request: string): string[] => [
  'Content-Type: application/http',
  `Content-ID: <${id}>`,
  '',
  request,
  '',
];

async function send(
  sandbox: Sandbox,
  { token, contentType = 'multipart/mixed; boundary="b"', body }: Sending,
): Promise<{ readonly status: number; readonly type: string; readonly text: string }> {
  const text =
    typeof body === 'string' ? body : [...body.flatMap((lines) => ['--b', ...lines]), '--b--', ''].join('\r\n');
  const response = await fetch(sandbox.origin + batchPath, {
    method: 'POST',
    headers: {
      'content-type': contentType,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: text,
  });
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, text: await response.text() };
}

const list = 'GET /calendar/v3/users/me/calendarList?maxResults=1 HTTP/1.1';

describe('a batch at Google', () => {
  test('answers each call under its id, as it would have been answered alone, and not in their order', async () => {
    const sandbox = await openSandbox();
    const body = [
      part('first', list),
      part('second', 'GET /calendar/v3/calendars/nobody/events'),
      part('third', 'GET /calendar/v3/calendars/primary/events?nonsense=1'),
    ];
    const { status, type, text } = await send(sandbox, { token: await googleToken(sandbox), body });
    expect([status, type]).toEqual([200, expect.stringMatching(/^multipart\/mixed; boundary=batch_\S+$/)]);
    const told = [...text.matchAll(/Content-ID: (\S+)\r\n\r\nHTTP\/1\.1 (\d+)/g)].map(
      ([, id, code]) => `${id} ${code}`,
    );
    expect(told).toEqual(['<response-third> 400', '<response-second> 404', '<response-first> 200']);
    expect(text).toContain('"kind": "calendar#calendarList"');
  });

  test('is one request, recorded with its calls', async () => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox);
    const before = sandbox.requests.length;
    await send(sandbox, { token, body: [part('a', list), part('b', 'GET /calendar/v3/nothing')] });
    expect(sandbox.requests.slice(before)).toMatchObject([
      {
        method: 'POST',
        path: batchPath,
        mailbox: 'you@home.example',
        status: 200,
        batch: [
          {
            method: 'GET',
            path: '/google/calendar/v3/users/me/calendarList',
            query: { maxResults: '1' },
            mailbox: 'you@home.example',
            status: 200,
          },
          { path: '/google/calendar/v3/nothing', status: 404 },
        ],
      },
    ]);
  });

  test('looks at the token of each call, which may bring its own', async () => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox);
    sandbox.expireAccessTokens();
    const fresh = await googleToken(sandbox);
    const own = [...part('b', list).slice(0, -1), `Authorization: Bearer ${fresh}`, '', ''];
    const { status, text } = await send(sandbox, { token, body: [part('a', list), own] });
    expect(status).toBe(200);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code)).toEqual(['200', '401']);
  });

  test.each<[string, Omit<Sending, 'token'>]>([
    ['more than 50 calls', { body: Array.from({ length: 51 }, (_, index) => part(`item-${index}`, list)) }],
    ['no multipart', { body: '[]', contentType: 'application/json' }],
    ['a multipart of another kind', { body: [part('a', list)], contentType: 'multipart/form-data; boundary=b' }],
    ['no boundary', { body: [part('a', list)], contentType: 'multipart/mixed' }],
    ['another boundary than it says', { body: [part('a', list)], contentType: 'multipart/mixed; boundary=c' }],
    ['no end', { body: ['--b', ...part('a', list)].join('\r\n') }],
    ['no calls', { body: [] }],
    ['a part that is no HTTP', { body: [['Content-Type: application/json', 'Content-ID: <a>', '', list, '']] }],
    ['a part without a request', { body: [part('a', '')] }],
    ['a batch in a batch', { body: [part('a', 'POST /batch/calendar/v3 HTTP/1.1')] }],
    ['a path of another API', { body: [part('a', 'GET /gmail/v1/users/me/messages')] }],
    ['a path that climbs out', { body: [part('a', 'GET /calendar/v3/../../gmail/v1/users/me/messages')] }],
    ['a full URL', { body: [part('a', 'GET https://www.googleapis.com/calendar/v3/colors')] }],
    ['a full URL of another host', { body: [part('a', 'GET https://evil.example/calendar/v3/colors')] }],
    ['a URL with a host alone', { body: [part('a', 'GET //evil.example/calendar/v3/colors')] }],
    ['the same id twice', { body: [part('a', list), part('a', list)] }],
    ['two without an id', { body: [1, 2].map(() => ['Content-Type: application/http', '', list, '']) }],
  ])('is refused with %s', async (_, sending) => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox);
    const { status, text } = await send(sandbox, { token, ...sending });
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject([{ error: { code: 400, errors: [{ reason: 'badRequest' }] } }]);
    expect(sandbox.requests.at(-1)?.batch).toEqual([]);
  });

  test('with 50 calls is answered', async () => {
    const sandbox = await openSandbox();
    const body = Array.from({ length: 50 }, (_, index) => part(`item-${index}`, list));
    const { text } = await send(sandbox, { token: await googleToken(sandbox), body });
    expect([...text.matchAll(/HTTP\/1\.1 200/g)]).toHaveLength(50);
  });
});
