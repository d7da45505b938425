import { describe, expect, test } from 'vitest';
import { errorOf, get, openSandbox, postBatch, tokenFor, viewUrl } from './client.ts';

const step = (id: string, url = '/me/calendars', rest: object = {}) => ({ id, method: 'GET', url, ...rest });

describe('a $batch', () => {
  test('answers every step under its id, in another order, each with its own preferences', async () => {
    const sandbox = await openSandbox();
    const token = await tokenFor(sandbox);
    const url = viewUrl(sandbox, { $top: '1' }).slice(`${sandbox.origin}/v1.0`.length);
    const { status, body } = await postBatch(sandbox, token, [
      step('a', url, { headers: { Prefer: 'outlook.timezone="Europe/Amsterdam"' } }),
      step('b', url),
      step('c', '/me/calendars/nothing'),
    ]);
    expect(status).toBe(200);
    expect(body.responses.map((each) => [each.id, each.status])).toEqual([
      ['c', 400],
      ['b', 200],
      ['a', 200],
    ]);
    const zones = body.responses
      .slice(1)
      .map((each) => (each.body.value as { start: { timeZone: string } }[])[0]?.start.timeZone);
    expect(zones).toEqual(['UTC', 'Europe/Amsterdam']);
    expect(body.responses[2]?.headers['preference-applied']).toBe('outlook.timezone="Europe/Amsterdam"');
    const next = String(body.responses[1]?.body['@odata.nextLink']);
    expect((await get(next, token)).status).toBe(200);
  });

  test('of twenty is answered, of twenty-one refused', async () => {
    const sandbox = await openSandbox();
    const token = await tokenFor(sandbox);
    const steps = Array.from({ length: 21 }, (_, index) => step(String(index)));
    const good = await postBatch(sandbox, token, steps.slice(1));
    expect(good.body.responses.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const bad = await postBatch(sandbox, token, steps);
    expect(bad.status).toBe(400);
    expect(errorOf({ ...bad, body: { ...bad.body } }).message).toBe(
      'Number of batch request steps exceeds the maximum value of 20.',
    );
  });

  test.each<[string, unknown[]]>([
    ['an id is used twice', [step('a'), step('a')]],
    ['a url is absolute', [step('a', 'https://graph.microsoft.com/v1.0/me')]],
    ['an id is not a string', [{ id: 1, method: 'GET', url: '/me' }]],
    ['a step depends on what is not there', [step('a', '/me', { dependsOn: ['b'] })]],
    ['steps wait for each other', [step('a', '/me', { dependsOn: ['b'] }), step('b', '/me', { dependsOn: ['a'] })]],
    ['it is empty', []],
  ])('is refused when %s', async (_, requests) => {
    const sandbox = await openSandbox();
    expect((await postBatch(sandbox, await tokenFor(sandbox), requests)).status).toBe(400);
  });

  test('is refused when it is not JSON, and without a token', async () => {
    const sandbox = await openSandbox();
    const send = (authorization: string) =>
      fetch(`${sandbox.origin}/v1.0/$batch`, { method: 'POST', headers: { authorization }, body: 'nonsense' });
    expect((await send(`Bearer ${await tokenFor(sandbox)}`)).status).toBe(400);
    expect((await send('')).status).toBe(401);
  });

  test('does not write', async () => {
    const sandbox = await openSandbox();
    const { body } = await postBatch(sandbox, await tokenFor(sandbox), [
      { id: 'a', method: 'POST', url: '/me/events' },
    ]);
    expect(body.responses[0]?.status).toBe(405);
  });

  test('fails what depends on a step that failed with 424', async () => {
    const sandbox = await openSandbox();
    const { body } = await postBatch(sandbox, await tokenFor(sandbox), [
      step('third', '/me/calendars', { dependsOn: ['second'] }),
      step('second', '/me/calendars', { dependsOn: ['first'] }),
      step('first', '/me/calendars/nothing'),
      step('other'),
    ]);
    const statuses = Object.fromEntries(body.responses.map(({ id, status }) => [id, status]));
    expect(statuses).toEqual({ first: 400, second: 424, third: 424, other: 200 });
  });

  test('is recorded with its steps', async () => {
    const sandbox = await openSandbox();
    await postBatch(sandbox, await tokenFor(sandbox), [step('a', '/me/calendars?$top=3'), step('b', '/me/nothing')]);
    expect(sandbox.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: '/v1.0/$batch',
      mailbox: 'you@xebia.example',
      status: 200,
      batch: [
        { path: '/v1.0/me/calendars', query: { $top: '3' }, mailbox: 'you@xebia.example', status: 200 },
        { path: '/v1.0/me/nothing', status: 400 },
      ],
    });
  });
});
