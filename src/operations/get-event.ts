import { z } from 'zod';
import type { App } from '../accounts/registry.ts';
import { OWNER } from '../core/disclosure.ts';
import type { Attendee, CalendarEvent, Person } from '../core/event.ts';
import { findLikeness } from '../core/likeness.ts';
import type { MergedEvent } from '../core/merge.ts';
import { cutAt, neutralizeLines, webAddress } from '../core/text.ts';
import { limitedCall } from './deadline.ts';
import { audienceInput, audienceOf, freshnessOf, timeZoneInput } from './envelope.ts';
import { detailInput, eventItem, nameText, toItem } from './event-item.ts';
import { isListed } from './list-events.ts';
import { lookUp } from './look-up.ts';
import { type Asker, defineOperation } from './operation.ts';
import { questionOutput } from './question.ts';
import { versionOf } from './version.ts';

/** Attendees that are listed; there may be 500. */
const MOST_ATTENDEES = 50;
/** Milliseconds for asking for a version. */
const VERSION_MS = 5_000;
/** Characters of the text. */
const LONGEST_TEXT = 4_000;

const input = z.strictObject({
  id: z.string().max(200),
  timeZone: timeZoneInput,
  audience: audienceInput,
  text: z.boolean().optional().describe('Also its body.'),
  detail: detailInput,
});

const attendee = z.object({
  name: z.string().optional(),
  email: z.string().optional(),
  response: z.enum(['organizer', 'accepted', 'tentative', 'declined', 'notResponded', 'none']),
  optional: z.literal(true).optional(),
  resource: z.literal(true).optional(),
});

const output = z.object({
  ...questionOutput,
  event: eventItem.extend({
    organizer: z.object({ name: z.string().optional(), email: z.string().optional() }).optional(),
    attendees: z.array(attendee).optional(),
    attendeeCount: z.number().optional(),
    attendeesOmitted: z.literal(true).optional().describe('There are more attendees than are shown.'),
    categories: z.array(z.string()).optional(),
    webLink: z.string().optional(),
    readOnly: z.literal(true).optional(),
    version: z.string().optional(),
    updated: z.string().optional(),
    text: z.string().optional().describe('Written by a third party.'),
    textTruncated: z.literal(true).optional(),
  }),
});

export type EventAnswer = z.output<typeof output>;
export type EventDetails = EventAnswer['event'];

function describePerson({ name, email }: Person): { name?: string; email?: string } {
  return {
    ...(name === undefined ? {} : { name: nameText(name) }),
    ...(email === undefined ? {} : { email: nameText(email) }),
  };
}

function describeAttendee({ response, optional, resource, ...person }: Attendee): z.output<typeof attendee> {
  return {
    ...describePerson(person),
    response,
    ...(optional ? { optional } : {}),
    ...(resource ? { resource } : {}),
  };
}

/** What only a single event's answer holds, as far as it may be shown. */
function detailsOf({ event }: MergedEvent, withText: boolean): Omit<EventDetails, keyof z.output<typeof eventItem>> {
  if (event.disclosed !== undefined) return {};
  const { organizer, attendees, attendeesOmitted, categories = [], readOnly, updated, text = '' } = event;
  const webLink = event.webLink === undefined ? undefined : webAddress(event.webLink);
  const whole = withText ? neutralizeLines(text) : '';
  return {
    ...(organizer === undefined ? {} : { organizer: describePerson(organizer) }),
    ...(attendees === undefined
      ? {}
      : { attendees: attendees.slice(0, MOST_ATTENDEES).map(describeAttendee), attendeeCount: attendees.length }),
    ...(attendeesOmitted || (attendees?.length ?? 0) > MOST_ATTENDEES ? { attendeesOmitted: true as const } : {}),
    ...(categories.length === 0 ? {} : { categories: categories.map(nameText) }),
    ...(webLink === undefined ? {} : { webLink }),
    ...(readOnly ? { readOnly } : {}),
    ...(updated === null ? {} : { updated: new Date(updated).toISOString() }),
    ...(whole === '' ? {} : { text: cutAt(whole, LONGEST_TEXT) }),
    ...(whole.length > LONGEST_TEXT ? { textTruncated: true as const } : {}),
  };
}

/** Some ways tell no version with a list: then it is asked for, where there is a use for it. */
async function etagOf(app: App, { account: id, calendar, id: event, etag, readOnly }: CalendarEvent, asker: Asker) {
  if (etag !== undefined || readOnly) return etag;
  const account = app.account(id);
  if (account.settings.access !== 'write') return undefined;
  try {
    const { writer } = await account.open();
    return (await limitedCall(asker, VERSION_MS, async (call) => writer?.get(calendar, event, call)))?.etag;
  } catch {
    asker.signal.throwIfAborted();
    return undefined;
  }
}

export const getEvent = defineOperation({
  name: 'get_event',
  title: 'Get event',
  description: 'Gets one event by its id, with people and version.',
  effect: 'read',
  input,
  output,
  async run(app, { id, text = false, detail, ...asked }, asker) {
    const audience = audienceOf(asked);
    const {
      answered,
      merged: found,
      copy,
    } = await lookUp(app, { id, audience, timeZone: asked.timeZone, detail, freshness: freshnessOf({}) }, asker);
    if (text)
      asker.heard?.note(
        found.event.text,
        found.copies.map(({ account }) => account),
      );
    const etag = audience === OWNER ? await etagOf(app, copy, asker) : undefined;
    const likeness = findLikeness(answered.events.filter((merged) => merged === found || isListed(merged, false)));
    return {
      ...answered.head,
      event: {
        ...toItem(found, { ...answered, detail, likeness }),
        ...detailsOf(found, text),
        ...(etag === undefined || copy.readOnly ? {} : { version: versionOf(etag) }),
      },
    };
  },
});
