import type { MicrosoftOptions } from './options.ts';

export interface Cloud {
  /** Base address of Entra ID, without a slash at its end. */
  readonly authority: string;
  /** Base address of Microsoft Graph, without version. */
  readonly graph: string;
}

/** @see https://learn.microsoft.com/graph/deployments */
const CLOUDS = {
  global: { authority: 'https://login.microsoftonline.com', graph: 'https://graph.microsoft.com' },
  usgov: { authority: 'https://login.microsoftonline.us', graph: 'https://graph.microsoft.us' },
  'usgov-dod': { authority: 'https://login.microsoftonline.us', graph: 'https://dod-graph.microsoft.us' },
  china: { authority: 'https://login.chinacloudapi.cn', graph: 'https://microsoftgraph.chinacloudapi.cn' },
} as const;

export function cloudOf({ cloud }: MicrosoftOptions): Cloud {
  return typeof cloud === 'string' ? CLOUDS[cloud] : cloud;
}
