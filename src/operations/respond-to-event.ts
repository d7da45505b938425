import { z } from 'zod';
import { ANSWERS, type StoredEvent } from '../core/change.ts';
import { CalmcpError, toCalmcpError } from '../core/errors.ts';
import { neutralize } from '../core/text.ts';
import { requireZone, zoneClock } from '../core/time.ts';
import { timeZoneInput } from './envelope.ts';
import { detailInput, nameText } from './event-item.ts';
import { defineOperation } from './operation.ts';
import { refuseBorrowedText } from './writing/barrier.ts';
import { outcomeOf } from './writing/conflict.ts';
import { type EventTarget, findTarget, targetInput } from './writing/event-target.ts';
import { occurrencesFrom } from './writing/occurrences.ts';
import { noticesFor, outcomeOutput, writtenItemOf } from './writing/outcome.ts';
import { dryRunInput } from './writing/people.ts';
import { settle } from './writing/settle.ts';
import { at, changing, rescue, startWriting } from './writing/target.ts';

/** Occurrences that are answered one by one: no vendor knows an answer to "this and all following". */
const MOST_ANSWERED = 60;

const input = z.strictObject({
  ...targetInput,
  response: z.enum(ANSWERS),
  notify: z.enum(['all', 'none']).describe('all e-mails the organizer.'),
  comment: z.string().max(1_000).optional(),
  timeZone: timeZoneInput,
  dryRun: dryRunInput,
  detail: detailInput,
});

/** @throws CalmcpError INPUT_INVALID for an event that is no invitation */
function requireInvitation({ stored, copy }: EventTarget): void {
  if (stored.isMine)
    throw new CalmcpError('INPUT_INVALID', 'it is no invitation: there is nobody to answer', {
      account: copy.account,
      hint: 'update_event and delete_event change your own events',
    });
}

/** What an answer that got lost has become; what was declined may have been taken out of the calendar by it. */
function answeredAs(
  response: (typeof ANSWERS)[number],
  before: StoredEvent,
  now: StoredEvent | undefined,
): StoredEvent | undefined {
  if (now?.event.myResponse === response) return now;
  const isTakenOut = now === undefined && response === 'declined';
  return isTakenOut ? { ...before, event: { ...before.event, myResponse: response } } : undefined;
}

export const respondToEvent = defineOperation({
  name: 'respond_to_event',
  title: 'Respond to event',
  description: 'Accepts or declines an invitation, or answers maybe.',
  effect: 'update',
  input,
  output: outcomeOutput,
  async run(app, { response, notify, comment, dryRun, detail, timeZone, ...asked }, asker) {
    const zone = requireZone(timeZone ?? app.timeZone);
    const clock = zoneClock(zone);
    const time = startWriting(asker);
    if (comment !== undefined && notify === 'none')
      throw new CalmcpError('INPUT_INVALID', 'a comment that nobody is sent is lost', {
        hint: 'give notify: all, or leave comment out',
      });
    try {
      return await outcomeOf(app, clock, detail, asker.heard, async () => {
        const target = await findTarget(app, { ...asked, timeZone: zone }, { ...asker, signal: time.signal }, time);
        const { copy, stored, occurrence, scope, slot, backend } = target;
        const { writer } = backend;
        const { calendar } = copy;
        requireInvitation(target);
        refuseBorrowedText(app, asker.heard, backend.account, comment === undefined ? {} : { text: comment });
        const organizer = stored.event.organizer?.email;
        const result = {
          ...noticesFor(app),
          account: copy.account,
          calendar: nameText(calendar.name),
          changes: [{ field: 'response', from: occurrence.event.myResponse, to: response }],
          ...(notify === 'all' && organizer !== undefined ? { mails: [neutralize(organizer)] } : {}),
        };
        const answer = (one: StoredEvent, call: Parameters<typeof writer.respond>[3]): Promise<StoredEvent> =>
          settle(
            {
              before: one,
              make: () =>
                writer.respond(
                  calendar,
                  one.event.id,
                  { response, notify: notify === 'all', etag: one.etag, ...(comment === undefined ? {} : { comment }) },
                  call,
                ),
              look: () => rescue((own) => writer.get(calendar, one.event.id, own)),
              seen: (now) => answeredAs(response, one, now),
            },
            call,
          );
        if (scope !== 'following') {
          if (dryRun)
            return { ...result, outcome: 'preview' as const, event: writtenItemOf(stored, copy, clock, detail) };
          const answered = await changing(backend.account, time, (_, call) => answer(stored, call));
          const event = { ...copy, myResponse: answered.event.myResponse };
          return { ...result, outcome: 'responded' as const, event: writtenItemOf(answered, event, clock, detail) };
        }
        const all = await at(backend.account, time, (_, call) =>
          occurrencesFrom(backend, calendar, stored.event.id, slot, call),
        );
        const chosen = all.slice(0, MOST_ANSWERED);
        const last = chosen.at(-1);
        const until =
          last === undefined ? '' : last.start.kind === 'date' ? last.start.date : clock.date(last.start.epochMs);
        const notes = [
          `${chosen.length} occurrences, one by one, until ${until}${all.length > chosen.length ? '; there are later ones' : ''}`,
        ];
        if (dryRun)
          return {
            ...result,
            outcome: 'preview' as const,
            event: writtenItemOf(occurrence, copy, clock, detail),
            notes,
          };
        return changing(backend.account, time, async (_, call) => {
          let done = 0;
          for (const one of chosen) {
            try {
              await answer(await writer.get(calendar, one.id, call), call);
              done++;
            } catch (thrown) {
              if (done === 0) throw thrown;
              notes.push(`only the first ${done} were answered: ${toCalmcpError(thrown).message}`);
              break;
            }
          }
          const now = await writer.get(calendar, copy.id, call).catch(() => occurrence);
          const event = { ...copy, myResponse: response };
          return { ...result, outcome: 'responded' as const, event: writtenItemOf(now, event, clock, detail), notes };
        });
      });
    } finally {
      time.end();
    }
  },
});
