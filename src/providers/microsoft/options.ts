import { z } from 'zod';
import { endpointSchema } from '../../core/endpoint.ts';
import { tokenCommandSchema } from '../../io/token-command.ts';
import { childSchema } from './child-options.ts';

/** `calmcp init` writes zeroes where an id belongs. */
const isFilledIn = (id: string): boolean => !/^[0-]+$/.test(id);
const PLACEHOLDER = 'is still the placeholder: fill in your own';

export const options = z.strictObject({
  clientId: z
    .guid('is no GUID: copy the application (client) id of your app registration')
    .refine(isFilledIn, PLACEHOLDER)
    .describe('Application (client) id of the app registration.'),
  tenantId: z
    .string()
    .regex(
      /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|organizations|consumers|(?=.{1,253}$)[a-z0-9-]+(?:\.[a-z0-9-]+)+)$/i,
      'is no tenant: a GUID, a verified domain, organizations or consumers',
    )
    .refine(isFilledIn, PLACEHOLDER)
    .describe('Directory (tenant) id, a verified domain, `organizations` or `consumers`.'),
  username: z.string().optional().describe('Pins the identity: signing in as somebody else is refused.'),
  cloud: z
    .union([
      z.enum(['global', 'usgov', 'usgov-dod', 'china']),
      z.strictObject({
        authority: endpointSchema.describe('Base address of the sign-in service.'),
        graph: endpointSchema.describe('Base address of Microsoft Graph.'),
      }),
    ])
    .default('global')
    .describe('National cloud, or the addresses of a stand-in.'),
  tokenCommand: tokenCommandSchema.optional(),
  child: childSchema,
});

export type MicrosoftOptions = z.output<typeof options>;
