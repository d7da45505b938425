import { expect, test } from 'vitest';
import { childEnvironment } from '../../src/io/child-environment.ts';

test('a program that we start knows where it is and which desktop it is on, and no secret of ours', () => {
  const env = {
    PATH: '/bin',
    HOME: '/h',
    DISPLAY: ':0',
    XDG_RUNTIME_DIR: '/run/user/1',
    LC_ALL: 'C',
    Path: 'C:\\bin',
    SystemRoot: 'C:\\Windows',
    CALMCP_PASSPHRASE: 'CANARY',
    HOME_GOOGLE_SECRET: 'CANARY',
    VAULT_TOKEN: 'CANARY',
    NODE_OPTIONS: '--import=x',
    EMPTY: undefined,
  };
  expect(childEnvironment(env)).toEqual({
    PATH: '/bin',
    HOME: '/h',
    DISPLAY: ':0',
    XDG_RUNTIME_DIR: '/run/user/1',
    LC_ALL: 'C',
    Path: 'C:\\bin',
    SystemRoot: 'C:\\Windows',
  });
});
