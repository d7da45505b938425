/** When any calmcp of this state folder last changed a calendar: what others have read before that is not told any more. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from './private-file.ts';

export interface ChangeStamp {
  /** Differs when somebody has changed something since. Costs next to nothing. */
  version(): Promise<string>;
  /** @throws CalmcpError INTERNAL when the disk refuses: others then learn of it when what they have read is too old */
  note(): Promise<void>;
}

export function openChangeStamp(stateFolder: string): ChangeStamp {
  const path = join(stateFolder, 'changed');
  return {
    async version() {
      // Not by a thread of its own: every question asks, and waiting for one takes twenty times as long as looking.
      try {
        const { ino, mtimeNs } = statSync(path, { bigint: true });
        return `${ino} ${mtimeNs}`;
      } catch {
        return '';
      }
    },
    // A new file each time, so that two changes within one tick of the file system's clock are two.
    note: () => writePrivateFile(path, ''),
  };
}
