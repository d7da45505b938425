/** What the real @cocal/google-calendar-mcp asks of Google to write, the sandbox takes as Google does. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, expect, test } from 'vitest';
import { googleClientId, googleClientSecret, type Sandbox } from '../../src/sandbox/index.ts';
import { commandOf } from '../children.ts';
import { type Json, openSandbox } from './client.ts';
import { googleToken } from './google-client.ts';
import { guest, household, mailboxOf, you } from './google-writes-client.ts';

/** The package takes no time that has passed for a split. */
const window = { timeMin: '2035-11-01T00:00:00Z', timeMax: '2036-01-01T00:00:00Z' };

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function openChild(sandbox: Sandbox, username: string) {
  const folder = await mkdtemp(join(tmpdir(), 'google-child-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const [keys, tokens] = [join(folder, 'keys.json'), join(folder, 'tokens.json')];
  const installed = {
    client_id: googleClientId,
    client_secret: googleClientSecret,
    redirect_uris: ['http://localhost'],
  };
  await writeFile(keys, JSON.stringify({ installed }));
  const access_token = await googleToken(sandbox, 'calendar', username);
  const token = { access_token, refresh_token: 'none', token_type: 'Bearer', expiry_date: Date.now() + 3_600_000 };
  await writeFile(tokens, JSON.stringify({ work: token }));
  const [command = '', ...args] = commandOf('google-calendar', sandbox);
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StdioClientTransport({
      command,
      args,
      env: { HOME: folder, GOOGLE_OAUTH_CREDENTIALS: keys, GOOGLE_CALENDAR_MCP_TOKEN_PATH: tokens },
      stderr: 'ignore',
    }),
  );
  ends.push(() => client.close());
  return async (name: string, input: Json): Promise<Json> => {
    const { content, isError } = await client.callTool({ name, arguments: { account: 'work', ...input } });
    const [part] = content as { text: string }[];
    if (isError === true) throw new Error(part?.text);
    return JSON.parse(part?.text ?? '') as Json;
  };
}

test('creates, changes, answers and deletes', { timeout: 60_000 }, async () => {
  const sandbox = await openSandbox({ googleData: household() });
  const [mine, theirs] = [await openChild(sandbox, you), await openChild(sandbox, guest)];
  const created = await mine('create-event', {
    calendarId: 'primary',
    eventId: 'calmcp00001',
    summary: 'Planning',
    start: '2035-11-19T10:00:00',
    end: '2035-11-19T10:30:00',
    timeZone: 'Europe/Amsterdam',
    attendees: [{ email: guest }],
    recurrence: ['RRULE:FREQ=WEEKLY;COUNT=4'],
    reminders: { useDefault: false, overrides: [{ method: 'popup', minutes: 10 }] },
    conferenceData: { createRequest: { requestId: 'r1', conferenceSolutionKey: { type: 'hangoutsMeet' } } },
    sendUpdates: 'all',
  });
  expect(created.event).toMatchObject({
    id: 'calmcp00001',
    summary: 'Planning',
    recurrence: ['RRULE:FREQ=WEEKLY;COUNT=4'],
  });
  expect(sandbox.mails).toMatchObject([{ kind: 'invitation', to: guest }]);
  const series = { calendarId: 'primary', eventId: 'calmcp00001' };

  await mine('update-event', {
    ...series,
    modificationScope: 'thisEventOnly',
    originalStartTime: '2035-11-26T10:00:00+01:00',
    start: '2035-11-27T15:00:00',
    end: '2035-11-27T15:30:00',
  });
  await mine('update-event', { ...series, modificationScope: 'all', summary: 'Renamed' });
  await theirs('respond-to-event', { ...series, response: 'accepted', comment: 'Gladly' });
  const calendar = await mailboxOf(sandbox, you);
  expect((await calendar.list(window)).map(({ start, summary }) => `${start.dateTime} ${summary}`)).toEqual([
    '2035-11-19T10:00:00+01:00 Renamed',
    '2035-11-27T15:00:00+01:00 Renamed',
    '2035-12-03T10:00:00+01:00 Renamed',
    '2035-12-10T10:00:00+01:00 Renamed',
  ]);
  expect((await calendar.get('calmcp00001')).event.attendees).toMatchObject([
    { email: guest, responseStatus: 'accepted', comment: 'Gladly' },
  ]);

  await mine('update-event', {
    ...series,
    modificationScope: 'thisAndFollowing',
    futureStartDate: '2035-12-03T10:00:00+01:00',
    location: 'Room 1',
  });
  expect((await calendar.list({ ...window, q: 'Room' })).length).toBeGreaterThan(0);
  expect((await mine('get-event', series)).event).toMatchObject({ id: 'calmcp00001' });
  await mine('delete-event', { ...series, sendUpdates: 'none' });
  expect((await calendar.get('calmcp00001')).event.status).toBe('cancelled');
});
