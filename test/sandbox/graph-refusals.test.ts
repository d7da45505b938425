import { describe, expect, test } from 'vitest';
import { errorOf, get, openSandbox, tokenFor, viewUrl } from './client.ts';

describe('a request is not let in', () => {
  test.each([
    ['without a token', {}],
    ['with a header that holds no token', { authorization: 'Bearer' }],
    ['with another scheme', { authorization: 'Basic eW91' }],
    ['with a token that nobody handed out', { authorization: 'Bearer made-up' }],
  ])('%s', async (_, headers) => {
    const sandbox = await openSandbox();
    const reply = await get(`${sandbox.origin}/v1.0/me`, undefined, headers);
    expect(reply.status).toBe(401);
    expect(errorOf(reply)).toMatchObject({
      code: 'InvalidAuthenticationToken',
      innerError: { 'request-id': expect.any(String), date: expect.any(String) },
    });
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer /);
    expect(reply.headers.get('request-id')).not.toBeNull();
  });

  test('with a token that has lived its seconds', async () => {
    let now = Date.parse('2026-11-23T09:00:00Z');
    const sandbox = await openSandbox({ accessTokenSeconds: 60, now: () => now });
    const token = await tokenFor(sandbox);
    now += 59_000;
    expect((await get(`${sandbox.origin}/v1.0/me`, token)).status).toBe(200);
    now += 1_000;
    const reply = await get(`${sandbox.origin}/v1.0/me`, token);
    expect(reply.status).toBe(401);
    expect(errorOf(reply).message).toBe('Lifetime validation failed, the token is expired.');
  });

  test('with a token that was made to expire, while a later one works', async () => {
    const sandbox = await openSandbox();
    const early = await tokenFor(sandbox);
    sandbox.expireAccessTokens();
    const late = await tokenFor(sandbox);
    expect((await get(`${sandbox.origin}/v1.0/me`, early)).status).toBe(401);
    expect((await get(`${sandbox.origin}/v1.0/me`, late)).status).toBe(200);
  });

  test('to calendars with a token that has no calendar scope, nor to /me without a user scope', async () => {
    const sandbox = await openSandbox();
    const userOnly = await tokenFor(sandbox, { scope: 'User.Read' });
    const calendarsOnly = await tokenFor(sandbox, { scope: 'Calendars.Read' });
    const calendars = await get(`${sandbox.origin}/v1.0/me/calendars`, userOnly);
    expect(calendars.status).toBe(403);
    expect(errorOf(calendars).code).toBe('ErrorAccessDenied');
    const me = await get(`${sandbox.origin}/v1.0/me`, calendarsOnly);
    expect(me.status).toBe(403);
    expect(errorOf(me).code).toBe('Authorization_RequestDenied');
    expect((await get(`${sandbox.origin}/v1.0/me/mailboxSettings`, calendarsOnly)).status).toBe(403);
  });
});

