import { networkInterfaces } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Loopback, openLoopback } from '../../src/io/loopback.ts';
import { knock, sendRaw } from './connection.ts';

const never = (): AbortSignal => new AbortController().signal;
const done = { ok: true, message: 'work is you@work.example.' };

async function open(): Promise<{ loopback: Loopback; origin: string }> {
  const loopback = await openLoopback();
  onTestFinished(() => loopback.finish({ ok: false, message: '' }));
  return { loopback, origin: `http://127.0.0.1:${loopback.port}` };
}

/** Whether a promise is still waiting after all that is under way has been done. */
async function isWaiting(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise((resolve) => setTimeout(resolve, 20, 'later'));
  return (await Promise.race([promise.then(() => 'now'), later])) === 'later';
}

describe('the listener', () => {
  test('T11: is on 127.0.0.1 alone: not on ::1, not on another address of this machine', async () => {
    const { loopback } = await open();
    expect(await knock(loopback.port, '127.0.0.1')).toBe('open');
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ address, scopeid }) => address !== '127.0.0.1' && !scopeid)
      .map(({ address }) => address);
    for (const address of new Set(['::1', '127.0.0.2', ...others]))
      expect([address, await knock(loopback.port, address)]).not.toEqual([address, 'open']);
  });

  test('T11: takes a port that nobody can foretell', async () => {
    const ports = await Promise.all(Array.from({ length: 4 }, async () => (await open()).loopback.port));
    expect(new Set(ports).size).toBe(4);
    for (const port of ports) expect(port).toBeGreaterThan(1024);
  });

  test('is gone after the end, and the port is free', async () => {
    const { loopback } = await open();
    await loopback.finish(done);
    expect(await knock(loopback.port, '127.0.0.1')).toBe('ECONNREFUSED');
  });

  test('is gone at once when nobody ever came, and may be ended twice', async () => {
    const { loopback } = await open();
    const before = performance.now();
    await loopback.finish(done);
    await loopback.finish(done);
    expect(performance.now() - before).toBeLessThan(400);
  });

  test('is not held open by a connection that says nothing', async () => {
    const { loopback } = await open();
    const silent = sendRaw(loopback.port, 'GET / HT');
    await isWaiting(silent);
    await loopback.finish(done);
    await silent.catch(() => undefined);
    expect(await knock(loopback.port, '127.0.0.1')).toBe('ECONNREFUSED');
  });
});

