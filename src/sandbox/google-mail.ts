import type { GoogleContext } from './google-context.ts';
import type { GoogleAttendee, GoogleEvent } from './google-data.ts';
import type { Parameters } from './google-query.ts';
import { isPerson } from './google-series.ts';
import type { SandboxMail } from './records.ts';

/** `externalOnly`: those who have no Google calendar, and would not know otherwise. */
export type SendUpdates = 'all' | 'externalOnly' | 'none';

/**
 * Nobody is told where the parameter is missing: "The default is false", as it says of both parameters.
 * https://developers.google.com/workspace/calendar/api/v3/reference/events/insert#sendUpdates
 */
export function readSendUpdates(parameters: Parameters): SendUpdates {
  const old = parameters.flag('sendNotifications') === true ? 'all' : 'none';
  return parameters.choice('sendUpdates', ['all', 'externalOnly', 'none']) ?? old;
}

/** Sends one mail to each of them but the sender and rooms. */
export function mail(
  kind: SandboxMail['kind'],
  { properties }: GoogleEvent,
  people: readonly Pick<GoogleAttendee, 'email' | 'resource' | 'comment'>[],
  options: { readonly from: string; readonly sendUpdates: SendUpdates; readonly comment?: string | undefined },
  { data, mails }: GoogleContext,
): void {
  const { from, sendUpdates, comment } = options;
  if (sendUpdates === 'none') return;
  for (const person of people) {
    const isInternal = data.users.some(({ username }) => isPerson(person, username));
    if (isPerson(person, from) || person.resource === true || (sendUpdates === 'externalOnly' && isInternal)) continue;
    mails.push({
      vendor: 'google',
      from,
      to: person.email,
      kind,
      subject: properties.summary ?? '',
      ...(comment === undefined ? {} : { comment }),
    });
  }
}
