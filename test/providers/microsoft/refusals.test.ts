import { describe, expect, test } from 'vitest';
import { listEvents } from '../../../src/operations/list-events.ts';
import type { Sandbox } from '../../../src/sandbox/index.ts';
import { microsoftAccounts, openSandbox, openTestApp, signIn, XEBIA } from '../../harness.ts';

const asker = { signal: new AbortController().signal };

/** Entra's answer with a number, and text that must not be shown. */
function refuse(sandbox: Sandbox, path: string, error: string, number: number): void {
  sandbox.fail({
    match: (request) => request.path.endsWith(path),
    status: 400,
    body: JSON.stringify({
      error,
      error_description: `AADSTS${number}: CANARY words of Entra. Trace ID: 1 Correlation ID: 2 Timestamp: 2026-11-23 08:00:00Z`,
      error_codes: [number],
      correlation_id: 'x',
    }),
  });
}

const shown = (error: unknown): string => `${(error as Error).message} ${(error as { hint?: string }).hint}`;

describe('a refusal of Entra at the sign-in is a sentence with a remedy', () => {
  test.each([
    [50020, 'invalid_grant', 'FORBIDDEN', /does not belong to this tenant/, /tenantId/],
    [65001, 'invalid_grant', 'AUTH_REQUIRED', /nobody has agreed/, /calmcp login --account xebia/],
    [90094, 'invalid_grant', 'FORBIDDEN', /administrator .* has to agree/, /admin consent to the app 11111111/],
    [50105, 'invalid_grant', 'FORBIDDEN', /not assigned/, /administrator/],
    [53003, 'invalid_grant', 'FORBIDDEN', /conditional access/, /administrator/],
    [90002, 'invalid_request', 'CONFIG_INVALID', /no tenant 22222222/, /tenantId/],
    [700082, 'invalid_grant', 'AUTH_REQUIRED', /90 days/, /calmcp login --account xebia/],
    [50173, 'invalid_grant', 'AUTH_REQUIRED', /password was changed/, /calmcp login --account xebia/],
    [7000218, 'invalid_client', 'CONFIG_INVALID', /not a public client/, /Allow public client flows/],
    [700016, 'unauthorized_client', 'CONFIG_INVALID', /not known in the tenant/, /clientId and tenantId/],
    [500200, 'invalid_grant', 'CONFIG_INVALID', /personal account/, /consumers/],
    [9002346, 'invalid_request', 'CONFIG_INVALID', /personal accounts only/, /consumers/],
  ])('AADSTS%i', async (number, oauth, code, message, hint) => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]));
    refuse(sandbox, '/token', oauth, number);
    const error = await signIn(app, sandbox, 'xebia', 'you@xebia.example').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code,
      account: 'xebia',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    expect(shown(error)).toContain(`AADSTS${number}`);
    expect(shown(error)).not.toContain('CANARY');
  });

  test('one that is not known is told by its number', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]));
    refuse(sandbox, '/devicecode', 'invalid_request', 987654);
    const error = await signIn(app, sandbox, 'xebia', 'you@xebia.example').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'AUTH_REQUIRED', message: 'the sign-in service refused (AADSTS987654)' });
    expect(shown(error)).not.toContain('CANARY');
  });
});

describe('a refusal while refreshing', () => {
  test.each([
    [50173, 'AUTH_REQUIRED'],
    [53003, 'FORBIDDEN'],
  ])('AADSTS%i is told, and Entra is not asked again at the next question', async (number, code) => {
    const sandbox = await openSandbox({ accessTokenSeconds: 120 });
    const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]));
    await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    refuse(sandbox, '/token', 'invalid_grant', number);
    const ask = (): Promise<unknown> => listEvents.run(app, { range: 'today', detail: 'full' }, asker);
    await expect(ask()).rejects.toMatchObject({ code });
    const asked = sandbox.requests.length;
    await expect(ask()).rejects.toMatchObject({ code });
    expect(sandbox.requests).toHaveLength(asked);
  });
});
