/**
 * The token of a connection, which a client gets when it negotiates and repeats with every request. Every node
 * of the farm can tell from the token alone that the farm has issued it, and which connection it names.
 *
 * 48 bytes as base64url, 64 characters without spare bits:
 *
 * | bytes | what                                                                          |
 * | ----- | ----------------------------------------------------------------------------- |
 * | 6     | the tag of the issuing node: its name, hashed                                 |
 * | 6     | when it was issued, in epoch milliseconds of the issuer's clock               |
 * | 16    | random                                                                        |
 * | 2     | the tag of the key                                                            |
 * | 5     | a code of the user who negotiated, as only the farm can compute it; or zeros  |
 * | 1     | flags, with the version of this format in the upper four bits                 |
 * | 12    | the first bytes of HMAC-SHA-256 over the text of the others and the hub's name |
 *
 * The connection id is made of the bytes of that HMAC that are not in the token: the id tells nothing of the
 * token.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { FarmKey } from "../bus/node_messages.ts";

const ISSUED = 6;
const RANDOM = 12;
const KEY = 28;
const USER = 30;
const FLAGS = 35;
const SIGNED_BYTES = 36;
/** The lengths of the tag of a node, of the signed part and of the whole, in characters. */
const TAG_LENGTH = 8;
const SIGNED_LENGTH = 48;
const LENGTH = 64;
/** Stands for an anonymous client in place of the code of a user. */
const NOBODY = "0".repeat(2 * (FLAGS - USER));

const VERSION = 1 << 4;
const STATEFUL = 1;
const OF_USER = 2;

/**
 * The last characters of connection ids. They differ from those of ASP.NET Core's ids, so that nodes can tell
 * whose connection an id names.
 */
const LAST_CHARACTERS = "BRhx";

/** The keys of the farm. */
export interface TokenKeys {
  /** The key that new tokens are signed with. */
  readonly signing: FarmKey;
  /** The keys that a token may be signed with. */
  withTag(tag: number): readonly FarmKey[];
}

/** The terms of a new token. */
export interface TokenTerms {
  /** The name of the hub, the same on every node. */
  readonly hub: string;
  /** The user who negotiates; `undefined` for an anonymous client. */
  readonly userId: string | undefined;
  readonly stateful: boolean;
}

/** A connection that a client may open. */
export interface Issued {
  /** The public connection id. */
  readonly id: string;
  /** The secret that requests carry. */
  readonly token: string;
}

/** A token that this farm has issued for the hub. */
export interface VerifiedToken {
  /** The connection id. */
  readonly id: string;
  /** The tag of the node that issued it. */
  readonly issuer: string;
  /** When it was issued, by the clock of that node. */
  readonly issued: number;
  /** Whether it was negotiated that the client may lose its WebSocket and come back on another. */
  readonly stateful: boolean;
  /** Whether a user may open the connection: anybody if an anonymous client negotiated it. */
  admits(userId: string | undefined): boolean;
}

/** The tag of a node in tokens. */
export function nodeTag(node: string): string {
  return createHash("sha256").update(node).digest("base64url").slice(0, TAG_LENGTH);
}

/** Issues and verifies the tokens of a node. */
export class Tokens {
  readonly #keys: TokenKeys;
  readonly #date: () => number;
  readonly #node: Buffer;
  /** The signed part of a token, filled again for each token. */
  readonly #signed = Buffer.alloc(SIGNED_BYTES);

  /** `date` is the clock of this node, which never jumps, in epoch milliseconds. */
  constructor(node: string, keys: TokenKeys, date: () => number) {
    this.#keys = keys;
    this.#date = date;
    this.#node = Buffer.from(nodeTag(node), "base64url");
  }

  /** Makes a token. */
  issue({ hub, userId, stateful }: TokenTerms): Issued {
    const signed = this.#signed;
    const key = this.#keys.signing;
    this.#node.copy(signed);
    signed.writeUIntBE(this.#date(), ISSUED, RANDOM - ISSUED);
    crypto.getRandomValues(signed.subarray(RANDOM, KEY));
    signed.writeUInt16BE(key.tag, KEY);
    signed.write(userId === undefined ? NOBODY : this.#userCode(key, userId), USER, "hex");
    signed[FLAGS] = VERSION | (stateful ? STATEFUL : 0) | (userId === undefined ? 0 : OF_USER);
    const text = signed.toString("base64url");
    const digest = sign(key, text + hub);
    return { id: connectionId(digest), token: text + digest.slice(0, LENGTH - SIGNED_LENGTH) };
  }

  /** Reads a token for a hub; `undefined` if this farm has not issued it for that hub. */
  verify(token: string, hub: string): VerifiedToken | undefined {
    if (!/^[\w-]{64}$/.test(token)) return undefined;
    const signed = this.#signed;
    const text = token.slice(0, SIGNED_LENGTH);
    signed.write(text, "base64url");
    const flags = signed[FLAGS] ?? 0;
    for (const key of this.#keys.withTag(signed.readUInt16BE(KEY))) {
      const digest = sign(key, text + hub);
      const code = digest.slice(0, LENGTH - SIGNED_LENGTH);
      if (!equal(code, token.slice(SIGNED_LENGTH)) || flags >> 4 !== VERSION >> 4) continue;
      return {
        id: connectionId(digest),
        issuer: token.slice(0, TAG_LENGTH),
        issued: signed.readUIntBE(ISSUED, RANDOM - ISSUED),
        stateful: (flags & STATEFUL) !== 0,
        admits: (userId) => (flags & OF_USER) === 0 || this.#isUser(key, text, userId),
      };
    }
    return undefined;
  }

  #isUser(key: FarmKey, text: string, userId: string | undefined): boolean {
    if (userId === undefined) return false;
    const signed = this.#signed;
    signed.write(text, "base64url");
    return equal(signed.toString("hex", USER, FLAGS), this.#userCode(key, userId));
  }

  /** The code of a user for the token that is in {@link #signed}, in hexadecimal digits. */
  #userCode(key: FarmKey, userId: string): string {
    // No signed part of a token has a colon.
    const random = this.#signed.toString("base64url", RANDOM, KEY);
    const digest = createHmac("sha256", key.secret).update(`user:${random}:${userId}`);
    return digest.digest("hex").slice(0, NOBODY.length);
  }
}

function sign({ secret }: FarmKey, text: string): string {
  return createHmac("sha256", secret).update(text).digest("base64url");
}

const ONE: Buffer = Buffer.alloc(LENGTH - SIGNED_LENGTH);
const OTHER: Buffer = Buffer.alloc(LENGTH - SIGNED_LENGTH);

/** Compares two codes of up to 16 characters, in a time that tells nothing of them. */
function equal(a: string, b: string): boolean {
  // What an earlier code has left behind a shorter one.
  ONE.fill(0);
  OTHER.fill(0);
  ONE.write(a, "latin1");
  OTHER.write(b, "latin1");
  return timingSafeEqual(ONE, OTHER);
}

/** 22 characters of a digest that are not in the token. */
function connectionId(digest: string): string {
  const start = LENGTH - SIGNED_LENGTH;
  const last = LAST_CHARACTERS.charAt(digest.charCodeAt(start + 21) & 3);
  return digest.slice(start, start + 21) + last;
}
