/** What somebody wants to change in a calendar, before any vendor's words. Pure. */
import type { Call } from './call.ts';
import type { Busy, Calendar, CalendarEvent, EventTime, Sensitivity } from './event.ts';

/** Somebody to invite. */
export interface Invitee {
  readonly email: string;
  readonly name?: string;
  readonly optional?: true;
  /** A room or a device. */
  readonly resource?: true;
}

/** Kinds of events that somebody can make; the others come from the vendor itself. */
export const MADE_TYPES = ['default', 'focusTime', 'outOfOffice', 'workingLocation'] as const;
export type MadeType = (typeof MADE_TYPES)[number];

/** What an event can be set to do to its owner's time. */
export type SetBusy = Exclude<Busy, 'unknown'>;

/** Longest time before the start that a reminder may come, in minutes (four weeks: Google's limit, the smaller of the two). */
export const MAX_REMINDER_MINUTES = 40_320;

/**
 * What is set of an event. What is left out stays as it is, or is the backend's default where the event is new; an empty
 * text or list clears.
 */
export interface EventFields {
  readonly title?: string;
  /** Timed: with the zone that the event, and a series of it, lives by. All-day: dates; of one kind with `end`. */
  readonly start?: EventTime;
  /** Exclusive. */
  readonly end?: EventTime;
  /** Plain text. */
  readonly text?: string;
  /** Of a working location: `home`, `office`, `office: <label>`, or anything else as a place of one's own. */
  readonly location?: string;
  readonly busy?: SetBusy;
  readonly sensitivity?: Sensitivity;
  /** All who are invited once it is done, without the organizer. */
  readonly attendees?: readonly Invitee[];
  /** With an online meeting of the backend's own kind (Teams, Meet), or without. */
  readonly online?: boolean;
  /** Minutes before the start, each 0 to {@link MAX_REMINDER_MINUTES}; none: no reminder. */
  readonly reminders?: readonly number[];
  readonly categories?: readonly string[];
  /** A colour by the backend's name for it. */
  readonly color?: string;
  /** Value of an RRULE (RFC 5545 3.3.10), `FREQ=WEEKLY;BYDAY=MO`; empty: happens once. Of a whole series alone. */
  readonly recurrence?: string;
  /** Of new events alone. */
  readonly type?: MadeType;
}

/** One event, one occurrence of a series, or a whole series, as the backend holds it now. */
export interface StoredEvent {
  /** Read in full. A whole series is told by its first occurrence. */
  readonly event: CalendarEvent;
  /** What could be set of it, as it is set now: without what was left to a default. */
  readonly fields: EventFields;
  /** Changes whenever the event does; opaque. */
  readonly etag: string;
  /** Whether this is a whole series. */
  readonly isSeries: boolean;
  /** Whether it is a meeting of the person's own, whatever they answered; else somebody else decides about it. */
  readonly isMine: boolean;
}

export interface NotifyOption {
  /** Whether people are e-mailed about it. */
  readonly notify: boolean;
}

export interface CreateOptions extends NotifyOption {
  /** One key is one event, however often it is created: at most 64 characters of `[a-z0-9]`. */
  readonly key: string;
}

export interface ChangeOptions extends NotifyOption {
  /** Of the version that is to be changed. */
  readonly etag: string;
}

export const ANSWERS = ['accepted', 'tentative', 'declined'] as const;

export interface ResponseOptions extends ChangeOptions {
  readonly response: (typeof ANSWERS)[number];
  /** For the organizer. */
  readonly comment?: string;
}

/**
 * How a backend is changed. Ids and calendars are those that reading gave. Nothing of this is repeated by itself where it might
 * be done twice; an UNAVAILABLE of a change means that nobody knows whether it was done.
 */
export interface EventWriter {
  /**
   * Refuses what the backend cannot hold or do, without asking it.
   * @param now the event that is changed; none where it is new
   * @param notify whether those invited are to be told
   * @throws CalmcpError INPUT_INVALID with a hint of what it can hold, READ_ONLY where this way to it cannot do that
   */
  check(fields: EventFields, now?: StoredEvent, notify?: boolean): void;
  /** Whether the backend itself mails those invited about every change that concerns them, whatever `notify` says. */
  readonly alwaysNotifies: boolean;
  /** Where a person finds what was deleted, and brings it back. */
  readonly bin?: string;
  /** As it is at this moment. `id` of an event, an occurrence or a series. @throws CalmcpError NOT_FOUND when it is gone */
  get(calendar: Calendar, id: string, call: Call): Promise<StoredEvent>;
  /** With the key of an event that exists, that event as it is now. Safe to repeat. */
  create(
    calendar: Calendar,
    fields: EventFields,
    options: CreateOptions,
    call: Call,
  ): Promise<{ readonly stored: StoredEvent; readonly existed: boolean }>;
  /** @throws CalmcpError CONFLICT when it is another version by now, FORBIDDEN, NOT_FOUND */
  update(calendar: Calendar, id: string, fields: EventFields, options: ChangeOptions, call: Call): Promise<StoredEvent>;
  /** An occurrence, a single event, or a series with all of its occurrences. @throws CalmcpError as update does */
  delete(calendar: Calendar, id: string, options: ChangeOptions, call: Call): Promise<void>;
  /** Answers an invitation. @throws CalmcpError as update does */
  respond(calendar: Calendar, id: string, options: ResponseOptions, call: Call): Promise<StoredEvent>;
}
