import { beforeAll, describe, expect, test } from 'vitest';
import { dayName } from '../../src/cli/day-names.ts';
import { renderAgenda } from '../../src/cli/render-agenda.ts';
import { renderCoverage } from '../../src/cli/render-head.ts';
import { sandboxAccounts } from '../../src/cli/sandbox-accounts.ts';
import { linkFor, type Screen, type Shell, styleFor } from '../../src/cli/shell.ts';
import { displayWidth } from '../../src/cli/table.ts';
import type { Agenda, AgendaItem } from '../../src/operations/list-events.ts';
import type { Sandbox } from '../../src/sandbox/index.ts';
import { cli, openSandbox, temporaryFolder, writeAccounts } from '../harness.ts';

const ESC = '\u001b';
// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what they look like
const LINK = /\u001b\]8;;([^\u001b]*)\u001b\\/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what they look like
const COLOUR = /\u001b\[([\d;]+)m/g;
const NAMES: Readonly<Record<string, string>> = {
  1: 'bold',
  2: 'dim',
  31: 'red',
  32: 'green',
  33: 'yellow',
  22: '/',
  39: '/',
};

/** What a terminal was told, to be read: `{bold}Monday{/}`, `{32}` for the colour with that number, `[Teams]` for a link. */
const readable = (text: string): string =>
  text
    .replace(LINK, (_, url: string) => (url === '' ? ']' : '['))
    .replace(COLOUR, (_, code: string) => `{${NAMES[code] ?? code.replace('38;5;', '')}}`);

/** What is seen of it. */
const seen = (text: string): string => text.replace(LINK, '').replace(COLOUR, '');

/** A terminal of so many columns, and what was written to it. */
function terminal(columns: number): { readonly stdout: Shell['stdout']; shown(): string } {
  let shown = '';
  return {
    stdout: {
      isTerminal: true,
      columns,
      write(text) {
        shown += text;
      },
    },
    shown: () => shown,
  };
}

async function onTerminal(
  folder: string,
  args: readonly string[],
  columns: number,
  env: Record<string, string> = {},
): Promise<string> {
  const { stdout, shown } = terminal(columns);
  await cli(folder, args, { stdout, env });
  return shown();
}

async function agendaOf(accounts: string, args: readonly string[] = ['agenda', 'this', 'week']): Promise<string> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, accounts);
  return (await cli(folder, args)).stdout;
}

const memoryAccount = (name: string, ...events: readonly string[]): string =>
  `  ${name}: { provider: memory, events: [${events.join(', ')}] }\n`;
const memory = (...accounts: readonly string[]): string => `version: 1\naccounts:\n${accounts.join('')}`;

async function signInTo(sandbox: Sandbox, folder: string, accounts: readonly string[]): Promise<void> {
  for (const account of accounts) {
    const person = {
      isTerminal: false,
      write(text: string): void {
        const code = /type (\S+) /.exec(text)?.[1];
        if (code !== undefined) sandbox.approve(code, `you@${account}.example`);
      },
    };
    expect(await cli(folder, ['login', '--account', account], { stderr: person })).toMatchObject({ status: 0 });
  }
}

async function demoWeek(signedIn: readonly string[]): Promise<string> {
  const sandbox = await openSandbox();
  const folder = await temporaryFolder();
  await writeAccounts(folder, sandboxAccounts(sandbox.origin));
  await signInTo(sandbox, folder, signedIn);
  return folder;
}

