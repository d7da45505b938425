import {
  googleEvent,
  googleFaults,
  googleSeries,
  sharedGoogleClient,
  singleGoogleAccount,
} from '../../../src/sandbox/index.ts';
import { ACCOUNT, providerContract, SERIES, STORY, ZONE } from '../../contract/provider-contract.ts';
import { googleAccounts, googleSignIn, openSandbox, openTestApp } from '../../harness.ts';

const day = (local: string): string => local.slice(0, 10);

providerContract('google', {
  async open() {
    const events = [
      ...STORY.map(({ title, ...times }) => googleEvent({ summary: title, zone: ZONE, ...times })),
      ...googleSeries({
        summary: SERIES.title,
        start: SERIES.start,
        end: SERIES.end,
        zone: ZONE,
        rule: `RRULE:FREQ=WEEKLY;COUNT=${SERIES.count}`,
        cancelled: [day(SERIES.cancelled)],
        changed: { [day(SERIES.moved.from)]: { start: SERIES.moved.to, end: SERIES.moved.end } },
      }),
    ];
    const sandbox = await openSandbox({ googleData: singleGoogleAccount(events) });
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
