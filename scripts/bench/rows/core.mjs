// The pure core on 100,000 events, beside what two plain things cost in the same run: a native sort and JSON.parse.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from '../figures.mjs';
import { bundle } from '../load-calmcp.mjs';

const COUNT = 100_000;
const ROUNDS = 9;
const MEMORY_ROUNDS = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ZONE = 'Europe/Amsterdam';
const YEAR = { start: Date.UTC(2026, 0, 1), end: Date.UTC(2027, 0, 1) };
/** In one title of a thousand, and in none. */
const [RARE, NOWHERE] = ['Zugspitze', 'Kilimandscharo'];

function exposedGc() {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
const gc = globalThis.gc ?? exposedGc();

/** Makes a function count its calls. */
function counted(owner, name, counts) {
  const count = () => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  owner[name] = new Proxy(owner[name], {
    apply(target, self, args) {
      count();
      return Reflect.apply(target, self, args);
    },
    construct(target, args, newTarget) {
      count();
      return Reflect.construct(target, args, newTarget);
    },
  });
}

async function loadCore(folder, counts) {
  const modules = ['merge', 'time', 'intervals', 'busy-blocks', 'search', 'conflicts'];
  const address = await bundle(folder, Object.fromEntries(modules.map((name) => [`core/${name}`, '*'])));
  // Before the polyfill takes it.
  counted(Intl, 'DateTimeFormat', counts);
  const core = await import(address);
  counted(core.Temporal.Instant.prototype, 'toZonedDateTimeISO', counts);
  counted(core.Temporal.PlainDate.prototype, 'toZonedDateTime', counts);
  return core;
}

/** The same numbers in every run (mulberry32). */
function randomNumbers(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit) => Math.floor(next() * limit);
  const chance = (probability) => next() < probability;
  const pick = (list) => list[below(list.length)];
  const letters = (alphabet, length) => Array.from({ length }, () => pick(alphabet)).join('');
  return { below, chance, pick, letters };
}

const HEX = '0123456789ABCDEF';
const BASE32 = '0123456789abcdefghijklmnopqrstuv';
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const WORDS =
  'Weekly Planning Review Team Budget Call with Design Launch Customer Interview Demo Sync Lunch Board'.split(' ');
const FOREIGN_WORDS = [
  'Réunion',
  'Übergabe',
  'Straße',
  'Jürgen',
  'naïve',
  'Совещание',
  '会議',
  'Łódź',
  '🎉',
  'İstanbul',
];
const PROVIDERS = [
  'microsoft',
  'google',
  'microsoft',
  'google',
  'microsoft',
  'google',
  'microsoft',
  'feed',
  'google',
  'feed',
];
const ACCOUNTS = PROVIDERS.map((provider, index) => ({
  id: `${provider}-${index}`,
  provider,
  calendars: [0, 1, 2].map((number) => ({
    id: `${provider}-${index}-calendar-${number}@group.calendar.example.com`,
    name: `Calendar ${number}`,
    isDefault: number === 0,
    access: provider === 'feed' ? 'read' : 'write',
  })),
}));

/**
 * Three in ten are copies of a meeting that two or three accounts have, four in ten belong to a series, one in twenty
 * lasts all day. Every account has them in no order.
 * @param depth as in core/provider.ts: what lists events is read without people and texts
 */
