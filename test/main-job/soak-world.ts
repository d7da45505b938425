/** The person of the soak: eight accounts of five kinds, what is in them, and others who change that meanwhile. */
import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { rename, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Temporal } from 'temporal-polyfill';
import { onTestFinished } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import {
  calendar,
  clientId,
  event,
  type FaultTarget,
  type GoogleEvent,
  googleCalendar,
  googleEvent,
  googleUser,
  mailbox,
  type Sandbox,
  type SandboxEvent,
  type SandboxRequest,
  sharedGoogleClient,
} from '../../src/sandbox/index.ts';
import { childLine, withChild } from '../children.ts';
import {
  builtEnvironment,
  googleAccounts,
  googleSignIn,
  joinAccounts,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
} from '../harness.ts';
import type { Chance } from './soak-chance.ts';
import { always, createLedger, datesAfter, type Entry, type Ledger, type Span, type Version } from './soak-ledger.ts';

export interface SoakAccount {
  readonly id: string;
  /** In every title of the account, and nowhere else: what it is found by where it may not be. */
  readonly bird: string;
  readonly kind: 'graph' | 'child' | 'google' | 'feed' | 'memory';
  readonly username: string;
  /** Whose it is, and what others may see of it. */
  readonly client?: string;
  readonly share: 'none' | 'busy' | 'masked' | 'title';
  readonly isWritable: boolean;
}

const account = (
  id: string,
  bird: string,
  kind: SoakAccount['kind'],
  username: string,
  more: Partial<SoakAccount> = {},
): SoakAccount => ({ id, bird, kind, username, share: 'busy', isWritable: false, ...more });

export const ACCOUNTS: readonly SoakAccount[] = [
  account('orchid', 'Kestrel', 'graph', 'you@one.example', { client: 'acme', isWritable: true }),
  account('willow', 'Plover', 'graph', 'you@two.example', { share: 'title', isWritable: true }),
  account('cedar', 'Wryneck', 'graph', 'you@three.example', { share: 'masked' }),
  account('maple', 'Dunlin', 'child', 'other@one.example'),
  account('aspen', 'Bittern', 'google', 'you@home.example', { client: 'acme', isWritable: true }),
  account('birch', 'Siskin', 'google', 'you@harbor.example', { share: 'none' }),
  account('hazel', 'Twite', 'feed', 'feed'),
  account('rowan', 'Fieldfare', 'memory', 'nobody', { isWritable: true }),
];
/** An account that comes and goes with the edits of accounts.yaml. */
export const SPARE = account('sorbus', 'Godwit', 'memory', 'nobody');
/** In the titles of what is private. */
export const PRIVATE_BIRD = 'Corncrake';
export const BIRDS: readonly string[] = [...ACCOUNTS.map(({ bird }) => bird), SPARE.bird, PRIVATE_BIRD];

export const accountOf = (id: string): SoakAccount => {
  const found = [...ACCOUNTS, SPARE].find((one) => one.id === id);
  if (found === undefined) throw new RangeError(`no account ${id}`);
  return found;
};

/** Days that the events of an account are on, from the first Monday on. */
export const DAYS = 14;
const FIXED_EVENTS = 14;
const HOUR = 3_600_000;
const QUARTER = 900_000;

const TENANTS = ['one', 'two', 'three'].map((name, index) => ({
  id: `${String(index + 2).repeat(8)}-2222-2222-2222-222222222222`,
  domain: `${name}.example`,
  name,
}));
const tenantOf = (username: string): string =>
  TENANTS.find(({ domain }) => username.endsWith(`@${domain}`))?.id ?? 'none';

/** Of the feed, and of the OAuth client at Google: they may be in no log. */
const FEED_SECRET = 'feed-0f3a9c5e71';
export const SECRET_ENV = { SOAK_SECRET: sharedGoogleClient.clientSecret };

