import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { EventFields, StoredEvent } from '../core/change.ts';
import type { Calendar, EventTime } from '../core/event.ts';
import { checkStart, formatRecurrence, parseRecurrence, settleUntil } from '../core/recurrence.ts';
import { requireZone, zoneClock } from '../core/time.ts';
import { timeZoneInput } from './envelope.ts';
import { detailInput, nameText } from './event-item.ts';
import { defineOperation } from './operation.ts';
import { lookAround, plannedOf } from './writing/around.ts';
import { refuseBorrowedText } from './writing/barrier.ts';
import { noteShown } from './writing/event-target.ts';
import { newEventInput, parseNewEvent } from './writing/fields-input.ts';
import { shownEvent } from './writing/occurrences.ts';
import { aroundOf, changesOf, noticesFor, outcomeOutput, writtenItemOf } from './writing/outcome.ts';
import { dryRunInput, noticeOf, notifyInput, peopleOf, requireNotice, shownNotice } from './writing/people.ts';
import { createOnce, holds } from './writing/settle.ts';
import { accountToWrite, at, calendarToWrite, changing, startWriting } from './writing/target.ts';

const input = z.strictObject({
  account: z.string().optional().describe('Needed if several are writable.'),
  calendar: z.string().optional().describe('By name.'),
  ...newEventInput,
  timeZone: timeZoneInput,
  notify: notifyInput,
  dryRun: dryRunInput,
  key: z.string().min(1).max(100).optional().describe('Same key, same event.'),
  detail: detailInput,
});

/** Times that one wish may be made again after the event of it has become another one. */
const MOST_TIMES = 3;

/** The same in other words: the order of people, and the zone of a moment where nothing repeats in it. */
function wishOf(fields: EventFields): unknown {
  const { attendees = [], start, end, recurrence, ...rest } = fields;
  const people = attendees.map(({ email, optional = false }) => [email.toLowerCase(), optional]).sort();
  const at = (time: EventTime | undefined): unknown =>
    time?.kind === 'timed' && recurrence === undefined ? time.epochMs : time;
  return [Object.entries(rest).sort(), people, at(start), at(end), recurrence];
}

/** One key for one wish: the same event asked for twice is one event. */
function keyOf(
  account: string,
  calendar: Calendar,
  fields: EventFields,
  key: string | undefined,
  time: number,
): string {
  const wish = key === undefined ? [account, calendar.id, wishOf(fields), time] : [account, key];
  return createHash('sha256').update(JSON.stringify(wish)).digest('hex').slice(0, 40);
}

/** Whether the event of a key still is the one that is wished for. */
function isAsWished({ fields }: StoredEvent, { title = '', start, end }: EventFields): boolean {
  return holds(fields, { title, ...(start ? { start } : {}), ...(end ? { end } : {}) });
}

/** @throws CalmcpError INPUT_INVALID for a rule that its start does not fit */
export function withSettledRule(fields: EventFields): EventFields {
  if (fields.recurrence === undefined || fields.recurrence === '' || fields.start === undefined) return fields;
  const rule = settleUntil(parseRecurrence(fields.recurrence), fields.start);
  checkStart(rule, fields.start);
  return { ...fields, recurrence: formatRecurrence(rule) };
}

export const createEvent = defineOperation({
  name: 'create_event',
  title: 'Create event',
  description:
    'Creates an event in one account. dryRun first shows conflicts in all accounts and who would be e-mailed.',
  effect: 'create',
  input,
  output: outcomeOutput,
  async run(app, { account: named, calendar: name, notify, dryRun, key, detail, timeZone, ...asked }, asker) {
    const account = accountToWrite(app, named);
    const zone = requireZone(timeZone ?? app.timeZone);
    const clock = zoneClock(zone);
    const fields = withSettledRule(parseNewEvent(asked, { now: app.now(), timeZone: zone }));
    refuseBorrowedText(app, asker.heard, account, fields);
    const time = startWriting(asker);
    try {
      const prepared = await at(account, time, async (backend, call) => {
        const { writer } = backend;
        writer.check(fields);
        const notice = noticeOf(peopleOf(fields.attendees), notify, writer);
        if (!dryRun) requireNotice(notice);
        const calendar = await calendarToWrite(backend, name, call);
        const around = await lookAround(app, plannedOf(fields), { timeZone: zone, detail }, () => false, {
          ...asker,
          signal: time.signal,
        });
        return { calendar, notice, around };
      });
      const { calendar, notice, around } = prepared;
      const base = { ...noticesFor(app), account: account.id, calendar: nameText(calendar.name) };
      if (dryRun)
        return {
          ...base,
          outcome: 'preview' as const,
          changes: changesOf(undefined, fields, clock),
          ...shownNotice(notice),
          ...aroundOf(around, detail),
        };
      return await changing(account, time, async (backend, call) => {
        const make = async (time: number): Promise<{ stored: StoredEvent; existed: boolean }> => {
          const options = { key: keyOf(account.id, calendar, fields, key, time), notify: notice.notify };
          let attempts = 0;
          const made = await createOnce(() => {
            attempts++;
            return backend.writer.create(calendar, fields, options, call);
          }, call);
          // What is there after an attempt that nobody answered is what that one made.
          const existed = made.existed && attempts === 1;
          // It was moved or renamed since: that one is not what is wished for now.
          const isOther = existed && key === undefined && !isAsWished(made.stored, fields);
          return isOther && time < MOST_TIMES ? make(time + 1) : { stored: made.stored, existed };
        };
        const { stored, existed } = await make(1);
        if (existed) noteShown(asker.heard, stored.fields, [account.id]);
        const notes =
          existed && !isAsWished(stored, fields)
            ? ['the event of this key is another one by now, and no new one was made: give another key']
            : [];
        const event = await shownEvent(backend, calendar, stored, call);
        return {
          ...base,
          outcome: existed ? ('existed' as const) : ('created' as const),
          event: writtenItemOf(stored, event, clock, detail),
          ...(notes.length === 0 ? {} : { notes }),
          // What is there already is neither in its own way nor a likeness of itself.
          ...(existed ? {} : { ...shownNotice(notice), ...aroundOf(around, detail) }),
        };
      });
    } finally {
      time.end();
    }
  },
});
