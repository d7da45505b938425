/**
 * What the strongest rival gets wrong, and calmcp right: by the number of the defect, asked over MCP.
 *
 * Of its defect 15 (HTTP: a foreign Host, a callback without state, a DELETE without a sign-in) only the callback is here:
 * calmcp has no HTTP server but the one that a browser comes back to after a sign-in. Defects 16 and 17 are in
 * rival-defects-bulk.test.ts.
 */
import { readdir, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  event,
  type GoogleEvent,
  googleCalendar,
  googleEvent,
  googleFaults,
  manyEvents,
  manyGoogleEvents,
} from '../../src/sandbox/index.ts';
import { cli, openTestApp, writeAccounts } from '../harness.ts';
import { openSession } from './mcp-session.ts';
import {
  allEvents,
  ask,
  FOUR,
  isEvents,
  openFour,
  openTwo,
  ownerOf,
  plusMinutes,
  refusal,
  signInAgain,
  wallClockTable,
} from './rival-world.ts';

const WEEK = { range: '2026-11-23..2026-11-29' };
const DAY = { range: '2026-11-24' };

const utc = (time: string): string => new Date(time).toISOString();
describe('defect 1: several accounts', () => {
  test('are all read, and each says what it holds', async () => {
    const world = await openFour();
    const { complete, accounts, events } = await ask(world, 'list_events', WEEK);
    expect(complete).toBe(true);
    expect(accounts.map(({ account, status }) => `${account} ${status}`)).toEqual(FOUR.map((id) => `${id} ok`));
    for (const id of FOUR) {
      const alone = await ask(world, 'list_events', { ...WEEK, accounts: id });
      expect(alone.events.length).toBeGreaterThan(2);
      const titles = events
        .filter(({ id: of, accounts: holders }) => of.startsWith(`${id}.`) || holders?.includes(id))
        .map(({ title }) => title);
      expect(titles.sort()).toEqual(alone.events.map(({ title }) => title).sort());
    }
    const { blocks } = await ask(world, 'get_free_busy', WEEK);
    expect(new Set(blocks.flatMap(({ accounts: holders = [] }) => holders))).toEqual(new Set(FOUR));
  });

  test('get no event by chance: where none is named the call is refused with their names', async () => {
    const world = await openFour();
    const before = world.sandbox.requests.length;
    const words = await refusal(world, 'create_event', { title: 'x', start: '2026-11-24T10:00' });
    for (const id of FOUR) expect(words).toContain(id);
    expect(world.sandbox.requests.length).toBe(before);
  });
});

test('defect 2: events made in four zones are in the order of their instants, not of their texts', async () => {
  const zones = [
    { zone: 'America/New_York', windows: undefined },
    { zone: 'Asia/Kolkata', windows: undefined },
    { zone: 'Asia/Tokyo', windows: 'Tokyo Standard Time' },
    { zone: 'Pacific/Honolulu', windows: 'Hawaiian Standard Time' },
  ];
  const table = zones.map(({ zone }) => wallClockTable(zone, '2026-11-22T00:00Z', '2026-11-28T00:00Z'));
  const expected: { title: string; at: number }[] = [];
  const [google, microsoft]: [GoogleEvent[], ReturnType<typeof event>[]] = [[], []];
  for (let index = 0; index < 24; index++) {
    const which = index % zones.length;
    const start = plusMinutes('2026-11-24T00:00', index * 110);
    const on = start.slice(0, 14) + (start.slice(14) < '30' ? '00' : '30');
    const title = `Meeting ${index}`;
    const end = plusMinutes(on, 30);
    expected.push({ title, at: table[which]?.get(on) ?? 0 });
    const { zone = '', windows } = zones[which] ?? {};
    if (windows === undefined) google.push(googleEvent({ summary: title, start: on, end, zone }));
    else microsoft.push(event({ subject: title, start: on, end, zone: windows }));
  }
  const world = await openTwo({ google, microsoft });
  const byInstant = expected.sort((a, b) => a.at - b.at || a.title.localeCompare(b.title));
  for (const timeZone of ['Europe/Amsterdam', 'America/New_York', 'Asia/Kathmandu']) {
    const { events } = await ask(world, 'list_events', { range: '2026-11-22..2026-11-28', timeZone });
    const instants = events.map(({ start }) => Date.parse(start));
    expect(instants).toEqual(byInstant.map(({ at }) => at));
    expect(new Map(events.map(({ title, start }) => [title, Date.parse(start)]))).toEqual(
      new Map(expected.map(({ title, at }) => [title, at])),
    );
  }
});

