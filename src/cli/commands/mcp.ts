import type { App } from '../../accounts/registry.ts';
import { CalmcpError } from '../../core/errors.ts';
import { renderError } from '../../server/text.ts';
import type { AddCommand } from '../command.ts';
import { type GlobalOptions, logOf, openAppFor } from '../open-app.ts';

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
        let opening: Promise<App> | undefined;
        const app = (): Promise<App> => {
          opening ??= openAppFor(shell, options).catch((thrown: unknown) => {
            // Told to the model at each call, and to whoever reads the client's log.
            if (thrown instanceof CalmcpError) shell.stderr.write(`calmcp: ${renderError(thrown)}\n`);
            opening = undefined;
            throw thrown;
          });
          return opening;
        };
        const { serveMcpOnStdio } = await import('../../server/stdio.ts');
        await serveMcpOnStdio({ version: shell.version, app, log }, shell.stdinEnded());
        await (await opening?.catch(() => undefined))?.close();
        return 0;
      }),
    );
};
