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
    zone: zone === undefined ? { name: 'UTC', iana: 'UTC' } : { name: zone, iana: ianaOf(zone) },
    immutableIds,
    textBodies,
    pageSize: Number.isInteger(pageSize) && pageSize > 0 ? Math.min(pageSize, 1000) : undefined,
    applied: applied.join(', '),
  };
}

function ianaOf(name: string): string {
  const known = windowsZones[name];
  if (known !== undefined) return known;
  // Graph takes zone names, not offsets, although Intl knows both.
  if (/^[A-Za-z]/.test(name) && isIana(name)) return name;
  throw graphRefusal(
    400,
    'TimeZoneNotSupportedException',
    `A valid TimeZone value must be specified. The following TimeZone value is not supported: '${name}'.`,
  );
}

function isIana(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
