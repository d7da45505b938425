import { badParameter } from './google-refusal.ts';

/** Field name to what may be selected in it; `null` for a plain value. */
export interface Shape {
  readonly [field: string]: Shape | null;
}

/** Selected field to what is selected in it; `null` for all of it. */
type Mask = Map<string, Mask | null>;

const person: Shape = { id: null, email: null, displayName: null, self: null };
const moment: Shape = { date: null, dateTime: null, timeZone: null };
const reminder: Shape = { method: null, minutes: null };

/** https://developers.google.com/workspace/calendar/api/v3/reference/events#resource-representations */
export const eventShape: Shape = {
  ...names(
    'kind etag id status htmlLink created updated summary description location colorId endTimeUnspecified recurrence recurringEventId transparency visibility iCalUID sequence attendeesOmitted hangoutLink anyoneCanAddSelf guestsCanInviteOthers guestsCanModify guestsCanSeeOtherGuests privateCopy locked eventType',
  ),
  creator: person,
  organizer: person,
  start: moment,
  end: moment,
  originalStartTime: moment,
  attendees: {
    ...person,
    ...names('organizer resource optional responseStatus comment additionalGuests'),
  },
  extendedProperties: { private: {}, shared: {} },
  conferenceData: {
    ...names('conferenceId signature notes parameters createRequest'),
    conferenceSolution: { key: { type: null }, name: null, iconUri: null },
    entryPoints: names(
      'entryPointType uri label pin accessCode meetingCode passcode password entryPointFeatures regionCode',
    ),
  },
  gadget: names('type title link iconLink width height display preferences'),
  reminders: { useDefault: null, overrides: reminder },
  source: { url: null, title: null },
  attachments: names('fileUrl title mimeType iconLink fileId'),
  workingLocationProperties: {
    type: null,
    homeOffice: null,
    customLocation: { label: null },
    officeLocation: names('buildingId floorId floorSectionId deskId label'),
  },
  outOfOfficeProperties: names('autoDeclineMode declineMessage'),
  focusTimeProperties: names('autoDeclineMode declineMessage chatStatus'),
  birthdayProperties: names('contact type customTypeName'),
};

export const eventsShape: Shape = {
  ...names('kind etag summary description updated timeZone accessRole nextPageToken nextSyncToken'),
  defaultReminders: reminder,
  items: eventShape,
};

/** https://developers.google.com/workspace/calendar/api/v3/reference/calendarList#resource-representations */
export const calendarListShape: Shape = {
  ...names('kind etag nextPageToken nextSyncToken'),
  items: {
    ...names(
      'kind etag id summary description location timeZone dataOwner summaryOverride colorId backgroundColor foregroundColor hidden selected accessRole primary deleted autoAcceptInvitations',
    ),
    defaultReminders: reminder,
    notificationSettings: { notifications: { type: null, method: null } },
    conferenceProperties: { allowedConferenceSolutionTypes: null },
  },
};

/** `calendars` and `groups` have the asked ids for fields. */
export const freeBusyShape: Shape = {
  ...names('kind timeMin timeMax'),
  calendars: {},
  groups: {},
};

/**
 * `fields=items(id,start/dateTime),nextPageToken`: nothing else comes out.
 * https://developers.google.com/workspace/calendar/api/guides/performance#partial-response
 * @throws the 400 for a field that the answer could not have
 */
export function selectFields(body: object, fields: string | null, shape: Shape): object {
  if (fields === null) return body;
  const mask = parseMask(fields);
  check(mask, shape);
  return pick(body, mask) as object;
}

function parseMask(text: string): Mask {
  let at = 0;
  const mask = list();
  if (at < text.length) throw invalid(text.slice(at));
  return mask;

  function list(): Mask {
    const found: Mask = new Map();
    for (;;) {
      selector(found);
      if (text[at] !== ',') return found;
      at += 1;
    }
  }

  function selector(into: Mask): void {
    const name = /^[\w@.#-]+|^\*/.exec(text.slice(at))?.[0];
    if (name === undefined) throw invalid(text.slice(at) || text);
    at += name.length;
    const known = into.get(name);
    const inner: Mask = known ?? new Map();
    if (text[at] === '/') {
      at += 1;
      selector(inner);
    } else if (text[at] === '(') {
      at += 1;
      for (const [field, below] of list()) inner.set(field, below);
      if (text[at] !== ')') throw invalid(text.slice(at) || text);
      at += 1;
    }
    into.set(name, inner.size === 0 || known === null ? null : inner);
  }
}

function check(mask: Mask, shape: Shape): void {
  const free = Object.keys(shape).length === 0;
  for (const [field, inner] of mask) {
    if (free) continue;
    if (field === '*') {
      for (const each of Object.values(shape)) if (inner !== null && each !== null) check(inner, each);
      continue;
    }
    const below = shape[field];
    if (below === undefined) throw invalid(field);
    if (inner === null) continue;
    if (below === null) throw invalid([...inner.keys()].join(','));
    check(inner, below);
  }
}

function pick(value: unknown, mask: Mask | null): unknown {
  if (mask === null || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => pick(item, mask));
  const chosen = Object.entries(value).flatMap(([field, inner]) => {
    const below = mask.get(field) ?? mask.get('*');
    return mask.has(field) || mask.has('*') ? [[field, pick(inner, below ?? null)] as const] : [];
  });
  return Object.fromEntries(chosen);
}

function invalid(field: string) {
  return badParameter('fields', `Invalid field selection ${field}`);
}

function names(list: string): Shape {
  return Object.fromEntries(list.split(' ').map((name) => [name, null]));
}
