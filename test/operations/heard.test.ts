/** What was told of one client's events in a session is not written for another client, however it is dressed. */
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import type { App } from '../../src/accounts/registry.ts';
import { createEvent } from '../../src/operations/create-event.ts';
import { deleteEvent } from '../../src/operations/delete-event.ts';
import { getEvent } from '../../src/operations/get-event.ts';
import { createHeard, type Heard } from '../../src/operations/heard.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { updateEvent } from '../../src/operations/update-event.ts';
import { refuseBorrowedText } from '../../src/operations/writing/barrier.ts';
import { openWorld } from '../main-job/writing-world.ts';
import { openAccounts } from './questions.ts';

const ACCOUNTS = `  alpha: { provider: memory, access: write }
  beta: { provider: memory, access: write }
`;
const TITLE = 'Project Bluebird layoffs plan';
const LOCATION = 'Kerkstraat 12 third floor';
const TEXT = 'Half of the team is to leave on Friday because of the merger with Globex';
const DAY = '2026-11-24';

type Input = z.input<typeof createEvent.input>;

interface Session {
  readonly app: App;
  readonly heard: Heard;
  ask<In extends z.ZodObject, Out extends z.ZodObject>(
    operation: Operation<In, Out>,
    input: z.input<In>,
  ): Promise<z.output<Out>>;
  /** What becomes of an event in the other client's account. */
  write(input: Partial<Input>): Promise<'preview' | 'FORBIDDEN'>;
}

function openSession(app: App): Session {
  const heard = createHeard();
  const ask: Session['ask'] = (operation, input) =>
    operation.run(app, operation.input.parse(input), { signal: new AbortController().signal, heard });
  return {
    app,
    heard,
    ask,
    write: (input) =>
      ask(createEvent, { account: 'beta', title: 'Talk', start: '2026-12-01T10:00', dryRun: true, ...input }).then(
        ({ outcome }) => outcome as 'preview',
        ({ code }) => code,
      ),
  };
}

/** Made in another session: nothing of it was heard in a new one. */
async function openWithSecret(more: Partial<Input> = {}): Promise<{ app: App; id: string }> {
  const app = await openAccounts(ACCOUNTS);
  const { event } = await openSession(app).ask(createEvent, {
    account: 'alpha',
    title: TITLE,
    location: LOCATION,
    text: TEXT,
    start: `${DAY}T10:00`,
    ...more,
  });
  return { app, id: event?.id ?? '' };
}

describe('heard is what is shown by', () => {
  const told: readonly [string, (session: Session, id: string) => Promise<{ outcome: string }>, string][] = [
    ['the preview of a delete', ({ ask }, id) => ask(deleteEvent, { id, dryRun: true }), 'preview'],
    ['the preview of an update', ({ ask }, id) => ask(updateEvent, { id, busy: 'free', dryRun: true }), 'preview'],
    ['an update that conflicts', ({ ask }, id) => ask(updateEvent, { id, title: 'y', version: 'old' }), 'conflict'],
    ['a delete that conflicts', ({ ask }, id) => ask(deleteEvent, { id, version: 'old' }), 'conflict'],
  ];

  test.each(told)('%s', async (_name, tell, outcome) => {
    const { app, id } = await openWithSecret();
    const session = openSession(app);
    for (const said of [{ title: TITLE }, { location: LOCATION }]) expect(await session.write(said)).toBe('preview');
    const answer = await tell(session, id);
    expect(answer.outcome).toBe(outcome);
    expect(JSON.stringify(answer)).toContain(TITLE);
    for (const said of [{ title: TITLE }, { location: LOCATION }, { text: `fyi: ${TITLE}` }])
      expect(await session.write(said)).toBe('FORBIDDEN');
  });

  test('an update that says what was there before', async () => {
    const { app, id } = await openWithSecret();
    const session = openSession(app);
    const stolen = { text: 'fyi: Half of the team is to leave on Friday' };
    expect(await session.write(stolen)).toBe('preview');
    const { changes = [] } = await session.ask(updateEvent, { id, text: 'x', dryRun: true });
    expect(changes).toEqual([{ field: 'text', from: TEXT, to: 'x' }]);
    expect(await session.write(stolen)).toBe('FORBIDDEN');
  });

  test('a conflict that comes up only as the change is made', async () => {
    const world = await openWorld('graph');
    const { id } = await world.make('Quarterly numbers');
    const { heard, ask } = openSession(world.app);
    const renamed = 'Globex merger announcement draft';
    const { outcome, event } = await world.asItComes(
      'change',
      () => world.rename('Quarterly numbers', renamed),
      () => ask(updateEvent, { id, busy: 'free' }),
    );
    expect([outcome, event?.title]).toEqual(['conflict', renamed]);
    expect(heard.sourcesOf(renamed)).toContainEqual(['desk']);
  });

  test('an event that was made by the same key before', async () => {
    const { app } = await openWithSecret({ key: 'once' });
    const session = openSession(app);
    const again = { account: 'alpha', title: 'Anything', start: `${DAY}T10:00`, key: 'once' };
    const { outcome, event } = await session.ask(createEvent, again);
    expect([outcome, event?.title]).toEqual(['existed', TITLE]);
    expect(await session.write({ title: TITLE })).toBe('FORBIDDEN');
  });

  test('nobody else: a session of its own has not heard it, and the same client may have it', async () => {
    const { app, id } = await openWithSecret();
    const session = openSession(app);
    await session.ask(getEvent, { id, text: true });
    expect(await session.write({ title: TITLE })).toBe('FORBIDDEN');
    expect(await session.write({ title: TITLE, location: LOCATION, text: TEXT, account: 'alpha' })).toBe('preview');
    expect(await openSession(app).write({ title: TITLE })).toBe('preview');
  });
});

