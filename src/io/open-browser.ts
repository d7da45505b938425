/** Shows an address in the person's browser. */
import { spawn } from 'node:child_process';
import { childEnvironment } from './child-environment.ts';

export interface OpenerInput {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The program and its arguments; never a shell, so that nothing in the address is anything but an address. */
function openerOf(url: string, { platform, env }: OpenerInput): [program: string, args: string[]] {
  if (env.BROWSER) return [env.BROWSER, [url]];
  if (platform === 'darwin') return ['open', [url]];
  if (platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', url]];
  return ['xdg-open', [url]];
}

/** Whether somebody in front of this machine could see a browser. */
export function hasBrowser({ platform, env }: OpenerInput): boolean {
  if (env.BROWSER) return true;
  if (env.SSH_CONNECTION || env.SSH_TTY) return false;
  return platform === 'darwin' || platform === 'win32' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}

/**
 * Starts the browser and does not wait for it.
 * @returns false when it could not be started
 * @throws TypeError for an address that is not https, or http on this machine
 */
export function openBrowser(url: string, input: OpenerInput): Promise<boolean> {
  const { protocol, hostname, href } = new URL(url);
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  if (protocol !== 'https:' && !(protocol === 'http:' && local)) throw new TypeError('not an address to open');
  // As it was understood, which is what was checked: the parser overlooks spaces and line ends around and within.
  const [program, args] = openerOf(href, input);
  return new Promise((resolve) => {
    try {
      const child = spawn(program, args, {
        stdio: 'ignore',
        detached: true,
        shell: false,
        env: childEnvironment(input.env),
      });
      child.once('error', () => resolve(false));
      child.once('spawn', () => {
        child.unref();
        resolve(true);
      });
    } catch {
      // Some failures are thrown and some are emitted.
      resolve(false);
    }
  });
}