test('defect 3: of 560 events none is lost: what is left out of one answer is in the next', async () => {
  const world = await openTwo({
    google: manyGoogleEvents(280, '2026-11-23T00:00', 'At Google'),
    microsoft: manyEvents(280, '2026-11-23T00:00', 'At Microsoft'),
  });
  const first = await ask(world, 'list_events', WEEK);
  expect(first).toMatchObject({ truncated: true, nextCursor: expect.any(String) });
  expect(first.text).toMatch(/^TRUNCATED: there is more/m);
  const events = await allEvents(world, { ...WEEK, limit: 150 });
  const expected = Array.from({ length: 280 }, (_, index) => [`At Google ${index + 1}`, `At Microsoft ${index + 1}`]);
  expect(events.map(({ title }) => title).sort()).toEqual(expected.flat().sort());
  // 70 hours on end, from Monday midnight in UTC.
  const { blocks } = await ask(world, 'get_free_busy', WEEK);
  expect(blocks.map(({ start, end }) => [utc(start), utc(end)])).toEqual([
    ['2026-11-23T00:00:00.000Z', '2026-11-25T22:00:00.000Z'],
  ]);
});

describe('defects 4 and 5: an account whose list of calendars fails', () => {
  const isList = ({ path }: { path: string }): boolean => path.endsWith('/users/me/calendarList');
  const isTheirs = (account: string) => (target: { path: string; mailbox?: string }) =>
    isList(target) && target.mailbox === ownerOf(account);

  test('is named and not free, once; the next question has it again, and a dead sign-in is told as that', async () => {
    const world = await openFour();
    const status = async () =>
      (await ask(world, 'list_events', WEEK)).accounts.find(({ account }) => account === 'harbor');
    world.sandbox.fail({ match: isTheirs('harbor'), times: 1, ...googleFaults.quotaExceeded });
    const failed = await ask(world, 'get_free_busy', WEEK);
    expect(failed).toMatchObject({ complete: false, free: [] });
    expect(failed.text).toContain('INCOMPLETE: the time of harbor is unknown, not free.');
    expect(await status()).toMatchObject({ status: 'ok' });
    world.sandbox.revoke(ownerOf('harbor'));
    expect(await status()).toMatchObject({ status: 'needs-login', hint: expect.stringContaining('harbor') });
  });

  test('does not take the others along, and is named', async () => {
    const world = await openFour();
    world.sandbox.fail({ match: isTheirs('harbor'), status: 403 });
    const { complete, accounts, calendars, text } = await ask(world, 'list_calendars');
    expect(complete).toBe(false);
    expect(accounts.filter(({ status }) => status !== 'ok')).toMatchObject([
      { account: 'harbor', status: 'forbidden' },
    ]);
    expect(new Set(calendars.map(({ account }) => account))).toEqual(new Set(['xebia', 'marimer', 'casa']));
    expect(text).toContain('INCOMPLETE: the time of harbor is unknown, not free.');
  });
});

