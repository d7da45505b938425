/** The contract once more, through the real @softeria/ms-365-mcp-server: one server for all cases, as they only ask. */
import { afterAll, beforeAll, describe } from 'vitest';
import { childLine, withChild } from '../../children.ts';
import { ACCOUNT, type Fixture, providerContract } from '../../contract/provider-contract.ts';
import { lasting, microsoftAccounts, openTestApp, signIn, XEBIA } from '../../harness.ts';
import { openStory } from './story.ts';

async function openChild(transport: string): Promise<Fixture> {
  const sandbox = await openStory(2);
  const yaml = microsoftAccounts(sandbox, [{ ...XEBIA, id: ACCOUNT }]);
  const { app } = await openTestApp(withChild(yaml, childLine('ms-365', sandbox, { transport }), [ACCOUNT]));
  await signIn(app, sandbox, ACCOUNT, 'you@xebia.example');
  return {
    provider: await app.account(ACCOUNT).open(),
    breakDown: async () => sandbox.fail({ match: ({ path }) => path.startsWith('/v1.0/'), status: 500 }),
  };
}

describe.each(['http', 'stdio'])('through a child server (%s)', (transport) => {
  let child: Awaited<ReturnType<typeof lasting<Fixture>>>;
  beforeAll(async () => {
    child = await lasting(() => openChild(transport));
  });
  afterAll(() => child.end());
  providerContract('microsoft', { open: async () => child.opened });
});
