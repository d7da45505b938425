import { expect, test } from 'vitest';
import { createDataSet, createGoogleDataSet, type GoogleEvent, googleCalendarIds } from '../../src/sandbox/index.ts';
import { openSandbox, weekOf } from './client.ts';
import { googleToken, list } from './google-client.ts';

const data = createGoogleDataSet(weekOf);
const twoWeeks = { timeMin: '2026-11-22T23:00:00Z', timeMax: '2026-12-06T23:00:00Z', timeZone: 'UTC' };
const events = data.calendars.flatMap((calendar) => calendar.events);

test('is the same every time, and starts on a Monday only', () => {
  expect(createGoogleDataSet(weekOf)).toEqual(data);
  expect(() => createGoogleDataSet('2026-11-24')).toThrow(RangeError);
});

test('has the steering committee of the Microsoft mailboxes, the same instances under the same uid', async () => {
  const sandbox = await openSandbox();
  const token = await googleToken(sandbox, 'calendar.readonly', 'you@harbor.example');
  const { items } = (await list(sandbox, token, { ...twoWeeks, q: 'steering', orderBy: 'startTime' })).body;
  const theirs = createDataSet(weekOf)
    .mailboxes.filter(({ username }) => username === 'you@marimer.example')
    .flatMap(({ calendars }) => calendars.flatMap((calendar) => calendar.events))
    .filter(({ properties }) => properties.subject === 'Steering committee');
  expect(items.map(({ iCalUID }) => iCalUID)).toEqual(theirs.map(({ properties }) => properties.iCalUId));
  expect(items.map(({ originalStartTime }) => (originalStartTime as { dateTime: string }).dateTime)).toEqual(
    theirs.map(({ properties }) => properties.originalStart),
  );
});

test.each(['2026-11-23', '2026-03-23', '2026-10-19'])(
  'adds no double booking to the Microsoft mailboxes in the weeks from %s',
  async (monday) => {
    const sandbox = await openSandbox({ weekOf: monday });
    const from = new Date(`${monday}T00:00:00Z`);
    const window = { timeMin: from.toISOString(), timeMax: new Date(from.getTime() + 14 * 86_400_000).toISOString() };
    const mine: { name: string; start: string; end: string }[] = sandbox.data.mailboxes
      .filter(({ username }) => username.startsWith('you@'))
      .flatMap(({ calendars }) => calendars.flatMap((calendar) => calendar.events))
      .filter(({ isAllDay, properties }) => !isAllDay && properties.showAs !== 'free' && !properties.isCancelled)
      .map(({ start, end, properties }) => ({ name: String(properties.subject), start, end }));
    for (const username of ['you@home.example', 'you@harbor.example']) {
      const token = await googleToken(sandbox, 'calendar.readonly', username);
      const own = username === googleCalendarIds.home ? [username, googleCalendarIds.family] : [username];
      for (const id of own) {
        const { items } = (await list(sandbox, token, { ...window, timeZone: 'UTC' }, id)).body;
        for (const { start, end, summary, transparency, attendees } of items) {
          const declined = (attendees as { self?: boolean; responseStatus: string }[] | undefined)?.some(
            ({ self, responseStatus }) => self === true && responseStatus === 'declined',
          );
          const times = [start, end].map((moment) => (moment as { dateTime?: string }).dateTime);
          if (times[0] === undefined || times[1] === undefined || transparency === 'transparent' || declined) continue;
          mine.push({ name: String(summary), start: times[0], end: times[1] });
        }
      }
    }
    const pairs = mine.flatMap((one, index) =>
      mine
        .slice(index + 1)
        .filter((other) => one.start < other.end && other.start < one.end && one.name !== other.name)
        .map((other) => [one.name, other.name]),
    );
    expect(pairs).toEqual([['Retrospective', 'Aurora go/no-go']]);
  },
);

test('has one of everything that is awkward in a calendar', () => {
  const some = (wanted: (event: GoogleEvent) => boolean | undefined) => expect(events.some(wanted)).toBe(true);
  for (const type of ['default', 'outOfOffice', 'focusTime', 'workingLocation', 'birthday', 'fromGmail']) {
    some(({ properties }) => properties.eventType === type);
  }
  for (const response of ['needsAction', 'declined', 'tentative', 'accepted']) {
    some(({ properties }) => properties.attendees?.some((each) => each.responseStatus === response));
  }
  some(({ exception, properties }) => exception !== undefined && properties.status === 'cancelled');
  some(({ exception, properties }) => exception !== undefined && properties.status === 'confirmed');
  some(({ properties }) => properties.summary === undefined);
  some(({ properties }) => properties.status === 'tentative');
  some(({ properties }) => properties.attendees?.length === 200 && properties.attendeesOmitted);
  some(({ properties }) => properties.guestsCanSeeOtherGuests === false);
  some(({ start }) => 'instant' in start && start.timeZone === 'America/Vancouver');
  some(
    ({ start, end }) =>
      'date' in start && 'date' in end && Date.parse(end.date) - Date.parse(start.date) === 2 * 86_400_000,
  );
  some(({ start, properties }) => 'instant' in start && properties.eventType === 'workingLocation');
  some(({ start, properties }) => 'date' in start && properties.eventType === 'workingLocation');
});

test('has two clients of one account each, and one that both share', async () => {
  const sandbox = await openSandbox();
  expect(sandbox.google.data.clients.filter(({ deleted }) => deleted !== true)).toHaveLength(3);
  const [home, harbor] = [await googleToken(sandbox), await googleToken(sandbox, 'calendar', 'you@harbor.example')];
  expect((await list(sandbox, home)).body).toMatchObject({ summary: 'you@home.example' });
  expect((await list(sandbox, harbor)).body).toMatchObject({ summary: 'you@harbor.example' });
});
