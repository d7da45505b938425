import type { GoogleUser } from './google-data.ts';

/** What a person let a client do. */
export interface GoogleGrant {
  readonly user: GoogleUser;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly offline: boolean;
}

export interface GoogleCode extends GoogleGrant {
  readonly redirectUri: string;
  readonly challenge: string;
  readonly nonce: string | undefined;
  /** The person was asked: else there is a refresh token already, and no second one. */
  readonly asked: boolean;
  readonly expiresAt: number;
  used: boolean;
}

export interface GoogleAccessToken extends GoogleGrant {
  readonly expiresAt: number;
  readonly code: string;
  state: 'alive' | 'expired' | 'revoked';
}

export interface GoogleRefreshToken extends GoogleGrant {
  /** 1 for the first one that the sandbox issued. */
  readonly number: number;
  readonly code: string;
  revoked: boolean;
}

/** Everything that was handed out, and what has become of it. */
export interface GoogleGrants {
  readonly codes: Map<string, GoogleCode>;
  readonly accessTokens: Map<string, GoogleAccessToken>;
  readonly refreshTokens: Map<string, GoogleRefreshToken>;
  /** The scopes that this person let this client have, in all grants so far. */
  consented(clientId: string, username: string): readonly string[];
  consent(clientId: string, username: string, scopes: readonly string[]): void;
  expireAccessTokens(): void;
  revoke(username: string): void;
  /** All that this person granted to this client. */
  revokeGrant(clientId: string, username: string): void;
  /** All that came out of one authorization code. */
  revokeCode(code: string): void;
}

export function createGoogleGrants(): GoogleGrants {
  const codes = new Map<string, GoogleCode>();
  const accessTokens = new Map<string, GoogleAccessToken>();
  const refreshTokens = new Map<string, GoogleRefreshToken>();
  const consents = new Map<string, readonly string[]>();
  const key = (clientId: string, username: string) => `${clientId} ${username}`;

  function revokeWhere(dead: (token: GoogleAccessToken | GoogleRefreshToken) => boolean): void {
    for (const token of accessTokens.values()) if (dead(token)) token.state = 'revoked';
    for (const token of refreshTokens.values()) if (dead(token)) token.revoked = true;
  }

  return {
    codes,
    accessTokens,
    refreshTokens,
    consented: (clientId, username) => consents.get(key(clientId, username)) ?? [],
    consent: (clientId, username, scopes) => {
      const before = consents.get(key(clientId, username)) ?? [];
      consents.set(key(clientId, username), [...new Set([...before, ...scopes])]);
    },
    expireAccessTokens: () => {
      for (const token of accessTokens.values()) if (token.state === 'alive') token.state = 'expired';
    },
    revoke: (username) => {
      revokeWhere(({ user }) => user.username === username);
      for (const known of consents.keys()) if (known.endsWith(` ${username}`)) consents.delete(known);
      for (const code of codes.values()) if (code.user.username === username) code.used = true;
    },
    revokeGrant: (clientId, username) => {
      revokeWhere((token) => token.clientId === clientId && token.user.username === username);
      consents.delete(key(clientId, username));
      for (const code of codes.values()) {
        if (code.clientId === clientId && code.user.username === username) code.used = true;
      }
    },
    revokeCode: (code) => revokeWhere((token) => token.code === code),
  };
}
