/** Writing to Microsoft 365 directly. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { childSpecOf } from '../../../src/providers/microsoft/child.ts';
import { options as microsoftOptions } from '../../../src/providers/microsoft/options.ts';
import { calendar, event, singleMailbox } from '../../../src/sandbox/index.ts';
import {
  lasting,
  microsoftAccounts,
  openCall,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  XEBIA,
} from '../../harness.ts';
import { openOffice } from './office.ts';
import { calendarOf, key, type Office, seen, timed, writerOf, writes, writingCases } from './writing-cases.ts';

describe('directly', () => {
  let office: Awaited<ReturnType<typeof lasting<Office>>>;
  beforeAll(async () => {
    office = await lasting(() => openOffice());
  });
  afterAll(() => office.end());
  writingCases({ open: () => office.opened, viaChild: false });
});

const times = { start: timed('2027-01-04T09:00'), end: timed('2027-01-04T10:00') };
const ANSWERED = { response: 'accepted', notify: true } as const;

test('P06: without access: write nothing can be written; with it, personal accounts too', async () => {
  const sandbox = await openSandbox();
  const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad';
  for (const [tenantId, access, isThere] of [
    [XEBIA.tenantId, 'busy', false],
    [XEBIA.tenantId, 'read', false],
    [XEBIA.tenantId, 'write', true],
    [consumers, 'read', false],
    [consumers, 'write', true],
  ] as const) {
    const yaml = microsoftAccounts(sandbox, [{ id: 'xebia', tenantId }]);
    const { app } = await openTestApp(yaml.replace('\n  xebia:\n', `\n  xebia:\n    access: ${access}\n`));
    const provider = await app.account('xebia').open();
    expect('writer' in provider, `${tenantId} ${access}`).toBe(isThere);
  }
  expect(writes(sandbox)).toBe(0);
});

test('P06: a child server is started for reading alone, and with its writing tools for writing alone', () => {
  const chosen = microsoftOptions.parse({ clientId: XEBIA.tenantId, tenantId: XEBIA.tenantId, child: true });
  const toolsOf = (access: 'busy' | 'read' | 'write') => {
    const spec = childSpecOf(chosen, 'xebia', access);
    const args = spec?.args(0) ?? [];
    return { args, names: spec?.kind.tools.map(({ name }) => name) ?? [] };
  };
  for (const access of ['busy', 'read'] as const) {
    const { args, names } = toolsOf(access);
    expect(args).toContain('--read-only');
    expect(names).toEqual(['list-calendars', 'get-specific-calendar-view', 'get-schedule']);
  }
  const { args, names } = toolsOf('write');
  expect(args).not.toContain('--read-only');
  expect(names).toEqual(expect.arrayContaining(['get-specific-calendar-view', 'delete-specific-calendar-event']));
  expect(args).toContain(`^(${names.join('|')})$`);
});

test('an account that was for reading and is for writing now says that somebody has to sign in again', async () => {
  const sandbox = await openSandbox();
  const folder = await temporaryFolder();
  const yaml = microsoftAccounts(sandbox, [XEBIA]);
  const { app } = await openTestApp(yaml, { folder });
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  const writable = yaml.replace('\n  xebia:\n', '\n  xebia:\n    access: write\n');
  const { app: later } = await openTestApp(writable, { folder });
  const provider = await later.account('xebia').open();
  const calendar = { id: 'AAMkAG', name: 'Calendar', isDefault: true, access: 'write' } as const;
  await expect(writerOf(provider).create(calendar, times, key(), openCall())).rejects.toMatchObject({
    code: 'AUTH_REQUIRED',
    hint: expect.stringMatching(/calmcp login --account xebia/),
  });
  expect(writes(sandbox)).toBe(0);
});

test('P09: where Microsoft refuses what it has created before, it is found', async () => {
  const { sandbox, provider } = await openOffice(undefined, { graphRules: { repeatedTransaction: 'refused' } });
  const [writer, calendar] = [writerOf(provider), await calendarOf(provider)];
  const isCreation = ({ method, path }: { method: string; path: string }) =>
    method === 'POST' && path.endsWith('/events');
  for (const [title, more] of [
    ['One', {}],
    ['Many', { recurrence: 'FREQ=DAILY;COUNT=2' }],
  ] as const) {
    sandbox.fail({ match: isCreation, dropAnswer: true, times: 1 });
    const made = await writer.create(calendar, { title, ...times, ...more }, key(), openCall());
    expect(made).toMatchObject({ existed: false, stored: { event: { title }, isSeries: title === 'Many' } });
  }
  expect((await seen(provider, '2027-01-04', '2027-01-05')).map(({ title }) => title).sort()).toEqual(['Many', 'One']);
});

test('an organizer who wants no answers gets none, and a meeting that gets another id when it is answered is found', async () => {
  const organizedBy = { name: 'Boss', address: 'boss@xebia.example' };
  const at = { start: '2026-11-23T10:00', end: '2026-11-23T11:00', organizedBy, response: 'notResponded' } as const;
  const data = singleMailbox([
    calendar('Calendar', [
      event({ ...at, subject: 'No answer wanted', responseRequested: false }),
      event({ ...at, subject: 'Made anew' }),
    ]),
  ]);
  const sandbox = await openSandbox({ data });
  const yaml = microsoftAccounts(sandbox, [XEBIA]).replace('\n  xebia:\n', '\n  xebia:\n    access: write\n');
  const { app } = await openTestApp(yaml);
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  const provider = await app.account('xebia').open();
  const [writer, own] = [writerOf(provider), await calendarOf(provider)];
  const held = async (title: string) => {
    const found = (await seen(provider, '2026-11-23', '2026-11-24')).find((each) => each.title === title);
    return writer.get(own, found?.id ?? '', openCall());
  };
  const silent = await held('No answer wanted');
  await writer.respond(own, silent.event.id, { ...silent, ...ANSWERED }, openCall());
  expect(sandbox.mails).toEqual([]);

  const before = await held('Made anew');
  const events = data.mailboxes[0]?.calendars[0]?.events ?? [];
  let isAnswered = false;
  sandbox.fail({
    match: ({ method, path }) => {
      isAnswered ||= method === 'POST' && path.endsWith('/accept');
      return isAnswered && method === 'GET' && decodeURIComponent(path).endsWith(before.event.id);
    },
    status: 404,
    body: JSON.stringify({ error: { code: 'ErrorItemNotFound', message: 'Gone.' } }),
  });
  // The same meeting by its uid, under another id.
  const copy = events.find(({ properties }) => properties.subject === 'Made anew');
  if (copy === undefined) throw new RangeError('not there');
  data.mailboxes[0]?.calendars[0]?.events.push({
    ...copy,
    id: `${copy.id.slice(0, -4)}new=`,
    immutableId: `${copy.immutableId.slice(0, -4)}new=`,
  });
  data.mailboxes[0]?.calendars[0]?.events.reverse();
  const after = await writer.respond(own, before.event.id, { ...before, ...ANSWERED }, openCall());
  expect(after.event).toMatchObject({ id: `${copy.immutableId.slice(0, -4)}new=`, myResponse: 'accepted' });
});

test('a private event of somebody who does not share those is not taken apart', async () => {
  const at = { start: '2026-11-23T10:00', end: '2026-11-23T11:00' };
  const secret = event({ ...at, subject: 'Secret', sensitivity: 'private' });
  const owner = { name: 'Boss', address: 'boss@xebia.example' };
  const data = singleMailbox([
    calendar('Calendar', []),
    calendar('Shared', [secret], { owner, canViewPrivateItems: false }),
  ]);
  const sandbox = await openSandbox({ data });
  const yaml = microsoftAccounts(sandbox, [XEBIA]).replace('\n  xebia:\n', '\n  xebia:\n    access: write\n');
  const { app } = await openTestApp(yaml);
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  const provider = await app.account('xebia').open();
  const shared = await calendarOf(provider, 'Shared');
  const id = data.mailboxes[0]?.calendars[1]?.events[0]?.immutableId ?? '';
  await expect(writerOf(provider).get(shared, id, openCall())).rejects.toMatchObject({ code: 'FORBIDDEN' });
});
