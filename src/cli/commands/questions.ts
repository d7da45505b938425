/** The commands that a daemon answers, without what they ask. */
import type { AddQuestion } from '../command.ts';
import { addAgenda } from './agenda.ts';
import { addConflicts } from './conflicts.ts';
import { addFindTime } from './find-time.ts';
import { addFreeBusy } from './freebusy.ts';
import { addSearch } from './search.ts';
import { addStatus } from './status.ts';

export const questions: Readonly<Record<string, AddQuestion>> = {
  status: addStatus,
  agenda: addAgenda,
  search: addSearch,
  freebusy: addFreeBusy,
  'find-time': addFindTime,
  conflicts: addConflicts,
};
