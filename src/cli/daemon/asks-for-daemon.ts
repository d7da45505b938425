/** A file of its own, as it loads YAML. */
import { parse } from 'yaml';

/** Whether an accounts.yaml says `defaults.daemon: auto`; not for one that cannot be read, of which others tell. */
export function asksForDaemon(configText: string): boolean {
  try {
    return parse(configText)?.defaults?.daemon === 'auto';
  } catch {
    return false;
  }
}
