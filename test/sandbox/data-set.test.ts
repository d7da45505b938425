import { expect, test } from 'vitest';
import { calendar, createDataSet, event, mailbox, type SandboxEvent, weekly } from '../../src/sandbox/index.ts';
import { weekOf } from './client.ts';

const data = createDataSet(weekOf);

const eventsOf = (username: string): SandboxEvent[] =>
  data.mailboxes
    .filter((each) => each.username === username)
    .flatMap(({ calendars }) => calendars.flatMap(({ events }) => events));

const named = (username: string, subject: string) =>
  eventsOf(username).filter(({ properties }) => properties.subject === subject);

test('starts on a Monday only', () => {
  expect(() => createDataSet('2026-11-24')).toThrow(RangeError);
});

test('is the same every time', () => {
  expect(createDataSet(weekOf)).toEqual(data);
});

test('has a stand-up every weekday but the deleted one, and one that moved to another day', () => {
  const standUps = named('you@xebia.example', 'Stand-up');
  expect(standUps).toHaveLength(9);
  expect(standUps.some(({ start }) => start.startsWith('2026-12-01'))).toBe(false);
  const moved = standUps.filter(({ properties }) => properties.type === 'exception');
  expect(moved).toMatchObject([
    { start: '2026-11-26T12:00:00Z', properties: { originalStart: '2026-11-25T08:00:00Z' } },
  ]);
  expect(new Set(standUps.map(({ seriesMaster }) => seriesMaster?.id)).size).toBe(1);
});

test('has one meeting in two mailboxes whose uids differ in the instance date only', () => {
  const mine = named('you@xebia.example', 'Steering committee');
  const theirs = named('you@marimer.example', 'Steering committee');
  expect(mine.map(({ start }) => start)).toEqual(theirs.map(({ start }) => start));
  expect(mine.map(({ properties }) => properties.iCalUId?.slice(32, 40))).toEqual(['07EA0B18', '07EA0C01']);
  expect(theirs.map(({ properties }) => properties.iCalUId?.slice(32, 40))).toEqual(['00000000', '00000000']);
  const rest = (events: SandboxEvent[]) =>
    new Set(events.map(({ properties }) => `${properties.iCalUId?.slice(0, 32)} ${properties.iCalUId?.slice(40)}`));
  expect(rest([...mine, ...theirs]).size).toBe(1);
  expect(mine[0]?.properties.iCalUId).toMatch(/^040000008200E00074C5B7101A82E008[0-9A-F]{80}$/);
  expect(mine[0]?.properties.isOrganizer).toBe(true);
  expect(theirs[0]?.properties).toMatchObject({
    isOrganizer: false,
    organizer: { emailAddress: { address: 'you@xebia.example' } },
  });
});

test.each(['2026-11-23', '2026-03-23', '2026-10-19'])('has one true double booking in the weeks from %s', (monday) => {
  const busy = createDataSet(monday)
    .mailboxes.filter(({ username }) => username.startsWith('you@'))
    .flatMap(({ calendars }) => calendars.flatMap(({ events }) => events))
    .filter(({ isAllDay, properties }) => !isAllDay && properties.showAs !== 'free' && !properties.isCancelled);
  const pairs = busy.flatMap((one, index) =>
    busy
      .slice(index + 1)
      .filter((other) => one.start < other.end && other.start < one.end)
      .map((other) => [one.properties.subject, other.properties.subject]),
  );
  expect(pairs.filter(([one, other]) => one !== other)).toEqual([['Retrospective', 'Aurora go/no-go']]);
});

test('has one of everything that is awkward in a calendar', () => {
  const events = eventsOf('you@xebia.example');
  const some = (wanted: (event: SandboxEvent) => boolean) => expect(events.some(wanted)).toBe(true);
  some(({ properties }) => properties.subject === null);
  some(({ properties }) => properties.isCancelled);
  some(({ properties }) => properties.sensitivity === 'private');
  some(({ properties }) => properties.responseStatus.response === 'declined' && properties.showAs === 'free');
  some(({ properties }) => properties.responseStatus.response === 'notResponded');
  some(({ properties }) => properties.originalStartTimeZone === 'tzone://Microsoft/Custom');
  some(({ properties }) => properties.originalStartTimeZone === 'Eastern Standard Time');
  some(({ properties }) => properties.onlineMeeting !== null);
  some(({ start, end, isAllDay }) => !isAllDay && start.slice(0, 10) !== end.slice(0, 10));
  some(({ start, end, isAllDay }) => isAllDay && Date.parse(end) - Date.parse(start) === 3 * 86_400_000);
  some(({ end }) => events.some(({ start }) => start === end));
  for (const showAs of ['free', 'tentative', 'busy', 'oof', 'workingElsewhere'] as const) {
    some(({ properties }) => properties.showAs === showAs);
  }
  expect(data.mailboxes.find(({ username }) => username === 'you@northwind.example')?.calendars).toHaveLength(6);
});

test('a weekly series keeps its local time over a change of the clocks', () => {
  const starts = weekly({ subject: 'Weekly', start: '2026-10-19T09:00', end: '2026-10-19T10:00', weeks: 2 }).map(
    ({ start }) => start,
  );
  expect(starts).toEqual(['2026-10-19T07:00:00Z', '2026-10-26T08:00:00Z']);
});

test('a mailbox owns the events that name no organizer', () => {
  const own = event({ subject: 'Own', start: '2026-11-23T09:00', end: '2026-11-23T10:00' });
  const { calendars } = mailbox('bench@xebia.example', [calendar('Calendar', [own])]);
  expect(calendars[0]?.events[0]?.properties.organizer.emailAddress.address).toBe('bench@xebia.example');
});
