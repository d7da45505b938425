/** The provider: one calendar per file or feed, read as a whole and expanded for the range that is asked about. */
import { createHash } from 'node:crypto';
import { busyOf, isBlocking } from '../../core/busy.ts';
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import type { Calendar, CalendarEvent, Range } from '../../core/event.ts';
import { endKey, startKey } from '../../core/identity.ts';
import type { CalendarProvider, CalendarRead, Call, ProviderContext } from '../../core/provider.ts';
import { overlaps, parseZone } from '../../core/time.ts';
import type { WallClock } from '../../core/wall-clock.ts';
import { expandSeries, groupSeries, type Occurrence, type Series } from './expand.ts';
import { covers, type FreeBusy, readFreeBusy } from './free-busy.ts';
import { type EventFields, mapEvent } from './map.ts';
import type { IcsOptions } from './options.ts';
import { type Breathe, type Problem, parseIcs, type RawCalendar } from './parse.ts';
import { type ParsedEvent, readEvent, type TimeContext } from './read-event.ts';
import { createSource, type Document } from './source.ts';
import { textOf } from './values.ts';
import { createZones, type Zones } from './zones.ts';

/** One file or feed, understood. */
interface Feed {
  readonly name: string | null;
  readonly series: readonly Series[];
  readonly freeBusy: readonly FreeBusy[];
  readonly hasEvents: boolean;
  /** Events that came with a METHOD: see `MapContext`. */
  readonly withMethod: ReadonlySet<ParsedEvent>;
  readonly problems: readonly Problem[];
}

/** Problems told one by one; what goes beyond is counted. */
const MAX_PROBLEMS = 20;
/** Longest stretch of work without a pause, in milliseconds: a daemon answers others meanwhile. */
const MAX_STRETCH_MS = 25;

function createBreathe({ signal }: Call): Breathe {
  let last = performance.now();
  return () => {
    if (performance.now() - last < MAX_STRETCH_MS) return undefined;
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      last = performance.now();
      signal.throwIfAborted();
    });
  };
}

async function readFeed(text: string, where: string, zones: Zones, timeZone: string, breathe: Breathe): Promise<Feed> {
  const { calendars, problems: broken } = await parseIcs(text, where, breathe);
  const problems = [...broken];
  const events: ParsedEvent[] = [];
  const freeBusy: FreeBusy[] = [];
  const withMethod = new Set<ParsedEvent>();
  for (const calendar of calendars) {
    const context = timeContextOf(calendar, zones, timeZone);
    for (const raw of calendar.components) {
      if (raw.name === 'vfreebusy') freeBusy.push(readFreeBusy(raw, context));
      if (raw.name !== 'vevent') continue;
      const event = readEvent(raw, context);
      if ('message' in event) {
        problems.push(event);
        continue;
      }
      events.push(event);
      if (context.method !== null) withMethod.add(event);
      const pause = breathe();
      if (pause !== undefined) await pause;
    }
  }
  const [first] = calendars;
  const name =
    first === undefined ? null : (textOf(first.properties, 'x-wr-calname') ?? textOf(first.properties, 'name'));
  return { name, series: groupSeries(events), freeBusy, hasEvents: events.length > 0, withMethod, problems };
}

function timeContextOf({ properties, timeZones }: RawCalendar, zones: Zones, timeZone: string): TimeContext {
  const own = textOf(properties, 'x-wr-timezone');
  const clocks = new Map<string, WallClock | null>();
  const clockOf = (tzid: string): WallClock | null => {
    let clock = clocks.get(tzid);
    if (clock === undefined) {
      clock = zones.resolve(tzid, timeZones);
      clocks.set(tzid, clock);
    }
    return clock;
  };
  return {
    clockOf,
    floatingClock: (own === null ? null : clockOf(own)) ?? zones.named(parseZone(timeZone) ?? 'UTC'),
    utc: zones.named('UTC'),
    method: textOf(properties, 'method')?.toUpperCase() ?? null,
  };
}

