import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type PathsInput, resolvePaths } from '../../src/io/paths.ts';

const home = resolve('/home/ada');
const cwd = resolve('/work/here');
const paths = (env: PathsInput['env'] = {}, rest: Partial<PathsInput> = {}) =>
  resolvePaths({ env, platform: 'linux', home, cwd, ...rest });

describe('on Linux', () => {
  it('are below ~/.config and ~/.local/state', () => {
    expect(paths()).toEqual({
      configFile: join(home, '.config', 'calmcp', 'accounts.yaml'),
      stateFolder: join(home, '.local', 'state', 'calmcp'),
    });
  });

  it('follow the XDG variables', () => {
    expect(paths({ XDG_CONFIG_HOME: '/x/config', XDG_STATE_HOME: '/x/state' })).toEqual({
      configFile: join('/x/config', 'calmcp', 'accounts.yaml'),
      stateFolder: join('/x/state', 'calmcp'),
    });
  });

  it.each(['', 'relative/folder', './x', '~/x'])('ignore an XDG variable that is no absolute path: %j', (value) => {
    expect(paths({ XDG_CONFIG_HOME: value, XDG_STATE_HOME: value })).toEqual(paths());
  });
});

it('on macOS are in Application Support, and XDG does not matter', () => {
  const folder = join(home, 'Library', 'Application Support', 'calmcp');
  expect(paths({ XDG_CONFIG_HOME: '/x' }, { platform: 'darwin' })).toEqual({
    configFile: join(folder, 'accounts.yaml'),
    stateFolder: join(folder, 'state'),
  });
});

describe('on Windows', () => {
  it('are in the roaming folder and the local one', () => {
    expect(paths({ APPDATA: '/roaming', LOCALAPPDATA: '/local' }, { platform: 'win32' })).toEqual({
      configFile: join('/roaming', 'calmcp', 'accounts.yaml'),
      stateFolder: join('/local', 'calmcp', 'state'),
    });
  });

  it.each([undefined, ''])('are below the home folder where these are %j', (value) => {
    const roaming = join(home, 'AppData', 'Roaming', 'calmcp');
    expect(paths({ APPDATA: value, LOCALAPPDATA: value }, { platform: 'win32' })).toEqual({
      configFile: join(roaming, 'accounts.yaml'),
      stateFolder: join(roaming, 'state'),
    });
  });
});

describe.each(['linux', 'darwin', 'win32'] as const)('what the user says (%s)', (platform) => {
  const asked = (env: PathsInput['env'], config?: string) => paths(env, { platform, config });

  it('CALMCP_HOME is one folder for all', () => {
    const both = { configFile: resolve('/one/accounts.yaml'), stateFolder: resolve('/one/state') };
    expect(asked({ CALMCP_HOME: '/one', XDG_CONFIG_HOME: '/x', XDG_STATE_HOME: '/x', APPDATA: '/x' })).toEqual(both);
  });

  it('a relative CALMCP_HOME, CALMCP_CONFIG or --config is relative to where one is', () => {
    expect(asked({ CALMCP_HOME: 'one' }).stateFolder).toBe(join(cwd, 'one', 'state'));
    expect(asked({ CALMCP_CONFIG: 'a.yaml' }).configFile).toBe(join(cwd, 'a.yaml'));
    expect(asked({}, '../b.yaml').configFile).toBe(resolve(cwd, '../b.yaml'));
  });

  it('CALMCP_CONFIG names the file and leaves the state where it is', () => {
    expect(asked({ CALMCP_CONFIG: '/c.yaml', CALMCP_HOME: '/one' })).toEqual({
      configFile: resolve('/c.yaml'),
      stateFolder: resolve('/one/state'),
    });
    expect(asked({ CALMCP_CONFIG: '/c.yaml' }).stateFolder).toBe(asked({}).stateFolder);
  });

  it('--config wins over CALMCP_CONFIG, and that over CALMCP_HOME', () => {
    expect(asked({ CALMCP_CONFIG: '/c.yaml', CALMCP_HOME: '/one' }, '/d.yaml').configFile).toBe(resolve('/d.yaml'));
    expect(asked({ CALMCP_CONFIG: '/c.yaml' }, '').configFile).toBe(resolve('/c.yaml'));
  });

  it('an empty variable is one that is not set', () => {
    expect(asked({ CALMCP_HOME: '', CALMCP_CONFIG: '' })).toEqual(asked({}));
  });
});
