import type { Faults } from './faults.ts';
import type { GoogleData } from './google-data.ts';
import type { GoogleGrants } from './google-grants.ts';
import type { GooglePages } from './google-pages.ts';
import type { GoogleRedemption, SandboxMail } from './records.ts';

export interface GoogleContext {
  readonly data: GoogleData;
  readonly grants: GoogleGrants;
  readonly pages: GooglePages;
  readonly faults: Faults;
  readonly redemptions: GoogleRedemption[];
  /** What Calendar sends, in order. */
  readonly mails: SandboxMail[];
  readonly accessTokenSeconds: number;
  readonly rotatesRefreshTokens: boolean;
  /** How long every answer of the Calendar API takes, so that requests overlap. */
  readonly delayMs: number;
  readonly now: () => number;
}