describe('an answer', () => {
  test('with the right state ends the wait, and the browser hears what became of it', async () => {
    const { loopback, origin } = await open();
    const answer = loopback.answer('right', never());
    const browser = fetch(`${origin}/?code=abc&state=right&scope=a+b`);
    expect(Object.fromEntries(await answer)).toEqual({ code: 'abc', state: 'right', scope: 'a b' });
    expect(await isWaiting(browser)).toBe(true);
    await loopback.finish(done);
    const page = await browser;
    expect(page.status).toBe(200);
    expect(await page.text()).toContain(done.message);
  });

  test('may come as a form', async () => {
    const { loopback, origin } = await open();
    const answer = loopback.answer('right', never());
    const browser = fetch(origin, { method: 'POST', body: new URLSearchParams({ code: 'abc', state: 'right' }) });
    expect((await answer).get('code')).toBe('abc');
    await loopback.finish(done);
    expect((await browser).status).toBe(200);
  });

  test.each([
    ['another state', '/?code=evil&state=wrong'],
    ['no state', '/?code=evil'],
    ['an empty state', '/?code=evil&state='],
    ['nothing', '/'],
    ['an error without a state', '/?error=access_denied'],
  ])('T8: with %s is turned away, and the wait goes on', async (_name, path) => {
    const { loopback, origin } = await open();
    const answer = loopback.answer('right', never());
    const refused = await fetch(origin + path);
    expect(refused.status).toBe(400);
    expect(await refused.text()).not.toContain('evil');
    expect(await isWaiting(answer)).toBe(true);
    const browser = fetch(`${origin}/?code=good&state=right`);
    expect((await answer).get('code')).toBe('good');
    await loopback.finish(done);
    expect((await browser).status).toBe(200);
  });

  test('before anybody waits for one is turned away', async () => {
    const { origin } = await open();
    expect((await fetch(`${origin}/?code=abc&state=undefined`)).status).toBe(400);
    expect((await fetch(`${origin}/?code=abc`)).status).toBe(400);
  });

  test('T8: in a form takes its state from the form, not from the address', async () => {
    const { loopback, origin } = await open();
    const answer = loopback.answer('right', never());
    const body = new URLSearchParams({ code: 'evil', state: 'wrong' });
    expect((await fetch(`${origin}/?state=right`, { method: 'POST', body })).status).toBe(400);
    expect(await isWaiting(answer)).toBe(true);
  });

  test.each([
    ['/favicon.ico', 'GET'],
    ['/callback?code=abc&state=right', 'GET'],
    ['/..%2f?code=abc&state=right', 'GET'],
    ['/?code=abc&state=right', 'PUT'],
    ['/?code=abc&state=right', 'DELETE'],
    ['/?code=abc&state=right', 'HEAD'],
    ['/?code=abc&state=right', 'OPTIONS'],
  ])('T11: to %s by %s is a 404', async (path, method) => {
    const { loopback, origin } = await open();
    const answer = loopback.answer('right', never());
    expect((await fetch(origin + path, { method })).status).toBe(404);
    expect(await isWaiting(answer)).toBe(true);
  });

  test('with a target that is no address is a 404, and harms nothing', async () => {
    const { loopback } = await open();
    const answer = loopback.answer('right', never());
    for (const target of ['//', '//evil.example/?state=right', '*'])
      expect(await sendRaw(loopback.port, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 404 /);
    expect(await isWaiting(answer)).toBe(true);
  });

  test('larger than it can be is refused unread, and the wait goes on', async () => {
    const { loopback, origin } = await open();
    const answer = loopback.answer('right', never());
    const body = new URLSearchParams({ state: 'right', code: 'x'.repeat(70_000) }).toString();
    const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n`;
    expect(await sendRaw(loopback.port, `${head}Content-Length: ${body.length}\r\n\r\n${body}`)).toMatch(
      /^HTTP\/1\.1 413 /,
    );
    const endless = `${(70_000).toString(16)}\r\n${'x'.repeat(70_000)}\r\n`;
    expect(await sendRaw(loopback.port, `${head}Transfer-Encoding: chunked\r\n\r\n${endless}`)).toMatch(
      /^HTTP\/1\.1 413 /,
    );
    expect(await isWaiting(answer)).toBe(true);
    const good = fetch(origin, {
      method: 'POST',
      body: new URLSearchParams({ state: 'right', code: 'x'.repeat(60_000) }),
    });
    expect((await answer).get('code')).toHaveLength(60_000);
    await loopback.finish(done);
    expect((await good).status).toBe(200);
  });

  test('that comes twice counts once, and both browsers see the same page', async () => {
    const { loopback, origin } = await open();
    const answer = loopback.answer('right', never());
    const first = fetch(`${origin}/?code=one&state=right`);
    expect((await answer).get('code')).toBe('one');
    const second = fetch(`${origin}/?code=two&state=right`);
    await isWaiting(second);
    const finished = loopback.finish(done);
    const third = await fetch(`${origin}/?code=three&state=right`);
    await finished;
    const pages = await Promise.all([first, second, third].map(async (page) => (await page).text()));
    expect(new Set(pages).size).toBe(1);
    expect(pages[0]).toContain(done.message);
    expect((await answer).get('code')).toBe('one');
  });

  test('T8: with another state is turned away even while the right one is shown its page', async () => {
    const { loopback, origin } = await open();
    const answer = loopback.answer('right', never());
    const first = fetch(`${origin}/?code=one&state=right`);
    await answer;
    const finished = loopback.finish(done);
    const stranger = await fetch(`${origin}/?state=wrong`);
    expect(stranger.status).toBe(400);
    expect(await stranger.text()).not.toContain('you@work.example');
    await Promise.all([first, finished]);
  });
});

describe('giving up', () => {
  test('ends the wait with the reason', async () => {
    const { loopback } = await open();
    const controller = new AbortController();
    const answer = loopback.answer('right', controller.signal);
    controller.abort(new Error('Ctrl-C'));
    await expect(answer).rejects.toThrow('Ctrl-C');
  });

  test('before the wait has begun ends it at once', async () => {
    const { loopback } = await open();
    await expect(loopback.answer('right', AbortSignal.abort(new Error('Ctrl-C')))).rejects.toThrow('Ctrl-C');
  });
});

describe('the page', () => {
  async function pageOf(outcome: { ok: boolean; message: string }): Promise<Response> {
    const { loopback, origin } = await open();
    const answer = loopback.answer('right', never());
    const browser = fetch(`${origin}/?code=one&state=right`);
    await answer;
    await loopback.finish(outcome);
    return browser;
  }

  test('says a refusal as a 400, and nothing of it is HTML', async () => {
    const page = await pageOf({ ok: false, message: `<script>alert("1")</script> & 'you'` });
    expect(page.status).toBe(400);
    const text = await page.text();
    expect(text).toContain('Not signed in');
    expect(text).toContain('&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62; &#38; &#39;you&#39;');
    expect(text).not.toContain('<script>');
  });

  test('needs nothing from elsewhere, and is not kept, framed, sniffed or told of', async () => {
    const page = await pageOf(done);
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringMatching(/^default-src 'none'; .*frame-ancestors 'none'/),
      connection: 'close',
    });
    const text = (await page.text()).replace('<link rel="icon" href="data:,">', '');
    expect(text).not.toMatch(/<script|<link|<img|src=|href=|https?:\/\/|@import|url\(/);
  });
});
