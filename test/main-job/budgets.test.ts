/** Eight mailboxes of one app registration: what each is asked at once, who waits for whom, and who is left alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/accounts/load.ts';
import type { App } from '../../src/accounts/registry.ts';
import { createEvent } from '../../src/operations/create-event.ts';
import { type Agenda, listEvents } from '../../src/operations/list-events.ts';
import { providers } from '../../src/providers/index.ts';
import {
  calendar,
  clientId,
  event,
  mailbox,
  type Sandbox,
  type SandboxData,
  type SandboxOptions,
  type SandboxRequest,
} from '../../src/sandbox/index.ts';
import { microsoftAccounts, openCall, openSandbox, openTestApp, signIn, XEBIA } from '../harness.ts';

const asker = { signal: new AbortController().signal };
const addressOf = (account: string): string => `${account}@xebia.example`;
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `a${index + 1}`);

function people(accounts: readonly string[]): SandboxData {
  const tenant = { id: XEBIA.tenantId, domain: 'xebia.example', name: 'Xebia' };
  return {
    tenants: [tenant],
    applications: [{ clientId, name: 'calmcp', tenants: [tenant.id] }],
    users: accounts.map((account, index) => ({
      oid: `aaaaaaaa-0000-0000-0000-${String(index + 1).padStart(12, '0')}`,
      tenant: tenant.id,
      username: addressOf(account),
      displayName: account,
    })),
    mailboxes: accounts.map((account) =>
      mailbox(
        addressOf(account),
        ['Work', 'Home', 'Club'].map((name, hour) =>
          calendar(name, [
            event({
              subject: `${name} of ${account}`,
              start: `2026-11-24T1${hour}:00:00`,
              end: `2026-11-24T1${hour}:30:00`,
              zone: 'UTC',
            }),
          ]),
        ),
      ),
    ),
  };
}

async function openAll(
  count: number,
  options: SandboxOptions = {},
  budgetClock?: () => number,
): Promise<{ sandbox: Sandbox; app: App }> {
  const accounts = names(count);
  const sandbox = await openSandbox({ data: people(accounts), ...options });
  const yaml = microsoftAccounts(
    sandbox,
    accounts.map((id) => ({ id, tenantId: XEBIA.tenantId, username: addressOf(id) })),
  ).replaceAll('provider: microsoft', 'provider: microsoft\n    access: write');
  const { app } = await openTestApp(yaml, { budgetClock });
  for (const id of accounts) await signIn(app, sandbox, id, addressOf(id));
  return { sandbox, app };
}

const input = (accounts?: string) =>
  ({ range: 'this week', detail: 'full', ...(accounts === undefined ? {} : { accounts }) }) as const;
const week = (app: App, accounts?: string): Promise<Agenda> => listEvents.run(app, input(accounts), asker);

const withSteps = (request: SandboxRequest): readonly SandboxRequest[] => [request, ...(request.batch ?? [])];
const isGraph = ({ path }: { path: string }): boolean => path.startsWith('/v1.0/');
const requestsOf = (sandbox: Sandbox, account: string): readonly SandboxRequest[] =>
  sandbox.requests.filter((request) => isGraph(request) && request.mailbox === addressOf(account));

/** Asks for the list of calendars, as nobody waits for it. */
async function errand(app: App, account: string, signal: AbortSignal): Promise<void> {
  const provider = await app.account(account).open();
  const call = openCall(20_000);
  await provider.listCalendars({ ...call, signal, background: true });
}

/** Makes a mailbox fail until its breaker is open. */
async function trip(sandbox: Sandbox, app: App, account: string, status: number): Promise<void> {
  sandbox.fail({ match: ({ mailbox: who }) => who === addressOf(account), status });
  const { signal, abort } = openAsker();
  const questions = Array.from({ length: 5 }, () =>
    listEvents.run(app, input(account), { signal }).catch(() => undefined),
  );
  await expect.poll(() => app.account(account).traffic().breaker, { timeout: 10_000 }).toBe('open');
  abort();
  await Promise.all(questions);
  // What was given up on its way may arrive all the same.
  for (let last = -1; last !== requestsOf(sandbox, account).length; await sleep(200))
    last = requestsOf(sandbox, account).length;
}

