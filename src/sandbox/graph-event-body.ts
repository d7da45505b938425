import { Temporal } from 'temporal-polyfill';
import type { EventProperties, Person } from './data.ts';
import { zoneOf } from './graph-prefer.ts';
import { eventProperties } from './graph-properties.ts';
import { graphRefusal } from './graph-refusal.ts';
import type { Incoming } from './http.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A time as it was asked for. */
export interface Moment {
  readonly local: Temporal.PlainDateTime;
  readonly zone: { readonly name: string; readonly iana: string };
}

/** The body of a create or an update, read strictly. What is missing was not given. */
export interface EventChanges {
  /** All that were given. */
  readonly names: readonly string[];
  readonly start?: Moment;
  readonly end?: Moment;
  readonly isAllDay?: boolean;
  /** As given: it is read together with the times. Null ends the series. */
  readonly recurrence?: unknown;
  readonly body?: { readonly isText: boolean; readonly content: string };
  readonly attendees?: readonly {
    readonly type: 'required' | 'optional' | 'resource';
    readonly emailAddress: Person;
  }[];
  readonly isOnlineMeeting?: boolean;
  readonly isDraft?: boolean;
  readonly transactionId?: string | null;
  /** What is stored as it is given. */
  readonly properties: Partial<EventProperties>;
}

/**
 * Properties that the service sets; a client that sends them back is not heard. For organizer and isOrganizer:
 * https://github.com/microsoftgraph/microsoft-graph-docs/issues/17988
 */
const setByService = [
  ...eventProperties.filter((name) =>
    /^(id|created|lastMod|changeKey|original|iCalUId|hasAtt|bodyPreview|isCancelled|isOrg|seriesMaster|type|webLink|onlineMeetingUrl|responseStatus|organizer|onlineMeeting$|cancelledOcc)/.test(
      name,
    ),
  ),
  'occurrenceId',
  'uid',
];

/** https://learn.microsoft.com/graph/api/user-post-events, https://learn.microsoft.com/graph/api/event-update */
export function parseEventBody(incoming: Incoming): EventChanges {
  const given = parseJsonObject(incoming);
  const properties: Record<string, unknown> = {};
  const changes: { -readonly [Key in keyof EventChanges]: EventChanges[Key] } = {
    names: Object.keys(given),
    properties,
  };
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith('@odata.') || setByService.includes(name)) continue;
    const read = readers[name];
    if (read === undefined) throw unknownProperty(name, 'event');
    Object.assign(['start', 'end', ...apart].includes(name) ? changes : properties, { [name]: read(value, name) });
  }
  if (given.location !== undefined) Object.assign(properties, placesOf(given.location));
  else if (given.locations !== undefined) Object.assign(properties, { location: jointly(given.locations) });
  return changes;
}

const apart = ['isAllDay', 'recurrence', 'body', 'attendees', 'isOnlineMeeting', 'isDraft', 'transactionId'];

const readers: Readonly<Record<string, (value: unknown, name: string) => unknown>> = {
  subject: orNull(text),
  start: moment,
  end: moment,
  isAllDay: flag,
  recurrence: (value) => value,
  body: bodyOf,
  attendees: attendeesOf,
  isOnlineMeeting: flag,
  onlineMeetingProvider: oneOf(['unknown', 'teamsForBusiness', 'skypeForBusiness', 'skypeForConsumer']),
  isDraft: flag,
  transactionId: orNull(text),
  categories: list(text),
  importance: oneOf(['low', 'normal', 'high']),
  sensitivity: oneOf(['normal', 'personal', 'private', 'confidential']),
  showAs: oneOf(['free', 'tentative', 'busy', 'oof', 'workingElsewhere', 'unknown']),
  isReminderOn: flag,
  reminderMinutesBeforeStart: wholeNumber,
  responseRequested: flag,
  allowNewTimeProposals: flag,
  hideAttendees: flag,
  location: placeOf,
  locations: list(placeOf),
};

export function parseJsonObject({ headers, body }: Incoming): Json {
  const parsed = /^application\/json\b/i.test(headers['content-type'] ?? '') ? parseJson(body) : undefined;
  if (isObject(parsed)) return parsed;
  throw graphRefusal(
    400,
    'BadRequest',
    'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
  );
}

/**
 * A local time and its zone: https://learn.microsoft.com/graph/api/resources/datetimetimezone. One with an offset is that
 * instant, seen in the zone. Without a zone it is refused, as an update is (mpalermiti/outlook-mcp, changelog).
 */
