import { describe, expect, test } from 'vitest';
import { errorOf, type Json, type Reply } from './client.ts';
import { type EventReply, on, openWriter, type Writer } from './graph-writer.ts';

const refusal = (reply: Reply) => [reply.status, errorOf(reply).code];
const starts = (events: readonly EventReply[]) => events.map(({ start }) => start.dateTime.slice(0, 16));
const days = (events: readonly EventReply[]) => events.map(({ start }) => start.dateTime.slice(0, 10));

/** Mondays at ten, six of them, in winter time: 7 December to 11 January. */
const weekly = {
  subject: 'Weekly',
  ...on('2026-12-07', '10:00', '11:00'),
  recurrence: {
    pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday'], firstDayOfWeek: 'monday' },
    range: { type: 'numbered', startDate: '2026-12-07', numberOfOccurrences: 6 },
  },
};
const range = ['2026-12-01', '2027-02-01'] as const;
const six = ['2026-12-07', '2026-12-14', '2026-12-21', '2026-12-28', '2027-01-04', '2027-01-11'];

const repeated = (startDate: string, pattern: Json, rest: Json = { type: 'noEnd' }, timeZone = 'Europe/Amsterdam') => ({
  subject: 'Repeated',
  ...on(startDate, '10:00', '11:00', timeZone),
  recurrence: { pattern, range: { startDate, ...rest } },
});

