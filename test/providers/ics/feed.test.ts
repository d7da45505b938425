import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { ProviderContext } from '../../../src/core/provider.ts';
import { feedAddress, isPrivateHost, redirectTarget } from '../../../src/providers/ics/address.ts';
import { ics } from '../../../src/providers/ics/index.ts';
import { calendar, callOf, contextOf, days, event, only, plainFetch, readOnly } from './harness.ts';

const range = days('2026-10-12');
const feed = calendar('X-WR-CALNAME:Holidays', event('DTSTART:20261012T090000Z'));
type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const open = (url: string, more: Partial<ProviderContext> = {}) => ics.open({ url }, contextOf(more));
const send =
  (body: string, status = 200, headers: Record<string, string> = {}): Handler =>
  (_, response) => {
    response.writeHead(status, headers).end(body);
  };

describe('a feed', () => {
  test('is one calendar by the name that it gives itself, and its events say that they come from a feed', async () => {
    const provider = await open(`${await serve(send(feed))}/secret-token.ics`);
    expect(await provider.listCalendars(callOf())).toEqual([
      { id: 'feed', name: 'Holidays', isDefault: true, access: 'read' },
    ]);
    const read = await readOnly(provider, range);
    // D10: what is fetched may be a day behind its source, and says so.
    expect(only(read).fromFeed).toBe(true);
    expect(read.asOf).toBe(Date.parse('2026-10-12T06:00:00Z'));
  });

  test('is fetched once for one question, and asked whether it changed for the next', async () => {
    const seen: (string | undefined)[] = [];
    const base = await serve((request, response) => {
      seen.push(request.headers['if-none-match']);
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"1"' }).end(feed);
    });
    const provider = await open(`${base}/a.ics`);
    expect((await readOnly(provider, range)).events).toHaveLength(1);
    expect((await readOnly(provider, range)).events).toHaveLength(1);
    expect(seen).toEqual([undefined, '"1"']);
  });

  test('that has not changed is what was asked about, though another answer came in between', async () => {
    const held: (() => void)[] = [];
    let asked = 0;
    const base = await serve((_, response) => {
      asked++;
      if (asked === 1) response.writeHead(200, { etag: '"1"' }).end(feed);
      // From a server that lags behind, and from one that does not.
      else if (asked === 2)
        held.push(() => response.writeHead(200, { etag: '"0"' }).end(feed.replace('Holidays', 'Long ago')));
      else held.push(() => response.writeHead(304).end());
    });
    const provider = await open(`${base}/a.ics`);
    await provider.listCalendars(callOf());
    const [behind, right] = [provider.listCalendars(callOf()), provider.listCalendars(callOf())];
    await expect.poll(() => held.length).toBe(2);
    held[0]?.();
    expect((await behind)[0]?.name).toBe('Long ago');
    held[1]?.();
    expect((await right)[0]?.name).toBe('Holidays');
  });

  test('is asked by its date where it has no tag', async () => {
    const seen: (string | undefined)[] = [];
    const base = await serve((request, response) => {
      seen.push(request.headers['if-modified-since']);
      response.writeHead(200, { 'last-modified': 'Mon, 12 Oct 2026 06:00:00 GMT' }).end(feed);
    });
    const provider = await open(`${base}/a.ics`);
    await readOnly(provider, range);
    await readOnly(provider, range);
    expect(seen).toEqual([undefined, 'Mon, 12 Oct 2026 06:00:00 GMT']);
  });

  test('sends the password of its address in a header, and not to another host', async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end(feed);
    });
    const base = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { location: `${other}/b.ics` }).end();
    });
    const provider = await open(base.replace('http://', 'http://user:p%40ss@'));
    expect((await readOnly(provider, range)).events).toHaveLength(1);
    expect(seen).toEqual([`Basic ${Buffer.from('user:p@ss').toString('base64')}`, undefined]);
  });

  test.each<[string, Handler]>([
    ['a web page', send('<html>please sign in</html>', 200, { 'content-type': 'text/html' })],
    ['nothing', send('')],
    ['no content', send('', 204)],
    ['a part', send(feed, 206)],
    ['a calendar that is cut short', send(feed.slice(0, -20))],
    ['"not modified" to somebody who never read it', send('', 304)],
    ['too much', send('', 200, { 'content-length': String(21 * 1_048_576) })],
    ['more than it announced', (_, response) => void response.end(`${feed}${' '.repeat(21 * 1_048_576)}`)],
    ['redirects in circles', send('', 302, { location: '/again' })],
    ['a redirect to nowhere', send('', 302)],
    ['a redirect to a file', send('', 302, { location: 'file:///etc/passwd' })],
    ['a redirect to plain http elsewhere', send('', 302, { location: 'http://example.org/' })],
    ['a list of choices', send('', 300)],
  ])('that answers with %s is an error, and says no more of its address than the host', async (_, handler) => {
    const base = await serve(handler);
    const provider = await open(`${base}/secret-token.ics?key=also-secret`);
    const error = await provider.listCalendars(callOf()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'BAD_RESPONSE', account: 'team' });
    const { message, hint } = error as { message: string; hint?: string };
    expect(message).toContain(new URL(base).host);
    expect(`${message} ${hint}`).not.toMatch(/secret/);
  });

  test('that is gone or unreachable is an error of each calendar that was asked for', async () => {
    const base = await serve(send('', 404));
    const provider = await open(`${base}/secret.ics`);
    const calendars = [{ id: 'feed', name: 'Holidays', isDefault: true, access: 'read' }] as const;
    const [read] = await provider.readCalendars(calendars, range, callOf());
    expect(read).toMatchObject({ error: { code: 'NOT_FOUND', account: 'team' } });
    const dead = await open('http://127.0.0.1:1/secret.ics');
    const [unreachable] = await dead.readCalendars(calendars, range, callOf());
    expect(unreachable).toMatchObject({ error: { code: 'UNAVAILABLE' } });
    expect(JSON.stringify(unreachable)).not.toContain('secret');
  });

  test('webcal is https', async () => {
    const asked: string[] = [];
    const fetch: ProviderContext['fetch'] = () => async (input) => {
      asked.push(String(input));
      return { status: 200, headers: new Headers(), body: Buffer.from(feed) };
    };
    await readOnly(await open('webcal://example.org/a.ics', { fetch }), range);
    expect(asked).toEqual(['https://example.org/a.ics']);
  });

  test('in another character set is decoded by it', async () => {
    const body = Buffer.from(feed.replace('Holidays', 'Überraschung'), 'latin1');
    const base = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'text/calendar; charset=ISO-8859-1' }).end(body),
    );
    expect((await (await open(base)).listCalendars(callOf()))[0]?.name).toBe('Überraschung');
  });

  test('counts each request it makes', async () => {
    let requests = 0;
    const call = { ...callOf(), countRequest: () => void requests++ };
    const base = await serve((request, response) =>
      request.url === '/b.ics' ? response.end(feed) : response.writeHead(302, { location: '/b.ics' }).end(),
    );
    await (await open(`${base}/a.ics`, { fetch: plainFetch })).listCalendars(call);
    expect(requests).toBe(2);
  });
});

