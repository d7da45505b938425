/**
 * What a program that we start may know of our environment: where it is and which desktop it is on. Everything else may
 * be a secret (`CALMCP_PASSPHRASE`, or whatever accounts.yaml refers to with `${ENV:…}`), so this is a list of what goes.
 */
const NAMES = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'DBUS_SESSION_BUS_ADDRESS',
  'DESKTOP_SESSION',
  'KDE_FULL_SESSION',
  'GNOME_DESKTOP_SESSION_ID',
  'WSL_DISTRO_NAME',
  'WSL_INTEROP',
  'WSLENV',
  // Windows
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'PATHEXT',
  'USERPROFILE',
  'USERNAME',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'TEMP',
  'TMP',
]);
const PREFIXES = ['XDG_', 'LC_'];

export function childEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = Object.entries(env).filter((entry): entry is [string, string] => {
    const name = entry[0].toUpperCase();
    return entry[1] !== undefined && (NAMES.has(name) || PREFIXES.some((prefix) => name.startsWith(prefix)));
  });
  return Object.fromEntries(kept);
}
