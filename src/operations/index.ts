import { getCurrentTime } from './get-current-time.ts';
import { listAccounts } from './list-accounts.ts';
import { listCalendars } from './list-calendars.ts';
import { listEvents } from './list-events.ts';
import type { Operation } from './operation.ts';

/** Everything calmcp can do, in the order that tools are listed in. */
export const operations: readonly Operation[] = [listAccounts, listCalendars, listEvents, getCurrentTime];
