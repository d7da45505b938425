import type { App } from '../../accounts/registry.ts';
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import { renderError } from '../../server/text.ts';
import type { AddCommand } from '../command.ts';
import { type GlobalOptions, logOf, openSecrets, pathsOf } from '../open-app.ts';
import { openWatchedApp } from '../watched-app.ts';

export const addMcp: AddCommand = (program, shell, run) => {
  program
    .command('mcp')
    .summary('the MCP server on stdin and stdout')
    .description(
      'Serves all accounts to an MCP client. Clients start this command themselves; it ends with its client.',
    )
    .option('--read-only', 'without the tools that write')
    .option('--tools <names>', 'these tools alone, separated by commas')
    .addHelpText(
      'after',
      `
Examples:
  calmcp mcp
  calmcp mcp --read-only
  calmcp mcp --tools list_events,find_free_time

calmcp install writes the entry that a client starts it by.`,
    )
    .action((_options: unknown, command) =>
      run(async () => {
        const { readOnly, tools, ...options } = command.optsWithGlobals() as GlobalOptions & {
          readOnly?: true;
          tools?: string;
        };
        const chosen = {
          readOnly,
          tools: tools
            ?.split(',')
            .map((name) => name.trim())
            .filter((name) => name !== ''),
        };
        const { serveMcpOnStdio, toolsOf } = await import('../../server/stdio.ts');
        // A wrong name is told to whoever set it up, before the client asks anything.
        toolsOf(chosen);
        const log = logOf(shell, options);
        const watched = openWatchedApp(shell, options);
        const app = (): Promise<App> =>
          watched.app().catch((thrown: unknown) => {
            // Told to the model at each call, and to whoever reads the client's log.
            if (thrown instanceof CalmcpError) shell.stderr.write(`calmcp: ${renderError(thrown)}\n`);
            throw thrown;
          });
        // Told at the start, when somebody may look; refused when an account needs it.
        await openSecrets(shell, pathsOf(shell, options), false)
          .checkFiles()
          .catch((thrown: unknown) => shell.stderr.write(`calmcp: ${renderError(toCalmcpError(thrown))}\n`));
        await serveMcpOnStdio({ version: shell.version, app, log, ...chosen }, shell.stdinEnded());
        await watched.close();
        return 0;
      }),
    );
};
