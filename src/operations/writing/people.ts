/** Who learns of a change, and whether somebody has to say so first. */
import { z } from 'zod';
import type { EventFields, EventWriter, Invitee, StoredEvent } from '../../core/change.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Scope } from '../../core/series.ts';
import { neutralize } from '../../core/text.ts';

/** Addresses that an answer lists. */
const MOST_LISTED = 50;

export const notifyInput = z
  .enum(['all', 'none'])
  .optional()
  .describe('all e-mails those invited; needed with attendees.');
export const dryRunInput = z.boolean().optional().describe('Only preview.');

/** What is nobody's business but the owner's: it is not mailed to anybody. */
const PRIVATE_FIELDS: ReadonlySet<keyof EventFields> = new Set([
  'busy',
  'sensitivity',
  'reminders',
  'categories',
  'color',
]);

/** Whether a change is one that those invited learn about. */
export function concernsOthers(fields: EventFields): boolean {
  return (Object.keys(fields) as (keyof EventFields)[]).some((name) => !PRIVATE_FIELDS.has(name));
}

/** An invitation of somebody else: whose event it is decides what may be changed. */
export function isInvitation({ isMine }: StoredEvent): boolean {
  return !isMine;
}

/**
 * A series of somebody else is not cut in two: its other half would be a meeting of one's own.
 * @throws CalmcpError INPUT_INVALID
 */
export function requireWhole(stored: StoredEvent, scope: Scope): void {
  if (scope !== 'following' || !isInvitation(stored)) return;
  throw new CalmcpError('INPUT_INVALID', 'it is a series of somebody else, which only its organizer can cut', {
    account: stored.event.account,
    hint: 'give scope: this or all; respond_to_event declines this and all later ones',
  });
}

/** All who are invited before or after a change, by address, once each. */
export function peopleOf(...lists: readonly (readonly Invitee[] | undefined)[]): string[] {
  const all = lists.flatMap((list) => list ?? []).map(({ email }) => neutralize(email.toLowerCase()));
  return [...new Set(all)];
}

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each) ? Object.entries(each).sort() : each,
  );

/** Whom a change concerns. What is set to what it is already changes nothing; who comes or goes is nobody else's news. */
export function concernedBy(now: EventFields, wanted: EventFields): string[] {
  const names = (Object.keys(wanted) as (keyof EventFields)[]).filter(
    (name) => textOf(now[name]) !== textOf(wanted[name]) && !PRIVATE_FIELDS.has(name),
  );
  if (names.length === 0) return [];
  const all = peopleOf(now.attendees, wanted.attendees);
  if (names.some((name) => name !== 'attendees')) return all;
  const [before, after] = [peopleOf(now.attendees), peopleOf(wanted.attendees)];
  return all.filter((one) => !before.includes(one) || !after.includes(one));
}

export interface Notice {
  /** Who is mailed. */
  readonly mails: readonly string[];
  /** What the call lacks for being made. */
  readonly needs: readonly string[];
  readonly notify: boolean;
}

/** @param people those whom it concerns; none where it does not */
export function noticeOf(
  people: readonly string[],
  notify: 'all' | 'none' | undefined,
  { alwaysNotifies }: EventWriter,
): Notice {
  if (people.length === 0) return { mails: [], needs: [], notify: false };
  if (notify === 'all') return { mails: people, needs: [], notify: true };
  const why = alwaysNotifies ? 'this server mails those invited of its own accord' : 'others are invited';
  return { mails: people, needs: [`notify: all (${why})`], notify: false };
}

/** @throws CalmcpError INPUT_INVALID where somebody would get mail that nobody asked for */
export function requireNotice({ mails, needs }: Notice): void {
  if (needs.length === 0) return;
  throw new CalmcpError('INPUT_INVALID', `others are invited: ${listed(mails)} would be e-mailed`, {
    hint: 'say so with notify: all; dryRun: true shows it first',
  });
}

function listed(people: readonly string[]): string {
  const shown = people.slice(0, 5).join(', ');
  return people.length > 5 ? `${shown} and ${people.length - 5} more` : shown;
}

export function shownNotice({ mails, needs }: Notice): { mails?: string[]; mailCount?: number; needs?: string[] } {
  return {
    ...(mails.length === 0 ? {} : { mails: mails.slice(0, MOST_LISTED) }),
    ...(mails.length > MOST_LISTED ? { mailCount: mails.length } : {}),
    ...(needs.length === 0 ? {} : { needs: [...needs] }),
  };
}