describe('defect 6: busy times of other people that do not come', () => {
  const mate = 'mate@home.example';
  const theirs = googleCalendar(
    mate,
    [googleEvent({ summary: 'Secret', start: '2026-11-24T10:00', end: '2026-11-24T11:00' })],
    { access: { [mate]: 'owner', 'you@home.example': 'freeBusyReader' } },
  );
  const isFreeBusy = ({ path }: { path: string }): boolean => path.endsWith('/freeBusy');
  const asked = { ...DAY, people: mate, via: 'casa' };

  test('are asked for again after a 503, though it is a POST', async () => {
    const world = await openTwo({}, [theirs]);
    world.sandbox.fail({ match: isFreeBusy, times: 1, ...googleFaults.backendError });
    const { people } = await ask(world, 'get_free_busy', asked);
    expect(people).toMatchObject([{ status: 'ok', blocks: [{ busy: 'busy' }] }]);
    expect(world.sandbox.requests.filter(isFreeBusy).map(({ status }) => status)).toEqual([503, 200]);
  });

  test('are unknown when they never come: nothing is free, and no slot is sure', async () => {
    const world = await openTwo({}, [theirs]);
    world.sandbox.fail({ match: isFreeBusy, ...googleFaults.backendError });
    const told = await ask(world, 'get_free_busy', asked);
    expect(told).toMatchObject({ complete: false, people: [{ status: 'unknown', blocks: [{ busy: 'unknown' }] }] });
    expect(told.text).toContain(`${mate}: UNKNOWN, not free`);
    const { slots, text } = await ask(world, 'find_free_time', { ...asked, durationMinutes: 30 });
    expect(slots.every(({ unverified }) => unverified?.includes(mate))).toBe(true);
    expect(text).toContain(`${mate}: UNKNOWN`);
  });
});

test('defect 7: one bad calendar of an account is named, and the account is not free', async () => {
  const club = googleCalendar('club@group.calendar.google.com', [], {
    summary: 'Club',
    access: { 'you@home.example': 'owner' },
  });
  const world = await openTwo({ google: manyGoogleEvents(2, '2026-11-24T09:00', 'Mine') }, [club]);
  world.sandbox.fail({ match: ({ path }) => path.includes('club') && path.endsWith('/events'), status: 404 });
  const { complete, accounts, events } = await ask(world, 'list_events', DAY);
  expect(complete).toBe(false);
  expect(accounts[1]).toMatchObject({ account: 'casa', status: 'partial', calendars: 1 });
  expect(accounts[1]?.problems?.join()).toMatch(/^Club: /);
  expect(events).toHaveLength(2);
  expect((await ask(world, 'get_free_busy', DAY)).free).toEqual([]);
});

test('defect 8: what is written to one account is held against the calendars of all', async () => {
  const world = await openTwo({
    microsoft: [event({ subject: 'Board meeting', start: '2026-11-24T10:00', end: '2026-11-24T11:00' })],
  });
  const draft = { account: 'casa', title: 'Dentist', start: '2026-11-24T10:30', end: '+30m' };
  const preview = await ask(world, 'create_event', { ...draft, dryRun: true });
  expect(preview).toMatchObject({ outcome: 'preview', complete: true, conflicts: [{ title: 'Board meeting' }] });
  expect(preview.text).toContain('CONFLICTS (1):');
  world.sandbox.fail({
    match: (target) => isEvents(target) && target.mailbox === ownerOf('xebia'),
    inBatch: true,
    status: 403,
  });
  const unsure = await ask(world, 'create_event', { ...draft, dryRun: true });
  expect(unsure).toMatchObject({ complete: false, conflicts: [] });
  expect(unsure.text).toMatch(/^INCOMPLETE: there may be more conflicts\nxebia: forbidden/m);
});

