/** Reads servers and credentials from a NATS URL and the options beside it. */
import { checkOptionNames, SHARED_OPTIONS } from "../driver/options.ts";
import type { NatsBackplaneOptions, NatsTlsOptions } from "./options.ts";
import { subjectPrefix } from "./subject.ts";

/** One server. */
export interface NatsServer {
  /** A name or an address; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

/** The URL and the options, joined and checked. */
export interface NatsAddress {
  readonly servers: readonly [NatsServer, ...NatsServer[]];
  /** The names are those of NATS's client; empty for a server that asks for none. */
  readonly credentials: {
    readonly user?: string;
    readonly pass?: string;
    readonly token?: string;
  };
  /** If present, a server without TLS is refused. If absent, TLS is used where the server offers it. */
  readonly tls?: NatsTlsOptions;
  /** As {@link subjectPrefix} gives it. */
  readonly prefix: string;
}

const FORM = "nats://[user:password@|token@]host[:port][,host[:port]…][?prefix=…], or tls://…";
const URL_FORM = /^(nats|tls):\/\/(?:([^/?#]*)@)?([^/?#@]*)\/?(?:\?([^#]*))?$/i;
const SERVER_FORM = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i;
const DEFAULT_PORT = 4222;

/**
 * Reads `url`; `options` override it.
 *
 * @throws {TypeError} if a part is malformed or two contradict each other. The text shows no part of
 * the URL: a stray `/` or `@` may make any part a piece of the password.
 * @throws {RangeError} if the prefix is too long.
 */
export function readNatsAddress(url: string | URL, options: NatsBackplaneOptions): NatsAddress {
  checkOptionNames("NatsBackplane", options, NAMES);
  if (options.tls) checkOptionNames("NatsBackplane tls", options.tls, TLS_NAMES);
  const parts = URL_FORM.exec(String(url));
  if (parts === null) throw refusal("it is not of the form");
  const [, scheme = "", userInfo = "", hosts = "", query = ""] = parts;
  const [first, ...rest] = [...hosts.split(","), ...options.servers ?? []].map(readServer);
  if (first === undefined) throw refusal("it names no server");
  const tls = options.tls ?? (scheme.toLowerCase() === "tls" ? {} : undefined);
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) {
    throw new TypeError("Cannot use tls: cert and key belong together");
  }
  return {
    servers: [first, ...rest],
    credentials: readCredentials(userInfo, options),
    ...tls && { tls },
    prefix: subjectPrefix(options.prefix ?? readPrefix(query)),
  };
}

function readServer(text: string): NatsServer {
  const [, address, name, port = `${DEFAULT_PORT}`] = SERVER_FORM.exec(text.trim()) ?? [];
  const host = address ?? name;
  if (host === undefined) throw refusal("a server is not host[:port]");
  if (Number(port) < 1 || Number(port) > 65535) throw refusal("a port is not 1 to 65535");
  return { host, port: Number(port) };
}

const NAMES = {
  ...SHARED_OPTIONS,
  prefix: true,
  servers: true,
  user: true,
  password: true,
  token: true,
  tls: true,
} as const;
const TLS_NAMES = { ca: true, cert: true, key: true } as const;

function readCredentials(
  userInfo: string,
  options: NatsBackplaneOptions,
): NatsAddress["credentials"] {
  if (options.token !== undefined) {
    if (options.user !== undefined || options.password !== undefined) {
      throw new TypeError("Cannot use token: a user or password is given as well");
    }
    return { token: options.token };
  }
  const colon = userInfo.indexOf(":");
  if (colon === 0) throw refusal("its user is empty");
  const named = colon > 0;
  const user = options.user ?? (named ? decode(userInfo.slice(0, colon)) : undefined);
  const pass = options.password ?? (named ? decode(userInfo.slice(colon + 1)) : undefined);
  if (user !== undefined) return { user, ...pass !== undefined && { pass } };
  if (pass !== undefined) throw new TypeError("Cannot use password: no user is given");
  return userInfo === "" ? {} : { token: decode(userInfo) };
}

function readPrefix(query: string): string {
  const [parameter, ...others] = new URLSearchParams(query);
  if (parameter === undefined) return "";
  if (others.length > 0 || parameter[0] !== "prefix") {
    throw refusal("it has a parameter other than one prefix");
  }
  return parameter[1];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refusal("its user, password or token is not percent-encoded UTF-8");
  }
}

function refusal(reason: string): TypeError {
  return new TypeError(`Cannot read NATS URL: ${reason} (${FORM})`);
}