describe('the week of the demo', () => {
  test('in a pipe: a two-day event on both days, one meeting of two mailboxes once, a double booking', async () => {
    const folder = await demoWeek(['xebia', 'marimer', 'northwind']);
    const { status, stdout } = await cli(folder, ['agenda', 'this', 'week']);
    expect(status).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "xebia      ok  2 calendars; 1 skipped
      marimer    ok  2 calendars
      northwind  ok  6 calendars
      community  ok  1 calendar

      Monday 23 November 2026 to Sunday 29 November 2026, Europe/Amsterdam (+01:00)

      Monday 23 November 2026
        09:00–09:15  Stand-up                      xebia           Teams, recurring
        10:00–12:00  Sprint planning               xebia           Room Herengracht
        12:00–12:45  Lunch with the new joiner     xebia           Canteen
        13:00–14:00  Advisory board                northwind
        15:30–16:00  Mortgage adviser              xebia           private

      Tuesday 24 November 2026
        09:00–09:15  Stand-up                      xebia           Teams, recurring
        09:30–12:00  Client day on site            marimer         Rotterdam
        14:00–15:00  Steering committee            xebia, marimer  Teams, recurring

      Wednesday 25 November 2026
        all day 1/2  Tester on leave               xebia           free
        10:00–11:00  Refinement                    xebia           recurring
        13:00–14:00  Account review                marimer
        14:30–15:30  Aurora design session         marimer
        16:00–16:30  Pre-sales call                xebia           tentative
        19:00–21:00  Type system meetup            community       recurring, Library, second floor

      Thursday 26 November 2026
        all day 2/2  Tester on leave               xebia           free
        08:00–09:00  Dentist                       xebia           out of office
        09:00–09:15  Stand-up                      xebia           Teams, recurring
        10:00–12:00  Data platform workshop        northwind
        13:00–13:15  Stand-up                      xebia           Teams, recurring
        16:00–17:00  Guild meetup                  xebia           tentative, not answered
        22:00–…      Release of the claims portal  xebia

      Friday 27 November 2026
        all day      Working from home             xebia           working elsewhere
        …–01:30      Release of the claims portal  xebia
        09:00–09:15  Stand-up                      xebia           Teams, recurring
      ! 13:00–14:00  Retrospective                 xebia           overlaps Aurora go/no-go
      ! 13:30–14:30  Aurora go/no-go               marimer         overlaps Retrospective
        16:30–18:00  🎉 Farewell drinks            xebia

      Saturday 28 November 2026
        all day 1/2  Maker fair                    community       free

      Sunday 29 November 2026
        all day 2/2  Maker fair                    community       free
        10:00–12:00  Sunday walk                   community       floating

      ! at the same time as another event; what is free or all day does not count
      "
    `);
    // The same on a terminal that shows no colours and is wide enough.
    expect(await onTerminal(folder, ['agenda', 'this', 'week'], 200, { TERM: 'dumb' })).toBe(stdout);
    expect(seen(await onTerminal(folder, ['agenda', 'this', 'week'], 200, { NO_COLOR: '1' }))).toBe(stdout);
  });

  test('on a terminal: accounts in colour, and the coverage is the legend', async () => {
    const folder = await demoWeek(['xebia', 'marimer', 'northwind']);
    const shown = await onTerminal(folder, ['agenda', 'this', 'week'], 80);
    expect(readable(shown)).toMatchInlineSnapshot(`
      "{32}▍ xebia{/}      {green}ok{/}  2 calendars; 1 skipped
      {166}▍ marimer{/}    {green}ok{/}  2 calendars
      {99}▍ northwind{/}  {green}ok{/}  6 calendars
      {30}▍ community{/}  {green}ok{/}  1 calendar

      Monday 23 November 2026 to Sunday 29 November 2026, Europe/Amsterdam (+01:00)

      {bold}Monday 23 November 2026{/}
        {32}▍{/}  09:00–09:15  Stand-up                      {32}xebia{/}           {dim}[Teams], recurring{/}
        {32}▍{/}  10:00–12:00  Sprint planning               {32}xebia{/}           {dim}Room Herengracht{/}
        {32}▍{/}  12:00–12:45  Lunch with the new joiner     {32}xebia{/}           {dim}Canteen{/}
        {99}▍{/}  13:00–14:00  Advisory board                {99}northwind{/}
        {32}▍{/}  15:30–16:00  Mortgage adviser              {32}xebia{/}           {dim}private{/}

      {bold}Tuesday 24 November 2026{/}
        {32}▍{/}  09:00–09:15  Stand-up                      {32}xebia{/}           {dim}[Teams], recurring{/}
        {166}▍{/}  09:30–12:00  Client day on site            {166}marimer{/}         {dim}Rotterdam{/}
        {32}▍{/}{166}▍{/} 14:00–15:00  Steering committee            {32}xebia{/}, {166}marimer{/}  {dim}[Teams], recurring{/}

      {bold}Wednesday 25 November 2026{/}
        {32}▍{/}  all day 1/2  Tester on leave               {32}xebia{/}           {dim}free{/}
        {32}▍{/}  10:00–11:00  Refinement                    {32}xebia{/}           {dim}recurring{/}
        {166}▍{/}  13:00–14:00  Account review                {166}marimer{/}
        {166}▍{/}  14:30–15:30  Aurora design session         {166}marimer{/}
        {32}▍{/}  16:00–16:30  Pre-sales call                {32}xebia{/}           {dim}tentative{/}
        {30}▍{/}  19:00–21:00  Type system meetup            {30}community{/}       {dim}recurring, Libr…{/}

      {bold}Thursday 26 November 2026{/}
        {32}▍{/}  all day 2/2  Tester on leave               {32}xebia{/}           {dim}free{/}
        {32}▍{/}  08:00–09:00  Dentist                       {32}xebia{/}           {dim}out of office{/}
        {32}▍{/}  09:00–09:15  Stand-up                      {32}xebia{/}           {dim}[Teams], recurring{/}
        {99}▍{/}  10:00–12:00  Data platform workshop        {99}northwind{/}
        {32}▍{/}  13:00–13:15  Stand-up                      {32}xebia{/}           {dim}[Teams], recurring{/}
        {32}▍{/}  16:00–17:00  Guild meetup                  {32}xebia{/}           {dim}tentative, not…{/}
        {32}▍{/}  22:00–…      Release of the claims portal  {32}xebia{/}

      {bold}Friday 27 November 2026{/}
        {32}▍{/}  all day      Working from home             {32}xebia{/}           {dim}working elsewhe…{/}
        {32}▍{/}  …–01:30      Release of the claims portal  {32}xebia{/}
        {32}▍{/}  09:00–09:15  Stand-up                      {32}xebia{/}           {dim}[Teams], recurring{/}
      {yellow}!{/} {32}▍{/}  13:00–14:00  Retrospective                 {32}xebia{/}           {dim}overlaps Aurora…{/}
      {yellow}!{/} {166}▍{/}  13:30–14:30  Aurora go/no-go               {166}marimer{/}         {dim}overlaps Retros…{/}
        {32}▍{/}  16:30–18:00  🎉 Farewell drinks            {32}xebia{/}

      {bold}Saturday 28 November 2026{/}
        {30}▍{/}  all day 1/2  Maker fair                    {30}community{/}       {dim}free{/}

      {bold}Sunday 29 November 2026{/}
        {30}▍{/}  all day 2/2  Maker fair                    {30}community{/}       {dim}free{/}
        {30}▍{/}  10:00–12:00  Sunday walk                   {30}community{/}       {dim}floating{/}

      {yellow}!{/} {dim}at the same time as another event; what is free or all day does not count{/}
      "
    `);
    const forced = await cli(folder, ['agenda', 'this', 'week'], { env: { FORCE_COLOR: '1' } });
    expect(forced.stdout).toContain(`${ESC}[38;5;32m▍${ESC}[39m`);
    // Nothing is cut, and nothing can be clicked.
    expect(forced.stdout).toContain('recurring, Library, second floor');
    expect(forced.stdout).not.toContain(`${ESC}]8`);
  });

  test('of accounts that are not all signed in says what is unknown, and calls no day empty', async () => {
    const folder = await demoWeek(['northwind']);
    const { status, stdout } = await cli(folder, ['agenda', 'this', 'week']);
    expect(status).toBe(3);
    expect(stdout).toMatchInlineSnapshot(`
      "xebia      needs-login  nobody has signed in yet; run: calmcp login --account xebia
      marimer    needs-login  nobody has signed in yet; run: calmcp login --account marimer
      northwind  ok           6 calendars
      community  ok           1 calendar
      INCOMPLETE: the time of xebia, marimer is unknown, not free.

      Monday 23 November 2026 to Sunday 29 November 2026, Europe/Amsterdam (+01:00)

      Monday 23 November 2026
        13:00–14:00  Advisory board          northwind

      Wednesday 25 November 2026
        19:00–21:00  Type system meetup      community  recurring, Library, second floor

      Thursday 26 November 2026
        10:00–12:00  Data platform workshop  northwind

      Saturday 28 November 2026
        all day 1/2  Maker fair              community  free

      Sunday 29 November 2026
        all day 2/2  Maker fair              community  free
        10:00–12:00  Sunday walk             community  floating
      "
    `);
  });

  test('fits on narrow terminals, down to where time and title are all there is', async () => {
    const folder = await demoWeek(['xebia', 'marimer', 'northwind']);
    for (const columns of [120, 80, 60, 50, 40, 30, 20, 5, 1]) {
      const lines = seen(await onTerminal(folder, ['agenda', 'this', 'week'], columns)).split('\n');
      const events = lines.filter((line) => /^[! ] ▍/.test(line));
      for (const line of events) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      if (columns >= 20) expect(events).toHaveLength(30);
      if (columns === 40)
        expect(events.find((line) => line.includes('Sprint'))).toMatchInlineSnapshot(
          `"  ▍  10:00–12:00  Sprint plan…  Room He…"`,
        );
    }
  });
});

describe('foreign texts', () => {
  const WEEK = memory(
    memoryAccount(
      'tokyo',
      '{ title: 四半期の会議, start: 2026-11-23T09:00, end: 2026-11-23T10:00, location: 会議室３ }',
      '{ title: "👩‍👩‍👧 día de la familia ❤️", start: 2026-11-24, end: 2026-11-26, busy: oof }',
      '{ title: "ｶﾞｲﾄﾞ ™", start: 2026-11-23T09:30, end: 2026-11-23T09:45, busy: tentative }',
    ),
    memoryAccount(
      'home',
      '{ title: "\\u202Ereversed\\u202C\\e[31m\\u2066 hidden\\u200B\\u0007", start: 2026-11-23T20:00, end: 2026-11-23T21:00, location: "x\\r\\ny" }',
      '{ title: पालक सभा, start: 2026-11-25T10:00, end: 2026-11-25T11:00 }',
      '{ start: 2026-11-25T12:00, end: 2026-11-25T13:00 }',
    ),
  );

  test('are neutral, and aligned by what is seen of them', async () => {
    const stdout = await agendaOf(WEEK);
    expect(stdout).toMatchInlineSnapshot(`
      "tokyo  ok  1 calendar
      home   ok  1 calendar

      Monday 23 November 2026 to Sunday 29 November 2026, Europe/Amsterdam (+01:00)

      Monday 23 November 2026
      ! 09:00–10:00  四半期の会議             tokyo  overlaps ｶﾞｲﾄﾞ ™, 会議室３
      ! 09:30–09:45  ｶﾞｲﾄﾞ ™                  tokyo  tentative, overlaps 四半期の会議
        20:00–21:00  reversed[31m hidden      home   x y

      Tuesday 24 November 2026
        all day 1/2  👩‍👩‍👧 día de la familia ❤️  tokyo  out of office

      Wednesday 25 November 2026
        all day 2/2  👩‍👩‍👧 día de la familia ❤️  tokyo  out of office
        10:00–11:00  पालक सभा                 home
        12:00–13:00  (no title)               home

      Nothing on Thursday 26 to Sunday 29 November.

      ! at the same time as another event; what is free or all day does not count
      "
    `);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069]/);
    const columns = stdout.split('\n').flatMap((line) => {
      const match = /^[! ] [\d:–…]+ .*?(?=(?:tokyo|home)(?:$| ))/u.exec(line);
      return match === null ? [] : displayWidth(match[0]);
    });
    expect(new Set(columns).size).toBe(1);
    expect(columns).toHaveLength(5);
  });

  test('are cut between characters on a narrow terminal', async () => {
    const folder = await temporaryFolder();
    await writeAccounts(folder, WEEK);
    expect(seen(await onTerminal(folder, ['agenda', 'this', 'week'], 40))).toMatchInlineSnapshot(`
      "▍ tokyo  ok  1 calendar
      ▍ home   ok  1 calendar

      Monday 23 November 2026 to Sunday 29 November 2026, Europe/Amsterdam (+01:00)

      Monday 23 November 2026
      ! ▍ 09:00–10:00  四半期の会議   overlap…
      ! ▍ 09:30–09:45  ｶﾞｲﾄﾞ ™        tentati…
        ▍ 20:00–21:00  reversed[31m…  x y

      Tuesday 24 November 2026
        ▍ all day 1/2  👩‍👩‍👧 día de la…  out of…

      Wednesday 25 November 2026
        ▍ all day 2/2  👩‍👩‍👧 día de la…  out of…
        ▍ 10:00–11:00  पालक सभा
        ▍ 12:00–13:00  (no title)

      Nothing on Thursday 26 to Sunday 29 November.

      ! at the same time as another event; what is free or all day does not count
      "
    `);
  });
});

describe('days without events', () => {
  test('of a week are told in one line', async () => {
    const events = (...days: readonly number[]): string =>
      memory(
        memoryAccount(
          'a',
          ...days.map((day) => `{ title: x, start: 2026-11-${day}T10:00, end: 2026-11-${day}T11:00 }`),
        ),
      );
    const last = async (accounts: string, ...range: readonly string[]): Promise<string | undefined> =>
      (await agendaOf(accounts, ['agenda', ...range])).trimEnd().split('\n').at(-1);
    expect(await last(events(23, 24, 25, 26, 27), 'this', 'week')).toBe(
      'Nothing on Saturday 28 and Sunday 29 November.',
    );
    expect(await last(events(23), 'this', 'week')).toBe('Nothing on Tuesday 24 to Sunday 29 November.');
    expect(await last(events(24, 28), 'this', 'week')).toBe(
      'Nothing on Monday 23, Wednesday 25 to Friday 27 and Sunday 29 November.',
    );
    expect(await last(events(29), '2026-11-29..2026-12-02')).toBe(
      'Nothing on Monday 30 November to Wednesday 2 December.',
    );
    expect(await last(events(29), '2026-11-29..2026-11-30')).toBe('Nothing on Monday 30 November.');
    expect(await last(events(28, 30), '2026-11-28..2026-12-01')).toBe(
      'Nothing on Sunday 29 November and Tuesday 1 December.',
    );
    // Of a month they would be a list.
    expect(await last(events(23), '2026-11-23..2026-12-23')).toMatch(/x {2}a$/);
    expect(await last(events(23), 'today')).toMatch(/x {2}a$/);
    expect(await last(memory(memoryAccount('a')), 'this', 'week')).toBe('No events.');
    // Half of Tuesday was asked about.
    expect(await last(events(23), '--from', '2026-11-23T09:00', '--to', '2026-11-24T12:00')).toMatch(/x {2}a$/);
  });
});

/** One agenda of two days, for what no calendar of the sandbox says. */
function agendaWith(events: readonly Partial<AgendaItem>[], more: Partial<Agenda> = {}): Agenda {
  return {
    range: { start: '2026-11-23T00:00:00+01:00', end: '2026-11-25T00:00:00+01:00', timeZone: 'Europe/Amsterdam' },
    complete: true,
    accounts: [{ account: 'a', status: 'ok', calendars: 1 }],
    events: events.map((event, index) => ({
      id: `a.${index}`,
      title: `Event ${index}`,
      start: '2026-11-23T10:00:00+01:00',
      end: '2026-11-23T11:00:00+01:00',
      accounts: ['a'],
      ...event,
    })),
    ...more,
  };
}

const screen = (isTerminal = false, columns?: number): Screen => {
  const output = { isTerminal, write: () => undefined };
  return { style: styleFor(output, {}), link: linkFor(output, {}), columns };
};
const plain = (agenda: Agenda): string => renderAgenda(agenda, screen());
const marked = (agenda: Agenda): string[] =>
  plain(agenda)
    .split('\n')
    .filter((line) => /^! (?:\d|…)/.test(line));
const at = (from: string, to: string, day = 23): Pick<AgendaItem, 'start' | 'end'> => ({
  start: `2026-11-${day}T${from}:00+01:00`,
  end: `2026-11-${day}T${to}:00+01:00`,
});

describe('what overlaps', () => {
  test('is marked, says with what, and the mark is explained', () => {
    const text = plain(
      agendaWith([
        { ...at('09:00', '12:00'), title: 'Workshop' },
        {
          ...at('10:00', '10:30'),
          title: 'Call',
          busy: 'tentative',
          join: 'https://teams.microsoft.com/l/meetup-join/x',
        },
        { ...at('11:00', '13:00'), title: null, busy: 'oof', location: 'Town' },
        { ...at('13:00', '14:00'), title: 'Lunch' },
      ]),
    );
    expect(text).toMatchInlineSnapshot(`
      "a  ok  1 calendar

      Monday 23 November 2026 to Tuesday 24 November 2026, Europe/Amsterdam (+01:00)

      Monday 23 November 2026
      ! 09:00–12:00  Workshop    a  overlaps Call and 1 more
      ! 10:00–10:30  Call        a  Teams, tentative, overlaps Workshop
      ! 11:00–13:00  (no title)  a  out of office, overlaps Workshop, Town
        13:00–14:00  Lunch       a

      Nothing on Tuesday 24 November.

      ! at the same time as another event; what is free or all day does not count
      "
    `);
  });

  test('only where nothing is in common is nothing marked', () => {
    const text = plain(agendaWith([at('09:00', '10:00'), at('10:00', '11:00'), at('11:00', '12:00')]));
    expect(text).not.toContain('!');
    expect(text).not.toContain('at the same time');
  });

  test.each<[string, Partial<AgendaItem>]>([
    ['free', { busy: 'free' }],
    ['done elsewhere', { busy: 'workingElsewhere' }],
    ['declined', { response: 'declined' }],
    ['cancelled', { status: 'cancelled' }],
    ['all day', { start: '2026-11-23', end: '2026-11-24', allDay: true }],
    ['a mirror', { mirror: true }],
    ['possibly the same', { possibleDuplicateOf: 'a.0' }],
    ['without duration', at('10:30', '10:30')],
  ])('what is %s takes no time', (_name, event) => {
    expect(marked(agendaWith([{}, event]))).toEqual([]);
    expect(marked(agendaWith([event, {}]))).toEqual([]);
    expect(marked(agendaWith([{}, event, {}]))).toHaveLength(2);
  });

  test.each(['busy', 'tentative', 'oof', undefined] as const)('what is %s does', (busy) => {
    expect(marked(agendaWith([{}, { busy }]))).toHaveLength(2);
  });

  test('is marked on the day on which it does', () => {
    const release = { title: 'Release', start: '2026-11-23T22:00:00+01:00', end: '2026-11-24T02:00:00+01:00' };
    expect(marked(agendaWith([release, { ...at('01:00', '03:00', 24), title: 'Alarm' }]))).toEqual([
      '! …–02:00      Release  a  overlaps Alarm',
      '! 01:00–03:00  Alarm    a  overlaps Release',
    ]);
    const alarm = { title: 'Alarm', start: '2026-11-23T23:00:00+01:00', end: '2026-11-24T00:00:00+01:00' };
    expect(marked(agendaWith([release, alarm]))).toEqual([
      '! 22:00–…      Release  a  overlaps Alarm',
      '! 23:00–24:00  Alarm    a  overlaps Release',
    ]);
    const both = { title: 'Both', start: '2026-11-23T23:00:00+01:00', end: '2026-11-24T01:00:00+01:00' };
    expect(marked(agendaWith([release, both]))).toHaveLength(4);
  });

  test('goes by instants: what one clock shows twice is two times', () => {
    const events = [
      { start: '2026-10-25T02:30:00+02:00', end: '2026-10-25T02:45:00+02:00' },
      { start: '2026-10-25T02:30:00+01:00', end: '2026-10-25T02:45:00+01:00' },
    ];
    const range = {
      start: '2026-10-25T00:00:00+02:00',
      end: '2026-10-26T00:00:00+01:00',
      timeZone: 'Europe/Amsterdam',
    };
    expect(marked(agendaWith(events, { range }))).toEqual([]);
    expect(plain(agendaWith(events, { range }))).toContain('Sunday 25 October 2026 (+02:00, then +01:00)\n');
  });
});

describe('what little may be shown', () => {
  test('of an event to an audience is printed as that', () => {
    const { start, end } = at('10:00', '11:00');
    const events = [
      { start, end, busy: 'busy' },
      { ...at('10:30', '11:30'), busy: 'tentative' },
      { ...at('14:00', '15:00'), busy: 'oof' },
      { start: '2026-11-24', end: '2026-11-25', allDay: true, busy: 'oof' },
      { ...at('16:00', '17:00'), title: 'Client work' },
    ] as const;
    const agenda = agendaWith([], { audience: 'acme', notices: ['something to know'] });
    expect(plain({ ...agenda, events: [...events] })).toMatchInlineSnapshot(`
      "something to know
      a  ok  1 calendar

      Monday 23 November 2026 to Tuesday 24 November 2026, Europe/Amsterdam (+01:00), as acme may see it

      Monday 23 November 2026
      ! 10:00–11:00  busy
      ! 10:30–11:30  tentative
        14:00–15:00  out of office
        16:00–17:00  Client work

      Tuesday 24 November 2026
        all day      out of office

      ! at the same time as another event; what is free or all day does not count
      "
    `);
    expect(seen(renderAgenda({ ...agenda, events: [...events] }, screen(true, 80)))).toContain(
      '! 10:30–11:30  tentative',
    );
  });

  test('of an account that could not be read is its state and what to do about it, in full', () => {
    const accounts = [
      { account: 'a', status: 'ok', calendars: 1, skipped: 2 },
      { account: 'b', status: 'needs-login', message: 'not signed in', hint: 'run: calmcp login --account b' },
    ] as const;
    const { style } = screen(true);
    expect(renderCoverage(accounts, false, style).map(readable)).toEqual([
      '{32}▍ a{/}  {green}ok{/}           1 calendar; 2 skipped',
      '{166}▍ b{/}  {red}needs-login{/}  not signed in; run: calmcp login --account b',
      '{red}INCOMPLETE: the time of b is unknown, not free.{/}',
    ]);
    expect(renderCoverage(accounts, false, screen().style)[0]).toBe('a  ok           1 calendar; 2 skipped');
  });
});

describe('colours of accounts', () => {
  const accounts = Array.from({ length: 10 }, (_, index) => ({ account: `account-${index}`, status: 'ok' as const }));
  let codes: string[];
  beforeAll(() => {
    const agenda = agendaWith([{ accounts: accounts.map(({ account }) => account) }], { accounts });
    const line =
      renderAgenda(agenda, screen(true, 300))
        .split('\n')
        .find((text) => text.includes('Event 0')) ?? '';
    codes = [...line.matchAll(/\[38;5;(\d+)m▍/g)].map(([, code = '']) => code);
  });

  test('are eight, and then begin anew', () => {
    expect(codes).toHaveLength(10);
    expect(new Set(codes.slice(0, 8)).size).toBe(8);
    expect(codes.slice(8)).toEqual(codes.slice(0, 2));
  });

  test('can be read on black and on white', () => {
    // The cube of 256 colours, and https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
    const luminance = (code: number): number => {
      const steps = [0, 95, 135, 175, 215, 255];
      const [red = 0, green = 0, blue = 0] = [36, 6, 1]
        .map((size) => (steps[Math.floor((code - 16) / size) % 6] ?? 0) / 255)
        .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    for (const code of codes) {
      expect(1.05 / (luminance(Number(code)) + 0.05)).toBeGreaterThan(3.5);
      expect((luminance(Number(code)) + 0.05) / 0.05).toBeGreaterThan(3.5);
    }
  });

  test('are nothing to a terminal without colours, and so are the markers', () => {
    for (const [isTerminal, env] of [
      [false, {}],
      [true, { NO_COLOR: '1' }],
      [true, { TERM: 'dumb' }],
      [true, { FORCE_COLOR: '0' }],
    ] as const) {
      const output = { isTerminal, write: () => undefined };
      const text = renderAgenda(agendaWith([{}]), {
        style: styleFor(output, env),
        link: (label) => label,
        columns: undefined,
      });
      expect(text).not.toContain('▍');
      expect(text).not.toContain(ESC);
    }
  });
});

describe('days and ranges', () => {
  test('are named by calmcp, whatever the machine speaks', () => {
    expect(['2026-01-01', '2024-02-29', '2026-03-29', '2026-12-31', '2000-01-01'].map(dayName)).toEqual([
      'Thursday 1 January 2026',
      'Thursday 29 February 2024',
      'Sunday 29 March 2026',
      'Thursday 31 December 2026',
      'Saturday 1 January 2000',
    ]);
  });

  test('that are not whole have times', () => {
    const line = (start: string, end: string): string | undefined =>
      plain(agendaWith([], { range: { start, end, timeZone: 'Europe/Amsterdam' } })).split('\n')[2];
    expect(line('2026-11-23T09:00:00+01:00', '2026-11-23T18:00:00+01:00')).toBe(
      'Monday 23 November 2026 09:00 to 18:00, Europe/Amsterdam (+01:00)',
    );
    expect(line('2026-11-23T09:00:00+01:00', '2026-11-24T00:00:00+01:00')).toBe(
      'Monday 23 November 2026 09:00 to 24:00, Europe/Amsterdam (+01:00)',
    );
    expect(line('2026-10-24T12:00:00+02:00', '2026-10-25T12:00:00+01:00')).toBe(
      'Saturday 24 October 2026 12:00 to Sunday 25 October 2026 12:00, Europe/Amsterdam (+02:00 to +01:00)',
    );
    expect(line('2026-11-23T00:00:00+01:00', '2026-11-24T00:00:00+01:00')).toBe(
      'Monday 23 November 2026, Europe/Amsterdam (+01:00)',
    );
  });
});
