/** How the child server of a Google account is started: `@cocal/google-calendar-mcp`. */
import { join } from 'node:path';
import type { ChildKind, ChildSpec, ChildTool } from '../../core/child.ts';
import type { ProviderContext } from '../../core/provider.ts';
import { writePrivateFile } from '../../io/private-file.ts';
import { childCommandOf } from './child-options.ts';
import type { GoogleOptions } from './options.ts';

export const GOOGLE_CALENDAR: ChildKind = {
  server: 'google-calendar',
  package: '@cocal/google-calendar-mcp',
  version: '2.6.3',
  bin: 'google-calendar-mcp',
  name: 'google-calendar',
  tools: [
    { name: 'list-calendars', inputs: ['account'], fingerprints: ['4d326e452da879f6'], needed: true },
    {
      name: 'list-events',
      inputs: ['account', 'calendarId', 'timeMin', 'timeMax', 'timeZone'],
      fingerprints: ['300e2f7ca6b81fb8'],
      needed: true,
    },
    {
      name: 'get-freebusy',
      inputs: ['account', 'calendars', 'timeMin', 'timeMax', 'timeZone'],
      fingerprints: ['812897ae6814efcd'],
      needed: false,
    },
  ],
};

const PLACE = ['account', 'calendarId', 'eventId'] as const;
const TIMES = ['start', 'end', 'timeZone'] as const;

/** What of an event is passed on as Google has it: what is sent, and so what is relied on. */
export const EVENT_FIELDS = [
  'summary',
  'description',
  'location',
  'attendees',
  'colorId',
  'reminders',
  'recurrence',
  'transparency',
  'visibility',
  'conferenceData',
] as const;

/** The same, of new events alone. */
export const TYPE_FIELDS = [
  'eventType',
  'focusTimeProperties',
  'outOfOfficeProperties',
  'workingLocationProperties',
] as const;

/** What changes events, and reads one of them for that: for an account with `access: write`. */
const WRITING: readonly ChildTool[] = [
  {
    name: 'get-event',
    inputs: PLACE,
    fingerprints: ['5ce4c5360c672566'],
    needed: false,
  },
  {
    name: 'create-event',
    inputs: [...PLACE, ...EVENT_FIELDS, ...TYPE_FIELDS, ...TIMES, 'sendUpdates', 'calendarsToCheck', 'allowDuplicates'],
    fingerprints: ['bbc5dc0dd4bd3135'],
    needed: false,
  },
  {
    name: 'update-event',
    inputs: [...PLACE, ...EVENT_FIELDS, ...TIMES, 'sendUpdates', 'checkConflicts'],
    fingerprints: ['7fba98630d83d647'],
    needed: false,
  },
  {
    name: 'delete-event',
    inputs: ['account', 'calendarId', 'eventId', 'sendUpdates'],
    fingerprints: ['ad9e18d4bbce0714'],
    needed: false,
  },
  {
    name: 'respond-to-event',
    inputs: ['account', 'calendarId', 'eventId', 'response', 'comment', 'sendUpdates'],
    fingerprints: ['8817a1176d81a162'],
    needed: false,
  },
];

/** It refreshes nothing without a refresh token, so that the secret of the app is none of its business. */
const NOT_LENT = 'not-lent';

const filesIn = (folder: string): { readonly keys: string; readonly tokens: string } => ({
  keys: join(folder, 'keys.json'),
  tokens: join(folder, 'tokens.json'),
});

export function childSpecOf(
  options: GoogleOptions,
  account: string,
  access: ProviderContext['access'] = 'read',
): ChildSpec | undefined {
  if (options.child === undefined) return undefined;
  const tools = access === 'write' ? [...GOOGLE_CALENDAR.tools, ...WRITING] : GOOGLE_CALENDAR.tools;
  return {
    account,
    kind: { ...GOOGLE_CALENDAR, tools },
    command: childCommandOf(options.child),
    transport: 'stdio',
    port: 0,
    lending: 'file',
    // It makes a formatter for each event, whose memory V8 does not count: with a small heap that is let go of in time.
    nodeOptions: ['--max-old-space-size=256'],
    args: () => [],
    environment(folder) {
      const { keys, tokens } = filesIn(folder);
      return {
        GOOGLE_OAUTH_CREDENTIALS: keys,
        GOOGLE_CALENDAR_MCP_TOKEN_PATH: tokens,
        GOOGLE_ACCOUNT_MODE: account,
        ENABLED_TOOLS: tools.map(({ name }) => name).join(','),
        TRANSPORT: 'stdio',
      };
    },
    async prepare(folder) {
      const installed = { client_id: options.clientId, client_secret: NOT_LENT, redirect_uris: ['http://127.0.0.1'] };
      await writePrivateFile(filesIn(folder).keys, JSON.stringify({ installed }));
    },
    // It looks at the file anew for each call. Without an end, as calmcp sees to that: five minutes before it, the server would
    // refuse to ask.
    async writeToken(folder, token) {
      const own = { access_token: token, token_type: 'Bearer' };
      await writePrivateFile(filesIn(folder).tokens, JSON.stringify({ [account]: own }));
    },
  };
}
