import type { Topic } from '../topic.ts';

export const accounts: Topic = {
  name: 'accounts',
  summary: 'what an account is, and how one is added and signed in',
  text: `
An account is one entry of accounts.yaml: a Microsoft 365 tenant, a Google
login, an iCalendar feed, a folder of .ics files. Its id (lower-case letters,
digits, - and _) is what --account takes, and what answers call it.

  accounts:
    work:
      provider: microsoft       # or google, ics, memory
      clientId: 11111111-1111-1111-1111-111111111111
      tenantId: 22222222-2222-2222-2222-222222222222
      access: read              # busy, read (the default) or write

access decides which permissions are asked for at the sign-in: busy times
only, reading, or changing events too. Nothing is written to an account whose
access is not write.

  calmcp accounts add                 asks for what is needed
  calmcp accounts list                what the file says
  calmcp login --account work         in the browser; --device-code without one
  calmcp login --all                  every account that is not signed in
  calmcp status                       who is signed in, and until when
  calmcp accounts test work           reads today, shows no event
  calmcp doctor                       what is wrong, and the command that helps

Commands ask all accounts; --account work,home asks some. An account that
cannot be read makes the answer incomplete: its time is unknown, and never
called free.

The same clientId may stand in several tenants: their tokens are kept apart.
Secrets are better given as \${ENV:NAME} or \${FILE:path}. A Microsoft or Google
account can be read through a child MCP server: child: true.

Every field, with comments: calmcp init --print. More: docs/accounts.md,
docs/sign-in.md and docs/child-servers.md in the package.
`,
};
