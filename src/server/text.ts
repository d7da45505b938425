/** What a model reads of a structured answer: the same facts, a line each, coverage first. */
import type { AccountCoverage } from '../core/coverage.ts';
import type { CalmcpError } from '../core/errors.ts';
import type { AccountList } from '../operations/list-accounts.ts';
import type { Agenda, AgendaItem } from '../operations/list-events.ts';

export function coverageLine({
  account,
  status,
  calendars,
  skipped,
  asOf,
  message,
  hint,
  problems = [],
}: AccountCoverage): string {
  const facts = [
    status,
    calendars === undefined ? undefined : `${calendars} calendar${calendars === 1 ? '' : 's'}`,
    skipped === undefined ? undefined : `${skipped} skipped`,
    asOf === undefined ? undefined : `as of ${asOf}`,
    message,
    hint,
    ...problems,
  ];
  return `${account}: ${facts.filter((fact) => fact !== undefined).join(', ')}`;
}

/** Says what an incomplete answer does not tell. `undefined` for a complete one. */
export function incompleteLine(accounts: readonly AccountCoverage[], complete: boolean): string | undefined {
  if (complete) return undefined;
  const unknown = accounts.filter(({ status }) => status !== 'ok' && status !== 'stale').map(({ account }) => account);
  return `INCOMPLETE: the time of ${unknown.join(', ')} is unknown, not free.`;
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

export function weekdayOf(date: string): string {
  return WEEKDAYS[new Date(`${date}T00:00:00Z`).getUTCDay()] ?? '';
}

/** `10:00-10:45`, `22:00-2026-11-24 02:00`, `all day`, `all day until 2026-11-25`. */
export function timesOf({ start, end, allDay }: AgendaItem): string {
  if (allDay) {
    const nextDay = new Date(Date.parse(`${start}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
    const lastDay = new Date(Date.parse(`${end}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
    return end === nextDay ? 'all day' : `all day until ${lastDay}`;
  }
  const from = start.slice(11, 16);
  if (end.length === 5) return end === from ? from : `${from}-${end}`;
  if (end === start) return from;
  const [date, offset] = [end.slice(0, 10), offsetOf(end)];
  const day = date === start.slice(0, 10) ? '' : `${date} `;
  return `${from}-${day}${end.slice(11, 16)}${offset === offsetOf(start) ? '' : offset}`;
}

export function offsetOf(time: string): string {
  return /(?:Z|[+-]\d{2}:\d{2})$/.exec(time)?.[0] ?? '';
}

/** All that is not the default about an event, in the order in which people ask. */
export function factsOf(item: AgendaItem): string[] {
  const { accounts = [], busy, status, response, location, join, recurring, zone, floating, notes = [] } = item;
  return [
    accounts.length > 1 ? accounts.join('+') : undefined,
    item.calendar,
    busy,
    status === busy ? undefined : status,
    response === busy ? undefined : response,
    item.private ? 'private' : undefined,
    recurring ? 'recurring' : undefined,
    zone,
    floating ? 'floating' : undefined,
    location,
    ...notes,
    join,
  ].filter((fact) => fact !== undefined);
}

function agendaText({ notices = [], range, complete, accounts, events }: Agenda): string {
  const lines = [...notices, ...accounts.map(coverageLine)];
  const warning = incompleteLine(accounts, complete);
  if (warning) lines.push(warning);
  lines.push(`${range.start} to ${range.end} ${range.timeZone}`);
  if (events.length === 0) lines.push(complete ? 'no events' : 'no events in the accounts that were read');
  // An all-day event has no offset and stands first in its day: its heading takes that of the day's first timed event.
  const offsets = new Map<string, string>();
  for (const { start, allDay } of events) {
    const date = start.slice(0, 10);
    if (!allDay && !offsets.has(date)) offsets.set(date, offsetOf(start));
  }
  let heading = '';
  for (const event of events) {
    const date = event.start.slice(0, 10);
    const offset = event.allDay ? offsets.get(date) : offsetOf(event.start);
    const own = [date, weekdayOf(date), offset].filter((part) => part !== undefined).join(' ');
    if (own !== heading) {
      lines.push(own);
      heading = own;
    }
    lines.push([`${timesOf(event)} ${event.title ?? '(no title)'}`, event.id, ...factsOf(event)].join(' · '));
  }
  return lines.join('\n');
}

/** Two accounts of one mailbox: what it holds is read twice, and is shown once. */
export function sameMailboxAs(accounts: readonly string[] | undefined): string | undefined {
  return accounts === undefined ? undefined : `the same mailbox as ${accounts.join(', ')}`;
}

function accountsText({ notices = [], accounts }: AccountList): string {
  const lines = accounts.map(({ account, displayName, provider, access, signIn, username, sameAs, message, hint }) =>
    [`${account}: ${provider}`, displayName, access, signIn, username, sameMailboxAs(sameAs), message, hint]
      .filter((fact) => fact !== undefined)
      .join(', '),
  );
  return [
    ...notices,
    ...(lines.length === 0 ? ['no accounts are configured: calmcp init --print shows how'] : lines),
  ].join('\n');
}

interface CalendarList {
  readonly notices?: readonly string[] | undefined;
  readonly complete: boolean;
  readonly accounts: readonly AccountCoverage[];
  readonly calendars: readonly {
    readonly account: string;
    readonly name: string;
    readonly default?: true | undefined;
    readonly access: string;
    readonly skipped?: true | undefined;
    readonly owner?: string | undefined;
  }[];
}

function calendarsText({ notices = [], complete, accounts, calendars }: CalendarList): string {
  const lines = [...notices, ...accounts.map(coverageLine)];
  const warning = incompleteLine(accounts, complete);
  if (warning) lines.push(warning);
  for (const { account, name, access, skipped, owner, ...entry } of calendars)
    lines.push(
      [`${account} · ${name}`, entry.default ? 'default' : undefined, access, skipped ? 'skipped' : undefined, owner]
        .filter((fact) => fact !== undefined)
        .join(' · '),
    );
  return lines.join('\n');
}

function timeText({ now, timeZone, weekday, isoWeek }: Record<string, unknown>): string {
  return `${String(now)} ${String(timeZone)}, ${String(weekday)}, ${String(isoWeek)}`;
}

const RENDERERS: Readonly<Record<string, (result: never) => string>> = {
  list_accounts: accountsText,
  list_calendars: calendarsText,
  list_events: agendaText,
  get_current_time: timeText,
};

/** The text content of the answer of one operation. */
export function renderText(operation: string, result: unknown): string {
  const render = RENDERERS[operation];
  if (render === undefined) throw new TypeError(`no text form for ${operation}`);
  return render(result as never);
}

/** An error as a model and a person can act on it. Third-party text stays in the log. */
export function renderError({ code, message, account, hint, problems, retryAfterMs }: CalmcpError): string {
  return [
    `${code}: ${account === undefined || new RegExp(`\\b${account}\\b(?![@.])`).test(message) ? '' : `${account}: `}${message}`,
    ...problems,
    ...(retryAfterMs === undefined ? [] : [`try again in ${Math.ceil(retryAfterMs / 1000)} s`]),
    ...(hint === undefined ? [] : [hint]),
  ].join('\n');
}