function openAsker(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(new Error('no longer needed')) };
}

describe('eight mailboxes of one registration', () => {
  test('in a storm of 429: no fifth request at any of them, no Retry-After undercut, and the answers are complete', async () => {
    const { sandbox, app } = await openAll(8, { delayMs: 30 });
    const arrivals = new Map<string, { readonly at: number; readonly isStruck: boolean }[]>();
    const struckOf = (who: string) => (arrivals.get(who) ?? []).filter(({ isStruck }) => isStruck);
    sandbox.fail({
      inBatch: false,
      status: 429,
      headers: { 'retry-after': '0.4' },
      match: (target) => {
        const who = target.mailbox ?? '';
        if (!isGraph(target) || who === '') return false;
        // The first, and another one when it has come back.
        const count = (arrivals.get(who) ?? []).length;
        const isStruck = count === 0 || (count > 4 && struckOf(who).length < 2);
        arrivals.set(who, [...(arrivals.get(who) ?? []), { at: performance.now(), isStruck }]);
        return isStruck;
      },
    });
    const errands = new AbortController();
    const flood = app.accounts.flatMap(({ id }) =>
      Array.from({ length: 6 }, () => errand(app, id, errands.signal).catch(() => undefined)),
    );
    const answers = await Promise.all([week(app), week(app), week(app)]);
    await Promise.all(flood);

    for (const { complete, events } of answers) {
      expect(complete).toBe(true);
      expect(events).toHaveLength(24);
    }
    const struck = [...arrivals.values()].flat().filter(({ isStruck }) => isStruck);
    expect(struck).toHaveLength(16);
    // The sandbox refuses a fifth request with 429 of its own, steps of a batch included.
    const throttled = sandbox.requests.flatMap(withSteps).filter(({ status }) => status === 429);
    expect(throttled).toHaveLength(struck.length);
    // What was on its way already cannot be called back.
    for (const moments of arrivals.values())
      for (const { at } of moments.filter(({ isStruck }) => isStruck))
        expect(moments.filter((other) => other.at > at + 100 && other.at < at + 400)).toEqual([]);
  });

  test('one that fails is left alone, is told as unknown at once, and costs the others nothing', async () => {
    let moment = 0;
    const { sandbox, app } = await openAll(8, {}, () => moment);
    expect((await week(app)).complete).toBe(true);
    await Promise.all([trip(sandbox, app, 'a1', 503), trip(sandbox, app, 'a2', 429)]);
    const before = [requestsOf(sandbox, 'a1').length, requestsOf(sandbox, 'a2').length];
    const began = performance.now();
    const answer = await week(app);
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(answer.complete).toBe(false);
    expect(answer.accounts.map(({ status }) => status)).toEqual([
      'unavailable',
      'rate-limited',
      ...names(6).map(() => 'ok'),
    ]);
    expect(answer.accounts[0]).toMatchObject({
      account: 'a1',
      message: expect.stringContaining('failed several times in a row, so it was not asked'),
      hint: expect.stringMatching(/^try again in \d+ s$/),
    });
    expect(answer.events).toHaveLength(18);
    expect([requestsOf(sandbox, 'a1').length, requestsOf(sandbox, 'a2').length]).toEqual(before);
    expect(app.account('a1').traffic()).toMatchObject({ breaker: 'open', waiting: 0, running: 0 });
    expect(app.account('a1').traffic().refusedByBreaker).toBeGreaterThan(0);
    expect(app.account('a3').traffic()).toMatchObject({ breaker: 'closed', throttled: 0, refusedByBreaker: 0 });

    // When its time is over, one request finds out that it is still down.
    moment += 5_000;
    const { signal, abort } = openAsker();
    const probing = Promise.all(
      [1, 2, 3].map(() => listEvents.run(app, input('a1'), { signal }).catch(() => undefined)),
    );
    await expect.poll(() => requestsOf(sandbox, 'a1').length).toBe((before[0] ?? 0) + 1);
    await expect.poll(() => app.account('a1').traffic().breaker).toBe('open');
    abort();
    await probing;
  });

  test('a change of one that is left alone was not made, and the error does not say that nobody knows', async () => {
    const { sandbox, app } = await openAll(1, {}, () => 0);
    await trip(sandbox, app, 'a1', 503);
    const before = requestsOf(sandbox, 'a1').length;
    const asked = createEvent.input.parse({ account: 'a1', title: 'Dentist', start: '2026-11-25T10:00' });
    const failure: unknown = await createEvent.run(app, asked, asker).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', account: 'a1' });
    const { message, hint } = failure as { message: string; hint: string };
    expect(message).toContain('was not asked');
    expect(`${message} ${hint}`).not.toMatch(/nobody knows|may have been|was created/);
    expect(requestsOf(sandbox, 'a1')).toHaveLength(before);
  });
});