describe('a series', () => {
  test('is a master with all that Graph shows of a recurrence, and occurrences in view and instances', async () => {
    const { create, event, view, instances } = await openWriter();
    const { id } = await create(weekly);
    const master = await event(id);
    expect(master).toMatchObject({ type: 'seriesMaster', seriesMasterId: null });
    expect(master.recurrence).toEqual({
      pattern: {
        type: 'weekly',
        interval: 1,
        month: 0,
        dayOfMonth: 0,
        daysOfWeek: ['monday'],
        firstDayOfWeek: 'monday',
        index: 'first',
      },
      range: {
        type: 'numbered',
        startDate: '2026-12-07',
        endDate: '0001-01-01',
        recurrenceTimeZone: 'Europe/Amsterdam',
        numberOfOccurrences: 6,
      },
    });
    const seen = await view('2026-12-05', range[1]);
    expect(days(seen)).toEqual(six);
    expect(seen).toEqual(await instances(id, ...range));
    for (const each of seen) {
      expect(each).toMatchObject({ type: 'occurrence', seriesMasterId: id, recurrence: null, subject: 'Weekly' });
      expect(await event(each.id)).toMatchObject(each);
    }
    expect(seen[1]?.originalStart).toBe('2026-12-14T09:00:00Z');
    expect(new Set(seen.map(({ iCalUId }) => iCalUId)).size).toBe(6);
    expect(String(seen[1]?.iCalUId).slice(32, 40)).toBe('07EA0C0E');
    expect(String(master.iCalUId).slice(32, 40)).toBe('00000000');
  });

  test('is in the list of events as a master alone', async () => {
    const { create, send } = await openWriter();
    await create(weekly);
    const { body } = await send('GET', '/events?$top=100&$select=subject,type');
    const listed = body.value as Json[];
    expect(listed.filter(({ subject }) => subject === 'Weekly')).toMatchObject([{ type: 'seriesMaster' }]);
    expect(listed.filter(({ subject }) => subject === 'Stand-up')).toMatchObject([{ type: 'seriesMaster' }]);
  });

  test.each([
    ['Europe/Amsterdam', '2026-10-19', ['08:00', '09:00', '09:00']],
    ['W. Europe Standard Time', '2026-10-19', ['08:00', '09:00', '09:00']],
    ['America/New_York', '2026-10-19', ['14:00', '14:00', '15:00']],
    ['Eastern Standard Time', '2026-10-19', ['14:00', '14:00', '15:00']],
  ])('in %s keeps its local time when the clocks change', async (zone, start, hours) => {
    const { create, instances } = await openWriter();
    const pattern = { type: 'weekly', interval: 1, daysOfWeek: ['monday'] };
    const { id } = await create(repeated(start, pattern, { type: 'endDate', endDate: '2026-11-02' }, zone));
    const seen = await instances(id, '2026-10-01', '2026-12-01');
    expect(starts(seen)).toEqual([`2026-10-19T${hours[0]}`, `2026-10-26T${hours[1]}`, `2026-11-02T${hours[2]}`]);
  });

  test.each<[string, string, Json, string[]]>([
    ['every third day', '2026-12-07', { type: 'daily', interval: 3 }, ['2026-12-07', '2026-12-10', '2026-12-13']],
    [
      'Tuesdays and Fridays of every other week that begins on Sunday',
      '2026-12-08',
      { type: 'weekly', interval: 2, daysOfWeek: ['friday', 'tuesday'], firstDayOfWeek: 'sunday' },
      ['2026-12-08', '2026-12-11', '2026-12-22', '2026-12-25'],
    ],
    [
      'Sundays and Mondays of every other week that begins on Sunday',
      '2026-12-06',
      { type: 'weekly', interval: 2, daysOfWeek: ['sunday', 'monday'], firstDayOfWeek: 'sunday' },
      ['2026-12-06', '2026-12-07', '2026-12-20', '2026-12-21'],
    ],
    [
      'Sundays and Mondays of every other week that begins on Monday',
      '2026-12-06',
      { type: 'weekly', interval: 2, daysOfWeek: ['sunday', 'monday'], firstDayOfWeek: 'monday' },
      ['2026-12-06', '2026-12-14', '2026-12-20', '2026-12-28'],
    ],
    [
      'the 31st, or the last day of a month that has none',
      '2026-10-31',
      { type: 'absoluteMonthly', interval: 1, dayOfMonth: 31 },
      ['2026-10-31', '2026-11-30', '2026-12-31'],
    ],
    [
      'the second Thursday of every other month',
      '2026-12-10',
      { type: 'relativeMonthly', interval: 2, daysOfWeek: ['thursday'], index: 'second' },
      ['2026-12-10', '2027-02-11', '2027-04-08'],
    ],
    [
      'the last working day of the month',
      '2026-10-30',
      {
        type: 'relativeMonthly',
        interval: 1,
        daysOfWeek: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
        index: 'last',
      },
      ['2026-10-30', '2026-11-30', '2026-12-31'],
    ],
    [
      '29 February, or the 28th',
      '2028-02-29',
      { type: 'absoluteYearly', interval: 1, dayOfMonth: 29, month: 2 },
      ['2028-02-29', '2029-02-28', '2030-02-28'],
    ],
    [
      'the first Monday of September',
      '2026-09-07',
      { type: 'relativeYearly', interval: 1, daysOfWeek: ['monday'], month: 9, index: 'first' },
      ['2026-09-07', '2027-09-06', '2028-09-04'],
    ],
  ])('on %s', async (_, start, pattern, expected) => {
    const { create, instances } = await openWriter();
    const range = { type: 'numbered', numberOfOccurrences: expected.length };
    const { id } = await create(repeated(start, pattern, range));
    const years = Number(expected.at(-1)?.slice(0, 4)) + 1;
    const first = await instances(id, start, `${Math.min(years, Number(start.slice(0, 4)) + 4)}-01-01`);
    expect(days(first)).toEqual(expected);
  });

  test('of whole days without end is there years later', async () => {
    const { create, instances } = await openWriter();
    const { id } = await create({
      ...repeated('2026-12-07', { type: 'weekly', interval: 1, daysOfWeek: ['monday'] }),
      isAllDay: true,
      ...on('2026-12-07', '00:00', '00:00'),
      end: { dateTime: '2026-12-08T00:00:00', timeZone: 'Europe/Amsterdam' },
    });
    expect(days(await instances(id, '2030-12-01', '2030-12-15'))).toEqual(['2030-12-02', '2030-12-09']);
  });

  test('whose start does not fit its pattern begins at the first date that does', async () => {
    const { create, instances } = await openWriter();
    const made = await create(repeated('2026-12-07', { type: 'weekly', interval: 1, daysOfWeek: ['wednesday'] }));
    expect(made.start.dateTime).toBe('2026-12-09T09:00:00.0000000');
    expect(days(await instances(made.id, '2026-12-01', '2026-12-20'))).toEqual(['2026-12-09', '2026-12-16']);
  });

  test.each<[string, Json]>([
    ['begins on another date than the event', { range: { ...weekly.recurrence.range, startDate: '2026-12-08' } }],
    ['is in another zone', { range: { ...weekly.recurrence.range, recurrenceTimeZone: 'Europe/London' } }],
    ['has no interval', { pattern: { ...weekly.recurrence.pattern, interval: undefined } }],
    ['has no weekdays', { pattern: { ...weekly.recurrence.pattern, daysOfWeek: [] } }],
    ['has a day of the month that it does not need', { pattern: { ...weekly.recurrence.pattern, dayOfMonth: 7 } }],
    ['ends before it begins', { range: { ...weekly.recurrence.range, type: 'endDate', endDate: '2026-12-01' } }],
    ['has no number', { range: { type: 'numbered', startDate: '2026-12-07' } }],
  ])('is refused when it %s', async (_, wrong) => {
    const { send } = await openWriter();
    const reply = await send('POST', '/events', { ...weekly, recurrence: { ...weekly.recurrence, ...wrong } });
    expect(refusal(reply)).toEqual([400, 'ErrorPropertyValidationFailure']);
  });

  test('is refused without a range, and with a pattern of an unknown type', async () => {
    const { send } = await openWriter();
    const { pattern, range } = weekly.recurrence;
    expect((await send('POST', '/events', { ...weekly, recurrence: { pattern } })).status).toBe(400);
    const hourly = { pattern: { ...pattern, type: 'hourly' }, range };
    expect((await send('POST', '/events', { ...weekly, recurrence: hourly })).status).toBe(400);
  });
});

