/** A model that follows only what the server tells it plans, moves and cancels a meeting over three accounts. */
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { homeGoogleClient, type Sandbox } from '../../src/sandbox/index.ts';
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
import { openSession } from './mcp-session.ts';
import { createModel, type Fed, type Wish } from './scripted-model.ts';

const MOST_CALLS = 8;
const MOST_TOKENS = 12_000;
const USERS = { xebia: 'you@xebia.example', marimer: 'you@marimer.example', casa: 'you@home.example' } as const;
type AccountId = keyof typeof USERS;

interface World {
  readonly sandbox: Sandbox;
  readonly app: App;
}

async function openThree(signedIn: readonly AccountId[]): Promise<World> {
  const sandbox = await openSandbox();
  const microsoft = microsoftAccounts(sandbox, [XEBIA, MARIMER]).replaceAll(
    '    provider: microsoft\n',
    '    provider: microsoft\n    access: write\n',
  );
  const yaml = joinAccounts(
    microsoft,
    googleAccounts(sandbox, [{ id: 'casa', ...homeGoogleClient, more: 'access: write' }]),
  );
  const { app } = await openTestApp(yaml);
  for (const id of signedIn)
    if (id === 'casa') await googleSignIn(app, sandbox, id, USERS[id]);
    else await signIn(app, sandbox, id, USERS[id]);
  return { sandbox, app };
}

/** What both vendors hold of one title, wherever it is. */
function held({ sandbox }: World, title: string): { readonly owner: string; readonly start: string }[] {
  const atMicrosoft = sandbox.data.mailboxes.flatMap(({ username, calendars }) =>
    calendars.flatMap(({ events }) =>
      events
        .filter(({ properties }) => properties.subject === title && !properties.isCancelled)
        .map(({ start }) => ({ owner: username, start: new Date(start).toISOString() })),
    ),
  );
  const atGoogle = sandbox.google.data.calendars.flatMap(({ id, events }) =>
    events
      .filter(({ properties }) => properties.summary === title && properties.status !== 'cancelled')
      .map(({ start }) => ({
        owner: id,
        start: 'instant' in start ? new Date(start.instant).toISOString() : start.date,
      })),
  );
  return [...atMicrosoft, ...atGoogle];
}

const mailsTo = ({ sandbox }: World, guest: string): string[] =>
  sandbox.mails.filter(({ to }) => to === guest).map(({ kind }) => kind);

const utc = (time: string): string => new Date(time).toISOString();

const wish = { title: 'Quarterly roadmap', minutes: 45, guest: 'guest@partner.example', when: 'next week' };

describe.each<Fed>(['structured', 'text'])('a client that feeds its model %s', (fed) => {
  test.each([
    { kind: 'microsoft', account: 'xebia' },
    { kind: 'google', account: 'casa' },
  ] as const)('plans, moves and cancels a meeting in a $kind calendar', async ({ kind, account }) => {
    const world = await openThree(['xebia', 'marimer', 'casa']);
    const model = await createModel(await openSession(world.app), fed);
    const asked: Wish = { ...wish, kind };
    const { title, guest } = asked;
    const expectHeld = (starts: readonly string[]): void =>
      expect(held(world, title)).toEqual(starts.map((start) => ({ owner: USERS[account], start })));

    const mine = (await model.accounts()).find((one) => one.kind === asked.kind && one.canWrite);
    const { slots, unknown } = await model.freeTime(asked);
    expect(unknown).toEqual([]);
    const [first, second] = slots;
    if (mine === undefined || first === undefined || second === undefined) throw new Error('nothing to choose from');
    expect([first.isCertain, second.isCertain]).toEqual([true, true]);

    const preview = await model.create(asked, mine.account, first, { dryRun: true });
    expect(preview).toMatchObject({ outcome: 'preview', conflicts: 0, mails: [guest] });
    expectHeld([]);
    expect(mailsTo(world, guest)).toEqual([]);
    // The preview says what the real call needs besides; the person agrees.
    const [name = '', value = ''] = preview.needs[0]?.split(' ')[0] === 'notify:' ? ['notify', 'all'] : [];
    const made = await model.create(asked, mine.account, first, { [name]: value });
    expect(made).toMatchObject({ outcome: 'created', mails: [guest] });
    expectHeld([utc(first.start)]);
    expect(mailsTo(world, guest)).toEqual(['invitation']);

    expect(await model.move(made, second, { dryRun: true })).toMatchObject({ outcome: 'preview', mails: [guest] });
    expectHeld([utc(first.start)]);
    const moved = await model.move(made, second, { notify: 'all' });
    expect(moved).toMatchObject({ outcome: 'updated', conflicts: 0, mails: [guest] });
    expectHeld([utc(second.start)]);
    expect(mailsTo(world, guest)).toEqual(['invitation', 'update']);

    expect(await model.cancel(moved, { dryRun: true })).toMatchObject({ outcome: 'preview', mails: [guest] });
    expectHeld([utc(second.start)]);
    expect(await model.cancel(moved, { notify: 'all' })).toMatchObject({ outcome: 'deleted', mails: [guest] });
    expectHeld([]);
    expect(mailsTo(world, guest)).toEqual(['invitation', 'update', 'cancellation']);

    const { calls, tokens } = model.meter;
    console.info(
      `a meeting in a ${kind} calendar, fed ${fed}: ${calls} calls, ${tokens} tokens with tools and instructions`,
    );
    expect(calls).toBeLessThanOrEqual(MOST_CALLS);
    expect(tokens).toBeLessThan(MOST_TOKENS);
  });

  test.each([
    { kind: 'microsoft', missing: 'marimer' },
    { kind: 'microsoft', missing: 'casa' },
  ] as const)(
    'does not book over the unknown time of $missing, and shows how to sign in',
    async ({ kind, missing }) => {
      const all = Object.keys(USERS) as AccountId[];
      const world = await openThree(all.filter((id) => id !== missing));
      const model = await createModel(await openSession(world.app), fed);
      const asked: Wish = { ...wish, kind };
      const before = await model.freeTime(asked);
      // Nothing is called free, and what the person hears names the account.
      expect(before.slots.filter(({ isCertain }) => isCertain)).toEqual([]);
      expect(before.unknown.map(({ account }) => account)).toEqual([missing]);
      expect(before.unknown[0]?.words).toMatch(/needs-login/);

      const words = await model.signIn(before.unknown[0]?.account ?? '');
      const [page = ''] = /https?:\/\/\S+/.exec(words) ?? [];
      if (missing === 'casa')
        void fetch(await world.sandbox.google.consent(page, USERS[missing])).catch(() => undefined);
      else world.sandbox.approve(/code (\w+)/.exec(words)?.[1] ?? '', USERS[missing]);
      expect(await model.signIn(missing)).toContain(`${missing} is signed in as ${USERS[missing]}.`);

      const after = await model.freeTime(asked);
      expect(after.unknown).toEqual([]);
      expect(after.slots.every(({ isCertain }) => isCertain)).toBe(true);
      expect(held(world, asked.title)).toEqual([]);
      expect(world.sandbox.mails).toEqual([]);
    },
  );
});