function makeEvents(count, seed, depth) {
  const { below, chance, pick, letters } = randomNumbers(seed);
  const person = () => {
    const name = `${pick(WORDS)} ${pick(chance(0.1) ? FOREIGN_WORDS : WORDS)}`;
    return { name, email: `${letters(BASE32, 8)}@example.com`, response: pick(['accepted', 'none', 'tentative']) };
  };
  const titleOf = () => {
    if (chance(0.03)) return null;
    const words = [pick(WORDS), pick(WORDS), pick(WORDS)];
    if (chance(0.1)) words[1] = pick(FOREIGN_WORDS);
    if (chance(0.001)) words[2] = RARE;
    return words.join(' ');
  };
  const twoDigits = (value) => String(value).padStart(2, '0');
  const hexDate = (day) => {
    const date = new Date(day);
    const hex = (value, size) => value.toString(16).toUpperCase().padStart(size, '0');
    return hex(date.getUTCFullYear(), 4) + hex(date.getUTCMonth() + 1, 2) + hex(date.getUTCDate(), 2);
  };
  /** How the UID of a meeting looks in a mailbox: Outlook puts the date of an occurrence into it here and there. */
  const uids = {
    microsoft: () => {
      const tail = `${letters(HEX, 16)}000000000000000010000000${letters(HEX, 32)}`;
      return (day) => `040000008200E00074C5B7101A82E008${chance(0.5) ? '00000000' : hexDate(day)}${tail}`;
    },
    google: () => {
      const uid = `${letters(BASE32, 26)}@google.com`;
      const wrapped = Buffer.from(`vCal-Uid\u0001\0\0\0${uid}\0`).toString('hex').toUpperCase();
      const header = `040000008200E00074C5B7101A82E008${'0'.repeat(40)}33000000`;
      return (_, provider) => (provider === 'microsoft' && chance(0.2) ? header + wrapped : uid);
    },
    feed: () => {
      const uid = [8, 4, 4, 4, 12].map((length) => letters(HEX, length)).join('-');
      return () => uid;
    },
  };
  const ids = {
    microsoft: () => `AAMkAG${letters(BASE64, 146)}`,
    google: () => letters(BASE32, 26),
    feed: () => letters(HEX, 36),
  };

  const events = [];
  while (events.length < count) {
    const holders = [pick(ACCOUNTS)];
    if (chance(0.15))
      holders.push(...[pick(ACCOUNTS), pick(ACCOUNTS)].slice(below(2)).filter((one) => !holders.includes(one)));
    const organizerAccount = holders[0];
    const uidOf = chance(0.02) ? () => null : uids[organizerAccount.provider]();
    const occurrences = chance(0.06) ? 4 + below(16) : 1;
    const isSeries = occurrences > 1;
    const isAllDay = chance(0.05);
    const title = titleOf();
    const organizer = chance(0.6) ? person() : undefined;
    const attendees = depth === 'full' && chance(0.4) ? Array.from({ length: 1 + below(6) }, person) : undefined;
    const text = depth === 'full' && chance(0.3) ? Array.from({ length: 45 }, () => pick(WORDS)).join(' ') : undefined;
    const first = YEAR.start + below(365) * DAY + (7 + below(11)) * HOUR + below(4) * 15 * MINUTE;
    const duration = (1 + below(6)) * 15 * MINUTE;
    const homes = holders.map((account) => ({
      account,
      calendar: pick(account.calendars),
      id: ids[account.provider](),
    }));
    for (let number = 0; number < occurrences; number++) {
      const start = YEAR.start + ((first - YEAR.start + number * 7 * DAY) % (365 * DAY));
      const slot = new Date(start).toISOString();
      const date = (days) => new Date(start + days * DAY).toISOString().slice(0, 10);
      for (const { account, calendar, id } of homes) {
        const moved = homes.length > 1 && chance(0.02) ? HOUR : 0;
        const timed = (epochMs) => ({ kind: 'timed', epochMs, zone: ZONE });
        events.push({
          account: account.id,
          calendar,
          id: isSeries ? `${id}_${slot.slice(0, 10)}T${twoDigits(number)}` : id,
          uid: uidOf(start, account.provider),
          recurrenceKey: isSeries ? (isAllDay ? date(0) : slot.replace('.000Z', 'Z')) : null,
          kind: isSeries ? (moved ? 'exception' : 'occurrence') : 'single',
          ...(isSeries ? { seriesId: id } : {}),
          start: isAllDay ? { kind: 'date', date: date(0) } : timed(start + moved),
          end: isAllDay ? { kind: 'date', date: date(1) } : timed(start + moved + duration),
          title,
          ...(text === undefined ? {} : { text }),
          ...(chance(0.4) ? { location: `Room ${below(40)}` } : {}),
          busy: pick(['busy', 'busy', 'busy', 'free', 'tentative', 'oof']),
          status: chance(0.03) ? 'cancelled' : 'confirmed',
          sensitivity: 'normal',
          myResponse:
            account === organizerAccount ? 'organizer' : pick(['accepted', 'accepted', 'declined', 'notResponded']),
          type: 'default',
          ...(organizer === undefined ? {} : { organizer }),
          ...(attendees === undefined ? {} : { attendees }),
          ...(account.provider === 'google' ? { etag: `"${letters(BASE32, 16)}"`, sequence: below(3) } : {}),
          updated: account.provider === 'feed' ? null : start - below(90) * DAY,
          readOnly: account.provider === 'feed',
          ...(account.provider === 'feed' ? { fromFeed: true } : {}),
        });
      }
    }
  }
  // Account by account, each in no order.
  const place = ({ account }) => ACCOUNTS.findIndex(({ id }) => id === account) + below(1_000_000) / 1_000_000;
  return events
    .slice(0, count)
    .map((event) => ({ event, place: place(event) }))
    .sort((a, b) => a.place - b.place)
    .map(({ event }) => event);
}

