/** Reading jCal (RFC 7265), which is what ical.js makes of a calendar. */
import type { RawComponent, RawProperty } from './parse.ts';

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
