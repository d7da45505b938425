/** From a reference back to its event. */
import { type Freshness, LIVE } from '../accounts/readings.ts';
import type { Account, App } from '../accounts/registry.ts';
import { mayName, OTHER_ACCOUNTS, OWNER } from '../core/disclosure.ts';
import { CalmcpError } from '../core/errors.ts';
import type { CalendarEvent } from '../core/event.ts';
import type { MergedEvent } from '../core/merge.ts';
import { neutralize } from '../core/text.ts';
import { DAY, requireZone } from '../core/time.ts';
import type { Detail } from './event-item.ts';
import type { Asker } from './operation.ts';
import { type Answered, parseQuestion, readQuestion } from './question.ts';
import { parseReference, type Reference } from './reference.ts';

/** Where an event that was moved since it was listed is looked for, around now. */
const DAYS_BACK = 60;
const DAYS_AHEAD = 300;

export interface FoundEvent {
  readonly answered: Answered;
  readonly merged: MergedEvent;
  /** The very copy that the reference names. */
  readonly copy: CalendarEvent;
}

function notFound(id: string): CalmcpError {
  return new CalmcpError('NOT_FOUND', `there is no event ${JSON.stringify(neutralize(id).slice(0, 40))}`, {
    hint: 'list the events again: it may have been deleted, or its id was meant for another audience',
  });
}

/**
 * The accounts whose event a reference may name, without asking anybody.
 * @throws CalmcpError NOT_FOUND for what no answer can have said
 */
export function holdersOf(
  app: App,
  id: string,
  audience: string,
): { readonly reference: Reference; readonly accounts: readonly Account[] } {
  const reference = parseReference(id);
  const accounts = app.accounts.filter((account) => reference?.isOf(account.id) && mayName(audience, account.sharing));
  if (reference === undefined || accounts.length === 0) throw notFound(id);
  return { reference, accounts };
}

/** @throws CalmcpError NOT_FOUND; UNAVAILABLE where an account that may hold it was not read completely */
export async function lookUp(
  app: App,
  {
    id,
    audience = OWNER,
    timeZone,
    detail,
    freshness,
  }: { id: string; audience?: string; timeZone?: string | undefined; detail?: Detail; freshness: Freshness },
  asker: Asker,
): Promise<FoundEvent> {
  const zone = requireZone(timeZone ?? app.timeZone);
  const { reference, accounts } = holdersOf(app, id, audience);

  async function within(
    from: number,
    to: number,
    age: Freshness = LIVE,
  ): Promise<{ answered: Answered; found?: FoundEvent }> {
    const question = parseQuestion(app, {
      ...(audience === OWNER ? {} : { audience }),
      timeZone: zone,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
    });
    const answered = await readQuestion(app, question, asker, {
      depth: 'full',
      freshness: age,
      ...(detail === undefined ? {} : { detail }),
    });
    for (const merged of answered.events) {
      const copy = merged.copies.find((each) => each.account !== OTHER_ACCOUNTS && reference.names(each, audience));
      if (copy !== undefined) return { answered, found: { answered, merged, copy } };
    }
    return { answered };
  }

  const near = [reference.day - DAY, reference.day + 2 * DAY] as const;
  let { answered, found } = await within(...near, freshness);
  // What is not in memory may have been made or moved there since.
  if (found === undefined && !answered.isLive) ({ answered, found } = await within(...near));
  const missing = (): Account | undefined => accounts.find((account) => answered.unknown.includes(account.id));
  if (found === undefined && missing() === undefined) {
    // It was moved since. A far look costs more, so it comes second.
    const now = app.now().epochMilliseconds;
    ({ answered, found } = await within(now - DAYS_BACK * DAY, now + DAYS_AHEAD * DAY));
  }
  if (found !== undefined) return found;
  const problem = missing();
  if (problem === undefined) throw notFound(id);
  throw new CalmcpError('UNAVAILABLE', `${problem.id} could not be read completely, so the event may be there`, {
    account: problem.id,
    hint: 'ask again later; calmcp status tells more',
  });
}
