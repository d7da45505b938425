import { googleFaults, sharedGoogleClient } from '../../../src/sandbox/index.ts';
import { ACCOUNT, providerContract } from '../../contract/provider-contract.ts';
import { googleAccounts, googleSignIn, openTestApp } from '../../harness.ts';
import { openStory } from './story.ts';

providerContract('google', {
  async open() {
    const sandbox = await openStory();
    const { clientId, clientSecret } = sharedGoogleClient;
    const { app } = await openTestApp(googleAccounts(sandbox, [{ id: ACCOUNT, clientId, clientSecret }]));
    await googleSignIn(app, sandbox, ACCOUNT, 'you@home.example');
    return {
      provider: await app.account(ACCOUNT).open(),
      breakDown: async () =>
        sandbox.fail({ match: ({ path }) => path.startsWith('/google/calendar/'), ...googleFaults.backendError }),
    };
  },
});
