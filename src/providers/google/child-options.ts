import { z } from 'zod';
import { CHILD_FORMS, childCommandSchema } from '../../io/child-options.ts';

export const childSchema = z
  .union(
    [
      z.literal(true),
      z.strictObject({
        server: z.literal('google-calendar').optional().describe('Kind of server: @cocal/google-calendar-mcp.'),
        transport: z.literal('stdio').optional().describe('On pipes: its port would let in everybody on this machine.'),
        command: childCommandSchema.optional(),
      }),
    ],
    CHILD_FORMS,
  )
  .optional()
  .describe('Reads the account through a child MCP server of its own; true: with all defaults.');

/** Its program where that is the person's own. */
export const childCommandOf = (child: z.output<typeof childSchema>): readonly string[] | undefined =>
  child === undefined || child === true ? undefined : child.command;

/** What is wrong with the block as a whole. */
export function checkChild({
  child,
  endpoints,
}: {
  readonly child?: z.output<typeof childSchema>;
  readonly endpoints?: unknown;
}): string | undefined {
  if (child === undefined || endpoints === undefined || childCommandOf(child) !== undefined) return undefined;
  return 'the google-calendar server knows Google’s own addresses alone; give child.command a server of your own for others';
}
