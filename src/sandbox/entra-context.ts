import type { SandboxData, Tenant } from './data.ts';
import type { Grants } from './grants.ts';
import type { Redemption } from './records.ts';

export interface EntraContext {
  readonly data: SandboxData;
  readonly grants: Grants;
  readonly redemptions: Redemption[];
  readonly accessTokenSeconds: number;
  readonly deviceCodeIntervalSeconds: number;
  readonly reusableRefreshTokens: boolean;
  readonly now: () => number;
}

/** The tenant part of an endpoint: a known tenant, or an alias that lets people of any tenant in. */
export interface Authority {
  /** GUID, `common` or `organizations` */
  readonly id: string;
  /** As it stands in the path. */
  readonly asked: string;
  readonly tenant: Tenant | undefined;
}
