/**
 * Events that stand in accounts.yaml itself. The smallest provider: the one to copy when you write another (see
 * docs/adding-a-provider.md), and a handy one for holidays or fixed blocks.
 */
import { CalmcpError } from '../../core/errors.ts';
import type { CalendarEvent } from '../../core/event.ts';
import type { CalendarProvider, ProviderDefinition } from '../../core/provider.ts';
import { createZoneClock, DAY, overlaps, spanOf } from '../../core/time.ts';
import { mapEvent } from './map.ts';
import { options } from './options.ts';

export const memory: ProviderDefinition<typeof options> = {
  type: 'memory',
  title: 'Events written in accounts.yaml itself',
  options,
  async open({ events }, { account, timeZone, now }): Promise<CalendarProvider> {
    const calendar = { id: 'events', name: 'Events', isDefault: true, access: 'read' } as const;
    const mapped: readonly CalendarEvent[] = events.map((entry, index) =>
      mapEvent(entry, { id: String(index), account, calendar, timeZone }),
    );
    return {
      async listCalendars() {
        return [calendar];
      },
      async readCalendars(calendars, range) {
        const clock = createZoneClock(range.timeZone);
        // All-day events lie elsewhere on the clocks of others: by 26 hours at most.
        const padded = { ...range, start: range.start - 2 * DAY, end: range.end + 2 * DAY };
        return calendars.map((asked) =>
          asked.id === calendar.id
            ? {
                calendar,
                events: mapped.filter((candidate) => overlaps(spanOf(candidate, clock), padded)),
                asOf: now().epochMilliseconds,
              }
            : {
                calendar: asked,
                error: new CalmcpError('NOT_FOUND', `there is no calendar ${asked.name}`, { account }),
              },
        );
      },
    };
  },
};
