/** The domain types. Times inside are epoch milliseconds or civil dates; zones and texts of an answer come last. */

/** A half-open stretch of time `[start, end)`, in epoch milliseconds, asked about in a zone. */
export interface Range {
  readonly start: number;
  readonly end: number;
  /** The zone that words, days and all-day events are taken in: a canonical IANA name or `+hh:mm`. */
  readonly timeZone: string;
}

/** How far an account may look into a calendar, and whether it may change it. */
export type CalendarAccess = 'free-busy' | 'read' | 'write';

export interface Calendar {
  /** The backend's own id: opaque, case-sensitive, stable. */
  readonly id: string;
  readonly name: string;
  /** The calendar that new events go to. */
  readonly isDefault: boolean;
  readonly access: CalendarAccess;
  /** Not shown in its owner's own calendar: counts only where accounts.yaml names it. */
  readonly hidden?: true;
  /** `#rrggbb` */
  readonly color?: string;
  /** Address of whoever owns it, where it is somebody else's. */
  readonly owner?: string;
  /** Somebody else's calendar whose private events may be seen as busy times only. */
  readonly hidesPrivate?: true;
}

/** A moment, with the zone its author had in mind; `null` when that zone is unknown (the moment still is right). */
export interface TimedEventTime {
  readonly kind: 'timed';
  readonly epochMs: number;
  readonly zone: string | null;
  /** Has no zone of its own (RFC 5545 3.3.5, form 1): read in the zone of its calendar or account. */
  readonly floating?: true;
}

/** A civil date `YYYY-MM-DD`: an all-day event has no instant until somebody looks at it from a zone. */
export interface DateEventTime {
  readonly kind: 'date';
  readonly date: string;
}

export type EventTime = TimedEventTime | DateEventTime;

/** What an event does to its owner's time. `unknown` is what a backend says when it will not tell: it blocks. */
export type Busy = 'free' | 'workingElsewhere' | 'tentative' | 'busy' | 'oof' | 'unknown';
export type EventStatus = 'confirmed' | 'tentative' | 'cancelled';
export type Sensitivity = 'normal' | 'personal' | 'private' | 'confidential';
export type Response = 'organizer' | 'accepted' | 'tentative' | 'declined' | 'notResponded' | 'none';
export type EventType =
  | 'default'
  | 'outOfOffice'
  | 'focusTime'
  | 'workingLocation'
  | 'birthday'
  | 'holiday'
  | 'fromGmail'
  | 'task';

export interface Person {
  readonly name?: string;
  readonly email?: string;
}

export interface Attendee extends Person {
  readonly response: Response;
  readonly optional?: true;
  readonly resource?: true;
}

/** One event as one mailbox holds it. An expanded instance of a series is an *occurrence* or an *exception* to it. */
export interface CalendarEvent {
  readonly account: string;
  readonly calendar: Calendar;
  /** The backend's own id within its calendar: opaque, case-sensitive. */
  readonly id: string;
  /** iCalendar UID as the backend gave it; `null` where it gave none. Compare with {@link normalizeUid} only. */
  readonly uid: string | null;
  /** The slot the series had planned: a UTC instant (`2026-10-12T07:00:00Z`) or a date. `null` on single events. */
  readonly recurrenceKey: string | null;
  readonly kind: 'single' | 'occurrence' | 'exception';
  readonly seriesId?: string;
  readonly start: EventTime;
  /** Exclusive, and of the same kind as `start`. Never before it. */
  readonly end: EventTime;
  readonly title: string | null;
  /** Plain text, markup gone. */
  readonly text?: string;
  readonly location?: string;
  /** Where to click to join. */
  readonly join?: string;
  /** What the event itself claims; {@link busyOf} is what it does to its owner's time. */
  readonly busy: Busy;
  readonly status: EventStatus;
  readonly sensitivity: Sensitivity;
  readonly myResponse: Response;
  readonly type: EventType;
  readonly organizer?: Person;
  /** What to know its organizer by, in place of an address that may not be shown. */
  readonly organizerKey?: string;
  readonly attendees?: readonly Attendee[];
  /** There are attendees that the backend does not show, by their organizer's wish or for their number. */
  readonly attendeesOmitted?: true;
  readonly categories?: readonly string[];
  readonly webLink?: string;
  readonly etag?: string;
  readonly sequence?: number;
  /** Epoch milliseconds of the last change; `null` where the backend does not say. */
  readonly updated: number | null;
  readonly readOnly: boolean;
  /** A copy fetched from a feed, which may be a day behind its source. */
  readonly fromFeed?: true;
  /** What is odd about it and was put right, in calmcp's words. */
  readonly warnings?: readonly string[];
  /** The zone its owner lives by, where accounts.yaml says so: where the days of an all-day event begin and end for them. */
  readonly ownerZone?: string;
  /** A block that stands for a meeting of another account and was put there by calmcp itself. */
  readonly mirror?: true;
  /** How much of it may be shown; absent: everything. What may not be shown is gone already ({@link disclose}). */
  readonly disclosed?: 'busy' | 'masked' | 'title';
}

/** A stretch of somebody's time that is not free, `[start, end)` in epoch milliseconds. */
export interface BusyBlock {
  readonly start: number;
  readonly end: number;
  readonly busy: BlockingBusy;
}

/** What keeps time from being free. `unknown`: nobody could tell. Working elsewhere is free time. */
export type BlockingBusy = Exclude<Busy, 'free' | 'workingElsewhere'>;
