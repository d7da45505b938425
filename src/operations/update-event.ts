import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { EventFields, StoredEvent } from '../core/change.ts';
import { CalmcpError } from '../core/errors.ts';
import type { EventTime } from '../core/event.ts';
import type { Call } from '../core/provider.ts';
import { changeOfAll, endAt, splitAt, timesOf } from '../core/series.ts';
import { requireZone, zoneClock } from '../core/time.ts';
import { withSettledRule } from './create-event.ts';
import { timeZoneInput } from './envelope.ts';
import { detailInput, nameText } from './event-item.ts';
import { defineOperation } from './operation.ts';
import { type Around, lookAround, plannedOf } from './writing/around.ts';
import { refuseBorrowedText } from './writing/barrier.ts';
import { outcomeOf } from './writing/conflict.ts';
import { type EventTarget, findTarget, targetInput } from './writing/event-target.ts';
import { areTooManyCalledOff, callOffAgain, guestsOf, notesOnChanged } from './writing/exceptions.ts';
import { changedEventInput, parseChange } from './writing/fields-input.ts';
import { momentOf, occurrencesAround, shownEvent } from './writing/occurrences.ts';
import { aroundOf, changesOf, noticesFor, outcomeOutput, writtenItemOf } from './writing/outcome.ts';
import {
  concernedBy,
  concernsOthers,
  dryRunInput,
  isInvitation,
  type Notice,
  noticeOf,
  notifyInput,
  peopleOf,
  requireNotice,
  requireWhole,
  shownNotice,
} from './writing/people.ts';
import { holds, settle } from './writing/settle.ts';
import { splitSeries } from './writing/split.ts';
import { changing, rescue, startWriting } from './writing/target.ts';

const input = z.strictObject({
  ...targetInput,
  ...changedEventInput,
  timeZone: timeZoneInput,
  notify: notifyInput,
  dryRun: dryRunInput,
  detail: detailInput,
});

/** What is set where, so that the occurrence shown gets what was asked for. */
interface Plan {
  readonly fields: EventFields;
  /** This and all following: the series is cut in two. */
  readonly isSplit: boolean;
  /** What it comes to, for looking at conflicts. */
  readonly result: EventFields;
}

/** @throws CalmcpError INPUT_INVALID, FORBIDDEN for what only the organizer of an event may change */
function planOf({ scope, stored, slot, copy }: EventTarget, wanted: EventFields): Plan {
  if (isInvitation(stored) && concernsOthers(wanted))
    throw new CalmcpError('FORBIDDEN', 'it is a meeting of somebody else: only its organizer can change it', {
      account: copy.account,
      hint: 'respond_to_event answers it; busy, reminders, categories, color and sensitivity of your copy can be changed',
    });
  requireWhole(stored, scope);
  if (scope === 'this') {
    if (wanted.recurrence !== undefined && copy.kind !== 'single')
      throw new CalmcpError('INPUT_INVALID', 'one occurrence cannot repeat by itself', {
        hint: 'give scope: all, or following',
      });
    const fields = settledFor(stored, wanted);
    return { fields, isSplit: false, result: { ...stored.fields, ...fields } };
  }
  if (scope === 'following') {
    const split = splitAt(stored, slot, wanted);
    if (split.head !== null) {
      const tail = withSettledRule(split.tail);
      return { fields: { ...wanted, ...ruleOf(wanted, tail) }, isSplit: true, result: tail };
    }
  }
  const fields = settledFor(stored, changeOfAll(stored, slot, wanted));
  return { fields, isSplit: false, result: { ...stored.fields, ...fields } };
}

const ruleOf = (wanted: EventFields, { recurrence }: EventFields): Pick<EventFields, 'recurrence'> =>
  wanted.recurrence === undefined || recurrence === undefined ? {} : { recurrence };

/** A rule is settled by the start that it is for. */
function settledFor({ fields }: StoredEvent, wanted: EventFields): EventFields {
  if (wanted.recurrence === undefined) return wanted;
  const start = wanted.start ?? fields.start;
  const { recurrence = '' } = withSettledRule({ recurrence: wanted.recurrence, ...(start ? { start } : {}) });
  return { ...wanted, recurrence };
}

