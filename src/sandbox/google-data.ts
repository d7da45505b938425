/** What the sandbox knows of Google. The arrays may be changed while it runs: every request looks at them anew. */
export interface GoogleData {
  clients: GoogleClient[];
  users: GoogleUser[];
  calendars: GoogleCalendar[];
  /**
   * Whether an exception outlives the instance that it stands for, when the rule of its series ends before it or moves.
   * The guide says that a change of all following instances resets the exceptions after it; people who did it report
   * that the exceptions stay on the calendar (BuilderIO/agent-native#3488). Nobody at Google says when. Default: false.
   * https://developers.google.com/workspace/calendar/api/guides/recurringevents#modifying_all_following_instances
   */
  keepsOrphans?: boolean;
}

/** An OAuth client of the kind "Desktop app": its secret is not a secret, and still has to be right. */
export interface GoogleClient {
  /** As in `111111111111-xebia.apps.googleusercontent.com`. */
  readonly clientId: string;
  readonly clientSecret: string;
  readonly name: string;
  /** The domain of the workspace whose people alone may sign in (user type "Internal"). */
  readonly internalTo?: string;
  readonly deleted?: boolean;
}

export interface GoogleUser {
  /** Digits: who it is, whatever the address becomes. */
  readonly sub: string;
  /** The address. */
  readonly username: string;
  readonly displayName: string;
  /** The workspace that the account belongs to; a personal account has none. */
  readonly hostedDomain?: string;
  calendarList: GoogleListEntry[];
}

/** What one person made of a calendar: https://developers.google.com/workspace/calendar/api/v3/reference/calendarList */
export interface GoogleListEntry {
  readonly calendarId: string;
  readonly summaryOverride?: string;
  readonly selected?: boolean;
  readonly hidden?: boolean;
  readonly deleted?: boolean;
  readonly colorId?: string;
  readonly backgroundColor?: string;
  readonly defaultReminders?: readonly GoogleReminder[];
}

export type GoogleAccessRole = 'freeBusyReader' | 'reader' | 'writer' | 'owner';

export interface GoogleCalendar {
  /** The address of its person, for a primary calendar. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** IANA name */
  readonly timeZone: string;
  /** Username to role; `*` stands for everybody. */
  readonly access: Readonly<Record<string, GoogleAccessRole>>;
  events: GoogleEvent[];
}

/** A date, or an instant and the zone that its author meant. */
export type GoogleMoment =
  | { readonly date: string }
  /** `instant` is UTC with Z; `timeZone` an IANA name. */
  | { readonly instant: string; readonly timeZone: string };

/** A single event, the master of a series, or what is different (or cancelled) about one instance of a series. */
export interface GoogleEvent {
  /** Base32hex; `{master}_{original start}` for an exception. */
  readonly id: string;
  readonly start: GoogleMoment;
  /** Exclusive, of the same kind as `start`. */
  readonly end: GoogleMoment;
  /** Of a master: a line of RRULE, and perhaps of EXDATE and RDATE. */
  readonly recurrence?: readonly string[];
  readonly exception?: { readonly masterId: string; readonly originalStart: GoogleMoment };
  /** An invitation from a stranger that the person's settings keep out of the calendar. */
  readonly hiddenInvitation?: boolean;
  readonly properties: GoogleEventProperties;
}

export interface GooglePerson {
  readonly email: string;
  readonly displayName?: string;
}

export interface GoogleReminder {
  readonly method: 'email' | 'popup';
  readonly minutes: number;
}

export type GoogleResponse = 'needsAction' | 'declined' | 'tentative' | 'accepted';

export interface GoogleAttendee extends GooglePerson {
  readonly organizer?: boolean;
  readonly resource?: boolean;
  readonly optional?: boolean;
  readonly responseStatus: GoogleResponse;
  readonly comment?: string;
  readonly additionalGuests?: number;
}

export type GoogleEventType = 'default' | 'outOfOffice' | 'focusTime' | 'workingLocation' | 'birthday' | 'fromGmail';

/** What the API gives as it is stored; `self` is added for whoever owns the calendar. https://developers.google.com/workspace/calendar/api/v3/reference/events */
export interface GoogleEventProperties {
  readonly status: 'confirmed' | 'tentative' | 'cancelled';
  readonly created: string;
  readonly updated: string;
  readonly summary?: string;
  readonly description?: string;
  readonly location?: string;
  readonly colorId?: string;
  readonly creator: GooglePerson;
  readonly organizer: GooglePerson;
  readonly transparency?: 'opaque' | 'transparent';
  readonly visibility?: 'default' | 'public' | 'private' | 'confidential';
  readonly iCalUID: string;
  readonly sequence: number;
  readonly attendees?: readonly GoogleAttendee[];
  readonly attendeesOmitted?: boolean;
  readonly guestsCanSeeOtherGuests?: boolean;
  readonly guestsCanInviteOthers?: boolean;
  readonly guestsCanModify?: boolean;
  readonly anyoneCanAddSelf?: boolean;
  readonly privateCopy?: boolean;
  readonly locked?: boolean;
  readonly hangoutLink?: string;
  readonly conferenceData?: GoogleConferenceData;
  readonly reminders: { readonly useDefault: boolean; readonly overrides?: readonly GoogleReminder[] };
  readonly extendedProperties?: GoogleExtendedProperties;
  readonly source?: { readonly url: string; readonly title?: string };
  readonly attachments?: readonly { readonly fileUrl: string; readonly title?: string; readonly mimeType?: string }[];
  readonly eventType: GoogleEventType;
  readonly workingLocationProperties?: GoogleWorkingLocation;
  readonly outOfOfficeProperties?: { readonly autoDeclineMode?: string; readonly declineMessage?: string };
  readonly focusTimeProperties?: {
    readonly autoDeclineMode?: string;
    readonly declineMessage?: string;
    readonly chatStatus?: string;
  };
  readonly birthdayProperties?: { readonly type: string; readonly contact?: string };
}

/** `private` belongs to the copy on one calendar, `shared` to all copies. */
export interface GoogleExtendedProperties {
  readonly private?: Readonly<Record<string, string>>;
  readonly shared?: Readonly<Record<string, string>>;
}

export interface GoogleConferenceData {
  /** What it was made from. */
  readonly createRequest?: {
    readonly requestId: string;
    readonly conferenceSolutionKey: { readonly type: string };
    readonly status: { readonly statusCode: 'success' | 'pending' | 'failure' };
  };
  readonly conferenceId: string;
  readonly conferenceSolution: { readonly key: { readonly type: string }; readonly name: string };
  readonly entryPoints: readonly {
    readonly entryPointType: 'video' | 'phone' | 'sip' | 'more';
    readonly uri: string;
    readonly label?: string;
  }[];
}

export interface GoogleWorkingLocation {
  readonly type: 'homeOffice' | 'officeLocation' | 'customLocation';
  readonly homeOffice?: Readonly<Record<string, never>>;
  readonly officeLocation?: { readonly label: string };
  readonly customLocation?: { readonly label: string };
}