test('defect 9: with notify: all those invited are told of the event, its change and its end; else nobody is', async () => {
  const world = await openTwo();
  const guest = 'guest@away.example';
  const writes = () =>
    world.sandbox.requests.filter(({ method, path }) => method !== 'GET' && path.includes('/events'));
  const make = (more: object) =>
    ask(world, 'create_event', { account: 'casa', start: '2026-11-24T10:00', attendees: [guest], ...more });
  const { event: told } = await make({ title: 'Told', notify: 'all' });
  await ask(world, 'update_event', { id: told.id, start: '11:00', notify: 'all' });
  await ask(world, 'delete_event', { id: told.id, notify: 'all' });
  expect(writes().map(({ method, query }) => `${method} ${query.sendUpdates}`)).toEqual([
    'POST all',
    'PATCH all',
    'DELETE all',
  ]);
  expect(world.sandbox.mails.map(({ to, kind }) => `${to} ${kind}`)).toEqual([
    `${guest} invitation`,
    `${guest} update`,
    `${guest} cancellation`,
  ]);
  // Nobody is mailed by accident either: without a word the change is refused before it is made.
  expect(
    await refusal(world, 'create_event', {
      account: 'casa',
      title: 'Quiet',
      start: '2026-11-24T10:00',
      attendees: [guest],
    }),
  ).toContain('notify: all');
  expect(writes()).toHaveLength(3);
});

test('defect 10: an imported invitation, whose id begins with _, is answered, and so is a whole series of that kind', async () => {
  const id = '_60q30c1g60o30e1i60o4ac1g60rj8gpl88rj2c1h84s34h9g';
  const invitation = {
    start: '2026-11-24T14:00',
    end: '2026-11-24T15:00',
    organizedBy: { email: 'boss@away.example' },
    response: 'needsAction',
  } as const;
  const series = {
    ...googleEvent({ ...invitation, summary: 'Weekly' }),
    id: `${id}1`,
    recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'],
  };
  const world = await openTwo({ google: [{ ...googleEvent({ ...invitation, summary: 'Once' }), id }, series] });
  const { events } = await ask(world, 'list_events', DAY);
  const idOf = (title: string): string => events.find((one) => one.title === title)?.id ?? '';
  const answer = { response: 'accepted', notify: 'all' };
  expect(await ask(world, 'respond_to_event', { id: idOf('Once'), ...answer })).toMatchObject({ outcome: 'responded' });
  expect(await ask(world, 'respond_to_event', { id: idOf('Weekly'), ...answer, scope: 'all' })).toMatchObject({
    outcome: 'responded',
  });
  const patched = world.sandbox.requests
    .filter(({ method }) => method === 'PATCH')
    .map(({ path }) => path.split('/').at(-1));
  expect(patched).toEqual([id, `${id}1`]);
  const answers = world.sandbox.google.data.calendars[0]?.events.map(
    ({ properties }) => properties.attendees?.find(({ email }) => email === ownerOf('casa'))?.responseStatus,
  );
  expect(answers).toEqual(['accepted', 'accepted']);
});

test('defect 11: a zone that does not exist is refused wherever one can be named', async () => {
  const world = await openTwo();
  const { tools } = await world.client.listTools();
  const withZone = tools
    .filter(({ inputSchema }) => 'timeZone' in (inputSchema.properties ?? {}))
    .map(({ name }) => name);
  expect(withZone.length).toBeGreaterThan(8);
  const needed: Record<string, object> = {
    create_event: { account: 'casa', title: 'x', start: '2026-11-24T10:00', dryRun: true },
    update_event: { id: 'casa.0000000000', title: 'x', dryRun: true },
    delete_event: { id: 'casa.0000000000', dryRun: true },
    respond_to_event: { id: 'casa.0000000000', response: 'accepted', notify: 'none', dryRun: true },
    get_event: { id: 'casa.0000000000' },
    search_events: { query: 'x' },
    find_free_time: { durationMinutes: 30 },
  };
  const before = world.sandbox.requests.length;
  for (const tool of withZone)
    expect(await refusal(world, tool, { ...needed[tool], timeZone: 'Mars/Base' })).toMatch(
      /^INPUT_INVALID: .*Mars\/Base/,
    );
  expect(
    await refusal(world, 'create_event', { account: 'casa', title: 'x', start: '2026-11-24T10:00[Mars/Base]' }),
  ).toContain('Mars/Base');
  expect(world.sandbox.requests.length).toBe(before);
});

