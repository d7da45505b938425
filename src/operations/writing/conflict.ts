import type { App } from '../../accounts/registry.ts';
import type { ZoneClock } from '../../core/time.ts';
import { type Detail, nameText } from '../event-item.ts';
import type { Heard } from '../heard.ts';
import { noteShown } from './event-target.ts';
import { noticesFor, type Outcome, writtenItemOf } from './outcome.ts';
import { ConflictError } from './settle.ts';

/** An event that has changed since is an answer of its own: with the event as it is now. */
export async function outcomeOf(
  app: App,
  clock: ZoneClock,
  detail: Detail,
  heard: Heard | undefined,
  change: () => Promise<Outcome>,
): Promise<Outcome> {
  try {
    return await change();
  } catch (thrown) {
    if (!(thrown instanceof ConflictError)) throw thrown;
    const { current, message, hint } = thrown;
    // It may be called otherwise by now.
    noteShown(heard, current.fields, [current.event.account]);
    return {
      ...noticesFor(app),
      outcome: 'conflict',
      account: current.event.account,
      calendar: nameText(current.event.calendar.name),
      event: writtenItemOf(current, current.event, clock, detail),
      notes: [message, ...(hint === undefined ? [] : [hint])],
    };
  }
}
