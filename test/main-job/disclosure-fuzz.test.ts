/** Random accounts, clients and events, every question, every audience: what is hidden turns up nowhere. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DISCLOSURES, type Disclosure, disclosureTo, mayName } from '../../src/core/disclosure.ts';
import { cli, temporaryFolder, writeAccounts } from '../harness.ts';

const RUNS = Math.ceil(Number(process.env.CALMCP_PROPERTY_RUNS ?? 1_000) / 50);
const CLIENTS = ['kwik', 'kwek', 'kwak'] as const;
/** Somebody of whom accounts.yaml says nothing. */
const STRANGER = 'stranger';

interface RandomEvent {
  /** Equal numbers are copies of one meeting. */
  readonly meeting: number;
  readonly day: number;
  readonly hour: number;
  readonly allDay: boolean;
  readonly private: boolean;
  readonly declined: boolean;
  readonly tentative: boolean;
}

interface RandomAccount {
  readonly client: (typeof CLIENTS)[number] | null;
  readonly share: Disclosure;
  readonly broken: boolean;
  readonly events: readonly RandomEvent[];
}

const accounts = fc.array(
  fc.record({
    client: fc.option(fc.constantFrom(...CLIENTS)),
    share: fc.constantFrom(...DISCLOSURES),
    broken: fc.integer({ min: 0, max: 5 }).map((number) => number === 0),
    events: fc.array(
      fc.record({
        meeting: fc.nat(4),
        day: fc.nat(4),
        hour: fc.integer({ min: 8, max: 16 }),
        allDay: fc.integer({ min: 0, max: 5 }).map((number) => number === 0),
        private: fc.boolean(),
        declined: fc.integer({ min: 0, max: 5 }).map((number) => number === 0),
        tentative: fc.boolean(),
      }),
      { maxLength: 4 },
    ),
  }),
  { minLength: 2, maxLength: 4 },
);

const accountName = (index: number): string => `zacc${'abcd'[index]}q`;
/** A word that is found nowhere by chance. */
const secret = (field: string, account: number, event: number): string => `zx${field}${account}${event}qj`;
const FIELDS = ['title', 'place', 'text', 'person', 'guest', 'link', 'tag', 'zone'] as const;
const uidOf = ({ meeting }: RandomEvent): string => `zxuid${meeting}qj`;

const two = (value: number): string => String(value).padStart(2, '0');

