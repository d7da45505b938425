/** Times, places and texts of events as Google writes them. Pure. */
import type { EventTime } from '../../core/event.ts';
import { zoneClock } from '../../core/time.ts';
import type { calendar_v3 } from './client.ts';

/** In a patch `null` removes. */
export interface GoogleTime {
  readonly date?: string | null;
  readonly dateTime?: string | null;
  readonly timeZone?: string | null;
}

/**
 * The name that Google takes for a zone; nothing where it has none. Google knows IANA names alone, and of fixed offsets those
 * of full hours have one (with the sign of POSIX, which is the other one).
 */
export function zoneNameOf(zone: string | null): string | undefined {
  if (zone === null) return undefined;
  const offset = /^([+-])(\d\d):(\d\d)$/.exec(zone);
  if (offset === null) return zone;
  const [, sign, hours = '', minutes] = offset;
  if (minutes !== '00' || (sign === '-' && Number(hours) > 12)) return undefined;
  return `Etc/GMT${sign === '+' ? '-' : '+'}${Number(hours)}`;
}

export function timeOf(time: EventTime): GoogleTime {
  if (time.kind === 'date') return { date: time.date };
  const timeZone = zoneNameOf(time.zone);
  // The moment is right in any case: without a name Google shows it in the zone of the calendar.
  const dateTime = zoneClock(time.zone ?? 'UTC').format(time.epochMs);
  return { dateTime, ...(timeZone === undefined ? {} : { timeZone }) };
}

/** The same for an event that has a time already, of either kind. */
export function changedTimeOf(time: EventTime): GoogleTime {
  return { date: null, dateTime: null, timeZone: null, ...timeOf(time) };
}

/**
 * A description may be HTML, so what would be taken for a tag or an entity is written as entities, which every reader of
 * descriptions decodes. Other text goes as it is.
 * @see https://developers.google.com/workspace/calendar/api/v3/reference/events#description
 */
export function descriptionOf(text: string): string {
  if (!/<[a-z!/]|&(?:#\d|#x[\da-f]|[a-z][a-z\d]*;)/i.test(text)) return text;
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

type WorkingLocation = calendar_v3.Schema$EventWorkingLocationProperties;

/** `home`, `office`, `office: <label>`, or a place of one's own. */
export function workingLocationOf(words: string): WorkingLocation {
  const place = words.trim();
  if (/^home$/i.test(place)) return { type: 'homeOffice', homeOffice: {} };
  const label = /^office(?:\s*:\s*(.*))?$/is.exec(place);
  if (label === null) return { type: 'customLocation', customLocation: { label: place } };
  return { type: 'officeLocation', officeLocation: label[1] ? { label: label[1].trim() } : {} };
}

export function workingLocationWords(place: WorkingLocation | undefined): string | undefined {
  if (place?.type === 'homeOffice') return 'home';
  if (place?.type === 'officeLocation')
    return place.officeLocation?.label ? `office: ${place.officeLocation.label}` : 'office';
  return place?.customLocation?.label ?? undefined;
}
