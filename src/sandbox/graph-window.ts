import { Temporal } from 'temporal-polyfill';
import type { SandboxEvent } from './data.ts';
import { graphRefusal } from './graph-refusal.ts';

/** Epoch milliseconds, half-open. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

const maximumDays = 1825;
const dateTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/i;

/** https://learn.microsoft.com/graph/api/calendar-list-calendarview#query-parameters; the names ignore case. */
export function parseWindow(query: URLSearchParams): Window {
  const given = new Map([...query].map(([name, value]) => [name.toLowerCase(), value]));
  const [start, end] = [given.get('startdatetime'), given.get('enddatetime')];
  if (!start || !end) {
    throw graphRefusal(
      400,
      'ErrorInvalidParameter',
      'This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.',
    );
  }
  const window = { start: parseDateTime('StartDateTime', start), end: parseDateTime('EndDateTime', end) };
  if (window.end <= window.start) {
    throw graphRefusal(
      400,
      'ErrorInvalidParameter',
      'The value of EndDateTime must be later than the value of StartDateTime.',
    );
  }
  if (window.end - window.start > maximumDays * 86_400_000) {
    // https://github.com/microsoftgraph/microsoft-graph-docs/issues/6284
    throw graphRefusal(
      400,
      'ErrorInvalidRequest',
      `Your request can't be completed. The range between the start and end dates is greater than the allowed range. Maximum number of days: ${maximumDays}`,
    );
  }
  return window;
}

/** Without an offset it is UTC, whatever Prefer: outlook.timezone says. A bare + in a query has become a space: refused. */
function parseDateTime(name: string, text: string): number {
  const match = dateTime.exec(text);
  const value =
    match === null ? Number.NaN : Date.parse(text.includes('T') && match[1] === undefined ? `${text}Z` : text);
  if (Number.isNaN(value)) {
    throw graphRefusal(400, 'ErrorInvalidParameter', `The value '${text}' of parameter '${name}' is invalid.`);
  }
  return value;
}

export function isInWindow(event: SandboxEvent, window: Window): boolean {
  const { start, end } = extentOf(event);
  if (start === end) return start >= window.start && start < window.end;
  return start < window.end && end > window.start;
}

/** Exchange keeps an all-day event as the instants of its midnights in the zone in which it was made. */
export function extentOf({ isAllDay, start, end, zone }: SandboxEvent): Window {
  if (!isAllDay) return { start: Date.parse(start), end: Date.parse(end) };
  const midnight = (date: string) => Temporal.PlainDate.from(date).toZonedDateTime(zone).epochMilliseconds;
  return { start: midnight(start), end: midnight(end) };
}
