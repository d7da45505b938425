/** What puts answers on a screen, for whoever loads it late: one lot of files instead of one for each. */
export { sameMailboxAs } from '../server/text.ts';
export { renderAgenda } from './render-agenda.ts';
export { renderConflicts } from './render-conflicts.ts';
export { renderFreeBusy } from './render-free-busy.ts';
export { renderFreeTime } from './render-free-time.ts';
export { screenOf } from './shell.ts';
export { formatTable } from './table.ts';
