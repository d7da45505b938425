/**
 * Entra's refusals in sentences with a remedy.
 * @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
import { CalmcpError, type ErrorCode } from '../../core/errors.ts';

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** `<account>`, `<clientId>` and `<tenantId>` are filled in. */
  readonly hint: string;
}

const LOGIN = 'run: calmcp login --account <account>';

const expired = (message: string): Refusal => ({ code: 'AUTH_REQUIRED', message, hint: LOGIN });

const REFUSALS: Readonly<Record<string, Refusal>> = {
  '50020': {
    code: 'FORBIDDEN',
    message: 'whoever signed in does not belong to this tenant',
    hint: 'sign in as somebody of the tenant <tenantId>, or correct tenantId in accounts.yaml',
  },
  '50034': {
    code: 'FORBIDDEN',
    message: 'whoever signed in is not known in this tenant',
    hint: 'sign in as somebody of the tenant <tenantId>, or correct tenantId in accounts.yaml',
  },
  '50105': {
    code: 'FORBIDDEN',
    message: 'whoever signed in is not assigned to this app',
    hint: 'ask an administrator of the tenant to assign you to the enterprise application <clientId>',
  },
  '50057': {
    code: 'FORBIDDEN',
    message: 'this user account is disabled',
    hint: 'ask an administrator of the tenant',
  },
  '50173': expired('the sign-in was withdrawn: the password was changed or an administrator ended all sessions'),
  '50076': expired('the tenant asks for a second factor'),
  '50079': expired('the tenant asks you to set up a second factor'),
  '53003': {
    code: 'FORBIDDEN',
    message: 'a conditional access policy of the tenant does not allow this sign-in',
    hint: 'ask an administrator what the policy asks for (a managed device, a network); another way in may be allowed: calmcp login --account <account> --browser',
  },
  '65001': {
    // Also what a wider `access` than at the sign-in comes to: signing in anew asks for it.
    code: 'AUTH_REQUIRED',
    message: 'nobody has agreed to the permissions of this app yet',
    hint: 'agree at the sign-in, or ask an administrator to: calmcp login --account <account>',
  },
  '90094': {
    code: 'FORBIDDEN',
    message: 'an administrator of the tenant has to agree to the permissions of this app',
    hint: 'ask one to grant admin consent to the app <clientId>, then run: calmcp login --account <account>',
  },
  '90002': {
    code: 'CONFIG_INVALID',
    message: 'there is no tenant <tenantId>',
    hint: 'check tenantId and cloud in accounts.yaml',
  },
  '700016': {
    code: 'CONFIG_INVALID',
    message: 'the app <clientId> is not known in the tenant <tenantId>',
    hint: 'check clientId and tenantId in accounts.yaml; an app of another tenant must be made multi-tenant first',
  },
  '700082': expired('the sign-in has expired, as it was not used for 90 days'),
  '70043': expired('the sign-in has expired: the tenant limits how long one lasts'),
  '70008': expired('the sign-in has expired'),
  '7000218': {
    code: 'CONFIG_INVALID',
    message: 'the app <clientId> is not a public client',
    hint: 'in its registration, under Authentication, set "Allow public client flows" to Yes',
  },
  '50011': {
    code: 'CONFIG_INVALID',
    message: 'the app <clientId> does not know the address that the browser should come back to',
    hint: 'in its registration, under Authentication, add the platform "Mobile and desktop applications" with http://localhost, or use: calmcp login --account <account> --device-code',
  },
  '50194': {
    code: 'CONFIG_INVALID',
    message: 'the app <clientId> belongs to a single tenant',
    hint: 'give that tenant’s id as tenantId in accounts.yaml',
  },
  '50128': {
    code: 'CONFIG_INVALID',
    message: 'there is no tenant <tenantId>',
    hint: 'check tenantId in accounts.yaml',
  },
  '700003': expired('the device of the sign-in is not known any more'),
  '9002346': {
    code: 'CONFIG_INVALID',
    message: 'the app <clientId> is for personal accounts only, and tenantId is an organisation’s',
    hint: 'write tenantId: consumers for a personal account, or use a registration for organisations',
  },
  '50059': {
    code: 'CONFIG_INVALID',
    message: 'the sign-in service could not tell which tenant is meant',
    hint: 'write the tenant’s id as tenantId in accounts.yaml',
  },
  '9001023': {
    code: 'CONFIG_INVALID',
    message: 'this way of signing in does not work for personal accounts through an organisation’s address',
    hint: 'write tenantId: consumers for a personal account',
  },
  '500200': {
    code: 'CONFIG_INVALID',
    message: 'a personal account cannot sign in to the tenant <tenantId>',
    hint: 'write tenantId: consumers for a personal account, or sign in with a work account',
  },
};

export interface RefusedSignIn {
  readonly account: string;
  readonly clientId: string;
  readonly tenantId: string;
}

/** The numbers in what Entra said, the most telling first: `AADSTS50020`. */
export function refusalNumbers(text: string): string[] {
  return [...new Set([...text.matchAll(/AADSTS(\d{4,})/g)].map((match) => match[1] ?? ''))];
}

/** A refusal that calmcp knows, or `undefined`. */
export function explainRefusal(text: string, refused: RefusedSignIn, cause: unknown): CalmcpError | undefined {
  const number = refusalNumbers(text).find((candidate) => REFUSALS[candidate] !== undefined);
  const refusal = number === undefined ? undefined : REFUSALS[number];
  if (refusal === undefined) return undefined;
  const fill = (sentence: string): string =>
    sentence
      .replaceAll('<account>', refused.account)
      .replaceAll('<clientId>', refused.clientId)
      .replaceAll('<tenantId>', refused.tenantId);
  return new CalmcpError(refusal.code, `${fill(refusal.message)} (AADSTS${number})`, {
    account: refused.account,
    hint: fill(refusal.hint),
    cause,
  });
}
