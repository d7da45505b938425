import { createHash, randomUUID } from 'node:crypto';
import { Temporal } from 'temporal-polyfill';
import type { EventProperties, Person, Recurrence, SandboxCalendar, SandboxEvent } from './data.ts';
import { type EventChanges, invalidProperty } from './graph-event-body.ts';
import { isSameZone } from './graph-prefer.ts';
import { parseRecurrence } from './graph-recurrence-body.ts';
import { graphRefusal } from './graph-refusal.ts';
import { newIds, startDateOf, webLinkOf } from './graph-series.ts';
import { outlookUid } from './opaque.ts';

/** "No time" in Graph's words. */
export const never = '0001-01-01T00:00:00Z';

/** A new event with nothing in it but its times. */
export function blankEvent(changes: EventChanges, organizer: Person, now: number): SandboxEvent {
  const { start, end } = changes;
  if (start === undefined || end === undefined) throw invalidProperty();
  const seed = randomUUID();
  const ids = newIds(seed);
  const created = stamp(now);
  return {
    ...ids,
    seriesMaster: null,
    isAllDay: false,
    start: '',
    end: '',
    zone: start.zone.iana,
    text: '',
    properties: {
      createdDateTime: created,
      lastModifiedDateTime: created,
      changeKey: '',
      categories: [],
      transactionId: changes.transactionId ?? null,
      originalStartTimeZone: start.zone.name,
      originalEndTimeZone: end.zone.name,
      iCalUId: outlookUid(seed),
      reminderMinutesBeforeStart: 15,
      isReminderOn: true,
      hasAttachments: false,
      subject: '',
      bodyPreview: '',
      importance: 'normal',
      sensitivity: 'normal',
      isCancelled: false,
      isOrganizer: true,
      responseRequested: true,
      showAs: 'busy',
      type: 'singleInstance',
      webLink: webLinkOf(ids.id),
      onlineMeetingUrl: null,
      isOnlineMeeting: false,
      onlineMeetingProvider: 'unknown',
      allowNewTimeProposals: true,
      isDraft: false,
      hideAttendees: false,
      originalStart: null,
      responseStatus: { response: 'organizer', time: never },
      body: { contentType: 'html', content: '' },
      location: { displayName: '' },
      locations: [],
      recurrence: null,
      attendees: [],
      organizer: { emailAddress: organizer },
      onlineMeeting: null,
    },
  };
}

/** The event as the request wants it. */
export function withChanges(before: SandboxEvent, changes: EventChanges, calendar: SandboxCalendar): SandboxEvent {
  const timed = withTimes(before, changes);
  const { recurrence, attendees, isDraft } = changes;
  const { onlineMeetingProvider, ...plain } = changes.properties;
  const stored: SandboxEvent = {
    ...timed,
    properties: {
      ...timed.properties,
      ...plain,
      ...(attendees === undefined ? {} : { attendees: attendees.map((each) => known(each, before)) }),
      ...(isDraft === undefined ? {} : { isDraft }),
      ...(recurrence === undefined ? {} : recurring(recurrence, timed)),
    },
  };
  return withMeeting(withBody(stored, changes.body), before, changes, calendar);
}

/** A new version: another changeKey, and so another etag. */
export function touched(event: SandboxEvent, now: number): SandboxEvent {
  const changeKey = createHash('sha256').update(randomUUID()).digest('base64').slice(0, 22).concat('==');
  return { ...event, properties: { ...event.properties, changeKey, lastModifiedDateTime: stamp(now) } };
}

function stamp(now: number): string {
  return Temporal.Instant.fromEpochMilliseconds(now).toString({ fractionalSecondDigits: 7 });
}

function withTimes(before: SandboxEvent, changes: EventChanges): SandboxEvent {
  const isAllDay = changes.isAllDay ?? before.isAllDay;
  const { start, end } = changes;
  if (start === undefined && end === undefined && isAllDay === before.isAllDay) return before;
  const local = {
    start: start?.local ?? wallOf(before.start, before),
    end: end?.local ?? wallOf(before.end, before),
  };
  const zones = { start: start?.zone.iana ?? before.zone, end: end?.zone.iana ?? start?.zone.iana ?? before.zone };
  const names = {
    originalStartTimeZone: start?.zone.name ?? before.properties.originalStartTimeZone,
    originalEndTimeZone: end?.zone.name ?? before.properties.originalEndTimeZone,
  };
  if (isAllDay) refuseNoDays(local, zones);
  const instant = (side: 'start' | 'end') => local[side].toZonedDateTime(zones[side]).toInstant().toString();
  const date = (side: 'start' | 'end') => local[side].toPlainDate().toString();
  const value = isAllDay ? date : instant;
  const after = {
    ...before,
    isAllDay,
    start: value('start'),
    end: value('end'),
    zone: zones.start,
    properties: { ...before.properties, ...names },
  };
  // An event without length is one; one that ends before it begins is none.
  if (after.end < after.start) throw invalidProperty();
  return after;
}

function wallOf(time: string, { isAllDay, zone }: SandboxEvent): Temporal.PlainDateTime {
  if (isAllDay) return Temporal.PlainDateTime.from(time);
  return Temporal.Instant.from(time).toZonedDateTimeISO(zone).toPlainDateTime();
}

