import type { Topic } from '../topic.ts';

export const scripts: Topic = {
  name: 'scripts',
  summary: 'JSON, cron and incomplete answers',
  text: `
--json prints exactly the structured result, the same that an MCP client gets
with full detail. Without it, and without a terminal, the text is stable and has
no colours. Only the answer is on stdout; messages and logs are on stderr.

  calmcp agenda today --json | jq -r '.events[] | .start + " " + .title'
  calmcp freebusy this week --json | jq '.free'

Look at the exit status, or at "complete": with 3, the answer is printed and an
account is missing in it. "accounts" says which, and what to do.

  calmcp agenda today --json > today.json || [ $? -eq 3 ]

A long answer can be had in parts: with --limit, the printed text ends with the
command for the next part, and the JSON has truncated and nextCursor.

  calmcp agenda this month --limit 100 --json | jq -r .nextCursor

A job asks nobody. Sign in once on that machine, as the user the job runs as,
with the same CALMCP_KEYSTORE; where there is no keychain:

  CALMCP_KEYSTORE=keyfile calmcp login --account work --device-code

  # crontab: every workday at seven. 3 is a report too, and says what it lacks
  0 7 * * 1-5  CALMCP_KEYSTORE=keyfile calmcp report freebusy next 14 days -o "$HOME/busy.html" || [ $? -eq 3 ]

Any number of commands may run at once. Nothing waits for ever: an answer comes
within 25 seconds, and what has not answered by then is unknown.

CALMCP_NOW sets the clock, and calmcp sandbox stands in for the services: for
tests of your own scripts. More: calmcp help exit-status.
`,
};
