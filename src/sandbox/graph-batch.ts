import { graphRefusal } from './graph-refusal.ts';
import type { Answer } from './http.ts';

export interface BatchStep {
  readonly id: string;
  readonly method: string;
  /** Relative to the version: /me/calendars */
  readonly url: string;
  /** Keys in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly dependsOn: readonly string[];
}

const maximumSteps = 20;
const parallel = 4;

/** https://learn.microsoft.com/graph/json-batching */
export function parseBatch(body: string): BatchStep[] {
  const steps = readRequests(body);
  if (steps.length > maximumSteps) {
    throw graphRefusal(
      400,
      'MaximumValueExceeded',
      `Number of batch request steps exceeds the maximum value of ${maximumSteps}.`,
    );
  }
  const parsed = steps.map(parseStep);
  const ids = new Set(parsed.map(({ id }) => id));
  if (ids.size < parsed.length) throw badBatch('Batch request ids must be unique.');
  for (const { id, dependsOn } of parsed) {
    const missing = dependsOn.find((other) => !ids.has(other));
    if (missing !== undefined) throw badBatch(`Step '${id}' depends on '${missing}', which is not in the batch.`);
  }
  refuseCycles(parsed);
  return parsed;
}

/** Runs the steps, at most four at a time, and answers in an order that is not theirs: clients must look at the ids. */
export async function runBatch(
  steps: readonly BatchStep[],
  runStep: (step: BatchStep, index: number) => Promise<Answer>,
  skipStep: (index: number, answer: Answer) => void,
): Promise<Answer> {
  const answers = new Map<string, Answer>();
  const started = new Set<string>();

  const nextStep = () =>
    steps.findIndex(({ id, dependsOn }) => !started.has(id) && dependsOn.every((other) => answers.has(other)));

  async function work(): Promise<void> {
    for (let index = nextStep(); index >= 0; index = nextStep()) {
      const step = steps[index];
      if (step === undefined) return;
      started.add(step.id);
      const failed = step.dependsOn.some((other) => (answers.get(other)?.status ?? 0) >= 400);
      if (failed) skipStep(index, failedDependency);
      answers.set(step.id, failed ? failedDependency : await runStep(step, index));
    }
  }

  // A worker ends when nothing is ready; what becomes ready later needs a new round.
  while (answers.size < steps.length) await Promise.all(Array.from({ length: parallel }, work));

  const responses = [...steps].reverse().map(({ id }) => {
    const { status, headers, body } = answers.get(id) ?? failedDependency;
    return { id, status, headers: { 'Content-Type': 'application/json', ...headers }, body: parsedBody(body) };
  });
  return { status: 200, headers: {}, body: { responses } };
}

const failedDependency: Answer = {
  status: 424,
  headers: {},
  body: { error: { code: 'FailedDependency', message: 'The request it depends on has failed.' } },
};

function readRequests(body: string): unknown[] {
  const parsed = parsedBody(body);
  const requests = (parsed as { requests?: unknown } | null)?.requests;
  if (typeof parsed === 'string' || !Array.isArray(requests)) {
    throw badBatch(
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
    );
  }
  if (requests.length === 0) throw badBatch('The batch has no requests.');
  return requests;
}

function parseStep(value: unknown): BatchStep {
  const { id, method, url, headers, dependsOn } = (value ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || id === '') throw badBatch('Every batch request needs an id, a string.');
  if (typeof method !== 'string' || typeof url !== 'string') throw badBatch(`Step '${id}' needs a method and a url.`);
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(url)) throw badBatch(`The url of step '${id}' must be relative.`);
  return {
    id,
    method: method.toUpperCase(),
    url: url.startsWith('/') ? url : `/${url}`,
    headers: Object.fromEntries(
      Object.entries(headers ?? {}).map(([name, text]) => [name.toLowerCase(), String(text)]),
    ),
    dependsOn: Array.isArray(dependsOn) ? dependsOn.map(String) : [],
  };
}

function refuseCycles(steps: readonly BatchStep[]): void {
  let left = steps;
  while (left.length > 0) {
    const waiting = left.filter(({ dependsOn }) => dependsOn.some((other) => left.some(({ id }) => id === other)));
    if (waiting.length === left.length) throw badBatch('The dependsOn of the batch form a cycle.');
    left = waiting;
  }
}

function parsedBody(body: unknown): unknown {
  if (typeof body !== 'string') return body;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}

function badBatch(message: string) {
  return graphRefusal(400, 'BadRequest', message);
}
