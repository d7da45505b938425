/** What writing is held to on every way to a mailbox: directly, and through a child server on a port and on pipes. */
import { describe, expect, test } from 'vitest';
import type { CreateOptions, EventFields, EventWriter, StoredEvent } from '../../../src/core/change.ts';
import type { Calendar, CalendarEvent, EventTime } from '../../../src/core/event.ts';
import type { CalendarProvider } from '../../../src/core/provider.ts';
import type { Fault, Sandbox } from '../../../src/sandbox/index.ts';
import { openCall } from '../../harness.ts';

export interface Office {
  readonly sandbox: Sandbox;
  /** Of you@xebia.example. */
  readonly provider: CalendarProvider;
  /** Of colleague@xebia.example, directly. */
  readonly colleague: CalendarProvider;
}

export const ZONE = 'Europe/Amsterdam';
const COLLEAGUE = 'colleague@xebia.example';
const ROOM = 'room-1@xebia.example';

export const timed = (utc: string, zone = ZONE): EventTime => ({ kind: 'timed', epochMs: Date.parse(`${utc}Z`), zone });
export const date = (day: string): EventTime => ({ kind: 'date', date: day });
const hours = (day: string): Pick<Required<EventFields>, 'start' | 'end'> => ({
  start: timed(`${day}T09:00`),
  end: timed(`${day}T10:00`),
});

let keys = 0;
export const key = (): CreateOptions => ({ key: `key${++keys}x${Date.now()}`, notify: true });

export function writerOf({ writer }: CalendarProvider): EventWriter {
  if (writer === undefined) throw new TypeError('nothing can be written');
  return writer;
}

export async function calendarOf(provider: CalendarProvider, name = 'Calendar'): Promise<Calendar> {
  const found = (await provider.listCalendars(openCall())).find((each) => each.name === name);
  if (found === undefined) throw new RangeError(`no calendar ${name}`);
  return found;
}

/** What the ordinary way of reading tells of these days. */
export async function seen(provider: CalendarProvider, from: string, to: string): Promise<readonly CalendarEvent[]> {
  const range = { start: Date.parse(`${from}T00:00Z`), end: Date.parse(`${to}T00:00Z`), timeZone: ZONE };
  const [read] = await provider.readCalendars([await calendarOf(provider)], range, openCall(), 'full');
  if (read === undefined || 'error' in read) throw read?.error ?? new RangeError('not read');
  const inside = (time: EventTime): boolean => {
    const at = time.kind === 'timed' ? time.epochMs : Date.parse(time.date);
    return at >= range.start && at < range.end;
  };
  return read.events
    .filter(({ start }) => inside(start))
    .sort((one, other) => JSON.stringify(one.start).localeCompare(JSON.stringify(other.start)));
}

const withMethod =
  (...methods: readonly string[]) =>
  ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
    methods.includes(method) && path.includes('/events');

export const writes = (sandbox: Sandbox): number =>
  sandbox.requests.filter(withMethod('POST', 'PATCH', 'DELETE')).length;

/** With a fault that ends with the work. */
export async function during<T>(
  sandbox: Sandbox,
  methods: readonly string[],
  fault: Omit<Fault, 'match'>,
  work: () => Promise<T>,
): Promise<T> {
  let isOn = true;
  const match = withMethod(...methods);
  sandbox.fail({ ...fault, match: (target) => isOn && match(target) });
  try {
    return await work();
  } finally {
    isOn = false;
  }
}

const thrownBy = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing was thrown',
    (thrown) => thrown,
  );

export interface WayOptions {
  readonly open: () => Office;
  readonly viaChild: boolean;
}

