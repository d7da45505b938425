import { calendar, event, singleMailbox, weekly } from '../../../src/sandbox/index.ts';
import { ACCOUNT, providerContract, SERIES, STORY } from '../../contract/provider-contract.ts';
import { microsoftAccounts, openSandbox, openTestApp, signIn, XEBIA } from '../../harness.ts';

const day = (local: string): string => local.slice(0, 10);

// Batching starts above four calendars: both ways must keep the contract.
for (const calendars of [1, 6])
  providerContract(`microsoft with ${calendars} calendar${calendars === 1 ? '' : 's'}`, {
    async open() {
      const series = weekly({
        subject: SERIES.title,
        start: SERIES.start,
        end: SERIES.end,
        weeks: SERIES.count,
        deleted: [day(SERIES.cancelled)],
        changed: { [day(SERIES.moved.from)]: { start: SERIES.moved.to, end: SERIES.moved.end } },
      });
      const events = [...STORY.map(({ title, ...times }) => event({ subject: title, ...times })), ...series];
      const others = Array.from({ length: calendars - 1 }, (_, index) => calendar(`Other ${index}`, []));
      const sandbox = await openSandbox({ data: singleMailbox([calendar('Calendar', events), ...others]) });
      const { app } = await openTestApp(microsoftAccounts(sandbox, [{ ...XEBIA, id: ACCOUNT }]));
      await signIn(app, sandbox, ACCOUNT, 'you@xebia.example');
      return {
        provider: await app.account(ACCOUNT).open(),
        breakDown: async () =>
          sandbox.fail({ match: ({ path }) => path.startsWith('/v1.0/'), status: 500, inBatch: true }),
      };
    },
  });
