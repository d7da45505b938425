import type { ProviderDefinition } from '../core/provider.ts';
import { google } from './google/index.ts';
import { ics } from './ics/index.ts';
import { memory } from './memory/index.ts';
import { microsoft } from './microsoft/index.ts';

/** Every kind of account. Another one: docs/adding-a-provider.md. */
export const providers: readonly ProviderDefinition[] = [microsoft, google, ics, memory];
