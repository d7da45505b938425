import { Temporal } from 'temporal-polyfill';
import { graphRefusal } from './graph-refusal.ts';
import { windowsZones } from './windows-zones.ts';

/** What the Prefer header of one request asks for. https://learn.microsoft.com/graph/outlook-immutable-id */
export interface Preferences {
  /** As asked, and the IANA zone it stands for. */
  readonly zone: { readonly name: string; readonly iana: string };
  readonly immutableIds: boolean;
  readonly textBodies: boolean;
  readonly pageSize: number | undefined;
  /** Value of Preference-Applied; empty when nothing was asked. */
  readonly applied: string;
}

export function parsePreferences(header: string | undefined): Preferences {
  const asked = new Map<string, string>();
  for (const match of (header ?? '').matchAll(/([\w.-]+)\s*=\s*(?:"([^"]*)"|([^,;\s]+))/g)) {
    asked.set((match[1] ?? '').toLowerCase(), match[2] ?? match[3] ?? '');
  }
  const zone = asked.get('outlook.timezone');
  const immutableIds = asked.get('idtype')?.toLowerCase() === 'immutableid';
  const textBodies = asked.get('outlook.body-content-type') === 'text';
  const pageSize = Number(asked.get('odata.maxpagesize'));
  const applied = [
    ...(zone === undefined ? [] : [`outlook.timezone="${zone}"`]),
    ...(immutableIds ? ['IdType="ImmutableId"'] : []),
    ...(textBodies ? ['outlook.body-content-type="text"'] : []),
  ];
  return {
    zone: zone === undefined ? { name: 'UTC', iana: 'UTC' } : { name: zone, iana: zoneOf(zone) },
    immutableIds,
    textBodies,
    pageSize: Number.isInteger(pageSize) && pageSize > 0 ? Math.min(pageSize, 1000) : undefined,
    applied: applied.join(', '),
  };
}

/** IANA zones that are fixed offsets in truth; Graph was seen to refuse them (mpalermiti/outlook-mcp, changelog). */
const fixedZones = ['EST', 'MST', 'HST'];

/** The IANA zone of a Windows or IANA name. */
export function zoneOf(name: string): string {
  const known = windowsZones[name];
  if (known !== undefined) return known;
  // Graph takes zone names, not offsets, although Intl knows both.
  if (/^[A-Za-z]/.test(name) && !fixedZones.includes(name) && isIana(name)) return name;
  throw graphRefusal(
    400,
    'TimeZoneNotSupportedException',
    `A valid TimeZone value must be specified. The following TimeZone value is not supported: '${name}'.`,
  );
}

/** Graph takes a Windows zone and an IANA zone for the same one when their clocks agree: here, in these years. */
export function isSameZone(one: string, other: string): boolean {
  const offset = (zone: string, month: number) =>
    Temporal.PlainDateTime.from({
      year: 2026 + Math.floor(month / 12),
      month: (month % 12) + 1,
      day: 15,
    }).toZonedDateTime(zone).offset;
  return (
    one === other ||
    Array.from({ length: 24 }, (_, month) => month).every((month) => offset(one, month) === offset(other, month))
  );
}

function isIana(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
