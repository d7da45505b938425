import {
  calendar,
  event,
  mailbox,
  type SandboxData,
  type SandboxOptions,
  singleMailbox,
} from '../../../src/sandbox/index.ts';
import { childLine, withChild } from '../../children.ts';
import { microsoftAccounts, openSandbox, openTestApp, signIn, XEBIA } from '../../harness.ts';
import type { Office } from './writing-cases.ts';

/** Two people of one organisation. */
function people(): SandboxData {
  const data = singleMailbox([
    calendar('Calendar', []),
    calendar('Read only', [event({ subject: 'Theirs', start: '2026-11-23T10:00', end: '2026-11-23T11:00' })], {
      canEdit: false,
    }),
    calendar('Without Teams', [], { allowedOnlineMeetingProviders: [] }),
  ]);
  const [tenant] = data.tenants;
  const colleague = {
    oid: 'aaaaaaaa-0000-0000-0000-000000000002',
    username: 'colleague@xebia.example',
    displayName: 'Colleague',
  };
  return {
    ...data,
    users: [...data.users, { ...colleague, tenant: tenant?.id ?? '' }],
    mailboxes: [...data.mailboxes, mailbox('colleague@xebia.example', [calendar('Calendar', [])])],
  };
}

const writable = (yaml: string, id: string): string => yaml.replace(`\n  ${id}:\n`, `\n  ${id}:\n    access: write\n`);

/** @param transport of a child server; none for the direct way */
export async function openOffice(transport?: 'http' | 'stdio', options: SandboxOptions = {}): Promise<Office> {
  const sandbox = await openSandbox({ data: people(), ...options });
  const ids = ['xebia', 'colleague'];
  const plain = ids.reduce(
    writable,
    microsoftAccounts(
      sandbox,
      ids.map((id) => ({ ...XEBIA, id })),
    ),
  );
  const yaml =
    transport === undefined ? plain : withChild(plain, childLine('ms-365', sandbox, { transport }), ['xebia']);
  const { app } = await openTestApp(yaml);
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  await signIn(app, sandbox, 'colleague', 'colleague@xebia.example');
  const [provider, colleague] = [await app.account('xebia').open(), await app.account('colleague').open()];
  return { sandbox, provider, colleague };
}
