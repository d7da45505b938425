/** What an answer cost, for `--verbose`. */
import type { AccountCoverage } from '../core/coverage.ts';

const several = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;

/**
 * A line for each account asked, and one for all of it.
 * @param milliseconds from the command to the answer
 * @param from who answered, as in `the daemon`
 */
export function renderCost(accounts: readonly AccountCoverage[], milliseconds: number, from: string): string {
  const lines = accounts.map(({ account, status, requests, retries, cached, asOf }) => {
    const facts = [
      cached ? 'from memory' : undefined,
      requests === undefined ? undefined : several(requests, 'request'),
      retries === undefined ? undefined : `${retries} sent again`,
      asOf === undefined ? status : `as of ${asOf}`,
    ];
    return `${account}: ${facts.filter((fact) => fact !== undefined).join(', ')}`;
  });
  const sum = accounts.reduce((total, { requests = 0 }) => total + requests, 0);
  return [...lines, `${several(sum, 'request')} in ${(milliseconds / 1_000).toFixed(2)} s, answered by ${from}`]
    .map((line) => `calmcp: ${line}\n`)
    .join('');
}