const calendars = new Map(ACCOUNTS.flatMap((account) => account.calendars.map((calendar) => [calendar.id, calendar])));

/** Events as they come from an answer's JSON; those of a calendar share it. */
function parseEvents(json) {
  const events = JSON.parse(json);
  for (const event of events) event.calendar = calendars.get(event.calendar.id);
  return events;
}

/** Median of several rounds, in milliseconds. */
function measure(run) {
  const times = [];
  for (let round = -2; round < ROUNDS; round++) {
    gc();
    const started = performance.now();
    run();
    const took = performance.now() - started;
    // The first rounds are for the compiler.
    if (round >= 0) times.push(took);
  }
  return median(times);
}

function heapAfter(rounds, run) {
  for (let round = 0; round < rounds; round++) run();
  gc();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

export async function measureCore({ folder }) {
  const calls = {};
  const core = await loadCore(folder('core'), calls);
  const order = (account) => ACCOUNTS.findIndex(({ id }) => id === account);
  const merge = (events) => core.mergeEvents(events, { clock: core.zoneClock(ZONE), order });
  const clock = core.zoneClock(ZONE);
  const clockOf = () => clock;

  const few = parseEvents(JSON.stringify(makeEvents(1_000, 3, 'agenda')));
  const layered = () => core.layer(core.blocksOf(merge(few), clockOf), YEAR);
  const settled = heapAfter(MEMORY_ROUNDS / 10, layered);
  const grown = heapAfter(MEMORY_ROUNDS, layered) - settled;

  const json = JSON.stringify(makeEvents(COUNT, 1, 'agenda'));
  const events = parseEvents(json);
  const { below } = randomNumbers(2);
  const numbers = Float64Array.from({ length: COUNT }, () => YEAR.start + below(365 * 24 * 60) * MINUTE);
  const parse = measure(() => JSON.parse(json));

  const rows = [{ what: 'core: JSON.parse of 100,000 events', figure: parse, unit: 'ms' }];
  const row = (what, aim, run) => {
    const figure = measure(run);
    const aims = aim === undefined ? {} : { aim, aimOf: 'figure' };
    rows.push({ what: `core: ${what}`, figure, unit: 'ms', ratio: figure / parse, of: 'JSON.parse', ...aims });
  };

  for (const name of Object.keys(calls)) delete calls[name];
  row('merge 100,000 events, once each, in order', 150, () => merge(events));
  const zoned = Object.values(calls).reduce((sum, count) => sum + count, 0) / (ROUNDS + 2);

  const merged = merge(events);
  // Over ten years, so that there are gaps; in order, as merged events are.
  const DAYS = 3_650;
  const blocks = Array.from(numbers, (time) => YEAR.start + (time - YEAR.start) * 10)
    .sort((a, b) => a - b)
    .map((start) => ({ start, end: start + (1 + below(16)) * 15 * MINUTE }));
  const dayStarts = Array.from({ length: DAYS }, (_, day) => YEAR.start + day * DAY);
  const hours = core.unionOf(
    dayStarts.map((day) => day + 8 * HOUR),
    dayStarts.map((day) => day + 17 * HOUR),
  );
  row('union of 100,000 blocks, gaps in hours', 20, () => core.subtract(hours, core.unionOfBlocks(blocks)));

  const find = (word, among) => {
    const query = core.parseQuery(word);
    return among.filter((event) => core.matches(event, query)).length;
  };
  row('search for a word in one of 1,000', 50, () => find(RARE, events));
  row('search for a word in none', 50, () => find(NOWHERE, events));
  row('conflicts', undefined, () =>
    core.findConflicts(merged, { range: YEAR, clockOf, isSame: () => false, limit: 50 }),
  );
  const full = parseEvents(JSON.stringify(makeEvents(COUNT, 1, 'full')));
  row('search for a word in none, people and texts', undefined, () => find(NOWHERE, full));

  rows.push(
    { what: 'core: calls of Temporal and Intl for zones in a merge', figure: zoned, unit: 'calls' },
    { what: 'core: heap grown over 1,000 rounds of 1,000 events', figure: grown, unit: 'MB', aim: 1 },
  );
  return rows;
}
