import { describe, expect, test } from 'vitest';
import type { CalendarEvent } from '../../../src/core/event.ts';
import { openCall, openTestApp } from '../../harness.ts';

const RANGE = {
  start: Date.parse('2026-11-23T00:00:00Z'),
  end: Date.parse('2026-11-30T00:00:00Z'),
  timeZone: 'UTC',
} as const;

async function readOne(fields: Readonly<Record<string, unknown>>): Promise<CalendarEvent | undefined> {
  const event = JSON.stringify({ title: 'Review', start: '2026-11-24T10:00', ...fields });
  const { app } = await openTestApp(
    `version: 1\naccounts:\n  fixed:\n    provider: memory\n    events:\n      - ${event}\n`,
  );
  const provider = await app.account('fixed').open();
  const [read] = await provider.readCalendars(await provider.listCalendars(openCall()), RANGE, openCall());
  if (read === undefined || 'error' in read) throw new Error('not read');
  return read.events[0];
}

describe('an event in accounts.yaml', () => {
  test('says who, what and how private', async () => {
    expect(
      await readOne({
        text: 'Bring the figures.',
        organizer: '"Doe, Jane" <jane@example.org>',
        attendees: ['bob@example.org', 'Ann Lee <ann@example.org>'],
        response: 'declined',
        sensitivity: 'confidential',
      }),
    ).toMatchObject({
      text: 'Bring the figures.',
      organizer: { name: 'Doe, Jane', email: 'jane@example.org' },
      attendees: [
        { email: 'bob@example.org', response: 'none' },
        { name: 'Ann Lee', email: 'ann@example.org', response: 'none' },
      ],
      myResponse: 'declined',
      sensitivity: 'confidential',
    });
  });

  test('says nothing of what is not there', async () => {
    const event = await readOne({});
    expect(event).toMatchObject({ myResponse: 'none', sensitivity: 'normal' });
    for (const field of ['text', 'organizer', 'attendees']) expect(event).not.toHaveProperty(field);
  });

  test.each(['Jane', 'jane@', 'Jane <jane>', 'jane@example.org, bob@example.org', ''])(
    'with the organizer %j is a mistake that is told with its line',
    async (organizer) => {
      await expect(readOne({ organizer })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        problems: [expect.stringMatching(/accounts\.yaml:\d+:\d+.*is nobody/)],
      });
    },
  );
});