export interface SoakWorld {
  readonly sandbox: Sandbox;
  readonly folder: string;
  readonly stateFolder: string;
  /** The Monday that everything is on or after. */
  readonly monday: string;
  readonly ledger: Ledger;
  readonly env: Readonly<Record<string, string>>;
  /** Tokens, codes and the like, as they passed by. */
  readonly secrets: ReadonlySet<string>;
  /** What strikes a request. The feed has `feed` for its mailbox. */
  setStrikes(strikes: Strikes): void;
  /** A span of a fresh event. */
  spanOf(chance: Chance): Span & { readonly kind: 'timed' };
  /** What somebody else does, at the vendor. */
  addElsewhere(id: string, title: string, span: Span): void;
  moveElsewhere(entry: Entry, span: Span): void;
  removeElsewhere(entry: Entry): void;
  /** What the vendor has under a title; `undefined`: it cannot be looked at from here. */
  held(id: string, title: string): readonly Span[] | undefined;
  /** Successful changes that came in since the last time, as `PATCH path`. */
  takeWrites(): readonly string[];
  signIn(id: string): Promise<void>;
  /** accounts.yaml as it usually is, with more lines. */
  writeConfig(more?: {
    readonly spare?: boolean;
    readonly displayName?: string;
    readonly text?: string;
  }): Promise<void>;
}

export type Strike = 'cut' | 'stall' | 'throttle' | 'throttle-after' | 'busy' | 'drop' | 'hang' | 'slow';

export interface Strikes {
  /** Whether this strikes such a request, now. */
  take(strike: Strike, target: FaultTarget): boolean;
}

const isoOf = (time: number): string => new Date(time).toISOString();
const localOf = (time: number): string => isoOf(time).slice(0, 16);

function graphEvent(username: string, { title, span, isPrivate }: Version): SandboxEvent {
  const times =
    span.kind === 'timed'
      ? { start: localOf(span.start), end: localOf(span.end), zone: 'UTC' }
      : { start: span.start, end: span.end };
  const sensitivity = isPrivate ? ('private' as const) : ('normal' as const);
  const one = event({ subject: title, ...times, sensitivity });
  const [made] = mailbox(username, [calendar('Calendar', [one])]).calendars[0]?.events ?? [];
  if (made === undefined) throw new RangeError('no event was made');
  return made;
}

function eventOfGoogle({ title, span }: Version): GoogleEvent {
  if (span.kind === 'timed')
    return googleEvent({ summary: title, start: localOf(span.start), end: localOf(span.end), zone: 'UTC' });
  return googleEvent({ summary: title, start: span.start, end: span.end, transparency: 'transparent' });
}

const stampOf = (time: number): string => isoOf(time).replaceAll(/[-:]|\.\d+/g, '');

