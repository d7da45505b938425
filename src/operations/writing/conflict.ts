import type { App } from '../../accounts/registry.ts';
import type { ZoneClock } from '../../core/time.ts';
import { type Detail, nameText } from '../event-item.ts';
import { noticesFor, type Outcome, writtenItemOf } from './outcome.ts';
import { ConflictError } from './settle.ts';

/** An event that has changed since is an answer of its own: with the event as it is now. */
export async function outcomeOf(
  app: App,
  clock: ZoneClock,
  detail: Detail,
  change: () => Promise<Outcome>,
): Promise<Outcome> {
  try {
    return await change();
  } catch (thrown) {
    if (!(thrown instanceof ConflictError)) throw thrown;
    const { current, message, hint } = thrown;
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
