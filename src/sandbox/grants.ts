import { randomBytes } from 'node:crypto';
import type { User } from './data.ts';

/** What a person granted to an application in one tenant. */
export interface Grant {
  readonly user: User;
  readonly clientId: string;
  readonly scopes: readonly string[];
}

export interface DeviceCode {
  readonly userCode: string;
  /** GUID, `common` or `organizations` */
  readonly tenant: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  user?: User;
  redeemed: boolean;
}

export interface RefreshToken extends Grant {
  used: boolean;
  revoked: boolean;
}

export interface AccessToken extends Grant {
  readonly expiresAt: number;
  state: 'alive' | 'expired' | 'revoked';
}

/** Everything that was handed out, and what has become of it. */
export interface Grants {
  readonly deviceCodes: Map<string, DeviceCode>;
  readonly refreshTokens: Map<string, RefreshToken>;
  readonly accessTokens: Map<string, AccessToken>;
  expireAccessTokens(): void;
  revoke(username: string): void;
}

export function createGrants(): Grants {
  const deviceCodes = new Map<string, DeviceCode>();
  const refreshTokens = new Map<string, RefreshToken>();
  const accessTokens = new Map<string, AccessToken>();

  return {
    deviceCodes,
    refreshTokens,
    accessTokens,
    expireAccessTokens: () => {
      for (const token of accessTokens.values()) if (token.state === 'alive') token.state = 'expired';
    },
    revoke: (username) => {
      for (const token of accessTokens.values()) if (token.user.username === username) token.state = 'revoked';
      for (const token of refreshTokens.values()) if (token.user.username === username) token.revoked = true;
    },
  };
}

export function randomToken(prefix: string): string {
  return `${prefix}${randomBytes(48).toString('base64url')}`;
}

/** Nine capitals without the ones that people mix up. */
export function randomUserCode(): string {
  const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
  return Array.from(randomBytes(9), (byte) => letters[byte % letters.length]).join('');
}
