import { z } from 'zod';
import { isComplete } from '../core/coverage.ts';
import type { Calendar } from '../core/event.ts';
import { neutralize } from '../core/text.ts';
import { accountsInput, coverageOutput } from './envelope.ts';
import { fanOut, filterCalendars, selectAccounts } from './fan-out.ts';
import { defineOperation } from './operation.ts';

const calendar = z.object({
  account: z.string(),
  name: z.string(),
  default: z.literal(true).optional().describe('New events go here.'),
  access: z.enum(['free-busy', 'read', 'write']),
  skipped: z.literal(true).optional().describe('Left out of answers by configuration.'),
  owner: z.string().optional(),
  color: z.string().optional(),
});

const output = z.object({
  complete: z.boolean(),
  accounts: coverageOutput,
  calendars: z.array(calendar),
});

function describe(
  account: string,
  { name, isDefault, access, owner, color }: Calendar,
  skipped: boolean,
): z.output<typeof calendar> {
  return {
    account,
    name: neutralize(name),
    ...(isDefault ? { default: true as const } : {}),
    access,
    ...(skipped ? { skipped: true as const } : {}),
    ...(owner === undefined ? {} : { owner }),
    ...(color === undefined ? {} : { color }),
  };
}

export const listCalendars = defineOperation({
  name: 'list_calendars',
  title: 'List calendars',
  description: 'Lists the calendars of all accounts, with what may be done in each.',
  effect: 'read',
  input: z.object({ accounts: accountsInput }),
  output,
  async run(app, { accounts }, asker) {
    const { answers, coverage } = await fanOut(app, selectAccounts(app, accounts), asker, async (account, call) => {
      const calendars = await (await account.open()).listCalendars(call);
      const { included, excluded } = filterCalendars(account, calendars);
      return {
        value: calendars,
        calendars: included.length,
        skipped: excluded.length,
        asOf: app.now().epochMilliseconds,
      };
    });
    const calendars = app.accounts.flatMap((account) => {
      const answer = answers.find((candidate) => candidate.account.id === account.id);
      if (answer === undefined) return [];
      const { excluded } = filterCalendars(account, answer.value);
      return answer.value.map((entry) => describe(account.id, entry, excluded.includes(entry)));
    });
    return { complete: isComplete(coverage), accounts: [...coverage] as z.output<typeof coverageOutput>, calendars };
  },
});
