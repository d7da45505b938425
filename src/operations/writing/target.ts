/** Which account and calendar a change goes to. Nobody is asked before it is clear that it may be changed. */
import type { Account, App } from '../../accounts/registry.ts';
import type { EventWriter } from '../../core/change.ts';
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import type { Calendar } from '../../core/event.ts';
import type { CalendarProvider, Call } from '../../core/provider.ts';
import { neutralize } from '../../core/text.ts';
import { type Deadline, orAbort, startDeadline } from '../deadline.ts';
import type { Asker } from '../operation.ts';

/** Everything, looking at other accounts included: answers come within 25 s. */
const WRITE_MS = 24_000;
/** Names of calendars that a message lists. */
const MOST_NAMED = 20;

export interface Backend {
  readonly account: Account;
  readonly provider: CalendarProvider;
  readonly writer: EventWriter;
}

/** @throws CalmcpError READ_ONLY: nothing was asked of anybody */
export function requireWritable({ id, settings }: Account): void {
  if (settings.access === 'write') return;
  throw new CalmcpError(
    'READ_ONLY',
    `${id} has access: ${settings.access} in accounts.yaml, so nothing is changed in it`,
    {
      account: id,
      hint: `set access: write for ${id} there, then run: calmcp login --account ${id}`,
    },
  );
}

/**
 * The account that a new event goes to.
 * @throws CalmcpError where none is named and it is not the only one that can be written to
 */
export function accountToWrite(app: App, named: string | undefined): Account {
  if (named !== undefined) {
    const account = app.account(named);
    requireWritable(account);
    return account;
  }
  const writable = app.accounts.filter(({ settings }) => settings.access === 'write');
  const [only] = writable;
  if (only === undefined)
    throw new CalmcpError('READ_ONLY', 'no account may be written to', {
      hint: 'set access: write for one of them in accounts.yaml, then run: calmcp login --account ID',
    });
  if (writable.length > 1)
    throw new CalmcpError('INPUT_INVALID', 'which account is it for? Several can be written to', {
      hint: `name one as account: ${writable.map(({ id }) => id).join(', ')}`,
    });
  return only;
}

export function startWriting(asker: Asker): Deadline {
  return startDeadline(asker, Math.min(WRITE_MS, asker.deadlineMs ?? WRITE_MS));
}

/** Asks one account something, within the time that is left. @throws CalmcpError of that account */
export function at<T>(account: Account, time: Deadline, work: Work<T>): Promise<T> {
  return orAbort(changing(account, time, work), time.signal);
}

type Work<T> = (backend: Backend, call: Call) => Promise<T>;

/**
 * Changes something in one account. When the time is up, `work` goes on for as long as it takes to find out what became of the
 * change: it has to end what it waits for by itself.
 * @throws CalmcpError of that account
 */
export async function changing<T>(
  account: Account,
  { signal, at: deadline }: Deadline,
  work: Work<T>,
): Promise<T> {
  const call: Call = { signal, deadline, countRequest: () => undefined };
  try {
    const provider = await orAbort(account.open(), signal);
    const { writer } = provider;
    if (writer === undefined)
      throw new CalmcpError('READ_ONLY', `an account of provider ${account.provider.type} cannot be written to`);
    return await work({ account, provider, writer }, call);
  } catch (thrown) {
    throw toCalmcpError(thrown).of(account.id);
  }
}

/** The calendar that is called so, else the default one. @throws CalmcpError */
export async function calendarToWrite({ provider }: Backend, named: string | undefined, call: Call): Promise<Calendar> {
  const all = await provider.listCalendars(call);
  const wanted = named?.trim().toLowerCase();
  const found = all.filter(({ name, isDefault }) =>
    wanted === undefined ? isDefault : neutralize(name).toLowerCase() === wanted,
  );
  const names = all
    .filter(({ access }) => access === 'write')
    .map(({ name }) => neutralize(name))
    .slice(0, MOST_NAMED)
    .join(', ');
  const [calendar] = found;
  if (calendar === undefined)
    throw new CalmcpError(
      'NOT_FOUND',
      wanted === undefined ? 'it has no default calendar' : 'no calendar is called so',
      {
        hint: names === '' ? 'none of its calendars can be written to' : `its calendars: ${names}`,
      },
    );
  if (found.length > 1)
    throw new CalmcpError('INPUT_INVALID', `${found.length} calendars are called so`, {
      hint: 'rename one of them, or leave calendar out for the default one',
    });
  requireWritableCalendar(calendar);
  return calendar;
}

/** @throws CalmcpError READ_ONLY */
export function requireWritableCalendar({ name, access }: Calendar): void {
  if (access === 'write') return;
  throw new CalmcpError(
    'READ_ONLY',
    `the calendar ${JSON.stringify(neutralize(name))} can only be read by this account`,
    {
      hint: 'choose another calendar: calmcp accounts list, or ask its owner for more',
    },
  );
}