describe('T13: where a feed may send us', () => {
  test.each([
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::10.0.0.1]/',
    'https://[2002:7f00:1::]/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://[::]/',
    'https://169.254.169.254/latest/meta-data',
    'https://10.1.2.3/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://100.64.0.1/',
    'https://0.0.0.0/',
    'https://localhost/',
    'https://localhost./',
    'https://a.localhost/',
  ])('%s is private, and a public feed may not lead there', (address) => {
    expect(isPrivateHost(new URL(address))).toBe(true);
    const from = new URL('https://example.org/a.ics');
    expect(redirectTarget(address, from, from)).toBeNull();
  });

  test.each([
    'https://example.org/',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'https://172.32.0.1/',
    'https://[::ffff:8.8.8.8]/',
  ])('%s is public', (address) => {
    expect(isPrivateHost(new URL(address))).toBe(false);
  });

  test('plain http is followed on this machine only, and only if it was configured so', () => {
    const [local, remote] = [new URL('http://127.0.0.1/a'), new URL('https://example.org/a')];
    expect(redirectTarget('http://127.0.0.1:99/b', local, local)?.port).toBe('99');
    expect(redirectTarget('http://example.org/b', local, local)).toBeNull();
    expect(redirectTarget('http://example.org/b', remote, remote)).toBeNull();
    expect(redirectTarget('/b', remote, remote)?.href).toBe('https://example.org/b');
    expect(feedAddress('http://127.0.0.2/')).toBeNull();
  });
});
