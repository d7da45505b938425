/** What was called off is called off again, and nothing else is ever deleted. */
import { expect, test } from 'vitest';
import type { EventWriter, StoredEvent } from '../../src/core/change.ts';
import type { CalendarEvent } from '../../src/core/event.ts';
import { callOffAgain } from '../../src/operations/writing/exceptions.ts';
import type { Backend } from '../../src/operations/writing/target.ts';
import { at, event } from '../core/events.ts';
import { openCall } from '../harness.ts';

const DAY = 86_400_000;
const FIRST = Date.parse('2026-11-23T09:00:00Z');
const start = at('2026-11-23T09:00:00Z', 'UTC');
const series: StoredEvent = {
  event: event({ id: 'series', start, end: at('2026-11-23T10:00:00Z', 'UTC') }),
  fields: { title: 'x', start, end: at('2026-11-23T10:00:00Z', 'UTC'), recurrence: 'FREQ=DAILY;COUNT=6' },
  etag: '1',
  isSeries: true,
  isMine: true,
};

function occurrence(day: number, hours = 0): CalendarEvent {
  const planned = new Date(FIRST + day * DAY + hours * 3_600_000).toISOString().replace('.000Z', 'Z');
  return event({
    id: `o${day}`,
    start: at(planned, 'UTC'),
    end: at(planned, 'UTC'),
    recurrenceKey: planned,
    kind: 'occurrence',
  });
}

async function run(
  occurrences: CalendarEvent[],
  now: CalendarEvent[],
): Promise<{ deleted: string[]; notes: string[] }> {
  const deleted: string[] = [];
  const writer = {
    get: async (_: unknown, id: string) => ({ ...series, event: event({ id }), isSeries: false }),
    delete: async (_: unknown, id: string) => {
      deleted.push(id);
    },
  } as unknown as EventWriter;
  const notes = await callOffAgain(
    { writer } as Backend,
    series.event.calendar,
    { series, slot: start, occurrences, isWhole: false, now, shift: 0 },
    false,
    openCall(),
  );
  return { deleted, notes };
}

const days = [0, 1, 2, 3, 4, 5];

test('what had no occurrence gets none again', async () => {
  const { deleted, notes } = await run(
    days.filter((day) => day !== 3).map((day) => occurrence(day)),
    days.map((day) => occurrence(day)),
  );
  expect([deleted, notes]).toEqual([['o3'], []]);
});

test('a series whose server reads its rule in another way loses nothing, and that is told', async () => {
  const { deleted, notes } = await run(
    days.map((day) => occurrence(day, 1)),
    days.map((day) => occurrence(day)),
  );
  expect(deleted).toEqual([]);
  expect(notes).toEqual([expect.stringContaining('could not be told')]);
});