function feedText(events: readonly { readonly uid: string; readonly version: Version }[]): string {
  const lines = events.flatMap(({ uid, version: { title, span } }) => [
    'BEGIN:VEVENT',
    `UID:${uid}@feed.example`,
    'DTSTAMP:20260101T000000Z',
    ...(span.kind === 'timed'
      ? [`DTSTART:${stampOf(span.start)}`, `DTEND:${stampOf(span.end)}`]
      : [
          `DTSTART;VALUE=DATE:${span.start.replaceAll('-', '')}`,
          `DTEND;VALUE=DATE:${span.end.replaceAll('-', '')}`,
          'TRANSP:TRANSPARENT',
        ]),
    `SUMMARY:${title}`,
    'END:VEVENT',
  ]);
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//soak//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

function memoryYaml(id: string, versions: readonly Version[], settings: readonly string[]): string {
  const events = versions.map(({ title, span }) =>
    JSON.stringify(
      span.kind === 'timed'
        ? { title, start: isoOf(span.start).slice(0, 19).concat('Z'), end: isoOf(span.end).slice(0, 19).concat('Z') }
        : { title, start: span.start, end: span.end, busy: 'free' },
    ),
  );
  const lines = ['provider: memory', ...settings, 'events:', ...events.map((line) => `  - ${line}`)];
  return `  ${id}:\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

function settingsOf({ client, share, isWritable }: SoakAccount): string[] {
  return [
    ...(client === undefined ? [] : [`client: ${client}`]),
    ...(share === 'busy' ? [] : [`share: ${share}`]),
    ...(isWritable ? ['access: write'] : []),
  ];
}

/** Requests for calendars, of either vendor: not those of a sign-in. */
const isData = (path: string): boolean => /^\/(?:v1\.0|google\/(?:calendar|batch))\//.test(path);

const TOKEN_NAMES = ['access_token', 'refresh_token', 'id_token', 'device_code'];

/**
 * Sees every answer that a server of this process ends: remembers the tokens in it, and cuts or stalls its body in the middle,
 * which is nothing that a server does of its own accord.
 */
function watchAnswers(
  secrets: Set<string>,
  strikes: () => Strikes,
  mailboxOf: (authorization: string, path: string) => string,
): void {
  const onRequest = (message: unknown): void => {
    const { request, response } = message as { request: { url?: string; method?: string }; response: ServerResponse };
    const { headers } = request as unknown as { headers: Readonly<Record<string, string | undefined>> };
    const path = new URL(request.url ?? '/', 'http://sandbox').pathname;
    const end = response.end.bind(response);
    response.end = ((...args: unknown[]) => {
      const [body] = args;
      if (typeof body !== 'string' || body.length < 40) return end(...(args as []));
      if (/\/(?:token|devicecode)$/.test(path)) {
        const told = JSON.parse(body) as Record<string, unknown>;
        for (const name of TOKEN_NAMES) if (typeof told[name] === 'string') secrets.add(told[name]);
      }
      const target = {
        method: request.method ?? 'GET',
        path,
        mailbox: path.startsWith('/feeds/') ? 'feed' : mailboxOf(headers.authorization ?? '', path),
      };
      const isStruck = target.method === 'GET' || /batch/.test(path);
      for (const strike of isStruck && (isData(path) || target.mailbox === 'feed') ? (['cut', 'stall'] as const) : []) {
        if (!strikes().take(strike, target)) continue;
        response.write(body.slice(0, body.length / 2));
        if (strike === 'cut') setTimeout(() => response.socket?.destroy(), 2);
        return response;
      }
      return end(...(args as []));
    }) as ServerResponse['end'];
  };
  subscribe('http.server.request.start', onRequest);
  onTestFinished(() => void unsubscribe('http.server.request.start', onRequest));
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function openSoakWorld(chance: Chance): Promise<SoakWorld> {
  const today = Temporal.Now.plainDateISO('UTC');
  const monday = today.subtract({ days: today.dayOfWeek - 1 }).toString();
  const midnightUtc = Date.parse(`${monday}T00:00:00Z`);
  const ledger = createLedger();
  const secrets = new Set<string>([FEED_SECRET, sharedGoogleClient.clientSecret]);
  let strikes: Strikes = { take: () => false };

  // Half hours, from 06:00 to 20:00 UTC, on a grid of a quarter: many of them overlap.
  const spanOf = (luck: Chance): Span & { readonly kind: 'timed' } => {
    const start = midnightUtc + luck.whole(0, DAYS - 1) * 24 * HOUR + 6 * HOUR + luck.whole(0, 55) * QUARTER;
    return { kind: 'timed', start, end: start + luck.whole(1, 3) * 2 * QUARTER };
  };
  for (const { id, bird } of [...ACCOUNTS, SPARE]) {
    const own = chance.of(id);
    const put = (title: string, span: Span, isPrivate = false): void => {
      const isBusy = span.kind === 'timed';
      ledger.add({ account: id, title, span, isBusy, isPrivate, from: always });
    };
    for (let number = 1; number <= FIXED_EVENTS; number++) put(`${bird} fixed ${number}`, spanOf(own));
    const day = datesAfter(monday, own.whole(1, DAYS - 3));
    put(`${bird} all day`, { kind: 'days', start: day, end: datesAfter(day, 2) });
    if (id === 'orchid') put(PRIVATE_BIRD, spanOf(own), true);
  }
  const versionsOf = (id: string): Version[] => ledger.of(id).flatMap(({ versions }) => versions.slice(-1));

  const graphAccounts = ACCOUNTS.filter(({ kind }) => kind === 'graph' || kind === 'child');
  const googleOnes = ACCOUNTS.filter(({ kind }) => kind === 'google');
  const side = (username: string): string => `side-${username.split('@')[1]}@group.calendar.google.com`;
  const sandbox = await openSandbox({
    delayMs: 5,
    // As the real one: one that was redeemed by a daemon that was killed before it had sealed the next one still works.
    reusableRefreshTokens: true,
    data: {
      tenants: TENANTS,
      applications: [{ clientId, name: 'calmcp', tenants: TENANTS.map(({ id }) => id) }],
      users: graphAccounts.map(({ username }, index) => ({
        oid: `aaaaaaaa-0000-0000-0000-00000000000${index + 1}`,
        tenant: tenantOf(username),
        username,
        displayName: 'You',
      })),
      // Every other event is on a second calendar, so that most questions are batches.
      mailboxes: graphAccounts.map(({ id, username }) => {
        const made = versionsOf(id).map((version) => graphEvent(username, version));
        const of = (half: number): SandboxEvent[] => made.filter((_, index) => index % 2 === half);
        const empty = mailbox(username, [calendar('Calendar', []), calendar('Side', [])]);
        return {
          ...empty,
          calendars: empty.calendars.map((each, half) => ({ ...each, events: of(half) })),
        };
      }),
    },
    googleData: {
      clients: [sharedGoogleClient],
      users: googleOnes.map(({ username }, index) =>
        googleUser(
          index + 1,
          username,
          [username, side(username)].map((calendarId) => ({ calendarId, selected: true })),
        ),
      ),
      calendars: googleOnes.flatMap(({ id, username }) => {
        const made = versionsOf(id).map(eventOfGoogle);
        const of = (half: number): GoogleEvent[] => made.filter((_, index) => index % 2 === half);
        return [
          googleCalendar(username, of(0)),
          googleCalendar(side(username), of(1), { summary: 'Side', access: { [username]: 'owner' } }),
        ];
      }),
    },
  });
  const feed = versionsOf('hazel').map((version, index) => ({ uid: `fixed-${index}`, version }));
  const feedOrigin = await listen(
    createServer((request, response) => {
      const target = { method: 'GET', path: '/feeds/soak.ics', mailbox: 'feed' };
      // As it is at this moment, however long it takes to send.
      const text = feedText(feed);
      const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 16)}"`;
      const refused = (['throttle', 'throttle-after', 'busy'] as const).find((each) => strikes.take(each, target));
      if (strikes.take('hang', target)) return;
      if (strikes.take('drop', target)) return void request.socket.destroy();
      const answer = (): void => {
        if (refused !== undefined)
          response
            .writeHead(refused === 'busy' ? 503 : 429, refused === 'throttle-after' ? { 'retry-after': '1' } : {})
            .end();
        else if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
        else response.writeHead(200, { 'content-type': 'text/calendar; charset=utf-8', etag }).end(text);
      };
      if (strikes.take('slow', target)) setTimeout(answer, 1_500);
      else answer();
    }),
  );

  const mailboxes = new Map<string, string>();
  // Whose a token is: as the sandbox noted it at the first answer to it. One that is taken for another's only strikes elsewhere.
  const mailboxOf = (authorization: string, path: string): string => {
    const known = mailboxes.get(authorization);
    if (known !== undefined) return known;
    const told = sandbox.requests.findLast((request) => request.path === path && request.status !== 0)?.mailbox ?? '';
    if (authorization !== '' && told !== '') mailboxes.set(authorization, told);
    return told;
  };
  watchAnswers(secrets, () => strikes, mailboxOf);
  const refuse = (strike: Strike, status: number, headers?: Record<string, string>): void =>
    sandbox.fail({
      match: (target) => isData(target.path) && strikes.take(strike, target),
      status,
      ...(headers === undefined ? {} : { headers }),
    });
  refuse('throttle', 429);
  refuse('throttle-after', 429, { 'retry-after': '1' });
  refuse('busy', 503);
  const strikesAt = (strike: Strike) => (target: FaultTarget) => isData(target.path) && strikes.take(strike, target);
  sandbox.fail({ match: strikesAt('drop'), dropAnswer: true, inBatch: false });
  sandbox.fail({ match: strikesAt('hang'), hang: true });
  sandbox.fail({ match: strikesAt('slow'), delayMs: 700 });

  const folder = await temporaryFolder();
  const stateFolder = join(folder, 'state');
  const yamlOf = (secret: string, isLedByChild: boolean): string => {
    const microsoft = microsoftAccounts(
      sandbox,
      graphAccounts.map(({ id, username }) => ({ id, username, tenantId: tenantOf(username), clientId })),
    );
    const google = googleAccounts(
      sandbox,
      googleOnes.map(({ id }) => ({ id, clientId: sharedGoogleClient.clientId, clientSecret: secret })),
    );
    const plain = joinAccounts(microsoft, google)
      .replace('{ timeZone: Europe/Amsterdam }', '{ timeZone: Europe/Amsterdam, daemon: auto }')
      .concat(`  hazel: { provider: ics, url: "${feedOrigin}/feeds/soak.ics?key=${FEED_SECRET}" }\n`);
    const settled = [...graphAccounts, ...googleOnes].reduce(
      (yaml, one) =>
        yaml.replace(
          `\n  ${one.id}:\n`,
          `\n  ${one.id}:\n${settingsOf(one)
            .map((line) => `    ${line}\n`)
            .join('')}`,
        ),
      plain,
    );
    const fixed = fixedOf('rowan');
    const whole = settled + memoryYaml('rowan', fixed, settingsOf(accountOf('rowan')));
    if (!isLedByChild) return whole;
    return withChild(whole, childLine('ms-365', sandbox, { transport: 'stdio' }), ['maple']);
  };
  function fixedOf(id: string): Version[] {
    return ledger.of(id).flatMap(({ versions }) => versions.filter(({ from }) => from === always));
  }

  const real = { now: () => Temporal.Now.instant() };
  // The tokens of a child account are those of the direct way: another program of the same person signs in.
  const { app }: { app: App } = await openTestApp(yamlOf(sharedGoogleClient.clientSecret, false), { folder, ...real });

  const findCalendar = (id: string): { events: unknown[] }[] => {
    const { kind, username } = accountOf(id);
    if (kind === 'google')
      return sandbox.google.data.calendars.filter((each) => each.id === username || each.id === side(username));
    return sandbox.data.mailboxes.find((each) => each.username === username)?.calendars ?? [];
  };
  const titleOf = (one: unknown): unknown => {
    const { properties } = one as { properties: { subject?: string; summary?: string; status?: string } };
    return properties.status === 'cancelled' ? undefined : (properties.subject ?? properties.summary);
  };
  const spanIn = (one: unknown): Span => {
    const { start, end } = one as { start: string | Record<string, string>; end: string | Record<string, string> };
    const text = (moment: string | Record<string, string>): string =>
      typeof moment === 'string' ? moment : (moment.instant ?? moment.date ?? '');
    if (!text(start).includes('T')) return { kind: 'days', start: text(start), end: text(end) };
    return { kind: 'timed', start: Date.parse(text(start)), end: Date.parse(text(end)) };
  };
  let changes = 0;

  return {
    sandbox,
    folder,
    stateFolder,
    monday,
    ledger,
    env: environmentOf(folder),
    secrets,
    setStrikes(next) {
      strikes = next;
    },
    spanOf,
    addElsewhere(id, title, span) {
      const now = Date.now();
      const by = { begun: now, done: now, by: 'others' } as const;
      const entry = ledger.add({ account: id, title, span, isBusy: true, isPrivate: false, from: by });
      const [version] = entry.versions;
      if (version === undefined) return;
      const { kind, username } = accountOf(id);
      if (kind === 'feed') feed.push({ uid: `more-${++changes}`, version });
      else {
        const [first] = findCalendar(id);
        const made = kind === 'google' ? googleCalendar(username, [eventOfGoogle(version)]).events[0] : undefined;
        if (first !== undefined) first.events = [...first.events, made ?? graphEvent(username, version)];
      }
    },
    moveElsewhere(entry, span) {
      const now = Date.now();
      const { title } = entry.versions.at(-1) ?? { title: '' };
      const version = ledger.change(entry, { title, span }, { begun: now, done: now, by: 'others' });
      const { kind } = accountOf(entry.account);
      if (kind === 'feed') {
        const index = feed.findIndex((each) => each.version.title === title);
        feed[index] = { uid: feed[index]?.uid ?? '', version };
        return;
      }
      if (span.kind !== 'timed') throw new RangeError('whole days stay where they are');
      const [start, end] = [isoOf(span.start), isoOf(span.end)];
      for (const each of findCalendar(entry.account))
        each.events = each.events.map((one) => {
          if (titleOf(one) !== title) return one;
          const before = one as { properties: object };
          const times =
            kind === 'google'
              ? { start: { instant: start, timeZone: 'UTC' }, end: { instant: end, timeZone: 'UTC' } }
              : { start, end };
          return { ...before, ...times, properties: { ...before.properties, changeKey: `moved-${++changes}` } };
        });
    },
    removeElsewhere(entry) {
      const now = Date.now();
      const { title } = entry.versions.at(-1) ?? { title: '' };
      ledger.remove(entry, { begun: now, done: now, by: 'others' });
      const index = feed.findIndex((each) => each.version.title === title);
      if (index >= 0) feed.splice(index, 1);
      else
        for (const each of findCalendar(entry.account))
          each.events = each.events.filter((one) => titleOf(one) !== title);
    },
    held(id, title) {
      const { kind } = accountOf(id);
      if (kind === 'memory') return undefined;
      if (kind === 'feed')
        return feed.filter((each) => each.version.title === title).map(({ version }) => version.span);
      return findCalendar(id)
        .flatMap(({ events }) => events)
        .filter((one) => titleOf(one) === title)
        .map(spanIn);
    },
    takeWrites() {
      const open: SandboxRequest[] = [];
      const writes: string[] = [];
      for (const request of sandbox.requests.splice(0)) {
        const { method, path, status } = request;
        if (status === 0) open.push(request);
        else if (isData(path) && status < 300 && ['PATCH', 'DELETE', 'PUT'].includes(method))
          writes.push(`${method} ${path}`);
      }
      sandbox.requests.unshift(...open);
      return writes;
    },
    async signIn(id) {
      const { kind, username } = accountOf(id);
      if (kind === 'google') await googleSignIn(app, sandbox, id, username);
      else if (kind !== 'feed' && kind !== 'memory') await signIn(app, sandbox, id, username);
    },
    async writeConfig({ spare = false, displayName, text } = {}) {
      const usual = yamlOf('${ENV:SOAK_SECRET}', true);
      const named =
        displayName === undefined
          ? usual
          : usual.replace('\n  orchid:\n', `\n  orchid:\n    displayName: ${displayName}\n`);
      const whole = named + (spare ? memoryYaml(SPARE.id, fixedOf(SPARE.id), []) : '');
      // As editors do it: nobody reads half of one.
      const path = join(folder, 'accounts.yaml');
      await writeFile(`${path}.new`, text ?? whole);
      await rename(`${path}.new`, path);
    },
  };
}

/** The clock is the real one: `asOf` is what tells how old an answer may be. */
function environmentOf(folder: string): Record<string, string> {
  const { CALMCP_NOW: _fixed, ...env } = builtEnvironment(folder);
  return { ...env, ...SECRET_ENV, CALMCP_LOG: 'debug', TMPDIR: folder };
}
