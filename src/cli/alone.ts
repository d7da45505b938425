/** What a question takes where no daemon answers it, for whoever loads it late: one lot of files instead of one for each. */
export { findConflicts } from '../operations/find-conflicts.ts';
export { findFreeTime } from '../operations/find-free-time.ts';
export { getFreeBusy } from '../operations/get-free-busy.ts';
export { listAccounts } from '../operations/list-accounts.ts';
export { listEvents } from '../operations/list-events.ts';
export { searchEvents } from '../operations/search-events.ts';
export { loadConfig, openAppFor } from './open-app.ts';
