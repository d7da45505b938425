/** The events that were made here, sealed as secrets are: what stands in accounts.yaml stays as it is written there. */
import type { EventFields } from '../../core/change.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { SecretStore } from '../../core/provider.ts';

export interface Kept {
  readonly id: string;
  readonly fields: EventFields;
  /** Counts its changes. */
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly updated: number;
  /** Of a series: occurrences that are different, and those that are gone, by their recurrence keys. */
  readonly changed: Readonly<Record<string, EventFields>>;
  readonly gone: readonly string[];
}

export interface Store {
  all(): Promise<readonly Kept[]>;
  /** Changes them while nobody else does. @returns what `change` returns beside them */
  change<T>(change: (kept: readonly Kept[]) => { readonly kept: readonly Kept[]; readonly result: T }): Promise<T>;
}

export function openStore(secrets: SecretStore, account: string): Store {
  async function all(): Promise<readonly Kept[]> {
    const text = await secrets.load();
    if (text === undefined) return [];
    try {
      return (JSON.parse(text) as { events: readonly Kept[] }).events;
    } catch (cause) {
      throw new CalmcpError('BAD_RESPONSE', 'the events that were kept cannot be read', { account, cause });
    }
  }
  return {
    all,
    change: (change) =>
      secrets.exclusively(async () => {
        const { kept, result } = change(await all());
        await secrets.save(JSON.stringify({ events: kept }));
        return result;
      }),
  };
}
