import { z } from 'zod';
import { endpointSchema } from '../../core/endpoint.ts';
import { tokenCommandSchema } from '../../io/token-command.ts';
import { childSchema } from './child-options.ts';

export const options = z.strictObject({
  clientId: z
    .string()
    .regex(/^[\w.-]+$/, 'is no client id: copy it from the Google Cloud console')
    .describe('Client id of an OAuth client of the type "Desktop app".'),
  clientSecret: z
    .string()
    .min(1)
    .optional()
    .describe('Its secret: better as a reference to the environment or a file than in clear.')
    .meta({ writeOnly: true }),
  username: z.string().optional().describe('Pins the identity: signing in as somebody else is refused.'),
  endpoints: z
    .strictObject({
      authorization: endpointSchema.describe('Page that people sign in on.'),
      token: endpointSchema.describe('Where tokens are issued.'),
      revocation: endpointSchema.describe('Where tokens are revoked.'),
      calendar: endpointSchema.describe('Base address of the Calendar API, without /calendar/v3.'),
    })
    .optional()
    .describe('The addresses of a stand-in; default: those of Google.'),
  tokenCommand: tokenCommandSchema.optional(),
  child: childSchema,
});

export type GoogleOptions = z.output<typeof options>;

export type Endpoints = NonNullable<GoogleOptions['endpoints']>;

/** @see https://developers.google.com/identity/protocols/oauth2/native-app */
const GOOGLE: Endpoints = {
  authorization: 'https://accounts.google.com/o/oauth2/v2/auth',
  token: 'https://oauth2.googleapis.com/token',
  revocation: 'https://oauth2.googleapis.com/revoke',
  calendar: 'https://www.googleapis.com',
};

export const endpointsOf = ({ endpoints }: GoogleOptions): Endpoints => endpoints ?? GOOGLE;
