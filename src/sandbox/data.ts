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
  events: SandboxEvent[];
}

/** One single event, occurrence or exception: the sandbox keeps series expanded. */
export interface SandboxEvent {
  readonly id: string;
  readonly immutableId: string;
  readonly seriesMaster: { readonly id: string; readonly immutableId: string } | null;
  readonly isAllDay: boolean;
  /** UTC instant with Z, or YYYY-MM-DD for an all-day event. */
  readonly start: string;
  /** Exclusive, of the same kind as `start`. */
  readonly end: string;
  /** IANA zone in which it was made: where the midnights of an all-day event are. */
  readonly zone: string;
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
  readonly transactionId: null;
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
  readonly type: 'singleInstance' | 'occurrence' | 'exception';
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
  readonly recurrence: null;
  readonly attendees: readonly {
    readonly type: 'required' | 'optional' | 'resource';
    readonly status: { readonly response: AttendeeResponse; readonly time: string };
    readonly emailAddress: Person;
  }[];
  readonly organizer: { readonly emailAddress: Person };
  readonly onlineMeeting: { readonly joinUrl: string } | null;
}
