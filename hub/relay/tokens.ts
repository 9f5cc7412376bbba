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
import { createHash, timingSafeEqual } from "node:crypto";
import type { FarmKey } from "../bus/node_messages.ts";
import { Mac } from "./mac.ts";

/** Where the parts of a token begin, in bytes. */
const ISSUED = 6;
const RANDOM = 12;
const KEY = 28;
const USER = 30;
const FLAGS = 35;
const CODE = 36;
const BYTES = 48;
/** Where the parts of its text begin and end, in characters. */
const TAG_LENGTH = 8;
const SIGNED_LENGTH = 48;

const VERSION = 1;
const STATEFUL = 1;
const OF_USER = 2;

/** A connection id is made of the bytes of an HMAC between these two, and has so many characters. */
const ID = BYTES - CODE;
const ID_END = ID + 16;
const ID_LENGTH = 22;

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
  readonly #macs = new WeakMap<FarmKey, Mac>();
  /** The bytes of a token, filled again for each token. */
  readonly #token = Buffer.alloc(BYTES);

  /** `date` is the clock of this node, which never jumps, in epoch milliseconds. */
  constructor(node: string, keys: TokenKeys, date: () => number) {
    this.#keys = keys;
    this.#date = date;
    this.#node = Buffer.from(nodeTag(node), "base64url");
  }

  /** Makes a token. */
  issue({ hub, userId, stateful }: TokenTerms): Issued {
    const token = this.#token;
    const key = this.#keys.signing;
    this.#node.copy(token);
    token.writeUIntBE(this.#date(), ISSUED, RANDOM - ISSUED);
    crypto.getRandomValues(token.subarray(RANDOM, KEY));
    token.writeUInt16BE(key.tag, KEY);
    token.fill(0, USER, FLAGS);
    if (userId !== undefined) this.#codeOf(key, userId).copy(token, USER, 0, FLAGS - USER);
    const flags = (stateful ? STATEFUL : 0) | (userId === undefined ? 0 : OF_USER);
    token[FLAGS] = VERSION << 4 | flags;
    const signed = token.toString("base64url", 0, CODE);
    const code = this.#mac(key).of(signed + hub);
    return { id: connectionId(code), token: signed + code.toString("base64url", 0, ID) };
  }

  /** Reads a token for a hub; `undefined` if this farm has not issued it for that hub. */
  verify(text: string, hub: string): VerifiedToken | undefined {
    if (!/^[\w-]{64}$/.test(text)) return undefined;
    const token = this.#token;
    token.write(text, "base64url");
    const flags = token[FLAGS] ?? 0;
    if (flags >> 4 !== VERSION) return undefined;
    for (const key of this.#keys.withTag(token.readUInt16BE(KEY))) {
      const code = this.#mac(key).of(text.slice(0, SIGNED_LENGTH) + hub);
      if (!timingSafeEqual(code.subarray(0, ID), token.subarray(CODE))) continue;
      return {
        id: connectionId(code),
        issuer: text.slice(0, TAG_LENGTH),
        issued: token.readUIntBE(ISSUED, RANDOM - ISSUED),
        stateful: (flags & STATEFUL) !== 0,
        admits: (userId) => (flags & OF_USER) === 0 || this.#isOf(text, key, userId),
      };
    }
    return undefined;
  }

  /** Whether a user has negotiated a token. */
  #isOf(text: string, key: FarmKey, userId: string | undefined): boolean {
    if (userId === undefined) return false;
    this.#token.write(text, "base64url");
    const code = this.#codeOf(key, userId).subarray(0, FLAGS - USER);
    return timingSafeEqual(code, this.#token.subarray(USER, FLAGS));
  }

  /** A code of a user, of which the token that is in {@link #token} holds the first bytes. */
  #codeOf(key: FarmKey, userId: string): Buffer {
    const random = this.#token.toString("base64url", RANDOM, KEY);
    // The signed part of a token has no colon.
    return this.#mac(key).of(`user:${random}:${userId}`);
  }

  #mac(key: FarmKey): Mac {
    let mac = this.#macs.get(key);
    if (mac === undefined) this.#macs.set(key, mac = new Mac(key.secret));
    return mac;
  }
}

/**
 * The connection id that belongs to an HMAC. Its last character, one of `BRhx`, differs from those of
 * ASP.NET Core's ids, so that nodes can tell whose connection an id names.
 */
function connectionId(code: Buffer): string {
  code[ID_END] = 1 << 4;
  return code.toString("base64url", ID, ID_END + 1).slice(0, ID_LENGTH);
}
