/** Hostile texts in every field of events of four kinds of account, and a server that hears when somebody follows one of them. */
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import type { Logger } from '../../src/core/provider.ts';
import {
  calendar,
  event,
  type GoogleCalendar,
  googleCalendar,
  googleEvent,
  type Sandbox,
  sharedGoogleClient,
  singleGoogleAccount,
  singleMailbox,
} from '../../src/sandbox/index.ts';
import { HOSTILE, type HostileContext } from '../fixtures/hostile-texts.ts';
import {
  googleAccounts,
  googleSignIn,
  joinAccounts,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  UNHURRIED,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

/** In the order of accounts.yaml. */
export const ACCOUNTS = ['graph', 'google', 'memory', 'feed'] as const;
type AccountId = (typeof ACCOUNTS)[number];
export type Field = 'title' | 'place' | 'body' | 'person' | 'calendar';

/** What is in every hostile text, and says which field of which account it stood in. */
const MARK = /zq(?:title|place|body|person|calendar)\w+qz/;

export const hasMark = (text: string): boolean => MARK.test(text);

/** Whether a text stands in this field of some event. */
export const marksOf = (text: string, field: Field): string[] => text.match(new RegExp(`zq${field}\\w+qz`, 'g')) ?? [];

const CALENDARS = 6;

/** One line of hostile text each: as an event has them. */
export interface HostileEvent {
  readonly index: number;
  readonly start: string;
  readonly end: string;
  say(field: Field): string;
}

/** Eight a day from Monday on; those of the accounts overlap, so that there are conflicts to tell about. */
export function hostileEvents(account: AccountId, context: HostileContext): HostileEvent[] {
  const quarter = 15 * ACCOUNTS.indexOf(account);
  return HOSTILE.map((_, index) => {
    const at = `2026-11-${23 + Math.floor(index / 8)}T${String(8 + (index % 8)).padStart(2, '0')}:`;
    return {
      index,
      start: at + String(quarter).padStart(2, '0'),
      end: at + String(Math.min(59, quarter + 20)).padStart(2, '0'),
      say: (field) => {
        // Every field of one event says something else, and every text is said in every field.
        const shift = ['title', 'place', 'body', 'person', 'calendar'].indexOf(field);
        const [, text] = HOSTILE[(index + 7 * shift) % HOSTILE.length] ?? [];
        return text?.(`zq${field}${account}${index}qz`, context) ?? '';
      },
    };
  });
}

const ownerOf = ({ index }: HostileEvent): string => `boss${index}@evil.example`;
const guestOf = ({ index }: HostileEvent): string => `guest${index}@evil.example`;

/** Calendar names stand for as many events each. */
function byCalendar<T>(
  events: readonly HostileEvent[],
  make: (name: string, own: readonly HostileEvent[], index: number) => T,
): T[] {
  return Array.from({ length: CALENDARS }, (_, index) => {
    const own = events.filter((_, at) => at % CALENDARS === index);
    return make(own[0]?.say('calendar') ?? '', own, index);
  });
}

function graphData(events: readonly HostileEvent[]): ReturnType<typeof singleMailbox> {
  const toEvent = (one: HostileEvent) =>
    event({
      subject: one.say('title'),
      start: one.start,
      end: one.end,
      place: one.say('place'),
      text: one.say('body'),
      categories: [one.say('person')],
      organizedBy: { name: one.say('person'), address: ownerOf(one) },
      invited: [{ name: one.say('person'), address: guestOf(one) }],
    });
  const keys = event({
    subject: '__proto__',
    place: 'constructor',
    start: '2026-11-29T09:00',
    end: '2026-11-29T10:00',
  });
  // What calmcp itself says of an event.
  const word = event({ subject: 'Called off?', place: 'Declined', start: '2026-11-29T11:00', end: '2026-11-29T12:00' });
  return singleMailbox([
    calendar('Calendar', []),
    calendar('__proto__', [keys, word]),
    ...byCalendar(events, (name, own, index) => calendar(name, own.map(toEvent), { id: `AAMkAGhostile${index}` })),
  ]);
}

function googleCalendars(events: readonly HostileEvent[]): GoogleCalendar[] {
  return byCalendar(events, (summary, own, index) =>
    googleCalendar(
      `hostile${index}@group.calendar.google.com`,
      own.map((one) =>
        googleEvent({
          summary: one.say('title'),
          start: one.start,
          end: one.end,
          location: one.say('place'),
          description: one.say('body'),
          organizedBy: { email: ownerOf(one), displayName: one.say('person') },
          invited: [{ email: guestOf(one), displayName: one.say('person') }],
        }),
      ),
      { summary, access: { 'you@home.example': 'owner' } },
    ),
  );
}

/** Half a character cannot be sent in UTF-8. */
const wellFormed = (text: string): string => text.replaceAll(/\p{Cs}/gu, '\ufffd');

/** RFC 5545 3.3.11, for what may stand in such a file at all. */
const escaped = (text: string): string =>
  text.replaceAll(/[\\;,]/g, String.raw`\$&`).replaceAll(/\r\n|[\r\n]/g, String.raw`\n`);
const parameter = (text: string): string => text.replaceAll(/["\p{Cc}]/gu, ' ');

function feedOf(events: readonly HostileEvent[]): string {
  const rows = events.flatMap((one) => [
    'BEGIN:VEVENT',
    `UID:${escaped(one.say('title').slice(0, 80))}-${one.index}`,
    'DTSTAMP:20261101T000000Z',
    `DTSTART;TZID=Europe/Amsterdam:${one.start.replaceAll(/[-:]/g, '')}00`,
    `DTEND;TZID=Europe/Amsterdam:${one.end.replaceAll(/[-:]/g, '')}00`,
    `SUMMARY:${escaped(one.say('title'))}`,
    `LOCATION:${escaped(one.say('place'))}`,
    `DESCRIPTION:${escaped(one.say('body'))}`,
    `CATEGORIES:${escaped(one.say('person'))}`,
    `URL:https://evil.example/${encodeURIComponent(wellFormed(one.say('place')))}`,
    `ORGANIZER;CN="${parameter(one.say('person'))}":mailto:${ownerOf(one)}`,
    `ATTENDEE;PARTSTAT=__PROTO__;ROLE=constructor;CN="${parameter(one.say('person'))}":mailto:${guestOf(one)}`,
    'STATUS:CONSTRUCTOR',
    'CLASS:__proto__',
    'X-MICROSOFT-CDO-BUSYSTATUS:toString',
    'END:VEVENT',
  ]);
  const name = escaped(events[0]?.say('calendar') ?? '');
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//evil//',
    `X-WR-CALNAME:${name}`,
    ...rows,
    'END:VCALENDAR',
    '',
  ].join('\r\n');
}

function memoryYaml(events: readonly HostileEvent[]): string {
  // JSON is YAML. What is no person cannot be written there.
  const person = (one: HostileEvent, address: string): string =>
    `"${one
      .say('person')
      .replaceAll(/["\n\r]/g, ' ')
      .slice(0, 200)}" <${address}>`;
  const entries = events.map((one) =>
    JSON.stringify({
      title: one.say('title'),
      start: one.start,
      end: one.end,
      location: one.say('place'),
      text: one.say('body'),
      organizer: person(one, ownerOf(one)),
      attendees: [person(one, guestOf(one))],
      uid: `${one.say('title').slice(0, 50)}${one.index}`,
    }),
  );
  return `  memory:\n    provider: memory\n    access: write\n    events:\n${entries.map((entry) => `      - ${entry}\n`).join('')}`;
}

/** A server on this machine that counts who comes. */
export async function openDecoy(body = ''): Promise<{ readonly origin: string; readonly visits: string[] }> {
  const visits: string[] = [];
  const server = createServer((request, response) => {
    visits.push(`${request.method} ${request.url}`);
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, visits };
}

export interface HostileWorld {
  readonly app: App;
  readonly sandbox: Sandbox;
  /** Where accounts.yaml is, for the command line. */
  readonly folder: string;
  readonly decoy: { readonly origin: string; readonly visits: string[] };
  readonly context: HostileContext;
  readonly events: readonly (HostileEvent & { readonly account: AccountId })[];
}

export async function openHostile(log: Logger): Promise<HostileWorld> {
  const folder = await temporaryFolder();
  const decoy = await openDecoy();
  const context: HostileContext = {
    decoy: decoy.origin,
    loot: join(folder, 'loot'),
    account: 'google',
    id: 'google.0zzz123456',
    cursor: 'eyJvcGVyYXRpb24iOiJsaXN0X2V2ZW50cyJ9.0123456789abcdef',
  };
  const of = (account: AccountId): HostileEvent[] => hostileEvents(account, context);
  const sandbox = await openSandbox({
    data: graphData(of('graph')),
    googleData: singleGoogleAccount([], { others: googleCalendars(of('google')) }),
  });
  const feed = await openDecoy(wellFormed(feedOf(of('feed'))));
  const { clientId, clientSecret } = sharedGoogleClient;
  const microsoft = microsoftAccounts(sandbox, [{ ...XEBIA, id: 'graph' }]);
  const yaml = [
    joinAccounts(
      microsoft.replace('  graph:\n', `  graph:\n    access: write\n    ${UNHURRIED}\n`),
      googleAccounts(sandbox, [{ id: 'google', clientId, clientSecret, more: `access: write\n    ${UNHURRIED}` }]),
    ),
    memoryYaml(of('memory')),
    `  feed: { provider: ics, url: "${feed.origin}/feed.ics", email: guest1@evil.example }\n`,
  ].join('');
  await writeAccounts(folder, yaml);
  await writeFile(join(folder, 'beside'), '');
  const { app } = await openTestApp(yaml, { folder, log });
  await signIn(app, sandbox, 'graph', 'you@xebia.example');
  await googleSignIn(app, sandbox, 'google', 'you@home.example');
  return {
    app,
    sandbox,
    folder,
    decoy,
    context,
    events: ACCOUNTS.flatMap((account) => of(account).map((one) => ({ ...one, account }))),
  };
}
