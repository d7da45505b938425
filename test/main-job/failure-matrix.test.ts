/** Every question x every way for one of three accounts to fail: never "free", never silently empty, always named. */
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { OWNER } from '../../src/core/disclosure.ts';
import { CalmcpError } from '../../src/core/errors.ts';
import { operations } from '../../src/operations/index.ts';
import { type FaultTarget, homeGoogleClient, type Sandbox } from '../../src/sandbox/index.ts';
import { renderText } from '../../src/server/text.ts';
import {
  googleAccounts,
  googleSignIn,
  joinAccounts,
  MARIMER,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  XEBIA,
} from '../harness.ts';

const USERS = { xebia: 'you@xebia.example', marimer: 'you@marimer.example', casa: 'you@home.example' } as const;
type AccountId = keyof typeof USERS;

/** Long enough for what answers, short enough for a hundred tests with one that does not. */
const DEADLINE_MS = 3_000;

async function openThree(): Promise<{ sandbox: Sandbox; app: App }> {
  const sandbox = await openSandbox();
  const yaml = joinAccounts(
    microsoftAccounts(sandbox, [XEBIA, MARIMER]),
    googleAccounts(sandbox, [{ id: 'casa', ...homeGoogleClient }]),
  );
  const { app } = await openTestApp(yaml, { deadlineMs: DEADLINE_MS });
  for (const id of ['xebia', 'marimer'] as const) await signIn(app, sandbox, id, USERS[id]);
  await googleSignIn(app, sandbox, 'casa', USERS.casa);
  return { sandbox, app };
}

/** A request for events, of either vendor. */
const isEvents = ({ path }: FaultTarget): boolean => /\/(?:calendarView|events)$/.test(path);

interface Failure {
  /** Makes one account fail from now on. */
  readonly arm: (sandbox: Sandbox, account: AccountId) => void;
  readonly status: string;
  /** Some of the account answers all the same. */
  readonly isPartial?: true;
}

const isList = ({ path }: FaultTarget): boolean => /\/(?:me\/calendars|calendarList)$/.test(path);

/** The first calendar of the account that is asked for does not answer; the others do. */
function oneCalendar(sandbox: Sandbox, account: AccountId): void {
  let broken: string | undefined;
  const match = (target: FaultTarget): boolean => {
    if (target.mailbox !== USERS[account] || !isEvents(target)) return false;
    broken ??= target.path;
    return target.path === broken;
  };
  sandbox.fail({ status: 404, match });
}

const always =
  (fault: Omit<Parameters<Sandbox['fail']>[0], 'match'>) =>
  (sandbox: Sandbox, account: AccountId): void =>
    sandbox.fail({ ...fault, inBatch: true, match: (target) => target.mailbox === USERS[account] && isEvents(target) });