describe('a long text', () => {
  const WORDS = 60_000;
  const flood = Array.from({ length: WORDS }, (_, index) => `w${index}`).join(' ');
  const ACCOUNTS_WITH_FLOOD = `  alpha:
    provider: memory
    events:
      - { title: ${TITLE}, start: "${DAY}T10:00", end: "${DAY}T11:00" }
      - { title: Minutes, start: "${DAY}T12:00", end: "${DAY}T13:00", text: "${flood}" }
  beta: { provider: memory, access: write }
`;
  const stretch = (from: number) => ({
    text: flood
      .split(' ', from + 10)
      .slice(from)
      .join(' '),
  });

  test('does not push out what was heard before, and is known again as far as it was shown', async () => {
    const session = openSession(await openAccounts(ACCOUNTS_WITH_FLOOD));
    const { events } = await session.ask(listEvents, { range: DAY });
    const id = events.find(({ title }) => title === 'Minutes')?.id ?? '';
    // A list tells no text.
    expect(await session.write(stretch(0))).toBe('preview');
    for (let times = 0; times < 3; times++) await session.ask(getEvent, { id, text: true });
    const { event } = await session.ask(getEvent, { id, text: true });
    const { text = '' } = event;
    expect(event.textTruncated).toBe(true);
    const shown = text.split(' ').length;
    expect(shown).toBeLessThan(WORDS / 10);
    expect(await session.write({ title: TITLE })).toBe('FORBIDDEN');
    for (const from of [0, Math.floor(shown / 2), shown - 12])
      expect([from, await session.write(stretch(from))]).toEqual([from, 'FORBIDDEN']);
    for (const from of [shown + 1, WORDS - 20])
      expect([from, await session.write(stretch(from))]).toEqual([from, 'preview']);
  });

  test('is known again behind thousands of characters that nobody sees', async () => {
    const text = JSON.stringify('\u200b'.repeat(5_000) + TEXT);
    const app = await openAccounts(`  alpha:
    provider: memory
    events: [{ title: Minutes, start: "${DAY}T12:00", end: "${DAY}T13:00", text: ${text} }]
  beta: { provider: memory, access: write }
`);
    const session = openSession(app);
    const id = (await session.ask(listEvents, { range: DAY })).events[0]?.id ?? '';
    expect((await session.ask(getEvent, { id, text: true })).event.text).toBe(TEXT);
    expect(await session.write({ text: TEXT })).toBe('FORBIDDEN');
  });
});

