import type { MicrosoftOptions } from './options.ts';

/**
 * Where personal accounts are, by name and by id: they have no free/busy.
 * @see https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference#payload-claims (tid)
 */
const CONSUMERS = ['consumers', '9188040d-6c67-4c5b-b112-36a304b66dad'];

export const isPersonal = ({ tenantId }: MicrosoftOptions): boolean => CONSUMERS.includes(tenantId.toLowerCase());
