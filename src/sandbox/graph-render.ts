import { Temporal } from 'temporal-polyfill';
import type { Mailbox, SandboxCalendar, SandboxEvent } from './data.ts';
import type { Preferences } from './graph-prefer.ts';
import { calendarProperties, eventProperties } from './graph-properties.ts';
import { changeKey } from './opaque.ts';

export interface EventView extends Preferences {
  /** With Calendars.ReadBasic alone, bodies are withheld. */
  readonly basicOnly: boolean;
  readonly select: readonly string[] | undefined;
  readonly inCalendarView: boolean;
}

type Json = Record<string, unknown>;

export function renderEvent(event: SandboxEvent, view: EventView): Json {
  const { properties, seriesMaster, isAllDay } = event;
  const { body, bodyPreview } = properties;
  const whole: Json = {
    ...properties,
    id: view.immutableIds ? event.immutableId : event.id,
    seriesMasterId: (view.immutableIds ? seriesMaster?.immutableId : seriesMaster?.id) ?? null,
    isAllDay,
    start: renderTime(event.start, isAllDay, view.zone),
    end: renderTime(event.end, isAllDay, view.zone),
    body: view.textBodies ? { contentType: 'text', content: event.text ?? bodyPreview } : body,
    ...(view.inCalendarView ? unreliableDates(view.select) : {}),
  };
  const rendered: Json = { '@odata.etag': `W/"${properties.changeKey}"` };
  for (const name of eventProperties) {
    const selected = name === 'id' || view.select === undefined || view.select.includes(name);
    const withheld = view.basicOnly && (name === 'body' || name === 'bodyPreview');
    if (selected && !withheld && name in whole) rendered[name] = whole[name];
  }
  return rendered;
}

/**
 * In a calendarView, these two "do not support $select": they come back as year 1, unless something that makes the
 * service read the whole item, such as the organizer, is selected with them.
 * https://learn.microsoft.com/graph/api/calendar-list-calendarview,
 * https://github.com/microsoftgraph/msgraph-sdk-dotnet/issues/1655
 */
function unreliableDates(select: readonly string[] | undefined): Json {
  if (select === undefined || select.includes('organizer')) return {};
  return { createdDateTime: '0001-01-01T00:00:00Z', lastModifiedDateTime: '0001-01-01T00:00:00Z' };
}

/** All-day events are midnight to midnight in any zone: https://github.com/microsoftgraph/microsoft-graph-docs/issues/1802 */
function renderTime(value: string, isAllDay: boolean, zone: Preferences['zone']): Json {
  const local = isAllDay
    ? Temporal.PlainDateTime.from(value)
    : Temporal.Instant.from(value).toZonedDateTimeISO(zone.iana).toPlainDateTime();
  return { dateTime: local.toString({ fractionalSecondDigits: 7 }), timeZone: zone.name };
}

export function renderCalendar(
  calendar: SandboxCalendar,
  mailbox: Mailbox,
  select: readonly string[] | undefined,
): Json {
  const { id, name, color, hexColor, isDefaultCalendar, canEdit, canViewPrivateItems = true, owner } = calendar;
  const allowed = calendar.allowedOnlineMeetingProviders ?? ['teamsForBusiness'];
  const whole: Json = {
    id,
    name,
    color,
    hexColor,
    isDefaultCalendar,
    changeKey: changeKey(id),
    canShare: canEdit && owner === undefined,
    canViewPrivateItems,
    canEdit,
    allowedOnlineMeetingProviders: allowed,
    defaultOnlineMeetingProvider: allowed[0] ?? 'unknown',
    isTallyingResponses: isDefaultCalendar,
    isRemovable: !isDefaultCalendar,
    owner: owner ?? { name: 'You', address: mailbox.username },
  };
  const names = calendarProperties.filter((each) => each === 'id' || select === undefined || select.includes(each));
  return Object.fromEntries(names.map((each) => [each, whole[each]]));
}
