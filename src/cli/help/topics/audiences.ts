import type { Topic } from '../topic.ts';

export const audiences: Topic = {
  name: 'audiences',
  summary: 'what a client may see of the others',
  text: `
Answers are for you, who sees everything, unless --audience names a client.
Every account belongs to one, and says what the others may see of it:

  accounts:
    work:
      client: northwind   # default: the account's id
      share: busy         # none, busy (default), masked, title or full

  of an account of             an audience sees
  the client itself            everything; of private events the time alone
  others, share: busy          when time is taken, and how
  others, share: masked        the same, called "Client work"
  others, share: title         the same, with the title
  others, share: full          all but whose account it is; private ones masked
  others, share: none          nothing: that time counts as free

What may not be shown is taken away before anything is merged, searched or
ranked. Accounts of others are never named, not in errors either: they are
"other accounts". An audience that is no client of yours is a stranger, who
sees what every account shares; the answer says so. Ids of events are good for
one audience.

  calmcp freebusy next week --audience marimer
  calmcp report freebusy next week --audience marimer -o week.html
  calmcp find-time tomorrow -d 30m --audience marimer

Event text that an MCP client read from one client's account is not written into
an account of another one, unless its account shares that much: calmcp help
writing.
More: docs/privacy.md in the package.
`,
};
