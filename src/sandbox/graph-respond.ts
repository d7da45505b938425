import type { AttendeeResponse, Mailbox, SandboxEvent } from './data.ts';
import { isSame, touched } from './graph-draft.ts';
import { fields, flag, isObject, type Json, moment, parseJsonObject, text } from './graph-event-body.ts';
import { type Item, mail } from './graph-meetings.ts';
import { graphRefusal } from './graph-refusal.ts';
import { occurrenceOf } from './graph-series.ts';
import { type Found, findByUid, put, withChange, withoutOccurrence } from './graph-store.ts';
import { refuseReadOnly, type WriteCall } from './graph-writes.ts';
import type { Incoming } from './http.ts';

export type Answering = 'accept' | 'tentativelyAccept' | 'decline';

const responses = {
  accept: 'accepted',
  tentativelyAccept: 'tentativelyAccepted',
  decline: 'declined',
} as const satisfies Record<Answering, AttendeeResponse>;

/** https://learn.microsoft.com/graph/api/event-accept, event-tentativelyaccept, event-decline */
export function respond(call: WriteCall, found: Found, action: Answering): void {
  const proposing = action === 'accept' ? [] : ['proposedNewTime'];
  const given = parseParameters(call.incoming, action, ['comment', 'sendResponse', ...proposing]);
  const sends = flag(given.get('sendresponse') ?? true);
  const comment = text(given.get('comment') ?? '');
  const proposal = given.get('proposednewtime') ?? undefined;
  const { event } = found;
  refuseReadOnly(found.calendar);
  refuseAnswer(event, sends, proposal);

  const { writing } = call;
  const time = new Date(writing.now()).toISOString();
  const status = { response: responses[action], time };
  answerOwn(found, status, call);
  if (!sends) return;
  mail(writing, 'response', event, [event.properties.organizer.emailAddress], comment, addressOf(call.mailbox));
  tellOrganizer(call, found, status, proposal);
}

/** The parameters of an action, by their names in lower case: the documentation writes them either way. */
export function parseParameters(incoming: Incoming, action: string, names: readonly string[]): Map<string, unknown> {
  const given: Json = incoming.body.trim() === '' ? {} : parseJsonObject(incoming);
  const known = names.map((name) => name.toLowerCase());
  const unknown = Object.keys(given).find((name) => !known.includes(name.toLowerCase()));
  if (unknown !== undefined) {
    throw graphRefusal(
      400,
      'BadRequest',
      `The parameter '${unknown}' in the request payload is not a valid parameter for the operation '${action}'.`,
    );
  }
  return new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
}

function refuseAnswer({ properties }: SandboxEvent, sends: boolean, proposal: unknown): void {
  const refuse = (reason: string) =>
    graphRefusal(400, 'ErrorInvalidRequest', `Your request can't be completed. ${reason}`);
  if (properties.isOrganizer) {
    throw refuse("You can't respond to this meeting because you're the meeting organizer.");
  }
  if (properties.isCancelled) throw refuse('The meeting has been canceled.');
  if (sends && !properties.responseRequested) throw refuse("The meeting organizer hasn't requested a response.");
  if (proposal === undefined) return;
  const { start, end } = fields(proposal, ['start', 'end'], 'timeSlot');
  for (const [name, value] of Object.entries({ start, end })) moment(value, name);
  if (sends && properties.allowNewTimeProposals) return;
  throw graphRefusal(400, 'ErrorInvalidParameter', 'A new time may not be proposed for this event, or not silently.');
}

type Status = SandboxEvent['properties']['responseStatus'];

function answerOwn(found: Found, status: Status, { writing }: WriteCall): void {
  const { calendar, event } = found;
  const now = writing.now();
  const removes = status.response === 'declined' && (writing.rules.declined ?? 'removed') === 'removed';
  const answered = { responseStatus: status, showAs: shownAs(event, status.response) };
  const withAnswer = (each: SandboxEvent) => touched({ ...each, properties: { ...each.properties, ...answered } }, now);
  put(calendar, found.kind === 'occurrence' ? found.series.master.id : event.id, answeredItem());

  function answeredItem(): Item | undefined {
    if (found.kind === 'occurrence') {
      const { series, date } = found;
      const next = removes ? withoutOccurrence(series, date) : withChange(series, date, { properties: answered });
      return { ...next, master: touched(next.master, now) };
    }
    if (removes) return undefined;
    return found.kind === 'master' ? { ...found.series, master: withAnswer(event) } : withAnswer(event);
  }
}

function shownAs(event: SandboxEvent, response: AttendeeResponse): SandboxEvent['properties']['showAs'] {
  if (response === 'declined') return 'free';
  const { isAllDay, intendedShowAs = isAllDay ? 'free' : 'busy' } = event;
  return response === 'tentativelyAccepted' && intendedShowAs !== 'free' ? 'tentative' : intendedShowAs;
}

/** The organizer's own copy, where the organizer has a mailbox here. */
function tellOrganizer({ writing, mailbox }: WriteCall, found: Found, status: Status, proposal: unknown): void {
  const { organizer, iCalUId } = found.kind === 'occurrence' ? found.series.master.properties : found.event.properties;
  const theirs = writing.data.mailboxes.find((each) => isSame(addressOf(each), organizer.emailAddress));
  const copy = theirs && findByUid(theirs, iCalUId ?? '', true);
  if (copy === undefined) return;
  const now = writing.now();
  const proposed = isObject(proposal) ? { proposedNewTime: proposal } : {};
  const attendees = (event: SandboxEvent) =>
    event.properties.attendees.map((each) =>
      isSame(each.emailAddress, addressOf(mailbox)) ? { ...each, status, ...proposed } : each,
    );
  const heard = (event: SandboxEvent) =>
    touched({ ...event, properties: { ...event.properties, attendees: attendees(event) } }, now);
  const { calendar, event } = copy;
  if (copy.kind === 'single') {
    put(calendar, event.id, heard(event));
  } else if (found.kind !== 'occurrence') {
    put(calendar, event.id, { ...copy.series, master: heard(event) });
  } else {
    const answers = attendees(occurrenceOf(copy.series, found.date));
    const next = withChange(copy.series, found.date, { properties: { attendees: answers } });
    put(calendar, event.id, { ...next, master: touched(next.master, now) });
  }
}

function addressOf({ username }: Mailbox) {
  return { name: username, address: username };
}
