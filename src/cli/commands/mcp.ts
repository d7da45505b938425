import type { Duplex } from 'node:stream';
import type { App } from '../../accounts/registry.ts';
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import type { Told } from '../../io/daemon-connection.ts';
import type { HeardEntry } from '../../operations/heard.ts';
import { renderError } from '../../server/text.ts';
import type { AddCommand } from '../command.ts';
import { type McpChoice, toolNames } from '../daemon/plain-mcp.ts';
import { serveThroughDaemon } from '../daemon/serve-through-daemon.ts';
import { logOf } from '../log-of.ts';
import { type GlobalOptions, openSecrets, pathsOf } from '../open-app.ts';
import type { Shell } from '../shell.ts';
import { openWatchedApp } from '../watched-app.ts';

/**
 * Serves one client in this process, on stdin and stdout or on a stream of its own; resolves when it has gone.
 * @param heard what a daemon that is gone has told it
 * @throws CalmcpError INPUT_INVALID for a tool that there is not
 */
export async function serveAlone(
  shell: Shell,
  { readOnly, tools, ...options }: McpChoice & GlobalOptions,
  client?: Duplex,
  heard: Told = [],
): Promise<void> {
  const { serveMcpOnStdio, toolsOf } = await import('../../server/stdio.ts');
  // A wrong name is told to whoever set it up, before the client asks anything.
  toolsOf({ readOnly, tools });
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
  const gone =
    client === undefined ? shell.stdinEnded() : new Promise<void>((resolve) => void client.once('close', resolve));
  await serveMcpOnStdio(
    {
      version: shell.version,
      app,
      log,
      readOnly,
      tools,
      heard: { before: heard as readonly HeardEntry[], tell: () => undefined },
    },
    gone,
    client,
  );
  await watched.close();
}

export const addMcp: AddCommand = (program, shell, run) => {
  program
    .command('mcp')
    .summary('the MCP server on stdin and stdout')
    .description(
      'Serves all accounts to an MCP client, through the daemon where one runs. Clients start this command themselves; it ends with ' +
        'its client.',
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
        const { tools, ...options } = command.optsWithGlobals() as GlobalOptions & { readOnly?: true; tools?: string };
        const choice = { ...options, tools: tools === undefined ? undefined : toolNames(tools) };
        if (!(await serveThroughDaemon(shell, choice, (client, heard) => serveAlone(shell, choice, client, heard))))
          await serveAlone(shell, choice);
        return 0;
      }),
    );
};
