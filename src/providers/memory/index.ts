/**
 * Events that stand in accounts.yaml itself, and with `access: write` those that are made beside them. The smallest provider:
 * the one to copy when you write another (see docs/adding-a-provider.md), and a handy one for holidays or fixed blocks.
 */
import { CalmcpError } from '../../core/errors.ts';
import type { Calendar, CalendarEvent } from '../../core/event.ts';
import type { CalendarProvider, ProviderDefinition } from '../../core/provider.ts';
import { DAY, overlaps, spanOf, zoneClock } from '../../core/time.ts';
import { mapEvent } from './map.ts';
import { eventsOf } from './occurrences.ts';
import { options } from './options.ts';
import { openStore } from './store.ts';
import { openWriter } from './writer.ts';

export const memory: ProviderDefinition<typeof options> = {
  type: 'memory',
  title: 'Events written in accounts.yaml itself',
  options,
  cacheKey: (_options, account) => `memory_${account}`,
  async open({ events }, { account, timeZone, now, access, secrets }): Promise<CalendarProvider> {
    const isWritable = access === 'write';
    const calendar: Calendar = {
      id: 'events',
      name: 'Events',
      isDefault: true,
      access: isWritable ? 'write' : 'read',
    };
    const store = isWritable ? openStore(secrets, account) : undefined;
    const mapped: readonly CalendarEvent[] = events.map((entry, index) =>
      mapEvent(entry, { id: String(index), account, calendar, timeZone }),
    );
    return {
      isLocal: true,
      ...(store === undefined ? {} : { writer: openWriter(store, account, () => now().epochMilliseconds) }),
      async listCalendars() {
        return [calendar];
      },
      async readCalendars(calendars, range) {
        const clock = zoneClock(range.timeZone);
        // All-day events lie elsewhere on the clocks of others: by 26 hours at most.
        const padded = { ...range, start: range.start - 2 * DAY, end: range.end + 2 * DAY };
        const kept = (await store?.all()) ?? [];
        const all = [...mapped, ...kept.flatMap((each) => eventsOf(each, padded, { account, calendar }))];
        return calendars.map((asked) =>
          asked.id === calendar.id
            ? {
                calendar,
                events: all.filter((candidate) => overlaps(spanOf(candidate, clock), padded)),
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
