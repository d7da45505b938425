import { Temporal } from 'temporal-polyfill';
import type { AttendeeResponse, EventProperties, Person, SandboxEvent } from './data.ts';
import { changeKey, opaqueId, outlookUid } from './opaque.ts';
import { windowsZones } from './windows-zones.ts';

/** Everything but subject, start and end has a default; any Graph property may be given as it should come out. */
export interface EventInput extends Partial<EventProperties> {
  readonly subject: string | null;
  /** Local time in `zone` (YYYY-MM-DDTHH:MM), or YYYY-MM-DD for an all-day event. */
  readonly start: string;
  /** Exclusive. */
  readonly end: string;
  /** Windows or IANA name. Default: W. Europe Standard Time. */
  readonly zone?: string;
  /** My answer. Default: organizer, or accepted when someone else organizes it. */
  readonly response?: AttendeeResponse;
  /** Default: whoever owns the mailbox. */
  readonly organizedBy?: Person;
  readonly invited?: readonly Person[];
  readonly place?: string;
  readonly text?: string;
  /** Seed of a Teams join link. */
  readonly teams?: string;
  /** Set by `weekly`. */
  readonly series?: { readonly key: string; readonly originalStart: string };
}

export const defaultZone = 'W. Europe Standard Time';

/** Stands for the owner until `mailbox` knows who that is. */
const owner: Person = { name: 'You', address: '' };

/** Not answered yet, in the way that Graph says "no time". */
const never = '0001-01-01T00:00:00Z';

export function event(input: EventInput): SandboxEvent {
  const { subject, start, end, zone = defaultZone, response, organizedBy, invited, place = '', text } = input;
  const { teams, series, ...properties } = withoutInputs(input);
  const iana = windowsZones[zone] ?? zone;
  const isAllDay = !start.includes('T');
  const seed = JSON.stringify([subject, start, end, zone, organizedBy?.address, series?.key]);
  const id = opaqueId(seed, 'AAMkAG');
  const answer = response ?? (organizedBy === undefined ? 'organizer' : 'accepted');
  const startsAt = instantOf(start, iana);
  const preview = text ?? '';
  const answeredAt = answer === 'notResponded' || answer === 'organizer' ? never : daysBefore(startsAt, 5);

  return {
    id,
    immutableId: opaqueId(id, 'AAkALg'),
    seriesMaster: series === undefined ? null : masterOf(series.key),
    isAllDay,
    start: isAllDay ? start : startsAt.toString(),
    end: isAllDay ? end : instantOf(end, iana).toString(),
    zone: iana,
    properties: {
      createdDateTime: sevenDigits(daysBefore(startsAt, 14)),
      lastModifiedDateTime: sevenDigits(daysBefore(startsAt, 3)),
      changeKey: changeKey(seed),
      categories: [],
      transactionId: null,
      originalStartTimeZone: zone,
      originalEndTimeZone: zone,
      iCalUId: outlookUid(seed),
      reminderMinutesBeforeStart: 15,
      isReminderOn: !isAllDay,
      hasAttachments: false,
      subject,
      bodyPreview: preview,
      importance: 'normal',
      sensitivity: 'normal',
      isCancelled: false,
      isOrganizer: answer === 'organizer',
      responseRequested: true,
      showAs: showAsFor(answer, isAllDay),
      type: series === undefined ? 'singleInstance' : 'occurrence',
      webLink: `https://outlook.example/owa/?itemid=${encodeURIComponent(id)}&exvsurl=1&path=/calendar/item`,
      onlineMeetingUrl: null,
      isOnlineMeeting: teams !== undefined,
      onlineMeetingProvider: teams === undefined ? 'unknown' : 'teamsForBusiness',
      allowNewTimeProposals: true,
      isDraft: false,
      hideAttendees: false,
      originalStart: series?.originalStart ?? null,
      responseStatus: { response: answer, time: answeredAt },
      body: { contentType: 'html', content: preview === '' ? '' : `<html><body>${preview}</body></html>` },
      location: { displayName: place },
      locations: place === '' ? [] : [{ displayName: place }],
      recurrence: null,
      attendees: (invited ?? []).map((person) => ({
        type: 'required' as const,
        status: { response: 'none' as const, time: never },
        emailAddress: person,
      })),
      organizer: { emailAddress: organizedBy ?? owner },
      onlineMeeting: teams === undefined ? null : { joinUrl: teamsLink(teams) },
      ...properties,
    },
  };
}

export function masterOf(key: string): { id: string; immutableId: string } {
  const id = opaqueId(`master ${key}`, 'AAMkAG');
  return { id, immutableId: opaqueId(id, 'AAkALg') };
}

export function instantOf(local: string, iana: string): Temporal.Instant {
  return Temporal.PlainDateTime.from(local).toZonedDateTime(iana).toInstant();
}

function withoutInputs(input: EventInput) {
  const { subject, start, end, zone, response, organizedBy, invited, place, text, ...rest } = input;
  return rest;
}

function showAsFor(answer: AttendeeResponse, isAllDay: boolean): EventProperties['showAs'] {
  if (answer === 'declined' || isAllDay) return 'free';
  return answer === 'tentativelyAccepted' || answer === 'notResponded' ? 'tentative' : 'busy';
}

function daysBefore(instant: Temporal.Instant, days: number): string {
  return instant.subtract({ hours: 24 * days }).toString();
}

function sevenDigits(instant: string): string {
  return Temporal.Instant.from(instant).toString({ fractionalSecondDigits: 7 });
}

function teamsLink(seed: string): string {
  const thread = changeKey(seed).slice(0, 20);
  return `https://teams.microsoft.com/l/meetup-join/19%3ameeting_${thread}%40thread.v2/0?context=%7b%7d`;
}
