import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CalmcpError } from '../../src/core/errors.ts';
import { createLog, LOG_LEVELS, type LogLevel, redact } from '../../src/io/log.ts';

function logged(level: LogLevel = 'debug') {
  const lines: string[] = [];
  const log = createLog({ level, write: (line) => lines.push(line), now: () => new Date('2026-11-20T09:00:01Z') });
  return { log, lines };
}

describe('the log', () => {
  it.each(LOG_LEVELS)('at level %s writes that and what is worse', (level) => {
    const { log, lines } = logged(level);
    for (const own of LOG_LEVELS) log[own]('said');
    expect(lines.map((line) => line.split(' ')[1])).toEqual(LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(level) + 1));
  });

  it('writes one line for each entry: when, how bad, what, and details', () => {
    const { log, lines } = logged();
    log.warn('account not read', { account: 'work', tries: 2, ok: false, list: ['a'], nothing: undefined });
    expect(lines).toEqual([
      '2026-11-20T09:00:01.000Z warn account not read account=work tries=2 ok=false list=["a"] nothing=undefined\n',
    ]);
  });

  it('tells an error with its code, its causes and the codes of a server’s answer, and nothing else of it', () => {
    const { log, lines } = logged();
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
    log.info('x', {
      error: new CalmcpError('UNAVAILABLE', 'no way', { cause: new TypeError('failed', { cause: refused }) }),
    });
    log.info('y', {
      error: new CalmcpError('BAD_RESPONSE', 'odd', {
        cause: {
          status: 400,
          headers: {},
          body: '{"error":{"code":"ErrorInvalidRequest","message":"/ical/private-CANARY/basic.ics"}}',
        },
      }),
    });
    expect(lines[0]).toContain('error=UNAVAILABLE: no way <- TypeError: failed <- ECONNREFUSED: connect ECONNREFUSED');
    expect(lines[1]).toMatch(/<- HTTP 400 ErrorInvalidRequest\n$/);
  });

  it('takes anything as a detail without failing', () => {
    const { log, lines } = logged();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const chain = new Error('deep');
    chain.cause = chain;
    log.error('x', {
      circle,
      big: 1n,
      chain,
      symbol: Symbol('s'),
      fn: () => 1,
      none: null,
      cause: new Error('c', { cause: circle }),
    });
    expect(lines).toHaveLength(1);
  });

  it('no control character forges a line or steers a terminal', () => {
    const { log, lines } = logged();
    log.warn('a\nb', {
      'key\r\n2026-01-01 error forged': 'x\u2028y\u2029z\u0085w\u001b[2J\u0007',
      error: new Error('m\n\tn'),
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    expect(lines[0]?.endsWith('\n')).toBe(true);
  });

  it('writes exactly one line whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, value) => {
        const { log, lines } = logged();
        log.error(message, { value, nested: { value } });
        expect(lines).toHaveLength(1);
        expect(lines[0]?.match(/[\n\r\u0085\u2028\u2029]/g)).toEqual(['\n']);
      }),
    );
  });
});

