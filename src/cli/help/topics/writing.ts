import type { Topic } from '../topic.ts';

export const writing: Topic = {
  name: 'writing',
  summary: 'creating and changing events: where, who is told, what is refused',
  text: `
  calmcp event create "Dentist" --account home --start "tomorrow 14:00"
  calmcp event update home.fwjcgmc5p3 --start 15:00 --dry-run
  calmcp event delete home.fwjcgmc5p3 --scope this
  calmcp event respond xebia.fwjcgmc5p3 accept --notify all

Where. An account is written to when its access is write. A new event needs
--account, unless one account alone can be written to; with several the command
is refused with the list of them. A change goes to the account of the event's
own id; --account names another copy of a meeting. Ids: calmcp agenda --ids,
calmcp search TEXT --ids.

First look. --dry-run does nothing and prints what would be done: the change
itself, what else is at that time in any account, events that may be the same,
and who would be e-mailed. At a terminal, delete and what mails somebody show
this and ask; --yes does not.

Who is told. An event with attendees is not written without --notify all:
invitations leave the house. Of such an event, busy, sensitivity, reminders,
categories and colour are yours alone: nobody is mailed. An answer to an
invitation says whether the organizer is mailed: --notify all or --notify none.

Series. An event that repeats needs --scope: this (this one), following (this
one and all later ones) or all. following starts a new series, then ends the old
one before it; what was changed in single events before stays, and those after
become like the others. When the old one cannot be ended, the new one is taken
back.

Never twice. A new event has a key, given or made from what it says: sent again
after an answer that was lost, it is there once. A change whose answer is lost
is not sent again: the event is read, and you are told what became of it.

Never over somebody else's change. A change is of the version that was read, or
of that in --if-version. When the event is another by now, nothing is done
(CONFLICT, exit status 75), and the current event is shown: look, then decide.

Refused, and nothing is changed:
  - an account whose access is busy or read (READ_ONLY): nobody is even asked
  - several accounts that could be meant
  - attendees without --notify all, a series without --scope
  - what the service cannot hold; the message says what it can
  - in a session of an MCP client: words of one client's event for an account of
    another client, unless accounts.yaml shares them (calmcp help audiences)

Feeds, .ics files and calendars that are only shared for reading cannot be
written. How a series is said: calmcp help recurrence. More: docs/writing.md in
the package.
`,
};
