/** A verb, written once: the MCP tool, the command and the docs derive from it. */
import type { z } from 'zod';
import type { App } from '../accounts/registry.ts';
import type { Heard } from './heard.ts';

/** What a verb does to the world; the MCP annotations follow from it. */
export type Effect = 'read' | 'create' | 'update' | 'delete' | 'sign-in';

/** Who asks. */
export interface Asker {
  /** Aborts when the asker gives up. */
  readonly signal: AbortSignal;
  /** Hears how many of the accounts have answered. */
  readonly progress?: ((answered: number, asked: number) => void) | undefined;
  /** Milliseconds that accounts have for answering, where they are fewer than usual. */
  readonly deadlineMs?: number | undefined;
  /** What the asker has been told in this session. */
  readonly heard?: Heard | undefined;
}

export interface Operation<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> {
  /** snake_case: the name of the MCP tool. */
  readonly name: string;
  readonly title: string;
  /** The first sentence stands alone. */
  readonly description: string;
  readonly effect: Effect;
  readonly input: Input;
  readonly output: Output;
  /** @throws CalmcpError */
  run(app: App, input: z.output<Input>, asker: Asker): Promise<z.output<Output>>;
}

/** Infers the two schemas. */
export function defineOperation<Input extends z.ZodObject, Output extends z.ZodObject>(
  operation: Operation<Input, Output>,
): Operation<Input, Output> {
  return operation;
}