/** "Start and endtime must be set to midnight and be in the same time zone." */
function refuseNoDays(
  local: { start: Temporal.PlainDateTime; end: Temporal.PlainDateTime },
  zones: { start: string; end: string },
): void {
  const refuse = (reason: string) =>
    graphRefusal(400, 'ErrorInvalidRequest', `Your request can't be completed. ${reason}`);
  for (const [side, name] of [['start', 'Start'] as const, ['end', 'End'] as const]) {
    if (local[side].toPlainTime().toString() !== '00:00:00') {
      throw refuse(`The Event.${name} property for an all-day event needs to be set to midnight.`);
    }
  }
  if (!isSameZone(zones.start, zones.end))
    throw refuse('The start and end of an all-day event need to be in the same time zone.');
  if (Temporal.PlainDateTime.compare(local.end, local.start) <= 0) {
    throw refuse('The duration of an event marked as All day must be at least 24 hours.');
  }
}

/** Graph keeps what it knows of somebody who stays invited. */
function known(
  attendee: NonNullable<EventChanges['attendees']>[number],
  { properties }: SandboxEvent,
): EventProperties['attendees'][number] {
  const before = properties.attendees.find((each) => isSame(each.emailAddress, attendee.emailAddress));
  return { status: { response: 'none', time: never }, ...before, ...attendee };
}

export function isSame(one: Person, other: Person): boolean {
  return one.address.toLowerCase() === other.address.toLowerCase();
}

function recurring(value: unknown, event: SandboxEvent): { recurrence: Recurrence | null } {
  if (value === null) return { recurrence: null };
  const start = { date: startDateOf(event), zone: event.zone, zoneName: event.properties.originalStartTimeZone };
  return { recurrence: parseRecurrence(value, start) };
}

function withBody(event: SandboxEvent, body: EventChanges['body']): SandboxEvent {
  if (body === undefined) return event;
  const text = body.isText ? body.content : plainText(body.content);
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\n', '<br>');
  const content = body.isText ? `<html><body>${escaped}</body></html>` : body.content;
  return {
    ...event,
    text,
    properties: {
      ...event.properties,
      bodyPreview: text.slice(0, 255),
      body: { contentType: 'html', content: text === '' ? '' : content },
    },
  };
}

/**
 * Once online, a meeting stays so whatever isOnlineMeeting says later, unless an update of the body drops the part of it
 * that holds the join address. https://learn.microsoft.com/graph/api/resources/event#properties,
 * https://learn.microsoft.com/graph/api/event-update#notes-for-updating-specific-properties
 */
function withMeeting(
  event: SandboxEvent,
  before: SandboxEvent,
  changes: EventChanges,
  calendar: SandboxCalendar,
): SandboxEvent {
  const { properties } = event;
  const { onlineMeeting, body } = properties;
  if (onlineMeeting !== null) {
    const holds = ({ properties: { body } }: SandboxEvent) => body.content.includes(onlineMeeting.joinUrl);
    // The data set's meetings never had that part.
    if (holds(event) || !holds(before)) return event;
    const gone = { isOnlineMeeting: false, onlineMeetingProvider: 'unknown' as const, onlineMeeting: null };
    return { ...event, properties: { ...properties, ...gone } };
  }
  const { allowedOnlineMeetingProviders: allowed = ['teamsForBusiness'] } = calendar;
  const asked = changes.properties.onlineMeetingProvider ?? 'unknown';
  const wanted = changes.isOnlineMeeting === true && (asked === 'unknown' || asked === 'teamsForBusiness');
  // Where Teams is not allowed, the wish is ignored without a word.
  if (!wanted || !allowed.includes('teamsForBusiness')) return event;
  const thread = createHash('sha256').update(event.id).digest('base64url').slice(0, 20);
  const joinUrl = `https://teams.microsoft.com/l/meetup-join/19%3ameeting_${thread}%40thread.v2/0?context=%7b%7d`;
  const text = `${event.text ?? properties.bodyPreview}\n________________\nMicrosoft Teams meeting\nJoin: ${joinUrl}\n`;
  // Below a line, as in the example of https://learn.microsoft.com/graph/outlook-calendar-online-meetings
  const line = `<div style="height:20px"><span>${'_'.repeat(80)}</span></div>`;
  const part = `${line}<div class="me-email-text"><p>Microsoft Teams meeting</p><a href="${joinUrl}">${joinUrl}</a></div>`;
  const inner = body.content === '' ? '<html><body></body></html>' : body.content;
  const content = inner.includes('</body>') ? inner.replace('</body>', `${part}</body>`) : `${inner}${part}`;
  return {
    ...event,
    text,
    properties: {
      ...properties,
      isOnlineMeeting: true,
      onlineMeetingProvider: 'teamsForBusiness',
      onlineMeeting: { joinUrl },
      bodyPreview: text.slice(0, 255),
      body: { contentType: 'html', content },
    },
  };
}

/** Near enough for a body: no markup, lines where blocks end. */
function plainText(html: string): string {
  return html
    .replace(/<(br|\/p|\/div|\/li)\b[^>]*>/gi, '\n')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&')
    .trim();
}
