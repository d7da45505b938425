import type { Span } from '../../core/chunks.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Range } from '../../core/event.ts';
import type { CalendarProvider, CalendarRead, Call, PersonBusy, ProviderContext } from '../../core/provider.ts';
import { DAY } from '../../core/time.ts';
import type { Mailbox } from './mailbox.ts';
import { mapCalendar, mapEvent } from './map.ts';
import type { MicrosoftOptions } from './options.ts';
import { isPersonal } from './personal.ts';
import {
  chunkPeople,
  chunkTime,
  halve,
  joinBlocks,
  joinParts,
  keyOf,
  readSchedules,
  type Told,
  toldOf,
} from './schedule.ts';
import { createWriter } from './writer.ts';

export function openMicrosoft(
  options: MicrosoftOptions,
  context: Pick<ProviderContext, 'account' | 'access' | 'now' | 'timeZone'>,
  mailbox: Mailbox,
): CalendarProvider {
  const { account, access, now } = context;

  async function ask(people: readonly string[], window: Span, call: Call): Promise<Map<string, Told>> {
    return readSchedules(await mailbox.schedule(people, window, call), people, account);
  }

  const failure = (thrown: unknown): CalmcpError => {
    if (thrown instanceof CalmcpError) return thrown;
    throw thrown;
  };

  /** Whoever has more in a window than an answer may hold is asked about half by half, down to a day. */
  async function askInFull(people: readonly string[], window: Span, call: Call): Promise<Map<string, Told>> {
    const answer = await ask(people, window, call);
    const halves = halve(window);
    if (halves === undefined) return answer;
    for (const [key, told] of answer) {
      if (!('tooMuch' in told && told.tooMuch)) continue;
      const parts: Told[] = [];
      for (const half of halves) {
        const part = await askInFull([key], half, call).catch(failure);
        parts.push(part instanceof CalmcpError ? { error: part } : toldOf(part, key));
        // What is missing in one half is missing in the whole: no need for the other one.
        if (parts.some((each) => 'error' in each)) break;
      }
      answer.set(key, joinParts(parts));
    }
    return answer;
  }

  async function freeBusy(people: readonly string[], range: Range, call: Call): Promise<PersonBusy[]> {
    const answers = await Promise.all(
      chunkPeople(people).flatMap((chunk) =>
        chunkTime(range).map(async (window) => ({
          keys: chunk.map(keyOf),
          answer: await askInFull(chunk, window, call).catch(failure),
        })),
      ),
    );
    const errors = answers.flatMap(({ answer }) => (answer instanceof CalmcpError ? [answer] : []));
    if (errors[0] !== undefined && errors.length === answers.length) throw errors[0];
    return people.map((person): PersonBusy => {
      const key = keyOf(person);
      const whole = joinParts(
        answers
          .filter(({ keys }) => keys.includes(key))
          .map(({ answer }) => (answer instanceof CalmcpError ? { error: answer } : toldOf(answer, key))),
      );
      if ('error' in whole) return { person, error: whole.error };
      return { person, blocks: joinBlocks(whole.blocks, range) };
    });
  }

  return {
    ...(isPersonal(options) ? {} : { freeBusy }),
    ...(access === 'write' ? { writer: createWriter(context, mailbox) } : {}),
    ...(mailbox.close === undefined ? {} : { close: mailbox.close }),
    async listCalendars(call) {
      const rows = await mailbox.calendars(call);
      // Whose mailbox this is, its default calendar tells.
      const mine = rows.find(({ isDefaultCalendar }) => isDefaultCalendar === true)?.owner?.address;
      return rows.map((row) => mapCalendar(row, account, mine ?? undefined));
    },
    async readCalendars(calendars, range, call, depth = 'agenda') {
      const asOf = now().epochMilliseconds;
      // A day more on both sides: all-day events are placed in UTC here and belong to civil days (T12).
      const window = { start: range.start - DAY, end: range.end + DAY };
      const lists = await mailbox.views(calendars, window, depth, call);
      return calendars.map((calendar, index): CalendarRead => {
        const rows = lists[index];
        if (rows === undefined || rows instanceof CalmcpError)
          return { calendar, error: rows ?? new CalmcpError('INTERNAL', 'not read', { account }) };
        try {
          return { calendar, asOf, events: rows.map((row) => mapEvent(row, { account, calendar })) };
        } catch (thrown) {
          if (thrown instanceof CalmcpError) return { calendar, error: thrown };
          throw thrown;
        }
      });
    },
  };
}