test('new limits of a registration hold for all its accounts at once, and touch no other account', async () => {
  const sandbox = await openSandbox();
  const other = { id: 'other', tenantId: XEBIA.tenantId, clientId: '55555555-5555-5555-5555-555555555555' };
  const yaml = microsoftAccounts(sandbox, [...names(2).map((id) => ({ id, tenantId: XEBIA.tenantId })), other]);
  const { app } = await openTestApp(yaml);
  const before = app.accounts;
  const text = yaml.replace('accounts:', `registrations: { ${clientId}: { perMinute: 100 } }\naccounts:`);
  app.apply(parseConfig({ name: 'accounts.yaml', text, env: {}, readReference: () => undefined }, providers));
  expect(app.accounts.map((account, index) => account === before[index])).toEqual([false, false, true]);
});

describe('a flood of background work', () => {
  test('does not delay a question, and leaves the line when it is cancelled', async () => {
    const { sandbox, app } = await openAll(1, { delayMs: 100 });
    const timed = async (): Promise<number> => {
      const began = performance.now();
      expect((await week(app, 'a1')).complete).toBe(true);
      return performance.now() - began;
    };
    await timed();
    const alone = await timed();
    const errands = openAsker();
    const flood = Array.from({ length: 60 }, () => errand(app, 'a1', errands.signal).catch(() => 'cancelled'));
    await expect.poll(() => app.account('a1').traffic().running).toBe(3);
    const beside = await timed();
    // It waits for the errands that run already, as the batch needs all four places; never for those in line.
    expect(beside).toBeLessThan(alone + 350);
    expect(app.account('a1').traffic().waiting).toBeGreaterThan(40);
    errands.abort();
    expect((await Promise.all(flood)).filter((end) => end === 'cancelled').length).toBeGreaterThan(40);
    const { waiting, running, requests } = app.account('a1').traffic();
    expect([waiting, running]).toEqual([0, 0]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(app.account('a1').traffic().requests).toBe(requests);
    expect(requestsOf(sandbox, 'a1').length).toBeLessThan(30);
  });
});

test('what is throttled inside of a batch is heeded, counted and repeated like anything else', async () => {
  const { sandbox, app } = await openAll(1);
  const began = performance.now();
  sandbox.fail({
    match: ({ path }) => path.includes('calendarView'),
    inBatch: true,
    status: 429,
    headers: { 'retry-after': '1' },
    times: 1,
  });
  const answer = await listEvents.run(app, listEvents.input.parse(input()), asker);
  expect(answer).toMatchObject({ complete: true, accounts: [{ status: 'ok', retries: 1 }] });
  expect(answer.events).toHaveLength(3);
  expect(performance.now() - began).toBeGreaterThanOrEqual(1_000);
  expect(app.account('a1').traffic()).toMatchObject({ retries: 1, throttled: 1, breaker: 'closed' });
});
