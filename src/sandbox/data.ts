/** What the sandbox knows. The arrays may be changed while it runs: every request looks at them anew. */
export interface SandboxData {
  tenants: Tenant[];
  applications: Application[];
  users: User[];
  mailboxes: Mailbox[];
}

export interface Tenant {
  /** GUID */
  readonly id: string;
  readonly domain: string;
  readonly name: string;
}

/** An app registration; one client id may be allowed in several tenants. */
export interface Application {
  readonly clientId: string;
  readonly name: string;
  /** GUIDs */
  readonly tenants: readonly string[];
}

export interface User {
  readonly oid: string;
  /** GUID */
  readonly tenant: string;
  readonly username: string;
  readonly displayName: string;
}

export interface Mailbox {
  readonly username: string;
  /** Windows name */
  readonly timeZone: string;
  calendars: SandboxCalendar[];
}

export interface SandboxCalendar {
  readonly id: string;
  readonly name: string;
  readonly color: string;
  readonly hexColor: string;
  readonly isDefaultCalendar: boolean;
  readonly canEdit: boolean;
  /** False on a calendar of somebody else who did not share private events. Default: true. */
  readonly canViewPrivateItems?: boolean;
  /** Default: whoever owns the mailbox. */
  readonly owner?: Person;
  /** Default: teamsForBusiness. Without it, a wish for an online meeting is ignored. */
  readonly allowedOnlineMeetingProviders?: readonly 'teamsForBusiness'[];
  /** Single events, and the occurrences of given series (`weekly`) as long as nobody has written to the series. */
  events: SandboxEvent[];
  /** The series that Graph has written. */
  series?: SandboxSeries[];
}

/** A series as Exchange keeps it: a rule, and what is not as the rule has it. */
export interface SandboxSeries {
  readonly master: SandboxEvent;
  /** By the date (YYYY-MM-DD, in the master's zone) on which the rule has the occurrence. */
  readonly changes: Readonly<Record<string, OccurrenceChange>>;
  /** Dates of occurrences that are gone. */
  readonly deleted: readonly string[];
  /** Occurrences that had their ids before there was a rule, by date. */
  readonly given: Readonly<
    Record<string, { readonly id: string; readonly immutableId: string; readonly iCalUId: string | null }>
  >;
}

/** What differs from the occurrence that the rule gives. */
export interface OccurrenceChange extends Partial<Omit<SandboxEvent, 'properties'>> {
  readonly properties?: Partial<EventProperties>;
}

/** https://learn.microsoft.com/graph/api/resources/patternedrecurrence, with all that Graph shows of it. */
export interface Recurrence {
  readonly pattern: {
    readonly type: 'daily' | 'weekly' | 'absoluteMonthly' | 'relativeMonthly' | 'absoluteYearly' | 'relativeYearly';
    readonly interval: number;
    /** 0 where the type has none; so is `dayOfMonth`. */
    readonly month: number;
    readonly dayOfMonth: number;
    readonly daysOfWeek?: readonly DayOfWeek[];
    readonly firstDayOfWeek: DayOfWeek;
    readonly index: 'first' | 'second' | 'third' | 'fourth' | 'last';
  };
  readonly range: {
    readonly type: 'endDate' | 'noEnd' | 'numbered';
    readonly startDate: string;
    /** 0001-01-01 where there is none. */
    readonly endDate: string;
    readonly recurrenceTimeZone: string;
    readonly numberOfOccurrences: number;
  };
}

export type DayOfWeek = 'sunday' | 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday';

/** One single event, occurrence, exception or master. */
export interface SandboxEvent {
  readonly id: string;
  readonly immutableId: string;
  readonly seriesMaster: {
    readonly id: string;
    readonly immutableId: string;
    /** What a series that came expanded is made of. */
    readonly given?: { readonly master: SandboxEvent; readonly deleted: readonly string[] };
  } | null;
  readonly isAllDay: boolean;
  /** UTC instant with Z, or YYYY-MM-DD for an all-day event. */
  readonly start: string;
  /** Exclusive, of the same kind as `start`. */
  readonly end: string;
  /** IANA zone in which it was made: where the midnights of an all-day event are. */
  readonly zone: string;
  /** The body as plain text. Default: the preview. */
  readonly text?: string;
  /** What an invitation wants to be shown as once it is accepted. */
  readonly intendedShowAs?: EventProperties['showAs'];
  /** The request that made it, to know it again by its transactionId. */
  readonly madeOf?: string;
  readonly properties: EventProperties;
}

export interface Person {
  readonly name: string;
  readonly address: string;
}

export type AttendeeResponse = 'none' | 'organizer' | 'tentativelyAccepted' | 'accepted' | 'declined' | 'notResponded';

/** The properties that Graph gives as they are stored. https://learn.microsoft.com/graph/api/resources/event */
export interface EventProperties {
  readonly createdDateTime: string;
  readonly lastModifiedDateTime: string;
  readonly changeKey: string;
  readonly categories: readonly string[];
  readonly transactionId: string | null;
  readonly originalStartTimeZone: string;
  readonly originalEndTimeZone: string;
  readonly iCalUId: string | null;
  readonly reminderMinutesBeforeStart: number;
  readonly isReminderOn: boolean;
  readonly hasAttachments: boolean;
  readonly subject: string | null;
  readonly bodyPreview: string;
  readonly importance: 'low' | 'normal' | 'high';
  readonly sensitivity: 'normal' | 'personal' | 'private' | 'confidential';
  readonly isCancelled: boolean;
  readonly isOrganizer: boolean;
  readonly responseRequested: boolean;
  readonly showAs: 'free' | 'tentative' | 'busy' | 'oof' | 'workingElsewhere' | 'unknown';
  readonly type: 'singleInstance' | 'occurrence' | 'exception' | 'seriesMaster';
  readonly webLink: string;
  readonly onlineMeetingUrl: null;
  readonly isOnlineMeeting: boolean;
  readonly onlineMeetingProvider: 'unknown' | 'teamsForBusiness';
  readonly allowNewTimeProposals: boolean;
  readonly isDraft: boolean;
  readonly hideAttendees: boolean;
  /** UTC instant with Z for occurrences and exceptions. */
  readonly originalStart: string | null;
  readonly responseStatus: { readonly response: AttendeeResponse; readonly time: string };
  readonly body: { readonly contentType: 'html' | 'text'; readonly content: string };
  readonly location: { readonly displayName: string };
  readonly locations: readonly { readonly displayName: string }[];
  readonly recurrence: Recurrence | null;
  readonly attendees: readonly {
    readonly type: 'required' | 'optional' | 'resource';
    readonly status: { readonly response: AttendeeResponse; readonly time: string };
    readonly emailAddress: Person;
    /** As it came with an answer. */
    readonly proposedNewTime?: unknown;
  }[];
  readonly organizer: { readonly emailAddress: Person };
  readonly onlineMeeting: { readonly joinUrl: string } | null;
}
