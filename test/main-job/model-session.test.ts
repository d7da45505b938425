/** A model that follows only what the server tells it plans, moves and cancels a meeting over three accounts. */
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { type GoogleMoment, homeGoogleClient, type Sandbox } from '../../src/sandbox/index.ts';
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
import { answerTo, argumentsOf, createModel, type Fed, type Wish } from './scripted-model.ts';

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

const momentOf = (moment: GoogleMoment): string => ('instant' in moment ? moment.instant : moment.date);

const spanOf = (start: string, end: string) => ({
  start: new Date(start).toISOString(),
  minutes: (Date.parse(end) - Date.parse(start)) / 60_000,
});

/** What both vendors hold of one title, wherever it is. */
function held({ sandbox }: World, title: string): ({ readonly owner: string } & ReturnType<typeof spanOf>)[] {
  const atMicrosoft = sandbox.data.mailboxes.flatMap(({ username, calendars }) =>
    calendars.flatMap(({ events }) =>
      events
        .filter(({ properties }) => properties.subject === title && !properties.isCancelled)
        .map(({ start, end }) => ({ owner: username, ...spanOf(start, end) })),
    ),
  );
  const atGoogle = sandbox.google.data.calendars.flatMap(({ id, events }) =>
    events
      .filter(({ properties }) => properties.summary === title && properties.status !== 'cancelled')
      .map(({ start, end }) => ({ owner: id, ...spanOf(momentOf(start), momentOf(end)) })),
  );
  return [...atMicrosoft, ...atGoogle];
}

const mailsTo = ({ sandbox }: World, guest: string): string[] =>
  sandbox.mails.filter(({ to }) => to === guest).map(({ kind }) => kind);

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
      expect(held(world, title)).toEqual(
        starts.map((start) => ({
          owner: USERS[account],
          start: new Date(start).toISOString(),
          minutes: asked.minutes,
        })),
      );

    const mine = (await model.accounts()).find((one) => one.kind === asked.kind && one.canWrite);
    const found = answerTo(await model.freeTime(asked));
    const [first, second] = 'book' in found ? found.book : [];
    if (mine === undefined || first === undefined || second === undefined) throw new Error('nothing to choose from');

    const preview = await model.create(asked, mine.account, first, { dryRun: true });
    expect(preview).toMatchObject({ outcome: 'preview', conflicts: 0, mails: [guest] });
    expectHeld([]);
    expect(mailsTo(world, guest)).toEqual([]);
    // The preview says what the real call needs besides; the person agrees.
    const made = await model.create(asked, mine.account, first, argumentsOf(preview));
    expect(made).toMatchObject({ outcome: 'created', mails: [guest] });
    expectHeld([first.start]);
    expect(mailsTo(world, guest)).toEqual(['invitation']);

    const toMove = await model.move(made, second, { dryRun: true });
    expect(toMove).toMatchObject({ outcome: 'preview', conflicts: 0, mails: [guest] });
    expectHeld([first.start]);
    const moved = await model.move(made, second, argumentsOf(toMove));
    expect(moved).toMatchObject({ outcome: 'updated', conflicts: 0, mails: [guest] });
    expectHeld([second.start]);
    expect(mailsTo(world, guest)).toEqual(['invitation', 'update']);

    const toCancel = await model.cancel(moved, { dryRun: true });
    expect(toCancel).toMatchObject({ outcome: 'preview', mails: [guest] });
    expectHeld([second.start]);
    const cancelled = await model.cancel(moved, argumentsOf(toCancel));
    expect(cancelled).toMatchObject({ outcome: 'deleted', mails: [guest] });
    expectHeld([]);
    expect(mailsTo(world, guest)).toEqual(['invitation', 'update', 'cancellation']);

    const { calls, tokens } = model.meter;
    process.stdout.write(
      `a meeting in a ${kind} calendar, fed ${fed}: ${calls} calls, ${tokens} tokens with tools and instructions\n`,
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
      expect(before.slots).not.toEqual([]);
      expect(answerTo(before)).toEqual({
        say: expect.stringMatching(
          `^I do not know the time of ${missing} \\(.*needs-login.*nothing is known to be free$`,
        ),
      });

      const words = await model.signIn(before.unknown[0]?.account ?? '');
      const [page = ''] = /https?:\/\/\S+/.exec(words) ?? [];
      if (missing === 'casa')
        void fetch(await world.sandbox.google.consent(page, USERS[missing])).catch(() => undefined);
      else world.sandbox.approve(/code (\w+)/.exec(words)?.[1] ?? '', USERS[missing]);
      expect(await model.signIn(missing)).toContain(`${missing} is signed in as ${USERS[missing]}.`);

      const after = await model.freeTime(asked);
      expect(answerTo(after)).toEqual({ book: expect.arrayContaining([expect.anything()]) });
      expect(held(world, asked.title)).toEqual([]);
      expect(world.sandbox.mails).toEqual([]);
    },
  );
});
