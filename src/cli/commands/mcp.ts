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
    .addHelpText(
      'after',
      `
Entry for claude_desktop_config.json:
  { "mcpServers": { "calmcp": { "command": "calmcp", "args": ["mcp"] } } }`,
    )
    .action((_options: unknown, command) =>
      run(async () => {
        const options = command.optsWithGlobals() as GlobalOptions;
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
        const { serveMcpOnStdio } = await import('../../server/stdio.ts');
        await serveMcpOnStdio({ version: shell.version, app, log }, shell.stdinEnded());
        await watched.close();
        return 0;
      }),
    );
};
