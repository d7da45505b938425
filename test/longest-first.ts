/** Files that take long begin first: one that begins last would be waited for by idle processors. */
import { relative, resolve } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** In the order of their length in CI. Those that are not named come after them, as vitest orders them: by size. */
const LONGEST = ['main-job/soak'];

const rankOf = ({ moduleId }: TestSpecification): number => {
  const name = relative(import.meta.dirname, resolve(moduleId))
    .replaceAll('\\', '/')
    .replace(/\.test\.ts$/, '');
  const rank = LONGEST.indexOf(name);
  return rank === -1 ? LONGEST.length : rank;
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => rankOf(one) - rankOf(other));
  }
}
