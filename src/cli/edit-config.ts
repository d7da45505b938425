/** accounts.yaml, changed by calmcp itself: only what validates is written. */
import { CalmcpError } from '../core/errors.ts';
import type { Paths } from '../io/paths.ts';
import { replaceOwnFile, writePrivateFile } from '../io/private-file.ts';
import { parseConfigText, readConfigText } from './open-app.ts';
import type { Shell } from './shell.ts';

export interface ConfigEdit {
  /** Puts the new file in place. @throws CalmcpError CONFLICT when it has changed since it was read */
  save(options?: { readonly backup?: string }): Promise<void>;
  /** References (`${ENV:NAME}`) that have no value here and now. */
  readonly unresolved: readonly string[];
}

/** @throws CalmcpError CONFIG_INVALID with all problems that the changed file would have; then nothing was written */
export async function editConfig(
  shell: Shell,
  paths: Paths,
  edit: (text: string | undefined) => string,
): Promise<ConfigEdit> {
  const before = await readConfigText(paths);
  const after = edit(before);
  const unresolved = new Set<string>();
  try {
    parseConfigText(shell, paths, after, (reference) => unresolved.add(reference));
  } catch (thrown) {
    if (!(thrown instanceof CalmcpError)) throw thrown;
    throw new CalmcpError(thrown.code, `${thrown.message}, so it was left as it is`, {
      problems: thrown.problems,
      hint: thrown.hint,
    });
  }
  return {
    unresolved: [...unresolved],
    async save({ backup } = {}) {
      if ((await readConfigText(paths)) !== before)
        throw new CalmcpError('CONFLICT', `${paths.configFile} has changed meanwhile, so it was left as it is`, {
          hint: 'run it again',
        });
      if (backup !== undefined && before !== undefined) await writePrivateFile(backup, before);
      await replaceOwnFile(paths.configFile, after);
    },
  };
}