/** A series of which the second is an exception and the third is gone. */
async function openBroken(options: Parameters<typeof openWriter>[0] = {}) {
  const writer = await openWriter(options);
  const { id } = await writer.create(weekly);
  const [, second, third] = await writer.instances(id, ...range);
  const patched = await writer.send('PATCH', `/events/${second?.id}`, {
    subject: 'Special',
    ...on('2026-12-15', '15:00', '16:00'),
  });
  expect(patched.status).toBe(200);
  expect((await writer.send('DELETE', `/events/${third?.id}`)).status).toBe(204);
  return { ...writer, id, second, third };
}

const shape = async ({ instances, id }: Writer & { id: string }) =>
  (await instances(id, ...range)).map(({ type, subject, start }) => [start.dateTime.slice(5, 16), type, subject]);

describe('an occurrence', () => {
  test('that is changed is an exception with the id and the uid it had; one that is deleted is gone', async () => {
    const broken = await openBroken();
    expect(await shape(broken)).toEqual([
      ['12-07T09:00', 'occurrence', 'Weekly'],
      ['12-15T14:00', 'exception', 'Special'],
      ['12-28T09:00', 'occurrence', 'Weekly'],
      ['01-04T09:00', 'occurrence', 'Weekly'],
      ['01-11T09:00', 'occurrence', 'Weekly'],
    ]);
    const { second, third, event, send, id } = broken;
    expect(await event(second?.id ?? '')).toMatchObject({
      id: second?.id,
      iCalUId: second?.iCalUId,
      originalStart: '2026-12-14T09:00:00Z',
      seriesMasterId: id,
    });
    expect((await send('GET', `/events/${third?.id}`)).status).toBe(404);
    const { body } = await send('GET', `/events/${id}?$select=subject,cancelledOccurrences`);
    expect(body.cancelledOccurrences).toEqual([`OID.${id}.2026-12-21`]);
  });

  test.each(['2026-12-07', '2026-12-05', '2026-12-21', '2026-12-30'])(
    'is not moved to the day of its neighbour or past it: %s',
    async (day) => {
      const { create, instances, send } = await openWriter();
      const { id } = await create(weekly);
      const [, second] = await instances(id, ...range);
      const reply = await send('PATCH', `/events/${second?.id}`, on(day, '18:00', '19:00'));
      expect(refusal(reply)).toEqual([400, 'ErrorOccurrenceCrossingBoundary']);
    },
  );

  test('takes no recurrence, but the null that Graph gave', async () => {
    const { create, instances, send } = await openWriter();
    const { id } = await create(weekly);
    const [first] = await instances(id, ...range);
    const { recurrence } = weekly;
    expect((await send('PATCH', `/events/${first?.id}`, { recurrence })).status).toBe(400);
    expect((await send('PATCH', `/events/${first?.id}`, { recurrence: null, subject: 'One' })).body).toMatchObject({
      type: 'exception',
      subject: 'One',
    });
  });

  test('has the etag of its series: a change of another one makes it stale', async () => {
    const { create, instances, send } = await openWriter();
    const { id } = await create(weekly);
    const [first, second] = await instances(id, ...range);
    await send('PATCH', `/events/${first?.id}`, { subject: 'One' });
    const stale = { 'if-match': String(second?.['@odata.etag']) };
    expect((await send('PATCH', `/events/${second?.id}`, { subject: 'Two' }, stale)).status).toBe(412);
  });
});

