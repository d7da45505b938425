/** Which account and calendar a change goes to. Nobody is asked before it is clear that it may be changed. */
import type { Freshness } from '../../accounts/readings.ts';
import type { Account, App } from '../../accounts/registry.ts';
import type { EventWriter } from '../../core/change.ts';
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import type { Calendar } from '../../core/event.ts';
import type { CalendarProvider, Call } from '../../core/provider.ts';
import { type Deadline, limitedCall, orAbort, startDeadline } from '../deadline.ts';
import { nameText } from '../event-item.ts';
import type { Asker } from '../operation.ts';

/** Everything, looking at other accounts included: answers come within 25 s. */
const WRITE_MS = 20_000;
/** Time that finding out about a lost answer, or taking a change back, may take after that, in milliseconds. */
const RESCUE_MS = 5_000;
/** What is looked at before something is written may be a quarter of a minute old; the event itself is read at that moment. */
export const BEFORE_WRITING: Freshness = { maxAgeMs: 15_000 };
/** Names of calendars that a message lists. */
const MOST_NAMED = 20;

export interface Backend {
  readonly account: Account;
  readonly provider: CalendarProvider;
  readonly writer: EventWriter;
}

/** @throws CalmcpError READ_ONLY: nothing was asked of anybody */
export function requireWritable({ id, settings, signInMethods }: Account): void {
  if (settings.access === 'write') return;
  throw new CalmcpError(
    'READ_ONLY',
    `${id} has access: ${settings.access} in accounts.yaml, so nothing is changed in it`,
    {
      account: id,
      hint: `set access: write for ${id} there${signInMethods.length === 0 ? '' : `, then run: calmcp login --account ${id}`}`,
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

type Work<T> = (backend: Backend, call: Call) => Promise<T>;

async function opened(account: Account): Promise<Backend> {
  const provider = await account.open();
  const { writer } = provider;
  if (writer === undefined)
    throw new CalmcpError('READ_ONLY', `an account of provider ${account.provider.type} cannot be written to`);
  return { account, provider, writer };
}

/** Asks one account something, within the time that is left. @throws CalmcpError of that account */
export async function at<T>(account: Account, { signal, at: deadline }: Deadline, work: Work<T>): Promise<T> {
  const call: Call = { signal, deadline, countRequest: () => undefined };
  try {
    return await orAbort(
      opened(account).then((backend) => work(backend, call)),
      signal,
    );
  } catch (thrown) {
    throw toCalmcpError(thrown).of(account.id);
  }
}

/** Nobody who could give up. */
const NOBODY: Asker = { signal: new AbortController().signal };

/**
 * Changes something in one account. What has begun is brought to its end: not given up half-way when the asker does, and when
 * the time is up, `work` goes on until it is known what became of the change. It ends by itself what it waits for.
 * @throws CalmcpError of that account
 */
export async function changing<T>(account: Account, { signal, at: deadline }: Deadline, work: Work<T>): Promise<T> {
  signal.throwIfAborted();
  const time = startDeadline(NOBODY, Math.max(0, deadline - performance.now()));
  const call: Call = { signal: time.signal, deadline, countRequest: () => undefined };
  try {
    return await work(await orAbort(opened(account), time.signal), call);
  } catch (thrown) {
    throw toCalmcpError(thrown).of(account.id);
  } finally {
    time.end();
    // Also after a failure: nobody may know whether it was done.
    await account.changed();
  }
}

/** Time of its own, for finding out about a lost answer and for taking a change back, whoever gives up meanwhile. */
export function rescue<T>(work: (call: Call) => Promise<T>): Promise<T> {
  return limitedCall(NOBODY, RESCUE_MS, work);
}

/** The calendar that is called so, else the default one. @throws CalmcpError */
export async function calendarToWrite({ provider }: Backend, named: string | undefined, call: Call): Promise<Calendar> {
  const all = await provider.listCalendars(call);
  // As it is listed, so cut where that is.
  const wanted = named === undefined ? undefined : nameText(named).toLowerCase();
  const found = all.filter(({ name, isDefault }) =>
    wanted === undefined ? isDefault : nameText(name).toLowerCase() === wanted,
  );
  const names = all
    .filter(({ access }) => access === 'write')
    .map(({ name }) => nameText(name))
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
export function requireWritableCalendar({ name, access }: Calendar, account?: string): void {
  if (access === 'write') return;
  throw new CalmcpError(
    'READ_ONLY',
    `the calendar ${JSON.stringify(nameText(name))} can only be read by this account`,
    {
      account,
      hint: 'choose another calendar: calmcp accounts list, or ask its owner for more',
    },
  );
}
