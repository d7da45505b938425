/** One question to all accounts at once, under one deadline; what fails is told, account by account. */
import { CALENDARS_MS, type Freshness } from '../accounts/readings.ts';
import type { Account, App } from '../accounts/registry.ts';
import { type AccountCoverage, failedCoverage, isComplete, nothingRead } from '../core/coverage.ts';
import { disclose, disclosureTo, identifiersOf, mayName, OTHER_ACCOUNTS, OWNER } from '../core/disclosure.ts';
import { CalmcpError, toCalmcpError } from '../core/errors.ts';
import type { Calendar, CalendarEvent, Range } from '../core/event.ts';
import type { CalendarRead, Call, ReadDepth } from '../core/provider.ts';
import { neutralize } from '../core/text.ts';
import { isRealTime } from '../core/time.ts';
import { orAbort, startDeadline } from './deadline.ts';
import { nameText, titleText } from './event-item.ts';
import type { Asker } from './operation.ts';

/**
 * The accounts that were named; all of them where none was. Without those that share nothing with the audience.
 * @throws CalmcpError for an unknown one, or for none at all
 */
export function selectAccounts(
  app: App,
  ids: string | readonly string[] | undefined,
  audience: string = OWNER,
): readonly Account[] {
  if (app.accounts.length === 0)
    throw new CalmcpError('CONFIG_INVALID', 'accounts.yaml names no accounts, so there is nothing to read', {
      hint: 'add one; calmcp init --print shows how',
    });
  const selected = ids === undefined ? app.accounts : named(app, ids, audience);
  const shared = selected.filter(({ sharing }) => disclosureTo(audience, sharing) !== 'none');
  if (shared.length === 0)
    throw new CalmcpError('FORBIDDEN', `nothing is shared with ${neutralize(audience)}`, {
      hint: 'share: in accounts.yaml says what other clients may see of an account',
    });
  return shared;
}

function named(app: App, ids: string | readonly string[], audience: string): readonly Account[] {
  const list = (typeof ids === 'string' ? ids.split(',') : ids).map((id) => id.trim()).filter((id) => id !== '');
  // An empty variable of a script, say: all accounts is not what was meant.
  if (list.length === 0)
    throw new CalmcpError('INPUT_INVALID', 'no account is named', { hint: 'leave accounts out to ask all of them' });
  return [...new Set(list)].map((id) => {
    const account = app.accounts.find((candidate) => candidate.id === id);
    // Which other accounts there are is not for an audience to find out by guessing.
    if (audience !== OWNER && (account === undefined || !mayName(audience, account.sharing)))
      throw new CalmcpError(
        'ACCOUNT_UNKNOWN',
        `no account ${JSON.stringify(id.slice(0, 80))} belongs to this audience`,
        {
          hint: 'leave accounts out: all that share with the audience count',
        },
      );
    return app.account(id);
  });
}

/** What one account answered, and what it says of itself. */
export interface Answer<T> {
  readonly account: Account;
  readonly value: T;
  readonly coverage: AccountCoverage;
}

/** What a task reports besides its value. */
export interface Reading<T> {
  readonly value: T;
  readonly calendars: number;
  readonly skipped?: number;
  /** Epoch milliseconds. */
  readonly asOf: number;
  readonly problems?: readonly string[];
  /** Whether it was in memory, and whether it is older than was asked for. */
  readonly origin?: 'live' | 'kept' | 'stale';
}

export interface FanOut<T> {
  readonly answers: readonly Answer<T>[];
  /** Every account asked, in the order of accounts.yaml. */
  readonly coverage: readonly AccountCoverage[];
}

/**
 * Runs `task` for every account at once. An account that fails, or that has not answered by the deadline, becomes
 * coverage; the others are not held up by it.
 * @throws CalmcpError when no account answered, or when the asker gave up
 */