const FAILURES: Readonly<Record<string, Failure>> = {
  'a revoked sign-in': {
    arm: (sandbox, account) => sandbox.revoke(USERS[account]),
    status: 'needs-login',
  },
  'no answer': { arm: always({ hang: true }), status: 'unavailable' },
  '429 with a long pause': { arm: always({ status: 429, headers: { 'retry-after': '600' } }), status: 'rate-limited' },
  '503 each time': { arm: always({ status: 503 }), status: 'unavailable' },
  '500 each time': { arm: always({ status: 500 }), status: 'unavailable' },
  'something that is no JSON': {
    arm: always({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Sign in to the network</html>' }),
    status: 'unavailable',
  },
  'an object without rows': {
    arm: always({ status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }),
    status: 'unavailable',
  },
  'half of a page': {
    arm: always({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"kind":"calendar#events","value":[{"id":"1","subject":"Half',
    }),
    status: 'unavailable',
  },
  'one calendar that is gone': { arm: oneCalendar, status: 'partial', isPartial: true },
  'a list of calendars that does not come': {
    arm: (sandbox, account) =>
      sandbox.fail({ status: 500, match: (target) => target.mailbox === USERS[account] && isList(target) }),
    status: 'unavailable',
  },
  '403 for its calendars': { arm: always({ status: 403 }), status: 'forbidden' },
};

async function ask(app: App, name: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
  const operation = operations.find((candidate) => candidate.name === name);
  if (operation === undefined) throw new TypeError(`no operation ${name}`);
  return operation.run(app, operation.input.parse(input), { signal: new AbortController().signal }) as Promise<
    Record<string, unknown>
  >;
}

const QUESTIONS: Readonly<Record<string, Record<string, unknown>>> = {
  list_events: { range: 'this week' },
  search_events: { query: 'a', range: 'this week' },
  get_free_busy: { range: 'this week' },
  find_free_time: { durationMinutes: 30, range: 'this week' },
  find_conflicts: { range: 'this week' },
};

interface Covered {
  readonly complete: boolean;
  readonly accounts: readonly { readonly account: string; readonly status: string }[];
}

/** No stretch of time is called free, or a slot free without more ado. */
function neverFree(name: string, answer: Record<string, unknown>): void {
  if (name === 'get_free_busy') {
    expect(answer.free).toEqual([]);
    const blocks = answer.blocks as { start: string; end: string; busy: string }[];
    expect(blocks.some(({ busy }) => busy === 'unknown')).toBe(true);
    // From the range's start to its end without a hole.
    expect(blocks[0]?.start).toBe('2026-11-23T00:00:00+01:00');
    for (const [index, block] of blocks.entries())
      expect(block.end).toBe(blocks[index + 1]?.start ?? '2026-11-30T00:00:00+01:00');
  }
  if (name === 'find_free_time') {
    const slots = answer.slots as { unverified?: string[] }[];
    expect(slots.length).toBeGreaterThan(0);
    for (const { unverified } of slots) expect(unverified?.length).toBeGreaterThan(0);
  }
}

describe.each(Object.keys(USERS) as AccountId[])('with %s failing', (broken) => {
  test.each(Object.entries(FAILURES))('%s: every question says so and calls nothing free', async (_name, failure) => {
    const { sandbox, app } = await openThree();
    const before = await ask(app, 'list_events', { range: 'this week' });
    const references = (before.events as { id: string }[]).map(({ id }) => id);
    const other: AccountId = broken === 'xebia' ? 'marimer' : 'xebia';
    const idOf = (account: string): string | undefined => references.find((id) => id.startsWith(`${account}.`));
    failure.arm(sandbox, broken);

    await Promise.all(
      Object.entries(QUESTIONS).map(async ([name, input]) => {
        const audience = other;
        const [answer, told] = await Promise.all([
          ask(app, name, input),
          ask(app, name, { ...input, audience }),
          // Only this account: an error, or an answer that says what is missing.
          failure.isPartial
            ? expect(ask(app, name, { ...input, accounts: broken })).resolves.toMatchObject({ complete: false })
            : expect(ask(app, name, { ...input, accounts: broken })).rejects.toBeInstanceOf(CalmcpError),
        ]);
        const { complete, accounts } = answer as unknown as Covered;
        expect(complete).toBe(false);
        expect(accounts.map(({ account }) => account)).toEqual(['xebia', 'marimer', 'casa']);
        for (const { account, status } of accounts) expect(status).toBe(account === broken ? failure.status : 'ok');
        neverFree(name, answer);
        const text = renderText(name, answer);
        expect(text).toContain(`${broken}: ${failure.status}`);
        expect(text).toContain(`INCOMPLETE: the time of ${broken} is unknown, not free.`);
        expect(text).not.toMatch(/^no (?:events|conflicts)$/m);

        // For another client the same is incomplete, and the account has no name.
        expect((told as unknown as Covered).complete).toBe(false);
        neverFree(name, told);
        expect(JSON.stringify(told) + renderText(name, told)).not.toContain(broken);
      }),
    );

    // One event: of the account that fails an error, of another one the event, with what is not known beside it.
    const own = idOf(broken);
    expect(own).toBeDefined();
    const alone = ask(app, 'get_event', { id: own });
    if (failure.isPartial) {
      const told = await alone.catch((thrown: unknown) => thrown);
      expect(told instanceof CalmcpError ? told.account : told).toEqual(
        told instanceof CalmcpError ? broken : expect.objectContaining({ complete: false }),
      );
    } else await expect(alone).rejects.toMatchObject({ account: broken });
    const found = await ask(app, 'get_event', { id: idOf(other) });
    expect(found).toMatchObject({ complete: false, event: { id: idOf(other) } });
    expect(renderText('get_event', found)).toContain(`INCOMPLETE: the time of ${broken} is unknown, not free.`);
  });
});

test('list_calendars names the account as well', async () => {
  const { sandbox, app } = await openThree();
  sandbox.revoke(USERS.marimer);
  const answer = (await ask(app, 'list_calendars', {})) as unknown as Covered;
  expect(answer.complete).toBe(false);
  expect(answer.accounts[1]).toMatchObject({ account: 'marimer', status: 'needs-login' });
});

test('all of them failing is an error in every question, whoever asks', async () => {
  const { sandbox, app } = await openThree();
  for (const username of Object.values(USERS)) sandbox.revoke(username);
  for (const [name, input] of Object.entries(QUESTIONS))
    for (const audience of [OWNER, 'xebia']) {
      const told = ask(app, name, { ...input, audience });
      await expect(told).rejects.toMatchObject({ code: audience === OWNER ? 'AUTH_REQUIRED' : 'UNAVAILABLE' });
      if (audience !== OWNER) await expect(told).rejects.not.toThrow(/marimer|casa/);
    }
});
