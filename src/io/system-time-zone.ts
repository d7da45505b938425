/** The time zone of this system. */
import { readlinkSync } from 'node:fs';

/** @returns '' where the system does not tell */
export function systemTimeZone(): string {
  try {
    return Intl.DateTimeFormat().resolvedOptions().timeZone;
  } catch {
    return '';
  }
}

/** Names of UTC in the tz database, which Intl calls by one. */
const UTC = new Set(['Etc/UTC', 'Etc/UCT', 'Etc/Zulu', 'Etc/Universal', 'Etc/GMT', 'UCT', 'Zulu', 'Universal', 'GMT']);

/**
 * What {@link systemTimeZone} would most probably say, without loading Intl, which costs 12 ms and 9 MB. Good for finding out
 * that it is the one that somebody else has named; where it is not, ask Intl.
 */
export function likelyTimeZone({ TZ }: Readonly<Record<string, string | undefined>>): string | undefined {
  const named = TZ || linkedZone();
  return named !== undefined && UTC.has(named) ? 'UTC' : named;
}

/** localtime(5): the link tells the name; macOS has it as well. */
function linkedZone(): string | undefined {
  try {
    return /\/zoneinfo(?:\.default)?\/(.+)$/.exec(readlinkSync('/etc/localtime'))?.[1];
  } catch {
    return undefined;
  }
}