export async function fanOut<T>(
  app: App,
  accounts: readonly Account[],
  asker: Asker,
  task: (account: Account, call: Call) => Promise<Reading<T>>,
  audience: string = OWNER,
): Promise<FanOut<T>> {
  const time = startDeadline(asker, Math.min(app.deadlineMs, asker.deadlineMs ?? app.deadlineMs));
  const { signal } = time;
  const failures = new Map<Account, CalmcpError>();
  const answers: Answer<T>[] = [];

  const ask = async (account: Account): Promise<AccountCoverage> => {
    let requests = 0;
    let retries = 0;
    const isNamed = mayName(audience, account.sharing);
    const call: Call = {
      signal,
      deadline: time.at,
      countRequest: () => requests++,
      countRetry: () => retries++,
      since: performance.now(),
      ...(isNamed ? {} : { unnamed: true as const }),
    };
    try {
      const { value, calendars, skipped, asOf, problems = [], origin } = await orAbort(task(account, call), signal);
      const isStale = origin === 'stale';
      const coverage: AccountCoverage = {
        account: account.id,
        status: problems.length > 0 ? 'partial' : isStale ? 'stale' : 'ok',
        calendars,
        ...(skipped === undefined || skipped === 0 ? {} : { skipped }),
        asOf: new Date(asOf).toISOString().replace(/\.\d+Z$/, 'Z'),
        requests,
        ...(retries === 0 ? {} : { retries }),
        ...(origin === undefined || origin === 'live' ? {} : { cached: true as const }),
        ...(isStale ? { message: 'it is read anew at this moment' } : {}),
        // They name calendars, whose names are other people's text.
        ...(problems.length === 0 ? {} : { problems: problems.map(titleText) }),
      };
      answers.push({ account, value, coverage });
      return coverage;
    } catch (thrown) {
      asker.signal.throwIfAborted();
      const error = toCalmcpError(thrown).of(account.id);
      // The answer says it as well; what calmcp itself got wrong is shown nowhere else. Of accounts that may not be named
      // there is one line for all of them (below): how many they are is not told either.
      if (isNamed)
        app.log[error.code === 'INTERNAL' ? 'error' : 'info']('account not read', { account: account.id, error });
      failures.set(account, error);
      return failedCoverage(account.id, error, requests);
    }
  };

  try {
    let answered = 0;
    const coverage = await Promise.all(
      accounts.map(async (account) => {
        const told = await ask(account);
        asker.progress?.(++answered, accounts.length);
        return told;
      }),
    );
    const isNamed = accounts.map(({ sharing }) => mayName(audience, sharing));
    if (answers.length === 0) {
      if (!isNamed.every(Boolean)) throw nothingToTell();
      throw nothingRead(
        accounts.flatMap((account) => ({ account: account.id, error: toCalmcpError(failures.get(account)) })),
      );
    }
    const others = coverage.filter((_, index) => !isNamed[index]);
    if (!isComplete(others)) app.log.info('account not read', { account: OTHER_ACCOUNTS });
    return {
      answers,
      coverage: [
        ...coverage.filter((_, index) => isNamed[index]),
        ...(others.length === 0 ? [] : [coverageOfOthers(others)]),
      ],
    };
  } finally {
    // Ends what still runs for an account that was given up.
    time.end();
  }
}

/** What an audience is told of the accounts that it may not know: whether all of them were read, not how many they are. */
function coverageOfOthers(others: readonly AccountCoverage[]): AccountCoverage {
  const account = OTHER_ACCOUNTS;
  const times = others.flatMap(({ asOf }) => asOf ?? []).sort();
  const oldest = times[0] === undefined ? {} : { asOf: times[0] };
  if (isComplete(others))
    return { account, status: others.some(({ status }) => status === 'stale') ? 'stale' : 'ok', ...oldest };
  return {
    account,
    status: others.some(({ calendars }) => calendars !== undefined) ? 'partial' : 'unavailable',
    ...oldest,
    message: 'a part of this time is not known',
    hint: 'run: calmcp status',
  };
}

/** {@link nothingRead}, for an audience that may not know which accounts there are. */
function nothingToTell(): CalmcpError {
  return new CalmcpError('UNAVAILABLE', 'none of the accounts could be read, so nothing is known about this time', {
    hint: 'run: calmcp status',
  });
}

