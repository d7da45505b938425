/** A VEVENT to the fields of a calendar event that do not depend on the occurrence. Pure. */
import type { Attendee, Busy, CalendarEvent, EventStatus, Person, Response, Sensitivity } from '../../core/event.ts';
import { joinAddressIn } from '../../core/plain-text.ts';
import { webAddress } from '../../core/text.ts';
import type { RawComponent, RawProperty } from './parse.ts';
import { type ParsedEvent, stampOf } from './read-event.ts';
import { parameterOf, propertiesOf, textOf, valuesOf } from './values.ts';

export interface MapContext {
  /** Addresses of the account's owner, in lower case. */
  readonly mine: ReadonlySet<string>;
  /**
   * Whether the calendar is published with a METHOD: then DTSTAMP is when this copy was made, and not when the event
   * was last changed (RFC 5545 3.8.7.2).
   */
  readonly hasMethod: boolean;
  readonly fromFeed: boolean;
}

export type EventFields = Omit<
  CalendarEvent,
  'account' | 'calendar' | 'id' | 'recurrenceKey' | 'kind' | 'seriesId' | 'start' | 'end' | 'warnings'
>;

/** @see https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcical/cd68eae7-ed65-4dd3-8ea7-ad585c76c736 */
const OUTLOOK_BUSY: Readonly<Record<string, Busy>> = {
  FREE: 'free',
  TENTATIVE: 'tentative',
  BUSY: 'busy',
  OOF: 'oof',
  WORKINGELSEWHERE: 'workingElsewhere',
};
const SENSITIVITIES: Readonly<Record<string, Sensitivity>> = { PRIVATE: 'private', CONFIDENTIAL: 'confidential' };
const STATUSES: Readonly<Record<string, EventStatus>> = { TENTATIVE: 'tentative', CANCELLED: 'cancelled' };
const RESPONSES: Readonly<Record<string, Response>> = {
  ACCEPTED: 'accepted',
  TENTATIVE: 'tentative',
  DECLINED: 'declined',
  'NEEDS-ACTION': 'notResponded',
};

const keyword = (raw: RawComponent, name: string): string => textOf(raw, name)?.toUpperCase() ?? '';

function emailOf(property: RawProperty): string | undefined {
  const value = String(property.values[0] ?? '').trim();
  const address = /^mailto:/i.test(value) ? value.slice('mailto:'.length) : value;
  const email = address.includes('@') && !/^\w+:/.test(address) ? address : parameterOf(property, 'email');
  return email?.trim() || undefined;
}

function personOf(property: RawProperty): Person {
  const name = parameterOf(property, 'cn')?.trim();
  const email = emailOf(property);
  return { ...(name && name.toLowerCase() !== email?.toLowerCase() ? { name } : {}), ...(email ? { email } : {}) };
}

/** Default is NEEDS-ACTION (RFC 5545 3.2.12); who passed his place on (DELEGATED) has not said that he is free. */
function responseOf(attendee: RawProperty): Response {
  return RESPONSES[parameterOf(attendee, 'partstat')?.toUpperCase() ?? 'NEEDS-ACTION'] ?? 'none';
}

function attendeeOf(property: RawProperty): Attendee {
  const kind = parameterOf(property, 'cutype')?.toUpperCase();
  const role = parameterOf(property, 'role')?.toUpperCase();
  return {
    ...personOf(property),
    response: responseOf(property),
    ...(role === 'OPT-PARTICIPANT' || role === 'NON-PARTICIPANT' ? { optional: true } : {}),
    ...(kind === 'ROOM' || kind === 'RESOURCE' ? { resource: true } : {}),
  };
}

function joinOf(raw: RawComponent): string | undefined {
  const conferences = propertiesOf(raw, 'conference');
  const isVideo = (property: RawProperty): boolean =>
    [property.parameters.feature].flat().join().toUpperCase().includes('VIDEO');
  const named = [
    ...conferences.filter(isVideo),
    ...conferences,
    ...propertiesOf(raw, 'x-google-conference'),
    ...propertiesOf(raw, 'x-microsoft-skypeteamsmeetingurl'),
  ];
  for (const property of named) {
    const url = webAddress(String(property.values[0] ?? '').trim());
    if (url !== undefined) return url;
  }
  return joinAddressIn(textOf(raw, 'location') ?? '') ?? joinAddressIn(textOf(raw, 'description') ?? '');
}

export function mapEvent(event: ParsedEvent, { mine, hasMethod, fromFeed }: MapContext): EventFields {
  const { raw } = event;
  const isMine = (property: RawProperty): boolean => mine.has(emailOf(property)?.toLowerCase() ?? '');
  const [organizer] = propertiesOf(raw, 'organizer');
  const attendees = propertiesOf(raw, 'attendee');
  const me = attendees.find(isMine);
  const text = textOf(raw, 'description');
  const location = textOf(raw, 'location');
  const join = joinOf(raw);
  const webLink = webAddress(textOf(raw, 'url') ?? '');
  const categories = valuesOf(raw, 'categories').flatMap((value) => String(value).trim() || []);
  return {
    uid: event.uid,
    title: textOf(raw, 'summary'),
    ...(text === null ? {} : { text }),
    ...(location === null ? {} : { location }),
    ...(join === undefined ? {} : { join }),
    busy:
      OUTLOOK_BUSY[keyword(raw, 'x-microsoft-cdo-busystatus')] ??
      (keyword(raw, 'transp') === 'TRANSPARENT' ? 'free' : 'busy'),
    status: event.cancelled ? 'cancelled' : (STATUSES[keyword(raw, 'status')] ?? 'confirmed'),
    sensitivity: SENSITIVITIES[keyword(raw, 'class')] ?? 'normal',
    myResponse: organizer !== undefined && isMine(organizer) ? 'organizer' : me === undefined ? 'none' : responseOf(me),
    type: 'default',
    ...(organizer === undefined ? {} : { organizer: personOf(organizer) }),
    ...(attendees.length === 0 ? {} : { attendees: attendees.map(attendeeOf) }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(webLink === undefined ? {} : { webLink }),
    ...(textOf(raw, 'sequence') === null ? {} : { sequence: event.sequence }),
    updated: stampOf(raw, 'last-modified') ?? (hasMethod ? null : stampOf(raw, 'dtstamp')),
    readOnly: true,
    ...(fromFeed ? { fromFeed } : {}),
    // A block that calmcp put there to stand for a meeting of another account (D09).
    ...(textOf(raw, 'x-calmcp-mirror') === '1' ? { mirror: true } : {}),
  };
}