describe('a change of the master', () => {
  test('of the subject reaches all occurrences, but for what an exception says itself', async () => {
    const broken = await openBroken();
    const { send, id } = broken;
    await send('PATCH', `/events/${id}`, { subject: 'Renamed', location: { displayName: 'Room 2' } });
    expect((await shape(broken)).map(([, , subject]) => subject)).toEqual([
      'Renamed',
      'Special',
      'Renamed',
      'Renamed',
      'Renamed',
    ]);
    const places = (await broken.instances(id, ...range)).map(({ location }) => location);
    expect(places).toEqual(Array.from({ length: 5 }, () => ({ displayName: 'Room 2' })));
  });

  test('of the time of day takes all exceptions, and brings back what was deleted', async () => {
    const broken = await openBroken();
    await broken.send('PATCH', `/events/${broken.id}`, on('2026-12-07', '11:00', '12:00'));
    expect(await shape(broken)).toEqual(six.map((day) => [`${day.slice(5)}T10:00`, 'occurrence', 'Weekly']));
  });

  test('of the pattern takes all exceptions', async () => {
    const broken = await openBroken();
    const recurrence = {
      pattern: { ...weekly.recurrence.pattern, interval: 2 },
      range: { type: 'numbered', startDate: '2026-12-07', numberOfOccurrences: 3 },
    };
    await broken.send('PATCH', `/events/${broken.id}`, { recurrence });
    expect((await shape(broken)).map(([day, type]) => [day, type])).toEqual([
      ['12-07T09:00', 'occurrence'],
      ['12-21T09:00', 'occurrence'],
      ['01-04T09:00', 'occurrence'],
    ]);
  });

  const shorter = {
    recurrence: {
      pattern: weekly.recurrence.pattern,
      range: { type: 'endDate', startDate: '2026-12-07', endDate: '2026-12-28' },
    },
  };

  test('of the range keeps the exceptions that are left in it', async () => {
    const broken = await openBroken();
    expect((await broken.send('PATCH', `/events/${broken.id}`, shorter)).status).toBe(200);
    expect((await shape(broken)).map(([day, type]) => [day, type])).toEqual([
      ['12-07T09:00', 'occurrence'],
      ['12-15T14:00', 'exception'],
      ['12-28T09:00', 'occurrence'],
    ]);
  });

  test('of the range takes the exceptions where the sandbox is told so', async () => {
    const broken = await openBroken({ graphRules: { exceptionsOnRangeChange: 'lost' } });
    await broken.send('PATCH', `/events/${broken.id}`, shorter);
    expect((await shape(broken)).map(([day, type]) => [day, type])).toEqual([
      ['12-07T09:00', 'occurrence'],
      ['12-14T09:00', 'occurrence'],
      ['12-21T09:00', 'occurrence'],
      ['12-28T09:00', 'occurrence'],
    ]);
  });

  test('to another zone needs the recurrence with it', async () => {
    const { create, send, instances } = await openWriter();
    const { id } = await create(weekly);
    const newYork = on('2026-12-07', '10:00', '11:00', 'America/New_York');
    expect(refusal(await send('PATCH', `/events/${id}`, newYork))).toEqual([400, 'ErrorPropertyValidationFailure']);
    const { recurrence } = weekly;
    expect((await send('PATCH', `/events/${id}`, { ...newYork, recurrence })).status).toBe(200);
    expect(starts(await instances(id, ...range))[0]).toBe('2026-12-07T15:00');
  });

  test('can make one event of it, and of one event a series', async () => {
    const { create, send, view } = await openWriter();
    const { id } = await create(weekly);
    expect((await send('PATCH', `/events/${id}`, { recurrence: null })).body).toMatchObject({
      id,
      type: 'singleInstance',
    });
    expect(days(await view(...range)).filter((day) => day > '2026-12-06')).toEqual(['2026-12-07']);
    const { recurrence } = weekly;
    expect((await send('PATCH', `/events/${id}`, { recurrence })).body).toMatchObject({ id, type: 'seriesMaster' });
    expect(days(await view(...range)).filter((day) => day > '2026-12-06')).toEqual(six);
  });

  test('by deleting it takes all occurrences', async () => {
    const { id, send, view } = await openBroken();
    expect((await send('DELETE', `/events/${id}`)).status).toBe(204);
    expect(days(await view('2026-12-07', '2027-02-01'))).toEqual([]);
  });
});

