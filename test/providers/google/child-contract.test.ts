/** The contract once more, through the real @cocal/google-calendar-mcp: one server for all cases, as they only ask. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { googleFaults, sharedGoogleClient } from '../../../src/sandbox/index.ts';
import { childLine, withChild } from '../../children.ts';
import { ACCOUNT, type Fixture, providerContract } from '../../contract/provider-contract.ts';
import { googleAccounts, googleSignIn, lasting, openTestApp } from '../../harness.ts';
import { openStory } from './story.ts';

async function openChild(): Promise<Fixture> {
  const sandbox = await openStory();
  const { clientId, clientSecret } = sharedGoogleClient;
  const yaml = googleAccounts(sandbox, [{ id: ACCOUNT, clientId, clientSecret }]);
  const { app } = await openTestApp(withChild(yaml, childLine('google-calendar', sandbox), [ACCOUNT]));
  await googleSignIn(app, sandbox, ACCOUNT, 'you@home.example');
  return {
    provider: await app.account(ACCOUNT).open(),
    breakDown: async () =>
      sandbox.fail({ match: ({ path }) => path.startsWith('/google/calendar/'), ...googleFaults.backendError }),
  };
}

let child: Awaited<ReturnType<typeof lasting<Fixture>>>;
beforeAll(async () => {
  child = await lasting(openChild);
});
afterAll(() => child.end());
providerContract('google through a child server', { open: async () => child.opened });

test('there are no marks through a child server', () => {
  expect(child.opened.provider.stillHolds).toBeUndefined();
});
