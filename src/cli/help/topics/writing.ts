import type { Topic } from '../topic.ts';

export const writing: Topic = {
  name: 'writing',
  summary: 'creating and changing events: where, who is told, what is refused',
  text: `
Where. An account is written to when its access is write. A new event needs a
name for it: --account, unless one account alone can be written to; with several
the command is refused with the list of them. A change goes to the account of
the event's own id. Ids: calmcp agenda --ids, calmcp search TEXT --ids.

First look. --dry-run does nothing and prints what would be done: the change
itself, what else is at that time in any account, events that may be the same,
and who would be e-mailed.

Who is told. An event with attendees is not written without --notify all:
invitations leave the house. A change that concerns them says whom it mails.

Series. An event that repeats needs --scope: this (this one), following (this
one and all later ones) or all. following ends the old series before that day
and starts a new one; what was changed in single events before stays. When the
second half cannot be made, the first is put back.

Never twice. A new event has a key, given or made from what it says: sent again
after an answer that was lost, it is there once. An answer that is lost during a
change is not repeated blindly.

Never over somebody else's change. A change names the version that was read.
When the event is another by now, nothing is done (CONFLICT, exit status 75),
and the current event is shown: look, then decide.

Refused, before any server is asked:
  - an account whose access is busy or read (READ_ONLY)
  - several accounts that could be meant
  - attendees without notify, a series without scope
  - words of one client's event for an account of another client, unless
    accounts.yaml shares them (calmcp help audiences)
  - what the service cannot hold; the message says what it can

Feeds, .ics files and calendars that are only shared for reading cannot be
written. How a series is said: calmcp help recurrence.
`,
};