describe('a series of the data set', () => {
  async function openStandUp(username = 'you@xebia.example') {
    const writer = await openWriter({ username });
    const standUps = async () =>
      (await writer.view('2026-11-23', '2026-12-07')).filter(({ subject }) => String(subject).includes('tand-up'));
    const [first] = await standUps();
    return { ...writer, standUps, master: String(first?.seriesMasterId) };
  }

  test('has a master with the rule it was made by', async () => {
    const { event, master, instances, standUps } = await openStandUp();
    expect(await event(master)).toMatchObject({
      type: 'seriesMaster',
      start: { dateTime: '2026-11-23T08:00:00.0000000' },
      recurrence: {
        pattern: { type: 'weekly', daysOfWeek: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] },
        range: { type: 'endDate', startDate: '2026-11-23', endDate: '2026-12-04' },
      },
    });
    const ids = (events: readonly EventReply[]) => events.map(({ id, start, type }) => ({ id, start, type }));
    expect(ids(await instances(master, '2026-11-23', '2026-12-07'))).toEqual(ids(await standUps()));
  });

  test('keeps its ids and uids when it is written to, and its exception and its gap', async () => {
    const { send, standUps, master } = await openStandUp();
    const before = await standUps();
    const last = before.at(-1);
    expect((await send('PATCH', `/events/${last?.id}`, { categories: ['Project'] })).body.type).toBe('exception');
    await send('PATCH', `/events/${master}`, { showAs: 'free' });
    const after = await standUps();
    const kept = ({ id, iCalUId, start, seriesMasterId }: EventReply) => ({ id, iCalUId, start, seriesMasterId });
    expect(after.map(kept)).toEqual(before.map(kept));
    expect(after.map(({ showAs }) => showAs)).toEqual(before.map(() => 'free'));
    expect(after.filter(({ type }) => type === 'exception')).toHaveLength(2);
  });

  test('loses an occurrence that is deleted, and takes an answer to one', async () => {
    const { send, standUps } = await openStandUp();
    const [first, second] = await standUps();
    expect((await send('DELETE', `/events/${first?.id}`)).status).toBe(204);
    expect((await send('POST', `/events/${second?.id}/tentativelyAccept`, { sendResponse: false })).status).toBe(202);
    const left = await standUps();
    expect(left).toHaveLength(8);
    expect(left[0]).toMatchObject({
      id: second?.id,
      showAs: 'tentative',
      responseStatus: { response: 'tentativelyAccepted' },
    });
    expect(left[1]).toMatchObject({ responseStatus: { response: 'accepted' } });
  });
});
