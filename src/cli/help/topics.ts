import type { Topic } from './topic.ts';
import { accounts } from './topics/accounts.ts';
import { audiences } from './topics/audiences.ts';
import { clients } from './topics/clients.ts';
import { exitStatus } from './topics/exit-status.ts';
import { files } from './topics/files.ts';
import { ranges } from './topics/ranges.ts';
import { recurrence } from './topics/recurrence.ts';
import { scripts } from './topics/scripts.ts';
import { writing } from './topics/writing.ts';

/** In the order of their list. */
export const TOPICS: readonly Topic[] = [
  ranges,
  accounts,
  audiences,
  writing,
  recurrence,
  clients,
  scripts,
  exitStatus,
  files,
];