function calendarOf({ events }: RandomAccount, account: number): string {
  const lines = events.flatMap((event, index) => {
    const day = `202611${23 + event.day}`;
    const times = event.allDay
      ? [`DTSTART;VALUE=DATE:${day}`, `DTEND;VALUE=DATE:202611${24 + event.day}`]
      : [`DTSTART:${day}T${two(event.hour)}0000Z`, `DTEND:${day}T${two(event.hour + 1)}0000Z`];
    const say = (field: string): string => secret(field, account, index);
    return [
      'BEGIN:VEVENT',
      `UID:${uidOf(event)}`,
      'DTSTAMP:20261101T000000Z',
      ...times,
      `SUMMARY:${say('title')} common`,
      `LOCATION:${say('place')}`,
      `DESCRIPTION:${say('text')}`,
      `CATEGORIES:${say('tag')}`,
      `URL:https://${say('link')}.example/`,
      `ORGANIZER;CN=${say('person')}:mailto:${say('person')}@x.example`,
      `ATTENDEE;CN=${say('guest')}:mailto:${say('guest')}@x.example`,
      `ATTENDEE;PARTSTAT=${event.declined ? 'DECLINED' : 'ACCEPTED'}:mailto:me@me.example`,
      ...(event.private ? ['CLASS:PRIVATE'] : []),
      ...(event.tentative ? ['STATUS:TENTATIVE'] : []),
      'END:VEVENT',
    ];
  });
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

function yamlOf(all: readonly RandomAccount[]): string {
  const entries = all.map(
    ({ client, share }, index) => `  ${accountName(index)}:
    provider: ics
    path: ./${accountName(index)}.ics
    displayName: Z${accountName(index)}
    email: me@me.example
    share: ${share}${client === null ? '' : `\n    client: ${client}`}
`,
  );
  return `version: 1\ndefaults: { timeZone: Europe/Amsterdam }\naccounts:\n${entries.join('')}`;
}

/** Every word that this audience may not see. */
function hiddenFrom(audience: string, all: readonly RandomAccount[]): string[] {
  return all.flatMap((account, index) => {
    const sharing = { client: account.client ?? accountName(index), share: account.share };
    const level = disclosureTo(audience, sharing);
    const events = account.events.flatMap((event, at) => {
      const shown = event.private && level !== 'none' && level !== 'busy' ? 'masked' : level;
      const visible = shown === 'full' ? FIELDS : shown === 'title' ? ['title'] : [];
      return FIELDS.filter((field) => !visible.includes(field)).map((field) => secret(field, index, at));
    });
    return [...events, ...account.events.map(uidOf), ...(mayName(audience, sharing) ? [] : [accountName(index)])];
  });
}

const QUESTIONS: readonly (readonly string[])[] = [
  ['agenda', 'this', 'week', '--include-declined'],
  ['agenda', 'this', 'week', '--ids'],
  ['search', 'common', 'this', 'week'],
  ['freebusy', 'this', 'week'],
  ['find-time', 'this', 'week', '-d', '30m', '--tentative', 'soft', '--rank', 'compact'],
  ['conflicts', 'this', 'week'],
  ['report', 'freebusy', 'this', 'week', '--format', 'md'],
  ['report', 'freebusy', 'this', 'week', '--format', 'html'],
  ['report', 'freebusy', 'this', 'week', '--format', 'ics'],
  ['report', 'freebusy', 'this', 'week', '--format', 'csv'],
];

test('no hidden title, place, person, text, link, category, uid or account name in any output, error or log', async () => {
  const root = await temporaryFolder();
  let round = 0;
  let answers = 0;
  await fc.assert(
    fc.asyncProperty(accounts, async (all) => {
      const folder = join(root, String(round++));
      await mkdir(folder);
      await writeAccounts(folder, yamlOf(all));
      for (const [index, account] of all.entries())
        if (!account.broken) await writeFile(join(folder, `${accountName(index)}.ics`), calendarOf(account, index));
      // What a reference says of an event stays between calmcp and its owner.
      const { stdout } = await cli(folder, ['agenda', 'this', 'week', '--json']);
      const ownIds =
        stdout === '' ? [] : (JSON.parse(stdout) as { events: { id: string }[] }).events.map(({ id }) => id);
      for (const audience of [...CLIENTS, accountName(0), STRANGER]) {
        const hidden = hiddenFrom(audience, all);
        const getOwn = ownIds.slice(0, 2).map((id) => ['event', 'get', id, '--text']);
        for (const question of [...QUESTIONS, ...getOwn])
          for (const json of question[0] === 'report' ? [false] : [false, true]) {
            const args = [...question, '--audience', audience, '--log', 'debug', ...(json ? ['--json'] : [])];
            const isTerminal = json ? {} : { env: { FORCE_COLOR: '1' } };
            const { status, ...printed } = await cli(folder, args, isTerminal);
            if (status === 0 || status === 3) answers++;
            const said = printed.stdout + printed.stderr;
            // An id that was typed comes back in "there is no event …".
            const told = question[0] === 'event' ? said.replaceAll(question[2] ?? '', '') : said;
            // So does the name of the audience itself.
            const found = hidden.filter((word) => word !== audience && told.includes(word));
            if (found.length > 0) expect.fail(`${args.join(' ')} shows ${found.join(', ')}:\n${told}`);
            for (const id of ownIds) if (told.includes(id)) expect.fail(`${args.join(' ')} names ${id}`);
          }
      }
      await rm(folder, { recursive: true });
    }),
    { numRuns: RUNS },
  );
  expect(answers).toBeGreaterThan(RUNS);
}, 600_000);
