import type { BackplaneOptions } from "../driver/options.ts";

/** Certificates and keys beyond those of the system; each is PEM text. */
export interface NatsTlsOptions {
  /** Certificates to trust instead of the system's. */
  readonly ca?: string;
  /** The certificate of this client, for a server that asks for one; needs `key`. */
  readonly cert?: string;
  /** The private key of `cert`. */
  readonly key?: string;
}

/** Options of {@link NatsBackplane}; each overrides what the URL says. */
export interface NatsBackplaneOptions extends BackplaneOptions {
  /**
   * The text before every channel name, at most 1,024 UTF-8 bytes. Backplanes with different
   * prefixes never see each other.
   *
   * @default {""}
   */
  readonly prefix?: string;
  /**
   * Servers beside those of the URL, each `host[:port]`. All servers are tried one after the other,
   * beginning with a random one. Servers that a cluster announces are not used.
   *
   * @default {[]}
   */
  readonly servers?: readonly string[];
  /** The user. */
  readonly user?: string;
  /** The user's password. */
  readonly password?: string;
  /** A token, in place of user and password. */
  readonly token?: string;
  /** If given, even empty: a server without TLS is refused, as with `tls://`. */
  readonly tls?: NatsTlsOptions;
}
