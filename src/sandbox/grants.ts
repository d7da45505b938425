import { randomBytes } from 'node:crypto';
import type { User } from './data.ts';

/** What a person granted to an application in one tenant. */
export interface Grant {
  readonly user: User;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** The authorization code that it came of, if one. */
  readonly code?: string | undefined;
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

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#successful-response */
export interface AuthorizationCode extends Grant {
  /** GUID, `common` or `organizations` */
  readonly tenant: string;
  readonly redirectUri: string;
  readonly challenge: string;
  readonly nonce: string | undefined;
  readonly expiresAt: number;
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
  readonly authorizationCodes: Map<string, AuthorizationCode>;
  readonly refreshTokens: Map<string, RefreshToken>;
  readonly accessTokens: Map<string, AccessToken>;
  expireAccessTokens(): void;
  revoke(username: string): void;
  /** All that came of one authorization code. */
  revokeCode(code: string): void;
}

export function createGrants(): Grants {
  const deviceCodes = new Map<string, DeviceCode>();
  const authorizationCodes = new Map<string, AuthorizationCode>();
  const refreshTokens = new Map<string, RefreshToken>();
  const accessTokens = new Map<string, AccessToken>();

  function revokeWhere(dead: (grant: Grant) => boolean): void {
    for (const token of accessTokens.values()) if (dead(token)) token.state = 'revoked';
    for (const token of refreshTokens.values()) if (dead(token)) token.revoked = true;
  }

  return {
    deviceCodes,
    authorizationCodes,
    refreshTokens,
    accessTokens,
    expireAccessTokens: () => {
      for (const token of accessTokens.values()) if (token.state === 'alive') token.state = 'expired';
    },
    revoke: (username) => {
      revokeWhere(({ user }) => user.username === username);
      for (const code of authorizationCodes.values()) if (code.user.username === username) code.redeemed = true;
    },
    revokeCode: (code) => revokeWhere((grant) => grant.code === code),
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
