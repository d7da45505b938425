import { ACCOUNT, providerContract, STORY } from '../../contract/provider-contract.ts';
import { openTestApp } from '../../harness.ts';

providerContract('memory', {
  async open() {
    const events = STORY.map((event) => `      - ${JSON.stringify(event)}`).join('\n');
    const { app } = await openTestApp(
      `version: 1\naccounts:\n  ${ACCOUNT}:\n    provider: memory\n    events:\n${events}\n`,
    );
    return { provider: await app.account(ACCOUNT).open(), breakDown: async () => undefined };
  },
  skip: { series: 'holds single events only', 'break down': 'has no backend that could fail' },
});