describe('a calendarView is refused', () => {
  test.each<[string, Record<string, string>, string, RegExp]>([
    ['without a start', { startDateTime: '' }, 'ErrorInvalidParameter', /requires a time window/],
    ['without an end', { endDateTime: '' }, 'ErrorInvalidParameter', /requires a time window/],
    ['with a start that is no date', { startDateTime: 'tomorrow' }, 'ErrorInvalidParameter', /'tomorrow'/],
    [
      'with an offset whose plus became a space',
      { startDateTime: '2026-11-23T00:00:00 01:00' },
      'ErrorInvalidParameter',
      /is invalid/,
    ],
    ['when it ends where it starts', { endDateTime: '2026-11-23T00:00:00Z' }, 'ErrorInvalidParameter', /later than/],
    [
      'over more than 1825 days',
      { endDateTime: '2031-11-23T00:00:00Z' },
      'ErrorInvalidRequest',
      /Maximum number of days: 1825/,
    ],
    ['with $top over 1000', { $top: '1001' }, 'ErrorInvalidParameter', /The value '1001' .*\$top .*between 1 and 1000/],
    ['with $top zero', { $top: '0' }, 'ErrorInvalidParameter', /'0'/],
    ['with $top that is not an integer', { $top: '2.5' }, 'ErrorInvalidParameter', /'2.5'/],
    ['with a negative $skip', { $skip: '-1' }, 'ErrorInvalidParameter', /\$skip/],
    [
      'when it selects what an event does not have',
      { $select: 'subject,colour' },
      'RequestBroker--ParseUri',
      /Could not find a property named 'colour' on type 'microsoft.graph.event'/,
    ],
    ['when it orders by something else', { $orderby: 'colour' }, 'ErrorInvalidParameter', /colour/],
    ['with a $-option that it does not know', { $wish: 'all' }, 'BadRequest', /'\$wish'/],
  ])('%s', async (_, parameters, code, message) => {
    const sandbox = await openSandbox();
    const reply = await get(viewUrl(sandbox, parameters), await tokenFor(sandbox));
    expect(reply.status).toBe(400);
    expect(errorOf(reply).code).toBe(code);
    expect(errorOf(reply).message).toMatch(message);
  });

  test('with a zone that does not exist', async () => {
    const sandbox = await openSandbox();
    const token = await tokenFor(sandbox);
    for (const zone of ['Amsterdam Time', 'tzone://Microsoft/Custom', '+01:00']) {
      const reply = await get(viewUrl(sandbox), token, { prefer: `outlook.timezone="${zone}"` });
      expect(reply.status).toBe(400);
      expect(errorOf(reply).code).toBe('TimeZoneNotSupportedException');
    }
  });

  test('of a calendar in another mailbox, as if it did not exist', async () => {
    const sandbox = await openSandbox();
    const other = sandbox.data.mailboxes.find(({ username }) => username === 'bench@xebia.example')?.calendars[0];
    const reply = await get(viewUrl(sandbox, {}, other?.id), await tokenFor(sandbox));
    expect(reply.status).toBe(404);
    expect(errorOf(reply).code).toBe('ErrorItemNotFound');
  });

  test('of a calendar whose id is no id', async () => {
    const sandbox = await openSandbox();
    const reply = await get(viewUrl(sandbox, {}, 'primary'), await tokenFor(sandbox));
    expect(reply.status).toBe(400);
    expect(errorOf(reply).code).toBe('ErrorInvalidIdMalformed');
  });
});

test('a full five years of 1825 days are allowed', async () => {
  const sandbox = await openSandbox();
  const parameters = { startDateTime: '2026-11-23T00:00:00Z', endDateTime: '2031-11-22T00:00:00Z' };
  expect((await get(viewUrl(sandbox, parameters), await tokenFor(sandbox))).status).toBe(200);
});

test('a calendar is refused a property that only an event has', async () => {
  const sandbox = await openSandbox();
  const reply = await get(`${sandbox.origin}/v1.0/me/calendars?$select=subject`, await tokenFor(sandbox));
  expect(reply.status).toBe(400);
  expect(errorOf(reply).message).toContain("on type 'microsoft.graph.calendar'");
});

test.each(['PATCH', 'DELETE', 'PUT', 'HEAD'])('%s is refused for a list of events', async (method) => {
  const sandbox = await openSandbox();
  const headers = { authorization: `Bearer ${await tokenFor(sandbox)}` };
  expect((await fetch(`${sandbox.origin}/v1.0/me/events`, { method, headers })).status).toBe(405);
});

test('a path that does not exist is refused with the segment that is wrong', async () => {
  const sandbox = await openSandbox();
  const reply = await get(`${sandbox.origin}/v1.0/me/agenda`, await tokenFor(sandbox));
  expect(reply.status).toBe(400);
  expect(errorOf(reply).message).toBe("Resource not found for the segment 'agenda'.");
});