test('defect 12: a vendor that takes 3.5 s for every answer still answers', async () => {
  const world = await openFour();
  world.sandbox.fail({ match: isEvents, delayMs: 3_500, inBatch: true });
  const { complete, events } = await ask(world, 'list_events', DAY);
  expect(complete).toBe(true);
  expect(events.length).toBeGreaterThan(3);
}, 40_000);

test('defect 13: a grant that was revoked is told, can be given anew from the conversation, and the account removed', async () => {
  const world = await openTwo({ google: manyGoogleEvents(1, '2026-11-24T09:00', 'Mine') });
  const { sandbox, folder } = world;
  sandbox.revoke(ownerOf('casa'));
  const checked = await ask(world, 'list_accounts', { check: true });
  expect(checked.accounts[1]).toMatchObject({ account: 'casa', signIn: 'needs-login' });
  expect(await refusal(world, 'list_events', { ...DAY, accounts: 'casa' })).toMatch(
    /^AUTH_REQUIRED: .*\n(?:.*\n)*.*calmcp login/,
  );
  await signInAgain(world, sandbox, 'casa');
  expect((await ask(world, 'list_events', { ...DAY, accounts: 'casa' })).events).toHaveLength(1);
  sandbox.revoke(ownerOf('casa'));
  await writeAccounts(folder, world.yaml);
  expect((await cli(folder, ['accounts', 'remove', 'casa', '--yes'])).status).toBe(0);
  expect(await readFile(join(folder, 'accounts.yaml'), 'utf8')).not.toContain('casa');
});

test('defect 14: a token file that was cut short ends nothing: the others are read, and it is told what mends it', async () => {
  const { sandbox, folder, yaml } = await openTwo({
    microsoft: [event({ subject: 'There', start: '2026-11-24T10:00', end: '2026-11-24T11:00' })],
  });
  const state = join(folder, 'state');
  const sealed = (await readdir(state)).filter((name) => name.endsWith('.sealed')).map((name) => join(state, name));
  const ages = await Promise.all(sealed.map(async (path) => ({ path, at: (await stat(path)).mtimeMs })));
  // Google signed in last.
  const [theirs] = ages.sort((one, other) => other.at - one.at);
  expect(ages).toHaveLength(2);
  for (const bytes of [20, 0]) {
    await truncate(theirs?.path ?? '', bytes);
    const { app } = await openTestApp(yaml, { folder });
    const session = await openSession(app);
    const { complete, accounts, events } = await ask(session, 'list_events', DAY);
    expect(complete).toBe(false);
    expect(accounts.map(({ account, status }) => `${account} ${status}`)).toEqual(['xebia ok', 'casa needs-login']);
    expect(events.map(({ title }) => title)).toEqual(['There']);
    // Nobody is sent to a page whose outcome could not be kept.
    const words = await refusal(session, 'sign_in', { account: 'casa' });
    expect(words).toMatch(
      /it is (?:cut short|empty)\nrun: calmcp logout --account casa, then calmcp login --account casa$/,
    );
    await writeAccounts(folder, yaml);
    expect((await cli(folder, ['logout', '--account', 'casa'])).status).toBe(0);
    await signInAgain(session, sandbox, 'casa');
    expect((await ask(session, 'list_events', DAY)).complete).toBe(true);
  }
});

test('defect 15: a browser that comes back without the right state is turned away, and the sign-in waits on', async () => {
  const world = await openTwo();
  world.sandbox.revoke(ownerOf('casa'));
  const { text } = await ask(world, 'sign_in', { account: 'casa' });
  const page = new URL(/https?:\/\/\S+/.exec(text)?.[0] ?? '');
  const back = page.searchParams.get('redirect_uri') ?? '';
  for (const query of ['?code=stolen', '?code=stolen&state=guessed', ''])
    expect((await fetch(`${back}${query}`)).status).toBeGreaterThanOrEqual(400);
  void fetch(await world.sandbox.google.consent(page.href, ownerOf('casa'))).catch(() => undefined);
  expect(await ask(world, 'sign_in', { account: 'casa' })).toMatchObject({ status: 'signed-in' });
});
