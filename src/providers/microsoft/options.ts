import { z } from 'zod';

const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])$/;

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
}

const endpoint = z
  .string()
  .refine(isEndpoint, 'must be an https address; plain http is for this machine only')
  .transform((text) => text.replace(/\/+$/, ''));

export const options = z.strictObject({
  clientId: z
    .guid('is no GUID: copy the application (client) id of your app registration')
    .describe('Application (client) id of the app registration.'),
  tenantId: z
    .string()
    .regex(
      /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|organizations|consumers|(?=.{1,253}$)[a-z0-9-]+(?:\.[a-z0-9-]+)+)$/i,
      'is no tenant: a GUID, a verified domain, organizations or consumers',
    )
    .describe('Directory (tenant) id, a verified domain, `organizations` or `consumers`.'),
  username: z.string().optional().describe('Pins the identity: signing in as somebody else is refused.'),
  cloud: z
    .union([
      z.enum(['global', 'usgov', 'usgov-dod', 'china']),
      z.strictObject({
        authority: endpoint.describe('Base address of the sign-in service.'),
        graph: endpoint.describe('Base address of Microsoft Graph.'),
      }),
    ])
    .default('global')
    .describe('National cloud, or the addresses of a stand-in.'),
});

export type MicrosoftOptions = z.output<typeof options>;