/** What an event without a UID is told by: its text, which stays the same from one reading to the next. */
function nameOf(event: ParsedEvent): string {
  const said = [event.start.local, textOf(event.raw, 'summary'), textOf(event.raw, 'description')];
  return `no-uid-${createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 24)}`;
}

function problemsOf(problems: readonly Problem[], where: string): CalmcpError[] {
  const errors = problems.slice(0, MAX_PROBLEMS).map(
    ({ line, message }) =>
      new CalmcpError('BAD_RESPONSE', `the event at line ${line} of ${where} ${message}`, {
        hint: 'it is left out: look it up in the calendar itself',
      }),
  );
  const more = problems.length - errors.length;
  if (more > 0) errors.push(new CalmcpError('BAD_RESPONSE', `${more} more events of ${where} cannot be read`));
  return errors;
}

export function openIcs(options: IcsOptions, context: ProviderContext): CalendarProvider {
  const { account, timeZone } = context;
  const source = createSource(options, context);
  const mine = new Set([options.email ?? []].flat().map((email) => email.toLowerCase()));
  const fromFeed = options.url !== undefined;
  const zones = createZones();
  const feeds = new Map<string, { readonly text: string; readonly feed: Feed }>();
  const fields = new WeakMap<ParsedEvent, EventFields>();
  /** One question loads once, however many calls it makes. */
  const loading = new WeakMap<Call, Promise<readonly Document[]>>();
  /** What the list of a feed was made from at this very moment: the reading that follows at once, though by another call, is of the same question. */
  let listed: { readonly documents: Promise<readonly Document[]>; readonly at: number } | undefined;

  function load(call: Call): Promise<readonly Document[]> {
    let documents = loading.get(call);
    if (documents === undefined) {
      documents = source.load(call).then((loaded) => {
        const names = new Set(loaded.map(({ id }) => id));
        for (const id of feeds.keys()) if (!names.has(id)) feeds.delete(id);
        return loaded;
      });
      loading.set(call, documents);
    }
    return documents;
  }

  /** @throws CalmcpError when the document cannot be read */
  async function feedOf({ id, where, content }: Document, breathe: Breathe): Promise<Feed> {
    if ('error' in content) throw content.error;
    const known = feeds.get(id);
    if (known?.text === content.text) return known.feed;
    const feed = await readFeed(content.text, where, zones, timeZone, breathe);
    feeds.set(id, { text: content.text, feed });
    return feed;
  }

  function fieldsOf(event: ParsedEvent, feed: Feed): EventFields {
    let known = fields.get(event);
    if (known === undefined) {
      known = mapEvent(event, { mine, hasMethod: feed.withMethod.has(event), fromFeed });
      fields.set(event, known);
    }
    return known;
  }

  function eventOf(occurrence: Occurrence, calendar: Calendar, feed: Feed): CalendarEvent {
    const { event, kind, recurrenceKey, start, end, warnings } = occurrence;
    const name = event.uid ?? nameOf(event);
    return {
      account,
      calendar,
      ...fieldsOf(event, feed),
      id: recurrenceKey === null ? name : `${name}|${recurrenceKey}`,
      recurrenceKey,
      kind,
      ...(kind === 'single' ? {} : { seriesId: name }),
      start,
      end,
      ...(warnings.length === 0 ? {} : { warnings }),
    };
  }

  function busyEvents(feed: Feed, calendar: Calendar, range: Range): CalendarEvent[] {
    return feed.freeBusy.flatMap(({ times }) =>
      times
        .filter((time) => overlaps(time, range))
        .map(({ start, end, busy }) => ({
          account,
          calendar,
          id: `busy|${start}|${end}|${busy}`,
          uid: null,
          recurrenceKey: null,
          kind: 'single',
          start: { kind: 'timed', epochMs: start, zone: 'UTC' },
          end: { kind: 'timed', epochMs: end, zone: 'UTC' },
          title: null,
          busy,
          status: 'confirmed',
          sensitivity: 'normal',
          myResponse: 'none',
          type: 'default',
          updated: null,
          readOnly: true,
          ...(fromFeed ? { fromFeed } : {}),
        })),
    );
  }

  /** Whether a busy time is one that no event of the same file takes already: calmcp's own reports say both. */
  function isNews(events: readonly CalendarEvent[]): (time: CalendarEvent) => boolean {
    const taken = new Set(
      events.filter((event) => isBlocking(busyOf(event))).map((event) => `${startKey(event)} ${endKey(event)}`),
    );
    return (time) => !taken.has(`${startKey(time)} ${endKey(time)}`);
  }

  async function readCalendar(
    calendar: Calendar,
    document: Document,
    range: Range,
    breathe: Breathe,
  ): Promise<CalendarRead> {
    const feed = await feedOf(document, breathe);
    const problems = [...feed.problems];
    const events: CalendarEvent[] = [];
    for (const series of feed.series) {
      const expanded = expandSeries(series, range);
      if ('problem' in expanded) problems.push(expanded.problem);
      else for (const occurrence of expanded.occurrences) events.push(eventOf(occurrence, calendar, feed));
      const pause = breathe();
      if (pause !== undefined) await pause;
    }
    events.push(...busyEvents(feed, calendar, range).filter(isNews(events)));
    const errors = problemsOf(problems, document.where);
    if (feed.freeBusy.some(({ damaged }) => damaged))
      errors.push(new CalmcpError('BAD_RESPONSE', `some busy times of ${document.where} cannot be read`));
    // A list of busy times alone is silent about what lies outside of its bounds, and silence is not free time.
    if (!feed.hasEvents && feed.freeBusy.length > 0 && !covers(feed.freeBusy, range.start, range.end))
      errors.push(new CalmcpError('BAD_RESPONSE', `${document.where} tells busy times for a part of this range only`));
    const asOf = 'asOf' in document.content ? document.content.asOf : context.now().epochMilliseconds;
    return { calendar, events: withUniqueIds(events), asOf, ...(errors.length === 0 ? {} : { problems: errors }) };
  }

  return {
    ...(fromFeed ? {} : { isLocal: true as const }),
    async listCalendars(call) {
      const at = performance.now();
      const documents = await load(call).catch((thrown: unknown) => {
        call.signal.throwIfAborted();
        throw toCalmcpError(thrown).of(account);
      });
      const breathe = createBreathe(call);
      const calendars: Calendar[] = [];
      for (const document of documents) {
        let feed: Feed | undefined;
        try {
          feed = await feedOf(document, breathe);
        } catch (thrown) {
          call.signal.throwIfAborted();
          // In a folder the broken one keeps the name of its file, and says what is wrong when it is read.
          if (documents.length === 1) throw toCalmcpError(thrown).of(account);
        }
        const isDefault = documents.length === 1;
        calendars.push({ id: document.id, name: feed?.name ?? document.name, isDefault, access: 'read' });
      }
      if (fromFeed) {
        const loaded = loading.get(call);
        listed = loaded === undefined ? undefined : { documents: loaded, at };
        setImmediate(() => {
          listed = undefined;
        });
      }
      return calendars;
    },

    async readCalendars(calendars, range, call) {
      // Not for a question that joined the list of an earlier one: that document is from before it was asked.
      if (listed !== undefined && !loading.has(call) && listed.at >= (call.since ?? Number.POSITIVE_INFINITY))
        loading.set(call, listed.documents);
      listed = undefined;
      const breathe = createBreathe(call);
      const reads: CalendarRead[] = [];
      for (const calendar of calendars) {
        try {
          const document = (await load(call)).find(({ id }) => id === calendar.id);
          if (document === undefined) throw new CalmcpError('NOT_FOUND', `the calendar ${calendar.name} is gone`);
          reads.push(await readCalendar(calendar, document, range, breathe));
        } catch (thrown) {
          call.signal.throwIfAborted();
          reads.push({ calendar, error: toCalmcpError(thrown).of(account) });
        }
      }
      return reads;
    },
  };
}

function withUniqueIds(events: readonly CalendarEvent[]): CalendarEvent[] {
  const seen = new Map<string, number>();
  return events.map((event) => {
    const times = (seen.get(event.id) ?? 0) + 1;
    seen.set(event.id, times);
    return times === 1 ? event : { ...event, id: `${event.id}#${times}` };
  });
}
