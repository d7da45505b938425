/** Reading jCal (RFC 7265), which is what ical.js makes of a calendar. */
import type { RawComponent, RawProperty } from './parse.ts';

/** A date or wall-clock time as written. */
export interface LocalTime {
  readonly kind: 'date' | 'timed';
  /** Local milliseconds: see `WallClock` in zones.ts. */
  readonly local: number;
  readonly utc: boolean;
}

/** Also takes what ical.js makes of sloppy values: `20261012` for a DATE-TIME comes out as `2026-10-12T::`. */
const LOCAL_TIME = /^(\d{4})-?(\d{2})-?(\d{2})(?:T(?:(\d{2}):?(\d{2}):?(\d{2})?)?:*(Z)?)?$/;

/** A DATE or DATE-TIME value; `null` for what is neither or not in the calendar. */
export function parseLocal(text: string): LocalTime | null {
  const match = LOCAL_TIME.exec(text);
  if (!match) return null;
  const [, year = '', month = '', day = '', hours, minutes = '0', seconds = '0', utc] = match;
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const back = new Date(date);
  if (Number(year) < 1000 || back.getUTCMonth() !== Number(month) - 1 || back.getUTCDate() !== Number(day)) return null;
  if (hours === undefined) return { kind: 'date', local: date, utc: false };
  // A leap second 60 is the first of the next minute; 24:00 is the next midnight.
  if (Number(hours) > 24 || Number(minutes) > 59 || Number(seconds) > 60) return null;
  const local = date + ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
  return { kind: 'timed', local, utc: utc !== undefined };
}

export interface Duration {
  /** Nominal days: wall-clock. */
  readonly days: number;
  /** Exact milliseconds. */
  readonly ms: number;
}

/** RFC 5545 3.3.6; `null` for what is not a duration. */
export function parseDuration(text: string): Duration | null {
  const match = /^([+-])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/i.exec(text.trim());
  if (!match || !/\d/.test(text)) return null;
  const [, sign, weeks = '0', days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
  const factor = sign === '-' ? -1 : 1;
  return {
    days: factor * (Number(weeks) * 7 + Number(days)),
    ms: factor * ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000,
  };
}

export function propertiesOf(component: RawComponent, name: string): readonly RawProperty[] {
  return component.properties.get(name) ?? [];
}

/** All values of all properties of that name. */
export function valuesOf(component: RawComponent, name: string): readonly unknown[] {
  return propertiesOf(component, name).flatMap(({ values }) => values);
}

/** First value as trimmed text; `null` where it is missing or blank. */
export function textOf(component: RawComponent, name: string): string | null {
  const value = propertiesOf(component, name)[0]?.values[0];
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const text = String(value).trim();
  return text === '' ? null : text;
}

export function parameterOf(property: RawProperty, name: string): string | null {
  const value = property.parameters[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
