import { z } from 'zod';
import { endOfSeries } from '../core/series.ts';
import { requireZone, zoneClock } from '../core/time.ts';
import { timeZoneInput } from './envelope.ts';
import { detailInput, nameText } from './event-item.ts';
import { defineOperation } from './operation.ts';
import { outcomeOf } from './writing/conflict.ts';
import { endSeries } from './writing/end-series.ts';
import { findTarget, targetInput } from './writing/event-target.ts';
import { guestsOf } from './writing/exceptions.ts';
import { noticesFor, outcomeOutput, writtenItemOf } from './writing/outcome.ts';
import {
  dryRunInput,
  isInvitation,
  noticeOf,
  notifyInput,
  peopleOf,
  requireNotice,
  requireWhole,
  shownNotice,
} from './writing/people.ts';
import { removeOnce } from './writing/settle.ts';
import { changing, startWriting } from './writing/target.ts';

const input = z.strictObject({
  ...targetInput,
  timeZone: timeZoneInput,
  notify: notifyInput,
  dryRun: dryRunInput,
  detail: detailInput,
});

const SCOPE_NOTES = {
  this: 'this occurrence only',
  following: 'this and all later occurrences',
  all: 'the whole series, past occurrences too',
} as const;

export const deleteEvent = defineOperation({
  name: 'delete_event',
  title: 'Delete event',
  description: 'Deletes an event, or cancels it for all who are invited when it is your own meeting.',
  effect: 'delete',
  input,
  output: outcomeOutput,
  async run(app, { notify, dryRun, detail, timeZone, ...asked }, asker) {
    const zone = requireZone(timeZone ?? app.timeZone);
    const clock = zoneClock(zone);
    const time = startWriting(asker);
    try {
      return await outcomeOf(app, clock, detail, asker.heard, async () => {
        const target = await findTarget(app, { ...asked, timeZone: zone }, { ...asker, signal: time.signal }, time);
        const { copy, stored, occurrence, scope, slot, backend } = target;
        const { calendar } = copy;
        requireWhole(stored, scope);
        const notice = noticeOf(
          isInvitation(stored)
            ? []
            : [...new Set([...peopleOf(stored.fields.attendees), ...guestsOf(target.occurrences, stored)])],
          notify,
          backend.writer,
        );
        if (!dryRun) requireNotice(notice);
        const head = scope === 'following' ? endOfSeries(stored, slot) : null;
        if (head !== null) backend.writer.check({ recurrence: head }, stored, notice.notify);
        const notes = [
          ...(copy.kind === 'single' ? [] : [SCOPE_NOTES[scope]]),
          ...(isInvitation(stored) ? ['a meeting of somebody else: only your copy goes'] : []),
          ...(head !== null || backend.writer.bin === undefined
            ? []
            : [`can be brought back from ${backend.writer.bin}`]),
        ];
        const result = {
          ...noticesFor(app),
          account: copy.account,
          calendar: nameText(calendar.name),
          event: writtenItemOf(scope === 'this' ? occurrence : stored, copy, clock, detail),
          ...shownNotice(notice),
          ...(notes.length === 0 ? {} : { notes }),
        };
        if (dryRun) return { ...result, outcome: 'preview' as const };
        const left = await changing(backend.account, time, async (_, call): Promise<readonly string[]> => {
          if (head !== null)
            return endSeries({ backend, calendar, series: stored, slot, notify: notice.notify, call }, head);
          await removeOnce(backend, calendar, stored, notice, call);
          return [];
        });
        const all = [...notes, ...left];
        return { ...result, outcome: 'deleted' as const, ...(all.length === 0 ? {} : { notes: all }) };
      });
    } finally {
      time.end();
    }
  },
});
