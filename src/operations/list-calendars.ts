import { z } from 'zod';
import { LIVE } from '../accounts/readings.ts';
import type { Account } from '../accounts/registry.ts';
import { isComplete } from '../core/coverage.ts';
import type { Calendar } from '../core/event.ts';
import { accountsInput, coverageOutput, noticesOf, noticesOutput } from './envelope.ts';
import { nameText } from './event-item.ts';
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
  notices: noticesOutput,
  complete: z.boolean(),
  accounts: coverageOutput,
  calendars: z.array(calendar),
});

/** What may be done is what both the provider and accounts.yaml allow. */
function accessOf(calendar: Calendar, { settings }: Account): Calendar['access'] {
  if (settings.access === 'busy') return 'free-busy';
  return calendar.access === 'write' && settings.access !== 'write' ? 'read' : calendar.access;
}

function describe(account: Account, row: Calendar, skipped: boolean): z.output<typeof calendar> {
  const { name, isDefault, owner, color } = row;
  return {
    account: account.id,
    name: nameText(name),
    ...(isDefault ? { default: true as const } : {}),
    access: accessOf(row, account),
    ...(skipped ? { skipped: true as const } : {}),
    ...(owner === undefined ? {} : { owner: nameText(owner) }),
    ...(color === undefined || !/^#[0-9a-f]{3,8}$/i.test(color) ? {} : { color }),
  };
}

export const listCalendars = defineOperation({
  name: 'list_calendars',
  title: 'List calendars',
  description: 'Lists the calendars of all accounts, with what may be done in each.',
  effect: 'read',
  input: z.strictObject({ accounts: accountsInput }),
  output,
  async run(app, { accounts }, asker) {
    const { answers, coverage } = await fanOut(app, selectAccounts(app, accounts), asker, async (account, call) => {
      const calendars = await account.readings.calendars(call, LIVE);
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
      return answer.value.map((entry) => describe(account, entry, excluded.includes(entry)));
    });
    return {
      ...noticesOf(app),
      complete: isComplete(coverage),
      accounts: [...coverage] as z.output<typeof coverageOutput>,
      calendars,
    };
  },
});