export function moment(value: unknown, name: string): Moment {
  const { dateTime, timeZone = '' } = fields(value, ['dateTime', 'timeZone'], 'dateTimeTimeZone');
  const zone = { name: text(timeZone), iana: zoneOf(text(timeZone)) };
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/.exec(text(dateTime));
  if (match === null) throw badValue(name);
  try {
    const [, local = '', offset] = match;
    if (offset === undefined) return { local: Temporal.PlainDateTime.from(local), zone };
    return {
      local: Temporal.Instant.from(local + offset)
        .toZonedDateTimeISO(zone.iana)
        .toPlainDateTime(),
      zone,
    };
  } catch {
    throw badValue(name);
  }
}

/** "At least one property failed validation": which one, the service does not say. */
export function invalidProperty() {
  return graphRefusal(400, 'ErrorPropertyValidationFailure', 'At least one property failed validation.');
}

export function unknownProperty(name: string, type: string) {
  return graphRefusal(
    400,
    'RequestBodyRead',
    `The property '${name}' does not exist on type 'microsoft.graph.${type}'. Make sure to only use property names that are defined by the type or mark the type as open type.`,
  );
}

/** The members of a complex value, which may have these names only. */
export function fields(value: unknown, names: readonly string[], type: string): Json {
  if (!isObject(value)) throw badValue(type);
  const unknown = Object.keys(value).find((name) => !name.startsWith('@odata.') && !names.includes(name));
  if (unknown !== undefined) throw unknownProperty(unknown, type);
  return value;
}

export function oneOf<Name extends string>(names: readonly Name[]) {
  return (value: unknown): Name => {
    const found = names.find((name) => typeof value === 'string' && name.toLowerCase() === value.toLowerCase());
    if (found === undefined) throw graphRefusal(400, 'RequestBodyRead', `Requested value '${value}' was not found.`);
    return found;
  };
}

export function list<Item>(read: (value: unknown, name: string) => Item) {
  return (value: unknown, name: string): Item[] => {
    if (!Array.isArray(value)) throw badValue(name);
    return value.map((each) => read(each, name));
  };
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw badValue(String(value));
  return value;
}

export function flag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw badValue(String(value));
  return value;
}

export function wholeNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw badValue(String(value));
  return value;
}

function orNull<Value>(read: (value: unknown) => Value) {
  return (value: unknown): Value | null => (value === null ? null : read(value));
}

function bodyOf(value: unknown): NonNullable<EventChanges['body']> {
  const { contentType = 'text', content = '' } = fields(value, ['contentType', 'content'], 'itemBody');
  return { isText: oneOf(['text', 'html'])(contentType) === 'text', content: text(content ?? '') };
}

/** A status that comes along is not heard: it is kept of the ones who were invited before. */
function attendeesOf(value: unknown, name: string): NonNullable<EventChanges['attendees']> {
  return list((each) => {
    const given = fields(each, ['type', 'status', 'emailAddress', 'proposedNewTime'], 'attendee');
    const { address, name: called } = fields(given.emailAddress, ['address', 'name'], 'emailAddress');
    if (typeof address !== 'string' || !/^[^\s@]+@[^\s@]+$/.test(address)) {
      throw graphRefusal(400, 'ErrorInvalidRecipients', 'At least one recipient is not valid.');
    }
    return {
      type: oneOf(['required', 'optional', 'resource'])(given.type ?? 'required'),
      emailAddress: { name: typeof called === 'string' && called !== '' ? called : address, address },
    };
  })(value, name);
}

const placeNames =
  'displayName,address,coordinates,locationEmailAddress,locationUri,locationType,uniqueId,uniqueIdType';

function placeOf(value: unknown): { displayName: string } {
  if (value === null) return { displayName: '' };
  const { displayName } = fields(value, placeNames.split(','), 'location');
  return { displayName: text(displayName ?? '') };
}

/** "The location and locations properties always correspond with each other." */
function placesOf(location: unknown) {
  const place = placeOf(location);
  return { location: place, locations: place.displayName === '' ? [] : [place] };
}

function jointly(locations: unknown): { displayName: string } {
  const places = list(placeOf)(locations, 'locations');
  return { displayName: places.map(({ displayName }) => displayName).join('; ') };
}

function badValue(what: string) {
  return graphRefusal(400, 'RequestBodyRead', `Cannot convert the value of '${what}' to the expected type.`);
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
