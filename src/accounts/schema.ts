/** The shape of accounts.yaml: what every account may say, and beside it what its provider asks for. */
import { z } from 'zod';
import type { Limits } from '../core/budget.ts';
import { DISCLOSURES, OWNER } from '../core/disclosure.ts';
import type { ProviderDefinition } from '../core/provider.ts';
import { parseZone } from '../core/time.ts';
import { WEEKDAYS } from '../core/working-hours.ts';

export const ACCOUNT_ID = /^[a-z0-9][a-z0-9_-]{0,62}$/;
/** Names that Windows keeps for devices: an account's files would be lost in them. */
const RESERVED_ID = /^(?:con|prn|aux|nul|com\d|lpt\d)$/;
/** Names of audiences that stand for somebody else than a client. */
const RESERVED_CLIENT: readonly string[] = [OWNER];

export function isAccountId(id: string): boolean {
  return ACCOUNT_ID.test(id) && !RESERVED_ID.test(id) && !RESERVED_CLIENT.includes(id);
}

const zone = z
  .string()
  .refine((name) => parseZone(name) !== null, 'is no time zone: give an IANA name such as Europe/Amsterdam')
  .describe('Time zone: an IANA name, a Windows name or an offset such as +02:00.');

const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'is no time of day: write "09:00" in quotes');

const endOfDay = z
  .string()
  .regex(
    /^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/,
    'is no time of day: write "17:30" in quotes, or "24:00" for midnight',
  );

const workingHours = z
  .strictObject({
    days: z.array(z.enum(WEEKDAYS)).min(1).describe('Days with working hours.'),
    start: timeOfDay.describe('Start of the working day, "HH:MM".'),
    end: endOfDay.describe('End of the working day, "HH:MM", later than start.'),
  })
  .refine(({ start, end }) => start < end, { path: ['end'], message: 'is not later than start' })
  .describe('When you can be booked.');

const calendarFilter = z
  .strictObject({
    include: z.array(z.string()).min(1).optional().describe('Names of calendars to read; * stands for anything.'),
    exclude: z.array(z.string()).min(1).optional().describe('Names of calendars to leave out.'),
  })
  .describe('Which calendars count; default: all.');

export const CACHES = ['memory', 'sealed', 'off'] as const;

const whole = (least: number, most: number, described: string) =>
  z
    .int(`is no whole number from ${least} to ${most}`)
    .min(least, `is less than ${least}`)
    .max(most, `is more than ${most}`)
    .optional()
    .describe(described);

const perMinute = whole(
  10,
  100_000,
  'Requests in any 60 seconds: half of them may go out at once, then they are paced; each part of a batch counts.',
);

const limits = z
  .strictObject({ atOnce: whole(1, 32, 'Requests under way at the same time.'), perMinute })
  .describe('How much may be asked of one host for this account; default: what the vendor allows.');

export const registrationsSchema = z
  .record(
    z.string(),
    z
      .strictObject({ atOnce: whole(1, 1_024, 'Requests under way at the same time.'), perMinute })
      .describe('How much may be asked of one host by all accounts of this app registration together.'),
  )
  .describe('Limits of app registrations, by client id; default: what the vendor allows.');

/** Keys that every account may carry. */
const common = {
  displayName: z.string().min(1).optional().describe('How the account is called on screen; default: its id.'),
  access: z
    .enum(['busy', 'read', 'write'])
    .default('read')
    .describe('How much is asked of the provider: busy times only, reading, or reading and writing.'),
  client: z
    .string()
    .trim()
    .min(1)
    .refine((name) => !RESERVED_CLIENT.includes(name), `cannot be ${OWNER}: that is you`)
    .optional()
    .describe('Disclosure group: accounts of one client may see all of each other; default: the account id.'),
  share: z
    .enum(DISCLOSURES)
    .default('busy')
    .describe(
      'What an answer for another client may show of this account: nothing (its time then counts as free), busy times, a masked title, the title, or all.',
    ),
  timeZone: zone.optional(),
  workingHours: workingHours.optional(),
  calendars: calendarFilter.optional(),
  limits: limits.optional(),
  cache: z
    .enum(CACHES)
    .default('memory')
    .describe(
      'Where what was read is kept for the next question: in memory, also sealed on disk for the next start, or nowhere.',
    ),
};

export const defaultsSchema = z
  .strictObject({
    timeZone: zone.optional().describe('The zone answers are given in; default: the system’s.'),
    workingHours: workingHours.optional(),
    daemon: z
      .enum(['auto', 'manual'])
      .optional()
      .describe('auto: the first question starts the daemon where none runs. Default manual: used where it runs.'),
  })
  .describe('What holds where an account does not say otherwise.');

/** The part of an account's entry that calmcp itself reads. */
export interface AccountSettings {
  readonly displayName?: string | undefined;
  readonly access: 'busy' | 'read' | 'write';
  readonly client?: string | undefined;
  readonly share: 'none' | 'busy' | 'masked' | 'title' | 'full';
  readonly timeZone?: string | undefined;
  readonly workingHours?: z.output<typeof workingHours> | undefined;
  readonly calendars?: z.output<typeof calendarFilter> | undefined;
  readonly limits?: Limits | undefined;
  readonly cache: (typeof CACHES)[number];
}

export type Defaults = z.output<typeof defaultsSchema>;

/** The schema of one account of one provider: common keys, the provider's own ones, and no others. */
export function accountSchema(definition: ProviderDefinition): z.ZodObject {
  return z
    .strictObject({
      provider: z.literal(definition.type).describe(definition.title),
      ...common,
      ...definition.options.shape,
    })
    .describe(definition.title);
}

/** The JSON Schema that editors complete accounts.yaml with. */
export function accountsJsonSchema(providers: readonly ProviderDefinition[]): Record<string, unknown> {
  const [first, ...others] = providers.map(accountSchema);
  if (first === undefined) throw new TypeError('no providers');
  const file = z.strictObject({
    version: z.literal(1).describe('Version of this format.'),
    defaults: defaultsSchema.optional(),
    registrations: registrationsSchema.optional(),
    accounts: z.record(z.string().regex(ACCOUNT_ID), z.union([first, ...others])).describe('Account id to account.'),
  });
  return { title: 'calmcp accounts.yaml', ...z.toJSONSchema(file, { io: 'input' }) };
}
