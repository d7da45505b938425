/** What the real @softeria/ms-365-mcp-server asks of Graph to write, the sandbox takes as Graph does. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, expect, test } from 'vitest';
import { commandOf } from '../children.ts';
import type { Json } from './client.ts';
import { attendee, on, openWriter, type Writer } from './graph-writer.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function openChild({ sandbox, token }: Writer) {
  const folder = await mkdtemp(join(tmpdir(), 'ms365-child-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const [command = '', ...args] = commandOf('ms-365', sandbox);
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StdioClientTransport({
      command,
      args: [...args, '--preset', 'calendar', '--org-mode'],
      cwd: folder,
      env: {
        HOME: folder,
        MS365_MCP_OAUTH_TOKEN: token,
        MS365_MCP_USE_KEYTAR: '0',
        MS365_MCP_LOG_DIR: join(folder, 'logs'),
        MS365_MCP_AUDIT_LOG: 'false',
        MS365_MCP_GRAPH_MAX_RETRIES: '0',
        LOG_LEVEL: 'error',
        SILENT: '1',
      },
      stderr: 'ignore',
    }),
  );
  ends.push(() => client.close());
  return async (name: string, input: Json): Promise<Json> => {
    const { content, isError } = await client.callTool({ name, arguments: input });
    const [part] = content as { text: string }[];
    if (isError === true) throw new Error(part?.text);
    return JSON.parse(part?.text ?? '') as Json;
  };
}

test('creates, changes, answers and deletes', { timeout: 90_000 }, async () => {
  const organizer = await openWriter();
  const guest = await openWriter({ username: 'you@marimer.example', at: organizer.sandbox });
  const [mine, theirs] = [await openChild(organizer), await openChild(guest)];
  const created = await mine('create-calendar-event', {
    body: {
      subject: 'Planning',
      ...on('2026-12-07', '10:00', '10:30'),
      body: { contentType: 'html', content: '<p>Agenda</p>' },
      location: { displayName: 'Room 1' },
      attendees: [attendee('you@marimer.example')],
      showAs: 'tentative',
      isOnlineMeeting: true,
      onlineMeetingProvider: 'teamsForBusiness',
      transactionId: 'child-1',
      recurrence: {
        pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday'], firstDayOfWeek: 'monday' },
        range: { type: 'numbered', startDate: '2026-12-07', numberOfOccurrences: 3 },
      },
    },
  });
  expect(created).toMatchObject({ type: 'seriesMaster', showAs: 'tentative', transactionId: 'child-1' });
  const calendarId = organizer.sandbox.data.mailboxes[0]?.calendars[0]?.id;
  const { value } = await mine('list-calendar-event-instances', {
    calendarId,
    eventId: created.id,
    startDateTime: '2026-12-01T00:00:00Z',
    endDateTime: '2027-01-01T00:00:00Z',
    orderby: 'start/dateTime',
  });
  const [, second, third] = value as Json[];
  const changed = await mine('update-specific-calendar-event', {
    calendarId,
    eventId: second?.id,
    body: on('2026-12-14', '15:00', '15:30'),
  });
  expect(changed).toMatchObject({ type: 'exception', start: { dateTime: '2026-12-14T14:00:00.0000000' } });
  await expect(mine('delete-calendar-event', { eventId: third?.id, 'If-Match': 'W/"stale"' })).rejects.toThrow('412');
  expect(await mine('delete-calendar-event', { eventId: third?.id })).toEqual({ message: 'OK!' });

  const [copy] = await guest.view('2026-12-07', '2026-12-08');
  await theirs('accept-calendar-event', {
    eventId: copy?.seriesMasterId,
    body: { comment: 'Fine', sendResponse: true },
  });
  expect((await organizer.event(String(created.id))).attendees).toMatchObject([{ status: { response: 'accepted' } }]);
  await expect(
    theirs('cancel-calendar-event', { eventId: copy?.seriesMasterId, body: { Comment: 'No' } }),
  ).rejects.toThrow('You need to be an organizer');
  await mine('cancel-calendar-event', { eventId: created.id, body: { Comment: 'Sorry' } });
  expect(organizer.sandbox.mails.at(-1)).toMatchObject({ kind: 'cancellation', comment: 'Sorry' });
});
