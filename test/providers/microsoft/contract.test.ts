import { ACCOUNT, providerContract } from '../../contract/provider-contract.ts';
import { microsoftAccounts, openTestApp, signIn, XEBIA } from '../../harness.ts';
import { openStory } from './story.ts';

// Batching starts above four calendars: both ways must keep the contract.
for (const calendars of [1, 6])
  providerContract(`microsoft with ${calendars} calendar${calendars === 1 ? '' : 's'}`, {
    async open() {
      const sandbox = await openStory(calendars);
      const { app } = await openTestApp(microsoftAccounts(sandbox, [{ ...XEBIA, id: ACCOUNT }]));
      await signIn(app, sandbox, ACCOUNT, 'you@xebia.example');
      return {
        provider: await app.account(ACCOUNT).open(),
        breakDown: async () =>
          sandbox.fail({ match: ({ path }) => path.startsWith('/v1.0/'), status: 500, inBatch: true }),
      };
    },
  });
