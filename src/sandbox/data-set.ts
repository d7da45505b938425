import { Temporal } from 'temporal-polyfill';
import { clientId } from './build-data.ts';
import type { SandboxData } from './data.ts';
import { bench, marimer, northwind, xebia } from './data-mailboxes.ts';

export const tenantIds = {
  xebia: '22222222-2222-2222-2222-222222222222',
  marimer: '33333333-3333-3333-3333-333333333333',
  northwind: '44444444-4444-4444-4444-444444444444',
} as const;

export const northwindClientId = '55555555-5555-5555-5555-555555555555';

/**
 * Two weeks of a consultant with three tenants.
 * @param weekOf the Monday they start on, YYYY-MM-DD
 */
export function createDataSet(weekOf: string): SandboxData {
  const monday = Temporal.PlainDate.from(weekOf);
  if (monday.dayOfWeek !== 1) throw new RangeError(`${weekOf} is not a Monday`);
  const day = (offset: number) => monday.add({ days: offset }).toString();

  return {
    tenants: [
      { id: tenantIds.xebia, domain: 'xebia.example', name: 'Xebia' },
      { id: tenantIds.marimer, domain: 'marimer.example', name: 'Marimer' },
      { id: tenantIds.northwind, domain: 'northwind.example', name: 'Northwind' },
    ],
    applications: [
      { clientId, name: 'calmcp', tenants: [tenantIds.xebia, tenantIds.marimer] },
      { clientId: northwindClientId, name: 'calmcp at Northwind', tenants: [tenantIds.northwind] },
    ],
    users: [
      user(1, tenantIds.xebia, 'you@xebia.example', 'You'),
      user(2, tenantIds.xebia, 'bench@xebia.example', 'Bench consultant'),
      user(3, tenantIds.marimer, 'you@marimer.example', 'You (Xebia)'),
      user(4, tenantIds.northwind, 'you@northwind.example', 'You (external)'),
    ],
    mailboxes: [xebia(day), bench(day), marimer(day), northwind(day)],
  };
}

/** The Monday of the week that `now` (epoch milliseconds) is in, in UTC. */
export function mondayOf(now: number): string {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO('UTC').toPlainDate();
  return today.subtract({ days: today.dayOfWeek - 1 }).toString();
}

function user(number: number, tenant: string, username: string, displayName: string) {
  return { oid: `aaaaaaaa-0000-0000-0000-${String(number).padStart(12, '0')}`, tenant, username, displayName };
}
