/**
 * Who there is, and the tokens that say so: JSON Web Tokens, signed with a secret of this node.
 *
 * @module
 */
import type { HubUser } from "@hubplane/hubplane";
import { errors, jwtVerify, SignJWT } from "jose";

/** Somebody who is signed in. */
export interface Member extends HubUser {
  /** Whether they may do what only admins may. */
  readonly admin: boolean;
}

/** For whom tokens are made and by whom: those of another application are refused. */
const AUDIENCE = "board";
const ISSUER = "board-login";

/** The only algorithm: a token must not choose, least of all `none`. */
const ALGORITHM = "HS256";

/** In place of a database, which would keep hashes of passwords. */
const accounts = new Map([
  ["ann", { password: "ann-secret", admin: true }],
  ["bob", { password: "bob-secret", admin: false }],
]);

/** Signs people in and recognises them. */
export class Accounts {
  readonly #secret: Uint8Array;
  readonly #lifetime: number;

  /** `secret` signs the tokens, which are good for `lifetime` milliseconds. */
  constructor(secret: Uint8Array, lifetime: number) {
    this.#secret = secret;
    this.#lifetime = lifetime;
  }

  /** A token for somebody, or `undefined` if the password is wrong. */
  async signIn(name: unknown, password: unknown): Promise<string | undefined> {
    const account = typeof name === "string" ? accounts.get(name) : undefined;
    if (account === undefined || account.password !== password) return undefined;
    return await new SignJWT({ admin: account.admin })
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(name as string)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime(new Date(Date.now() + this.#lifetime))
      .sign(this.#secret);
  }

  /** Who a token is of, or `undefined` if it is forged, expired or for another application. */
  async recognise(token: string): Promise<Member | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.#secret, {
        algorithms: [ALGORITHM],
        audience: AUDIENCE,
        issuer: ISSUER,
        requiredClaims: ["sub", "exp"],
      });
      const { sub = "", exp = 0, admin } = payload;
      return { id: sub, admin: admin === true, expires: new Date(exp * 1000) };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}

/** The token of a request: in a header, or in the query where browsers cannot give headers. */
export function tokenOf(request: Request): string | undefined {
  const [, token] = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  return token ?? new URL(request.url).searchParams.get("access_token") ?? undefined;
}