export const updateEvent = defineOperation({
  name: 'update_event',
  title: 'Update event',
  description: 'Changes or moves an event; what is left out stays.',
  effect: 'update',
  input,
  output: outcomeOutput,
  async run(app, { notify, dryRun, detail, timeZone, id, account, scope, version, ...asked }, asker) {
    const zone = requireZone(timeZone ?? app.timeZone);
    const clock = zoneClock(zone);
    const time = startWriting(asker);
    const reading = { ...asker, signal: time.signal };
    try {
      return await outcomeOf(app, clock, detail, asker.heard, async () => {
        const target = await findTarget(app, { id, account, scope, version, timeZone: zone }, reading, time);
        const { copy, copies, stored, backend } = target;
        const { writer } = backend;
        const { calendar } = copy;
        const shown = { ...timesShown(target), attendees: stored.fields.attendees };
        const wanted = parseChange(asked, shown, { now: app.now(), timeZone: zone });
        const plan = planOf(target, wanted);
        refuseBorrowedText(app, asker.heard, backend.account, wanted);
        // Of two series, all are told of both; and those invited to single occurrences of theirs.
        const concerned = plan.isSplit
          ? peopleOf(stored.fields.attendees, wanted.attendees)
          : concernedBy(stored.fields, plan.fields);
        const guests = guestsOf(target.occurrences, stored);
        const single = plan.isSplit ? guests : newsFor(guests, stored, plan.fields);
        const notice = noticeOf([...new Set([...concerned, ...single])], notify, writer);
        writer.check(plan.fields, stored, notice.notify);
        if (!dryRun) requireNotice(notice);
        const movesTime = plan.fields.start !== undefined || plan.fields.recurrence !== undefined;
        const series = { series: stored, slot: target.slot, occurrences: target.occurrences, isWhole: !plan.isSplit };
        const resets = stored.isSeries && (plan.isSplit || movesTime);
        if (resets && areTooManyCalledOff(series))
          throw new CalmcpError('INPUT_INVALID', 'too many occurrences of the series were called off', {
            account: copy.account,
            hint: 'make a new series instead, and end this one with delete_event and scope: following',
          });
        const told = [
          ...(resets ? notesOnChanged(series) : []),
          ...(plan.isSplit && stored.fields.text
            ? ['the later half is a new series: its text loses formatting and attachments']
            : []),
        ];
        const own = new Set([copy, ...copies].map((each) => each.seriesId ?? each.id));
        const around = movesTime
          ? await lookAround(
              app,
              plannedOf(plan.result),
              { timeZone: zone, detail },
              (merged) => merged.copies.some((each) => own.has(each.seriesId ?? each.id)),
              reading,
            )
          : undefined;
        const base = {
          ...noticesFor(app),
          account: copy.account,
          calendar: nameText(calendar.name),
          // The new series begins where the occurrence is that was shown.
          changes: changesOf({ ...stored.fields, ...(plan.isSplit ? shown : {}) }, plan.fields, clock),
          ...shownNotice(notice),
        };
        const tellAround = (it: Around | undefined) => (movesTime ? aroundOf(it, detail) : {});
        if (dryRun) {
          return {
            ...base,
            outcome: 'preview' as const,
            event: writtenItemOf(stored, copy, clock, detail),
            ...(told.length === 0 ? {} : { notes: told }),
            ...tellAround(around),
          };
        }
        /** Of a whole series that moved: what was called off stays so. */
        const againCalledOff = async (changed: StoredEvent, call: Call): Promise<string[]> => {
          // With another rhythm there is nothing to compare.
          if (wanted.recurrence !== undefined || plan.fields.start === undefined) return [];
          const shift = momentOf(plan.fields.start) - momentOf(timesOf(stored).start);
          const slot = shiftedBy(target.slot, shift);
          try {
            const now = await occurrencesAround(backend, calendar, changed.event.id, slot, call);
            const moved = { ...series, now: [...now.earlier, ...now.later], shift };
            return await callOffAgain(backend, calendar, moved, notice.notify, call);
          } catch {
            return ['what was called off may be there again: list the events'];
          }
        };
        return changing(backend.account, time, async (_, call) => {
          const { tail: changed, notes } = plan.isSplit
            ? await splitSeries({
                backend,
                calendar,
                series: stored,
                slot: target.slot,
                wanted: plan.fields,
                notify: notice.notify,
                key: keyOf(stored, plan.fields),
                call,
              })
            : { tail: await changeOne(target, plan.fields, notice, call), notes: [] };
          const event = await shownEvent(backend, calendar, changed, call);
          const all = [...told, ...notes, ...(resets && !plan.isSplit ? await againCalledOff(changed, call) : [])];
          return {
            ...base,
            outcome: 'updated' as const,
            event: writtenItemOf(changed, event, clock, detail),
            ...(all.length === 0 ? {} : { notes: all }),
            ...tellAround(around),
          };
        });
      });
    } finally {
      time.end();
    }
  },
});

/** Those of them whom a change of the series concerns; who else comes to it is no news for guests of one occurrence. */
function newsFor(
  guests: readonly string[],
  { fields }: StoredEvent,
  { attendees: _, ...wanted }: EventFields,
): string[] {
  return concernedBy({ ...fields, attendees: guests.map((email) => ({ email })) }, wanted);
}

function shiftedBy(time: EventTime, shift: number): EventTime {
  if (time.kind === 'timed') return { ...time, epochMs: time.epochMs + shift };
  return { kind: 'date', date: new Date(momentOf(time) + shift).toISOString().slice(0, 10) };
}

/** The times that are changed: of more than one occurrence those that the series had planned, wherever one was moved to. */
function timesShown({ occurrence, stored, slot }: EventTarget): { start: EventTime; end: EventTime } {
  if (stored.isSeries) return { start: slot, end: endAt(slot, timesOf(stored)) };
  const { event, fields } = occurrence;
  return { start: fields.start ?? event.start, end: fields.end ?? event.end };
}

/** One version split in one way is one new series. */
function keyOf({ etag, event }: StoredEvent, fields: EventFields): string {
  return createHash('sha256')
    .update(JSON.stringify([event.account, event.id, etag, fields]))
    .digest('hex')
    .slice(0, 40);
}

function changeOne(
  { backend: { writer }, copy: { calendar }, stored }: EventTarget,
  fields: EventFields,
  { notify }: Notice,
  call: Call,
): Promise<StoredEvent> {
  const { id } = stored.event;
  return settle(
    {
      before: stored,
      make: () => writer.update(calendar, id, fields, { etag: stored.etag, notify }, call),
      look: () => rescue((own) => writer.get(calendar, id, own)),
      seen: (now) => (now !== undefined && now.etag !== stored.etag && holds(now.fields, fields) ? now : undefined),
    },
    call,
  );
}