export function writingCases({ open, viaChild }: WayOptions): void {
  async function start() {
    const { sandbox, provider, colleague } = open();
    return { sandbox, provider, colleague, writer: writerOf(provider), calendar: await calendarOf(provider) };
  }

  const create = async (fields: EventFields, options = key()): Promise<StoredEvent> => {
    const { writer, calendar } = await start();
    return (await writer.create(calendar, fields, options, openCall())).stored;
  };

  /** What was answered to an invitation to `stored`, and who did. */
  async function copyOf(stored: StoredEvent): Promise<{ writer: EventWriter; calendar: Calendar; copy: StoredEvent }> {
    const { colleague } = open();
    const day =
      stored.event.start.kind === 'timed' ? new Date(stored.event.start.epochMs).toISOString().slice(0, 10) : '';
    const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
    const found = (await seen(colleague, day, next)).find(({ title }) => title === stored.event.title);
    if (found === undefined) throw new RangeError('no invitation');
    const [writer, calendar] = [writerOf(colleague), await calendarOf(colleague)];
    return { writer, calendar, copy: await writer.get(calendar, found.id, openCall()) };
  }

  describe('creating', () => {
    test('every field is kept, and read back as it was set', async () => {
      const { sandbox, provider, calendar, writer } = await start();
      const mailed = sandbox.mails.length;
      const fields: EventFields = {
        title: 'Review <b> & more',
        start: timed('2027-01-04T09:00'),
        end: timed('2027-01-04T16:00', 'America/New_York'),
        text: 'First line\nsecond & third < fourth',
        location: 'Room 5',
        busy: 'oof',
        sensitivity: 'private',
        attendees: [
          { email: COLLEAGUE, name: 'Colleague' },
          { email: 'guest@elsewhere.example', name: 'Guest', optional: true },
        ],
        online: false,
        reminders: [45],
        categories: ['Blue category', 'Travel'],
      };
      const { stored, existed } = await writer.create(calendar, fields, key(), openCall());
      expect([existed, stored.isSeries]).toEqual([false, false]);
      expect(stored.fields).toEqual(fields);
      const [event] = await seen(provider, '2027-01-04', '2027-01-05');
      expect(event).toMatchObject({
        title: fields.title,
        text: fields.text,
        location: 'Room 5',
        start: fields.start,
        end: fields.end,
        busy: 'oof',
        sensitivity: 'private',
        categories: fields.categories,
        myResponse: 'organizer',
        etag: stored.etag,
      });
      expect(event?.attendees).toMatchObject([
        { email: COLLEAGUE },
        { email: 'guest@elsewhere.example', optional: true },
      ]);
      expect(await writer.get(calendar, stored.event.id, openCall())).toEqual(stored);
      expect(sandbox.mails.slice(mailed)).toMatchObject([
        { kind: 'invitation', to: COLLEAGUE },
        { kind: 'invitation', to: 'guest@elsewhere.example' },
      ]);
      expect(writer.alwaysNotifies).toBe(true);
    });

    test('whole days are dates', async () => {
      const { provider } = await start();
      const fields = { title: 'Fair', start: date('2027-01-05'), end: date('2027-01-07'), busy: 'free' } as const;
      const stored = await create(fields);
      expect(stored.fields).toMatchObject(fields);
      expect(await seen(provider, '2027-01-05', '2027-01-06')).toMatchObject([
        { title: 'Fair', start: date('2027-01-05'), end: date('2027-01-07') },
      ]);
    });

    test('a moment is kept in whatever zone, and where two clock times are one', async () => {
      // 02:30 comes twice on 2027-10-31 in Amsterdam: this is the second one.
      for (const zone of ['+02:00', null, ZONE]) {
        const from = { kind: 'timed', epochMs: Date.parse('2027-10-31T01:30Z'), zone } as const;
        const stored = await create({
          title: `At ${zone}`,
          start: from,
          end: { ...from, epochMs: from.epochMs + 60_000 },
        });
        expect(stored.event.start).toMatchObject({ epochMs: from.epochMs });
      }
    });

    test('a series lives by the clock of its zone, and is told by its first occurrence', async () => {
      const { provider, writer, calendar } = await start();
      const stored = await create({
        title: 'Stand-up',
        start: timed('2027-03-22T08:00'),
        end: timed('2027-03-22T08:15'),
        recurrence: 'FREQ=WEEKLY;BYDAY=MO;COUNT=3',
      });
      expect(stored).toMatchObject({
        isSeries: true,
        event: { kind: 'single', start: timed('2027-03-22T08:00') },
        fields: { recurrence: 'FREQ=WEEKLY;BYDAY=MO;COUNT=3' },
      });
      const events = await seen(provider, '2027-03-22', '2027-04-06');
      // Summer time begins on 2027-03-28.
      expect(events.map((each) => each.start)).toEqual([
        timed('2027-03-22T08:00'),
        timed('2027-03-29T07:00'),
        timed('2027-04-05T07:00'),
      ]);
      expect(events.map(({ seriesId }) => seriesId)).toEqual(events.map(() => stored.event.id));
      expect(await writer.get(calendar, events[0]?.seriesId ?? '', openCall())).toEqual(stored);
      const one = await writer.get(calendar, events[1]?.id ?? '', openCall());
      expect(one).toMatchObject({ isSeries: false, event: { kind: 'occurrence', seriesId: stored.event.id } });
      expect(one.fields).not.toHaveProperty('recurrence');
    });

    test('an event away from the office, and one elsewhere, are what Outlook has for them', async () => {
      const days = { start: date('2027-01-11'), end: date('2027-01-12') };
      const away = await create({ ...days, title: 'Away', type: 'outOfOffice' });
      const home = await create({ ...days, location: 'home', type: 'workingLocation' });
      expect([away.event.busy, home.event.busy, home.event.title]).toEqual([
        'oof',
        'workingElsewhere',
        'Working from home',
      ]);
    });

    test('P09: the same key is one event, also when the answer is lost', async () => {
      const { sandbox, provider, writer, calendar } = await start();
      for (const [day, more] of [
        ['2027-01-12', {}],
        ['2027-01-13', { recurrence: 'FREQ=DAILY;COUNT=1' }],
        ['2027-01-14', { start: date('2027-01-14'), end: date('2027-01-15') }],
      ] as const) {
        const fields = { title: `Once ${day}`, ...hours(day), ...more };
        const options = key();
        const lost = await during(sandbox, ['POST'], { dropAnswer: true, times: 1 }, () =>
          writer.create(calendar, fields, options, openCall()),
        );
        expect(lost).toMatchObject({ existed: false, stored: { event: { title: fields.title } } });
        const again = await writer.create(calendar, { ...fields, title: 'Another title' }, options, openCall());
        expect(again).toEqual({ existed: true, stored: lost.stored });
        const other = await writer.create(calendar, { ...fields, title: 'Another key' }, key(), openCall());
        expect(other.existed).toBe(false);
        const titles = (await seen(provider, day, `2027-01-${Number(day.slice(-2)) + 1}`)).map(({ title }) => title);
        expect(titles.sort()).toEqual(['Another key', `Once ${day}`]);
      }
    });

    test('P09: an event that was moved since is found by its key all the same', async () => {
      const { writer, calendar } = await start();
      for (const more of [{}, { recurrence: 'FREQ=DAILY;COUNT=2' }]) {
        const fields = { title: 'Moves', ...hours('2027-01-18'), ...more };
        const options = key();
        const { stored } = await writer.create(calendar, fields, options, openCall());
        const moved = await writer.update(
          calendar,
          stored.event.id,
          hours('2027-01-20'),
          { ...stored, notify: true },
          openCall(),
        );
        const again = await writer.create(calendar, fields, options, openCall());
        expect(again).toEqual({ existed: true, stored: moved });
      }
    });

    test('P09: the key of an event that is gone makes a new one', async () => {
      const { sandbox, provider, writer, calendar } = await start();
      const fields = { title: 'Phoenix', ...hours('2027-01-19') };
      const options = key();
      const { stored } = await writer.create(calendar, fields, options, openCall());
      await writer.delete(calendar, stored.event.id, { ...stored, notify: true }, openCall());
      const taken = { error: { code: 'ErrorDuplicateTransactionId', message: 'Taken.' } };
      const body = JSON.stringify(taken);
      const make = () => writer.create(calendar, fields, options, openCall());
      const anew = await during(sandbox, ['POST'], { status: 400, body, times: 1 }, make);
      expect(anew.existed).toBe(false);
      const again = await during(sandbox, ['POST'], { status: 400, body, times: 1 }, make);
      expect(again).toEqual({ existed: true, stored: anew.stored });
      expect(await seen(provider, '2027-01-19', '2027-01-20')).toHaveLength(1);
      const nowhere = { title: 'Nowhere', ...hours('2027-01-25') };
      await expect(
        during(sandbox, ['POST'], { status: 400, body }, () => writer.create(calendar, nowhere, key(), openCall())),
      ).rejects.toMatchObject({ code: 'CONFLICT', hint: expect.stringMatching(/another key/) });
    });

    test('an online meeting is one of Teams', async () => {
      const { writer, calendar, provider } = await start();
      const stored = await create({ title: 'Call', text: 'Agenda', ...hours('2027-01-21'), online: true });
      expect(stored.fields).toMatchObject({ online: true, text: 'Agenda' });
      expect(stored.event.join).toMatch(/^https:\/\/teams\.microsoft\.com\//);
      const options = { ...stored, notify: true };
      await expect(
        writer.update(calendar, stored.event.id, { online: false }, options, openCall()),
      ).rejects.toMatchObject({
        code: 'INPUT_INVALID',
      });
      const change = writer.update(calendar, stored.event.id, { text: 'Another & one' }, options, openCall());
      if (!viaChild) {
        expect(await change).toMatchObject({ fields: { online: true, text: 'Another & one' } });
        const [event] = await seen(provider, '2027-01-21', '2027-01-22');
        expect(event?.join).toBe(stored.event.join);
      } else
        await expect(change).rejects.toMatchObject({
          code: 'INPUT_INVALID',
          hint: expect.stringMatching(/leave out child/),
        });
      const plain = await create({ title: 'Plain', ...hours('2027-01-21') });
      const online = await writer.update(
        calendar,
        plain.event.id,
        { online: true },
        { ...plain, notify: true },
        openCall(),
      );
      expect(online.event.join).toMatch(/^https:\/\/teams\.microsoft\.com\//);
    });
  });

  describe('changing', () => {
    test('what is left out stays, and an empty value clears', async () => {
      const { writer, calendar } = await start();
      const before = await create({
        title: 'Before',
        ...hours('2027-02-01'),
        text: 'Text',
        location: 'Here',
        reminders: [5],
        categories: ['One'],
        sensitivity: 'confidential',
        online: false,
      });
      const { event, etag } = before;
      const moved = await writer.update(
        calendar,
        event.id,
        { start: timed('2027-02-01T12:00') },
        { etag, notify: false },
        openCall(),
      );
      expect(moved.fields).toEqual({
        ...before.fields,
        start: timed('2027-02-01T12:00'),
        // It takes the end along.
        end: timed('2027-02-01T13:00'),
      });
      const cleared = await writer.update(
        calendar,
        event.id,
        { text: '', location: '', reminders: [], categories: [], title: 'After' },
        { etag: moved.etag, notify: false },
        openCall(),
      );
      const { text: _text, location: _location, categories: _categories, ...rest } = moved.fields;
      expect(cleared.fields).toEqual({ ...rest, title: 'After', reminders: [] });
      const day = { start: date('2027-02-02'), end: date('2027-02-03') };
      const whole = await writer.update(calendar, event.id, day, { etag: cleared.etag, notify: false }, openCall());
      expect(whole.fields).toEqual({ ...cleared.fields, ...day });
      expect(await writer.update(calendar, event.id, {}, { etag: whole.etag, notify: false }, openCall())).toEqual(
        whole,
      );
      expect(await writer.get(calendar, event.id, openCall())).toEqual(whole);
    });

    test('P08: another version than was seen is a conflict, and nothing is changed', async () => {
      const { sandbox, writer, calendar } = await start();
      const stored = await create({ title: 'Seen', ...hours('2027-02-03') });
      const stale = { etag: stored.etag, notify: true };
      const now = await writer.update(calendar, stored.event.id, { title: 'Changed' }, stale, openCall());
      expect(now.etag).not.toBe(stored.etag);
      const before = writes(sandbox);
      for (const work of [
        () => writer.update(calendar, stored.event.id, { title: 'Lost' }, stale, openCall()),
        () => writer.delete(calendar, stored.event.id, stale, openCall()),
        () => writer.respond(calendar, stored.event.id, { ...stale, response: 'accepted' }, openCall()),
      ])
        await expect(work()).rejects.toMatchObject({ code: 'CONFLICT', account: 'xebia', hint: expect.any(String) });
      expect(writes(sandbox)).toBe(before);
      expect(await writer.get(calendar, stored.event.id, openCall())).toEqual(now);
    });

    test('P08: one that changes between the look and the change is a conflict as well, and not tried again', async () => {
      const { sandbox, writer, calendar } = await start();
      const stored = await create({ title: 'Race', ...hours('2027-02-04') });
      const options = { etag: stored.etag, notify: true };
      const kept = () => sandbox.data.mailboxes[0]?.calendars[0]?.events ?? [];
      /** Somebody else is faster by a hair: the request waits, and the event becomes another version meanwhile. */
      async function raced<T>(method: string, work: () => Promise<T>): Promise<unknown> {
        const asked = writes(sandbox);
        const done = during(sandbox, [method], { delayMs: 600, times: 1 }, () => thrownBy(work()));
        for (let tries = 0; tries < 100 && writes(sandbox) === asked; tries++)
          await new Promise((go) => setTimeout(go, 20));
        const events = kept();
        const at = events.findIndex(({ properties }) => properties.subject === 'Race');
        const found = events[at];
        if (found === undefined) throw new RangeError('not there');
        events[at] = { ...found, properties: { ...found.properties, changeKey: `${Date.now()}==` } };
        const thrown = await done;
        expect(writes(sandbox)).toBe(asked + 1);
        return thrown;
      }
      const { event } = stored;
      const changed = await raced('PATCH', () =>
        writer.update(calendar, event.id, { location: 'X' }, options, openCall()),
      );
      if (viaChild) expect(changed).toBe('nothing was thrown');
      else expect(changed).toMatchObject({ code: 'CONFLICT' });
      const now = await writer.get(calendar, event.id, openCall());
      const removed = await raced('DELETE', () =>
        writer.delete(calendar, event.id, { ...now, notify: true }, openCall()),
      );
      expect(removed).toMatchObject({ code: 'CONFLICT' });
    });

    test('what Microsoft refuses has its code and a way out; what may have been done is not done twice', async () => {
      const { sandbox, writer, calendar } = await start();
      const stored = await create({ title: 'Refused', ...hours('2027-02-05') });
      const options = { etag: stored.etag, notify: true };
      const change = (): Promise<unknown> =>
        thrownBy(writer.update(calendar, stored.event.id, { title: 'New' }, options, openCall(4_000)));
      const body = (code: string): string => JSON.stringify({ error: { code, message: 'Somebody’s words: secret' } });
      for (const [status, word, code] of [
        [403, 'ErrorAccessDenied', 'FORBIDDEN'],
        [404, 'ErrorItemNotFound', 'NOT_FOUND'],
        [409, 'ErrorConcurrentItemSave', 'CONFLICT'],
        [412, 'ErrorIrresolvableConflict', 'CONFLICT'],
        [400, 'ErrorPropertyValidationFailure', 'INPUT_INVALID'],
        [400, 'ErrorInvalidRecipients', 'INPUT_INVALID'],
        [400, 'ErrorOccurrenceCrossingBoundary', 'INPUT_INVALID'],
        [400, 'TimeZoneNotSupportedException', 'INPUT_INVALID'],
        [400, 'ErrorInvalidIdMalformed', 'NOT_FOUND'],
        [400, 'ErrorSomethingNew', 'INPUT_INVALID'],
        [500, 'ErrorInternalServerError', 'UNAVAILABLE'],
        [503, 'ErrorServerBusy', 'UNAVAILABLE'],
      ] as const) {
        const asked = writes(sandbox);
        const thrown = await during(sandbox, ['PATCH'], { status, body: body(word) }, change);
        expect(thrown, word).toMatchObject({ code, account: 'xebia', hint: expect.any(String) });
        expect(`${(thrown as Error).message} ${(thrown as { hint?: string }).hint}`, word).not.toMatch(
          /secret|read calendars/,
        );
        expect(writes(sandbox) - asked, word).toBe(1);
      }
      const asked = writes(sandbox);
      const lost = await during(sandbox, ['PATCH'], { dropAnswer: true }, change);
      expect(lost).toMatchObject({ code: 'UNAVAILABLE', hint: expect.any(String) });
      expect(writes(sandbox) - asked).toBe(1);
      const now = await writer.get(calendar, stored.event.id, openCall());
      expect(now.event.title).toBe('New');
      const slowed = await during(sandbox, ['PATCH'], { status: 429, headers: { 'retry-after': '0' }, times: 1 }, () =>
        writer.update(calendar, stored.event.id, { title: 'Newer' }, { ...now, notify: true }, openCall()),
      );
      expect(slowed.event.title).toBe('Newer');
    });

    test('P10: one occurrence is changed and called off by itself, the whole series with all that was changed in it kept', async () => {
      const { provider, writer, calendar } = await start();
      const series = await create({
        title: 'Weekly',
        start: timed('2027-06-07T08:00'),
        end: timed('2027-06-07T09:00'),
        recurrence: 'FREQ=WEEKLY;COUNT=5',
      });
      const on = async (): Promise<readonly CalendarEvent[]> => seen(provider, '2027-06-07', '2027-07-10');
      const [, second, third] = await on();
      const options = async (id: string) => ({ ...(await writer.get(calendar, id, openCall())), notify: true });
      const moved = await writer.update(
        calendar,
        second?.id ?? '',
        { title: 'Later', start: timed('2027-06-14T12:00') },
        await options(second?.id ?? ''),
        openCall(),
      );
      expect(moved).toMatchObject({
        isSeries: false,
        event: { kind: 'exception', recurrenceKey: second?.recurrenceKey },
      });
      await expect(
        writer.update(calendar, third?.id ?? '', hours('2027-06-29'), await options(third?.id ?? ''), openCall()),
      ).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(/day of the one before or after/),
      });
      await expect(
        writer.update(
          calendar,
          third?.id ?? '',
          { recurrence: 'FREQ=DAILY' },
          await options(third?.id ?? ''),
          openCall(),
        ),
      ).rejects.toMatchObject({ code: 'INPUT_INVALID', hint: expect.stringMatching(/whole series/) });
      await writer.delete(calendar, third?.id ?? '', await options(third?.id ?? ''), openCall());
      await expect(writer.get(calendar, third?.id ?? '', openCall())).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect((await on()).map(({ title }) => title)).toEqual(['Weekly', 'Later', 'Weekly', 'Weekly']);

      const { id } = series.event;
      // Without a new rule in it: the exceptions stay.
      const renamed = await writer.update(
        calendar,
        id,
        { location: 'Room', recurrence: 'RRULE:FREQ=WEEKLY;COUNT=5;WKST=SU' },
        await options(id),
        openCall(),
      );
      expect(renamed).toMatchObject({ isSeries: true, fields: { location: 'Room' } });
      expect((await on()).map(({ title, location }) => [title, location])).toEqual([
        ['Weekly', 'Room'],
        ['Later', 'Room'],
        ['Weekly', 'Room'],
        ['Weekly', 'Room'],
      ]);

      // An earlier end, as a split of the series needs it: what was changed before it stays changed.
      const until = { recurrence: 'FREQ=WEEKLY;BYDAY=MO;UNTIL=20270628T080000Z' };
      const ended = await writer.update(calendar, id, until, await options(id), openCall());
      expect(ended.fields.recurrence).toMatch(/UNTIL=/);
      expect((await on()).map(({ title }) => title)).toEqual(['Weekly', 'Later', 'Weekly']);

      await writer.delete(calendar, id, await options(id), openCall());
      expect(await on()).toEqual([]);
      await expect(writer.get(calendar, id, openCall())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('a series can be moved to another day and zone, and become one event', async () => {
      const { provider, writer, calendar } = await start();
      const made = await create({ title: 'Moves on', ...hours('2027-05-03'), recurrence: 'FREQ=DAILY;COUNT=2' });
      const to = {
        start: timed('2027-05-05T14:00', 'America/New_York'),
        end: timed('2027-05-05T15:00', 'America/New_York'),
      };
      const moved = await writer.update(calendar, made.event.id, to, { ...made, notify: true }, openCall());
      expect(moved.fields).toMatchObject({ ...to, recurrence: 'FREQ=DAILY;COUNT=2' });
      expect((await seen(provider, '2027-05-01', '2027-05-09')).map((each) => each.start)).toEqual([
        to.start,
        timed('2027-05-06T14:00', 'America/New_York'),
      ]);
      const change = writer.update(calendar, made.event.id, { recurrence: '' }, { ...moved, notify: true }, openCall());
      if (viaChild)
        return expect(change).rejects.toMatchObject({
          code: 'INPUT_INVALID',
          hint: expect.stringMatching(/leave out child/),
        });
      expect(await change).toMatchObject({ isSeries: false });
      expect(await seen(provider, '2027-05-01', '2027-05-09')).toHaveLength(1);
    });

    test('whoever stays invited keeps their answer, and a room is not lost', async () => {
      const { sandbox, writer, calendar } = await start();
      const made = await create({
        title: 'Crowd',
        ...hours('2027-02-08'),
        attendees: [{ email: COLLEAGUE }, { email: ROOM, name: 'Room 1', resource: true }],
      });
      const invited = await copyOf(made);
      await invited.writer.respond(
        invited.calendar,
        invited.copy.event.id,
        { ...invited.copy, response: 'accepted', notify: true },
        openCall(),
      );
      const now = await writer.get(calendar, made.event.id, openCall());
      const mailed = sandbox.mails.length;
      const more = await writer.update(
        calendar,
        made.event.id,
        { attendees: [{ email: COLLEAGUE.toUpperCase(), optional: true }, { email: 'new@elsewhere.example' }] },
        { ...now, notify: true },
        openCall(),
      );
      expect(more.event.attendees).toHaveLength(3);
      expect(more.event.attendees).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ email: ROOM, resource: true }),
          expect.objectContaining({ response: 'accepted', optional: true }),
          expect.objectContaining({ email: 'new@elsewhere.example' }),
        ]),
      );
      expect(sandbox.mails.slice(mailed)).toMatchObject([{ kind: 'invitation', to: 'new@elsewhere.example' }]);
      const none = await writer.update(
        calendar,
        made.event.id,
        { attendees: [] },
        { ...more, notify: true },
        openCall(),
      );
      expect(none.fields.attendees).toEqual([{ email: ROOM, name: 'Room 1', resource: true }]);
    });
  });

  describe('deleting', () => {
    test('those invited hear of it, and a lost answer is not a second deletion', async () => {
      const { sandbox, writer, calendar } = await start();
      const made = await create({ title: 'Off', ...hours('2027-02-09'), attendees: [{ email: COLLEAGUE }] });
      const mailed = sandbox.mails.length;
      const asked = writes(sandbox);
      const thrown = await during(sandbox, ['DELETE'], { dropAnswer: true }, () =>
        thrownBy(writer.delete(calendar, made.event.id, { ...made, notify: true }, openCall())),
      );
      expect(thrown).toMatchObject({ code: 'UNAVAILABLE' });
      expect(writes(sandbox) - asked).toBe(1);
      expect(sandbox.mails.slice(mailed)).toMatchObject([{ kind: 'cancellation', to: COLLEAGUE, subject: 'Off' }]);
      await expect(writer.delete(calendar, made.event.id, { ...made, notify: true }, openCall())).rejects.toMatchObject(
        {
          code: 'NOT_FOUND',
          hint: expect.stringMatching(/list/),
        },
      );
    });
  });

  describe('answering', () => {
    /** An invitation of the colleague's in this mailbox. */
    async function invite(title: string, day: string, more: EventFields = {}): Promise<StoredEvent> {
      const { colleague, provider, writer, calendar } = await start();
      const fields = { title, ...hours(day), attendees: [{ email: 'you@xebia.example' }], ...more };
      const theirs = await calendarOf(colleague);
      await writerOf(colleague).create(theirs, fields, key(), openCall());
      const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
      const found = (await seen(provider, day, next)).find((event) => event.title === title);
      return writer.get(calendar, found?.id ?? '', openCall());
    }

    test.each([
      ['accepted', '2027-02-10'],
      ['tentative', '2027-02-11'],
      ['declined', '2027-02-12'],
    ] as const)('an invitation is %s, and its organizer hears of it with a comment', async (response, day) => {
      const { sandbox, provider, writer, calendar } = await start();
      const invitation = await invite(`To be ${response}`, day);
      const mailed = sandbox.mails.length;
      const answered = await writer.respond(
        calendar,
        invitation.event.id,
        { ...invitation, response, comment: 'See you & yours', notify: true },
        openCall(),
      );
      expect(answered.event).toMatchObject({ title: `To be ${response}`, myResponse: response });
      expect(sandbox.mails.slice(mailed)).toMatchObject([
        { kind: 'response', to: COLLEAGUE, from: 'you@xebia.example', comment: 'See you & yours' },
      ]);
      const left = await seen(provider, day, `2027-02-${Number(day.slice(-2)) + 1}`);
      expect(left.map(({ myResponse }) => myResponse)).toEqual(response === 'declined' ? [] : [response]);
    });

    test('nobody is mailed who is not to be', async () => {
      const { sandbox, writer, calendar } = await start();
      const invitation = await invite('Quietly', '2027-02-15');
      const mailed = sandbox.mails.length;
      const options = { ...invitation, response: 'accepted', comment: 'Not sent', notify: false } as const;
      const { event } = await writer.respond(calendar, invitation.event.id, options, openCall());
      expect(event.myResponse).toBe('accepted');
      expect(sandbox.mails.length).toBe(mailed);
    });

    test('one’s own meeting is not answered, and somebody else’s not rearranged', async () => {
      const { sandbox, writer, calendar } = await start();
      const own = await create({ title: 'Mine', ...hours('2027-02-16'), attendees: [{ email: COLLEAGUE }] });
      const theirs = await invite('Theirs', '2027-02-17');
      const asked = writes(sandbox);
      await expect(
        writer.respond(calendar, own.event.id, { ...own, response: 'accepted', notify: true }, openCall()),
      ).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringMatching(/your own meeting/) });
      const options = { ...theirs, notify: true };
      await expect(
        writer.update(calendar, theirs.event.id, { attendees: [] }, options, openCall()),
      ).rejects.toMatchObject({ code: 'INPUT_INVALID', hint: expect.stringMatching(/organizer/) });
      expect(writes(sandbox)).toBe(asked);
      const mine = await writer.update(calendar, theirs.event.id, { reminders: [90] }, options, openCall());
      expect(mine.fields.reminders).toEqual([90]);
    });
  });

  test('what Outlook cannot hold is refused before anything is asked', async () => {
    const { sandbox, writer, calendar } = await start();
    const asked = sandbox.requests.length;
    const times = hours('2027-02-18');
    for (const fields of [
      { ...times, color: 'red' },
      { ...times, reminders: [5, 10] },
      { ...times, reminders: [-1] },
      { ...times, type: 'focusTime' },
      { ...times, type: 'outOfOffice', busy: 'free' },
      { ...times, type: 'workingLocation' },
      { ...times, type: 'workingLocation', location: 'office: 3rd floor' },
      { ...times, recurrence: 'FREQ=MONTHLY;BYMONTHDAY=1,15' },
      { ...times, recurrence: 'nonsense' },
      { ...times, start: timed('2027-02-18T09:00', '+01:00'), recurrence: 'FREQ=DAILY;COUNT=2' },
      { ...times, end: timed('2027-02-18T08:00') },
      { ...times, end: date('2027-02-19') },
      { start: date('2027-02-18'), end: date('2027-02-18') },
      { title: 'Never' },
      { ...times, attendees: Array.from({ length: 501 }, (_, index) => ({ email: `a${index}@xebia.example` })) },
    ] as const satisfies EventFields[]) {
      await expect(
        writer.create(calendar, fields, key(), openCall()),
        JSON.stringify(fields).slice(0, 200),
      ).rejects.toMatchObject({ code: 'INPUT_INVALID', account: 'xebia', hint: expect.any(String) });
      expect(() => writer.check(fields)).toThrow();
    }
    expect(sandbox.requests.length).toBe(asked);
  });

  test('a calendar that one may only look at, and one without online meetings, say so', async () => {
    const { provider, writer } = await start();
    const [readOnly, offline] = [await calendarOf(provider, 'Read only'), await calendarOf(provider, 'Without Teams')];
    await expect(writer.create(readOnly, hours('2027-02-19'), key(), openCall())).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/change this calendar/),
    });
    await expect(
      writer.create(offline, { ...hours('2027-02-19'), online: true }, key(), openCall()),
    ).rejects.toMatchObject({ code: 'INPUT_INVALID', hint: expect.stringMatching(/leave out online/) });
    const { stored } = await writer.create(offline, { title: 'There', ...hours('2027-02-19') }, key(), openCall());
    expect(stored.event.calendar.name).toBe('Without Teams');
  });
}
