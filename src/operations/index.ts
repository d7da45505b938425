import { createEvent } from './create-event.ts';
import { deleteEvent } from './delete-event.ts';
import { findConflicts } from './find-conflicts.ts';
import { findFreeTime } from './find-free-time.ts';
import { getCurrentTime } from './get-current-time.ts';
import { getEvent } from './get-event.ts';
import { getFreeBusy } from './get-free-busy.ts';
import { listAccounts } from './list-accounts.ts';
import { listCalendars } from './list-calendars.ts';
import { listEvents } from './list-events.ts';
import type { Operation } from './operation.ts';
import { respondToEvent } from './respond-to-event.ts';
import { searchEvents } from './search-events.ts';
import { signIn } from './sign-in.ts';
import { updateEvent } from './update-event.ts';

/** Everything calmcp can do, in the order that tools are listed in. */
export const operations: readonly Operation[] = [
  listAccounts,
  listCalendars,
  listEvents,
  searchEvents,
  getEvent,
  getFreeBusy,
  findFreeTime,
  findConflicts,
  getCurrentTime,
  createEvent,
  updateEvent,
  deleteEvent,
  respondToEvent,
  signIn,
];
