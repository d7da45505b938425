import { resolve } from 'node:path';
import { CalmcpError } from '../../core/errors.ts';
import { writePrivateFile } from '../../io/private-file.ts';
import { readTextFile } from '../../io/read-file.ts';
import type { AddCommand } from '../command.ts';
import { googleAccount, SANDBOX_MARK, sandboxAccounts } from '../sandbox-accounts.ts';

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new CalmcpError('INPUT_INVALID', `${JSON.stringify(text)} is no port`, {
    hint: 'a number from 0 (any free one) to 65535',
  });
}

export const addSandbox: AddCommand = (program, shell, run) => {
  program
    .command('sandbox')
    .summary('local stand-ins for the calendar services')
    .description(
      'Runs strict local stand-ins of Entra ID, Microsoft Graph and Google with two weeks of data, until Ctrl-C.\n' +
        'Prints an accounts.yaml for it. Nothing leaves this machine.',
    )
    .option('--port <number>', 'port on 127.0.0.1; 0 = any free one', '0')
    .option('--write <file>', 'write the accounts.yaml there instead of printing it')
    .addHelpText(
      'after',
      `
Examples, in two terminals:
  calmcp sandbox --write /tmp/sandbox.yaml
  CALMCP_KEYSTORE=keyfile calmcp --config /tmp/sandbox.yaml login --account xebia`,
    )
    .action((options: { port: string; write?: string }) =>
      run(async () => {
        const port = parsePort(options.port);
        const { startSandbox } = await import('../../sandbox/index.ts');
        const sandbox = await startSandbox({ port }).catch((cause: NodeJS.ErrnoException) => {
          throw new CalmcpError(
            'UNAVAILABLE',
            `port ${port} cannot be used${cause.code === 'EADDRINUSE' ? ': it is taken' : ''}`,
            { cause },
          );
        });
        const accounts = sandboxAccounts(sandbox.origin) + googleAccount(sandbox.origin);
        if (options.write === undefined) shell.stdout.write(accounts);
        else {
          const file = resolve(shell.cwd, options.write);
          const before = await readTextFile(file, 1_048_576);
          if (before !== undefined && !before.startsWith(SANDBOX_MARK)) {
            await sandbox.close();
            throw new CalmcpError(
              'INPUT_INVALID',
              `${file} is there already and not of a sandbox; it was left as it is`,
              {
                hint: 'give another name',
              },
            );
          }
          await writePrivateFile(file, accounts);
          shell.stdout.write(`Wrote ${file}\n`);
        }
        shell.stderr.write(
          `Sandbox at ${sandbox.origin}. Sign-in page: ${sandbox.origin}/devicelogin. Accounts: ${[...sandbox.data.users, ...sandbox.google.data.users].map(({ username }) => username).join(', ')}. Ctrl-C ends it.\n`,
        );
        await new Promise<void>((done) => {
          if (shell.interrupted.aborted) done();
          shell.interrupted.addEventListener('abort', () => done(), { once: true });
        });
        await sandbox.close();
        return 0;
      }),
    );
};
