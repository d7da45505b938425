/** The conformance suite as a program: run once, its verdicts read once. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { temporaryFolder } from '../harness.ts';
import { newerNode } from './newer-node.ts';

const run = promisify(execFile);
const here = import.meta.dirname;

export interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
  readonly details?: { readonly untestable?: boolean };
}

/** Of one scenario, or of one check that is looked at by itself: `scenario:check`. */
export interface Verdict {
  readonly name: string;
  readonly checks: readonly Check[];
}

export interface SuiteRun {
  readonly verdicts: readonly Verdict[];
  /** The suite's own last words. */
  readonly total: string;
}

/** What each scenario calls, by name: a tool, a prompt, a capability. Nothing where all servers have what it takes. */
export type Needs = Readonly<Record<string, readonly string[]>>;

async function readYaml(name: string): Promise<Record<string, unknown>> {
  return parse(await readFile(join(here, 'conformance', name), 'utf8')) as Record<string, unknown>;
}

export async function readNeeds(): Promise<Needs> {
  const listed = Object.entries(await readYaml('needs.yml'));
  return Object.fromEntries(listed.map(([name, needs]) => [name, needs === null ? [] : [needs].flat().map(String)]));
}

export interface Baseline {
  /** What fails; the key is the suite's, so that its `--expected-failures` reads the file too. */
  readonly server: readonly string[];
  /** What does not fail and is not counted: what it calls is not there, or it looked at nothing. */
  readonly 'not-applicable': readonly string[];
}

export async function readBaseline(name: string): Promise<Baseline> {
  const { server, 'not-applicable': notApplicable } = await readYaml(`${name}.yml`);
  return { server: (server ?? []) as string[], 'not-applicable': (notApplicable ?? []) as string[] };
}

/** @param suite a package of test/clients @param apart `scenario:check` of those that have a verdict of their own */
export async function runSuite(suite: string, args: readonly string[], apart: readonly string[]): Promise<SuiteRun> {
  const folder = await temporaryFolder();
  const program = join(here, '../clients/node_modules', suite, 'dist/index.js');
  const command = [program, 'server', ...args, '--output-dir', folder];
  // It ends with 1 when something fails; what failed is in the folder.
  const { stdout } = await run(newerNode ?? '', command, { env: { HOME: folder }, maxBuffer: 2 ** 26 }).catch(
    (failed: { readonly stdout?: string }) => ({ stdout: failed.stdout ?? '' }),
  );
  const scenarios = await Promise.all(
    (await readdir(folder)).map(async (entry) => {
      const name = /^server-(.+)-\d{4}-\d\d-\d\dT/.exec(entry)?.[1];
      if (name === undefined) return [];
      const checks = JSON.parse(await readFile(join(folder, entry, 'checks.json'), 'utf8')) as Check[];
      return verdictsOf(name, checks, apart);
    }),
  );
  return {
    verdicts: scenarios.flat().sort((one, other) => (one.name < other.name ? -1 : 1)),
    total: /^Total: .*$/m.exec(stdout)?.[0] ?? '',
  };
}

function verdictsOf(scenario: string, checks: readonly Check[], apart: readonly string[]): Verdict[] {
  const own = checks.filter(({ id }) => apart.includes(`${scenario}:${id}`));
  return [
    { name: scenario, checks: checks.filter((check) => !own.includes(check)) },
    ...[...new Set(own.map(({ id }) => id))].map((id) => ({
      name: `${scenario}:${id}`,
      checks: own.filter((check) => check.id === id),
    })),
  ];
}

export function hasFailed({ checks }: Verdict): boolean {
  return checks.some(({ status }) => status === 'FAILURE');
}

/** Whether it found what it looks for: that a message has the right form is said of refusals too. */
export function hasProven({ checks }: Verdict): boolean {
  return (
    !checks.some(({ status }) => status === 'FAILURE') &&
    checks.some(({ id, status }) => status === 'SUCCESS' && id !== 'wire-schema-valid')
  );
}