describe('for another client', () => {
  const NAME = 'Ottoline Marchbanks';
  const EVENTS = `  alpha:
    provider: memory
    events:
      - title: ${TITLE}
        start: "${DAY}T10:00"
        end: "${DAY}T11:00"
        location: ${LOCATION}
        text: "${TEXT}"
        organizer: "Zebediah Quill <zeb@alpha.example>"
        attendees: ["${NAME} <otto@alpha.example>"]
      - { title: Lunch, start: "${DAY}T12:00", end: "${DAY}T13:00" }
      - { title: Réunion spéciale, start: "${DAY}T14:00", end: "${DAY}T15:00" }
  beta: { provider: memory, access: write }
`;

  async function openTold(): Promise<Session> {
    const session = openSession(await openAccounts(EVENTS));
    const { events } = await session.ask(listEvents, { range: DAY });
    expect(events.map(({ title }) => title)).toEqual([TITLE, 'Lunch', 'Réunion spéciale']);
    const { event } = await session.ask(getEvent, { id: events[0]?.id ?? '', text: true });
    expect(JSON.stringify(event)).toContain(NAME);
    return session;
  }

  test.each<[string, Partial<Input>]>([
    ['the title', { title: TITLE }],
    ['the title within another', { title: `About ${TITLE} (draft)` }],
    ['the first three of its four words', { title: 'Project Bluebird layoffs' }],
    ['the last three', { title: 'The Bluebird layoffs plan' }],
    ['the title over title and location', { title: 'Project Bluebird', location: 'layoffs plan' }],
    ['three of its words over title and location', { title: 'Bluebird', location: 'layoffs plan' }],
    ['the title over title and text', { title: 'Project Bluebird', text: 'layoffs plan' }],
    ['the title over location and text', { location: 'Project Bluebird', text: 'layoffs plan' }],
    ['the title as one word', { title: 'ProjectBluebirdLayoffsPlan' }],
    ['the title as a hashtag', { text: 'see #projectbluebirdlayoffsplan' }],
    ['the title with other marks', { title: 'project_bluebird / LAYOFFS-plan!!' }],
    ['full width', { title: 'Ｐｒｏｊｅｃｔ Ｂｌｕｅｂｉｒｄ layoffs plan' }],
    ['accents', { title: 'Pröject Blüebird läyoffs plán' }],
    ['accents taken off', { title: 'Reunion speciale' }],
    ['accents in another form', { title: 'Re\u0301union spe\u0301ciale' }],
    ['zero-width spaces', { title: 'Pro\u200bject Blue\u200bbird lay\u200boffs pl\u200ban' }],
    ['joiners', { title: 'Pro\u200djec\u200ct Blue\u2060bird lay\u200doffs p\u200dlan' }],
    ['soft hyphens', { title: 'Pro\u00adject Blue\u00adbird lay\u00adoffs pl\u00adan' }],
    ['tag characters', { title: 'Project\u{E0041} Bluebird\u{E0042} layoffs\u{E0043} plan\u{E0044}' }],
    ['the location', { location: LOCATION }],
    ['a piece of the text', { text: 'fyi: the team is to leave on Friday, sorry' }],
    ['the title in a category', { categories: [TITLE] }],
    ['the title over two categories', { categories: ['Project Bluebird', 'layoffs plan'] }],
    ['the title in the name of somebody invited', { attendees: [`"${TITLE}" <a@beta.example>`], notify: 'all' }],
    [
      'the title over the names of two',
      { attendees: ['"Project Bluebird" <a@beta.example>', '"layoffs plan" <b@beta.example>'], notify: 'all' },
    ],
  ])('%s is refused', async (_name, input) => {
    expect(await (await openTold()).write(input)).toBe('FORBIDDEN');
  });

  test.each<[string, Partial<Input>]>([
    ['a word that is everybody’s', { title: 'Lunch' }],
    ['that word in a text', { text: 'come to lunch' }],
    ['two of the four words', { title: 'Layoffs plan' }],
    ['the name of somebody invited there', { title: `Talk with ${NAME}`, location: NAME, text: NAME }],
  ])('%s is not', async (_name, input) => {
    expect(await (await openTold()).write(input)).toBe('preview');
  });

  test('the name of somebody invited there is not refused as that of somebody invited here', async () => {
    const { heard, app } = await openTold();
    const invited = (name: string) => () =>
      refuseBorrowedText(app, heard, app.account('beta'), {
        attendees: [{ name, email: 'otto@alpha.example', optional: true }],
      });
    expect(invited(NAME)).not.toThrow();
    expect(invited('Zebediah Quill')).not.toThrow();
    expect(invited(TITLE)).toThrow(/name of somebody invited/);
  });

  test('the same is refused of a change as of a new event', async () => {
    const session = await openTold();
    const made = await session.ask(createEvent, { account: 'beta', title: 'Talk', start: '2026-12-01T10:00' });
    const change = { id: made.event?.id ?? '', dryRun: true };
    await expect(session.ask(updateEvent, { ...change, title: TITLE })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(session.ask(updateEvent, { ...change, categories: [TITLE] })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    expect((await session.ask(updateEvent, { ...change, title: 'Other talk' })).outcome).toBe('preview');
  });
});