/** `*` stands for anything; case does not matter. */
function matches(pattern: string, name: string): boolean {
  if (pattern === '*') return true;
  const escaped = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${escaped.join('.*')}$`, 'isu').test(name);
}

/** Splits an account's calendars by its `calendars:` filter. */
export function filterCalendars(
  { settings }: Account,
  calendars: readonly Calendar[],
): {
  readonly included: readonly Calendar[];
  readonly excluded: readonly Calendar[];
  /** Names to include that no calendar has: one that was renamed, say, and would be missed in silence. */
  readonly unmatched: readonly string[];
} {
  const { include = ['*'], exclude = [] } = settings.calendars ?? {};
  const counts = ({ name, hidden }: Calendar): boolean =>
    include.some((pattern) => !(hidden && pattern === '*') && matches(pattern, name)) &&
    !exclude.some((pattern) => matches(pattern, name));
  return {
    included: calendars.filter(counts),
    excluded: calendars.filter((calendar) => !counts(calendar)),
    unmatched: include.filter((pattern) => !calendars.some(({ name }) => matches(pattern, name))),
  };
}

function settle(reads: readonly CalendarRead[]): {
  events: CalendarEvent[];
  asOf: number[];
  problems: string[];
  errors: CalmcpError[];
} {
  const settled = {
    events: [] as CalendarEvent[],
    asOf: [] as number[],
    problems: [] as string[],
    errors: [] as CalmcpError[],
  };
  for (const read of reads)
    if ('error' in read || !read.events.every(({ start, end }) => isRealTime(start) && isRealTime(end))) {
      const error =
        'error' in read ? read.error : new CalmcpError('BAD_RESPONSE', 'an event in it has a time that is none');
      settled.errors.push(error);
      settled.problems.push(`${nameText(read.calendar.name)}: ${error.message}`);
    } else {
      for (const event of read.events) settled.events.push(event);
      settled.asOf.push(read.asOf);
      for (const problem of read.problems ?? [])
        settled.problems.push(`${nameText(read.calendar.name)}: ${problem.message}`);
    }
  return settled;
}

/** All events of one account in a range, or its error. */
async function readAccount(
  account: Account,
  { range, depth, freshness }: Pick<ReadRequest, 'range' | 'depth' | 'freshness'>,
  app: App,
  call: Call,
): Promise<Reading<readonly CalendarEvent[]>> {
  const { readings } = account;
  const { included, excluded, unmatched } = filterCalendars(
    account,
    await readings.calendars(call, { maxAgeMs: CALENDARS_MS, staleMs: freshness.staleMs }),
  );
  if (included.length === 0)
    throw new CalmcpError(
      'NOT_FOUND',
      excluded.length === 0
        ? 'the account has no calendar'
        : 'its calendars are all excluded by calendars: in accounts.yaml',
    );
  const { reads, origin } = await readings.read(included, range, depth, freshness, call);
  const { events, asOf, problems, errors } = settle(reads);
  const missing = included.filter((calendar) => !reads.some((read) => read.calendar.id === calendar.id));
  if (missing.length > 0) throw new TypeError(`the provider of ${account.id} left out ${missing.length} calendars`);
  if (asOf.length === 0 && errors[0] !== undefined) throw errors[0];
  return {
    value: events,
    calendars: asOf.length,
    skipped: excluded.length,
    asOf: Math.min(...asOf, app.now().epochMilliseconds),
    origin,
    problems: [
      ...unmatched.map((name) => `no calendar is called ${JSON.stringify(name)} (calendars.include)`),
      ...problems,
    ],
  };
}

/** What is read, and for whom. */
export interface ReadRequest {
  readonly accounts: readonly Account[];
  readonly range: Range;
  readonly audience: string;
  readonly depth: ReadDepth;
  readonly freshness: Freshness;
}

/**
 * The one read path: all events that all accounts hold in a range, cut down to what the audience may see before
 * anything else looks at them, and what is known of each account.
 */
export async function readEvents(
  app: App,
  { accounts, audience, ...request }: ReadRequest,
  asker: Asker,
): Promise<{
  readonly events: readonly CalendarEvent[];
  readonly coverage: readonly AccountCoverage[];
  /** Accounts of which not everything was read. */
  readonly unknown: readonly Account[];
  /** Whether all of it was read just now. */
  readonly isLive: boolean;
}> {
  await app.catchUp();
  let isLive = true;
  const { answers, coverage } = await fanOut(
    app,
    accounts,
    asker,
    async (account, call) => {
      const reading = await readAccount(account, request, app, call);
      isLive &&= reading.origin === 'live';
      return reading;
    },
    audience,
  );
  const complete = new Set(answers.filter((answer) => isComplete([answer.coverage])).map(({ account }) => account));
  const read = answers.map(({ account, value }) => ({ account, events: value.map((event) => atHome(event, account)) }));
  const blind = audience === OWNER ? undefined : createBlind(read.flatMap(({ events }) => events));
  return {
    events: read.flatMap(({ account, events }) =>
      blind === undefined
        ? events
        : events.flatMap((event) => disclose(event, { audience, blind, ...account.sharing }) ?? []),
    ),
    coverage,
    unknown: accounts.filter((account) => !complete.has(account)),
    isLive,
  };
}

function atHome(event: CalendarEvent, { hasOwnTimeZone, timeZone }: Account): CalendarEvent {
  return hasOwnTimeZone && event.start.kind === 'date' ? { ...event, ownerZone: timeZone } : event;
}

/**
 * Numbers in place of ids, UIDs and names, good for one answer: in the order that the texts have, so that what was read
 * first, or by chance, makes no difference to the answer.
 */
function createBlind(events: readonly CalendarEvent[]): (text: string) => string {
  const texts = [...new Set(events.flatMap(identifiersOf))].sort();
  const numbers = new Map(texts.map((text, index) => [text, String(index).padStart(8, '0')]));
  return (text) => {
    const number = numbers.get(text);
    if (number === undefined) throw new TypeError('not an identifier of this answer');
    return number;
  };
}