describe('credentials', () => {
  const JWT = 'eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJDQU5BUlkifQ.CANARYsignature-_x';
  const CANARY = 'CANARY';

  it.each([
    ['a JWT', JWT],
    ['an unsigned JWT', 'eyJhbGciOiJub25lIn0.eyJDQU5BUlkiOjF9CANARY.'],
    ['an encrypted JWT', 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..CANARYiv.CANARYtext.CANARYtag'],
    ['a bearer token', 'authorization: Bearer EwB4A8l6BAAU+/CANARY=='],
    ['basic credentials', 'Authorization=basic CANARY=='],
    ['a Google access token', 'ya29.a0AfH6CANARY-_x'],
    ['a Google access token of a service', 'ya29.c.Ko8BCANARY.CANARY'],
    ['a Google refresh token', '1//0gCANARY-x'],
    ['a Google client secret', 'GOCSPX-CANARY_x'],
    ['a Google refresh token in JSON', '{"refresh_token":"1\\/\\/0gCANARY"}'],
    ['an Entra refresh token', '0.AXoAabcdefghijklmnopqrst.AgABAAEAAACANARY-x'],
    ['an Entra refresh token of the newer kind', '1.AXoAabcdefghijklmnopqrst.AgABAAEAAACANARY'],
    ['a personal Microsoft refresh token', 'M.C520_BAY.0.U.-CANARY!x*$$'],
    ['a form', 'grant_type=refresh_token&refresh_token=CANARY&client_id=x'],
    ['a form with a secret', 'client_secret=CANARY'],
    ['a redirect', 'http://localhost:1234/?code=0.CANARY&state=x'],
    ['a redirect with a short code', '/?code=CANARY'],
    ['a redirect with a code in capitals', '/?code=CANARY_CODE'],
    ['a code of Google', "{ code: '4/0AbCANARY_x' }"],
    ['a code of Microsoft', 'code: "1.AXoACANARY_CODE"'],
    ['a personal code of Microsoft', "code: 'X.C520_CANARY.2.U.abc'"],
    ['a code to type', "code: 'ECANARYX'"],
    ['a code to type with a dash', 'code: CANARY-EFGH'],
    ['a code in capitals with figures', 'code: CANARY_123'],
    ['a code that begins as an error does', "code: 'ENOENT-CANARY'"],
    ['a code that begins as one of Node.js does', "code: 'ERR_CANARY.x'"],
    ['JSON', '{"access_token":"CANARY","expires_in":3599}'],
    ['pretty JSON', '{\n  "id_token" : "CANARY"\n}'],
    ['JSON in JSON', JSON.stringify({ body: JSON.stringify({ access_token: 'CANARY', refresh_token: 'CANARY' }) })],
    ['JSON in JSON in JSON', JSON.stringify(JSON.stringify(JSON.stringify({ access_token: 'CANARY' })))],
    ['the output of a token command', '{"accessToken":"CANARY","expiresOn":"2026"}'],
    ['a token cache', '{"credential_type":"RefreshToken","secret":"CANARY"}'],
    ['an object as Node prints it', "{ access_token: 'CANARY' }"],
    ['a device code', 'device_code=CANARY'],
    ['a code verifier', 'code_verifier=CANARY&code=CANARY'],
    ['a password', 'password: CANARY'],
    ['a client assertion', 'client_assertion_type=x&assertion=CANARY'],
  ])('of %s do not get into a log', (_, text) => {
    expect(redact(text)).not.toContain(CANARY);
    for (const details of [
      { text },
      { object: { text } },
      { error: new Error(text) },
      { error: new CalmcpError('BAD_RESPONSE', 'x', { cause: { status: 400, headers: new Headers(), body: text } }) },
      { error: new CalmcpError('BAD_RESPONSE', 'x', { cause: new Error(text, { cause: text }) }) },
      { [text]: 1 },
    ]) {
      const { log, lines } = logged();
      log.debug(text, details);
      expect(lines.join('')).not.toContain(CANARY);
      expect(lines.join('')).toContain('[redacted]');
    }
  });

  it('leaves what is none of them as it is', () => {
    for (const text of [
      'request repeated account=work host=graph.microsoft.com:443 error=RATE_LIMITED tries=2 waitMs=7012',
      '{"error":{"code":"InvalidAuthenticationToken","message":"x"}}',
      '{"error":{"code":404,"message":"Not Found"}}',
      'error_code=AADSTS50011 https://example.org/a//b',
      "{ code: 'ERR_MODULE_NOT_FOUND', url: 'file:///x.js' }",
      "  code: 'MODULE_NOT_FOUND',",
      'Error: listen EADDRINUSE { code: "EADDRINUSE", errno: -98 }',
      "code: 'ENOENT'",
      'code=ENOTFOUND',
      "code: 'EAI_AGAIN' }",
      "code: 'ERR_HTTP2_STREAM_ERROR'",
      '{"code":"DEPTH_ZERO_SELF_SIGNED_CERT"}',
      JSON.stringify(JSON.stringify({ code: 'ERR_INVALID_ARG_TYPE' })),
      JSON.stringify(JSON.stringify({ code: 'ErrorAccessDenied' })),
    ])
      expect(redact(text)).toBe(text);
  });
});
