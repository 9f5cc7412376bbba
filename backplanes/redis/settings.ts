import {
  type BackplaneOptions,
  checkOptionNames,
  resolveBackplaneOptions,
  SHARED_OPTIONS,
} from "../driver/options.ts";

/** The purpose of a client: each backplane keeps one connection to publish and one to subscribe. */
export type RedisRole = "publisher" | "subscriber";

/** How a connection is encrypted; every field as in Node's `tls.connect`. */
export interface RedisTlsOptions {
  /** The certificates to trust, in PEM, instead of those the system trusts. */
  readonly ca?: string | readonly string[];
  /** The certificate to show to a server that asks for one, in PEM. */
  readonly cert?: string;
  /** The private key of {@link cert}, in PEM. */
  readonly key?: string;
  /**
   * The name that the server's certificate must bear.
   *
   * @default {the host of the URL}
   */
  readonly servername?: string;
  /**
   * Whether a server without a trusted certificate is refused. With `false`, anyone between the node and
   * Redis can read and change the traffic.
   *
   * @default {true}
   */
  readonly rejectUnauthorized?: boolean;
}

/** The options of a client, as ioredis 5 names them: where Redis is, and how commands must fail. */
export interface RedisClientOptions {
  /** The host of the URL. */
  readonly host: string;
  /** The port of the URL. */
  readonly port: number;
  /** The ACL user, if there is one. */
  readonly username?: string;
  /** The password, if there is one. */
  readonly password?: string;
  /** How the connection is encrypted; absent if it is not. */
  readonly tls?: { ca?: string | string[] } & Omit<RedisTlsOptions, "ca">;
  /** No command is sent twice. */
  readonly autoResendUnfulfilledCommands: false;
  /** The backplane subscribes again itself, and reports the gap. */
  readonly autoResubscribe: false;
  /** No command waits for a connection. */
  readonly enableOfflineQueue: false;
  /** A command fails with its connection. */
  readonly maxRetriesPerRequest: 0;
  /** A client serves one connection; the backplane makes the next. */
  readonly retryStrategy: null;
  /** The backplane decides when to connect. */
  readonly lazyConnect: true;
  /** How long a connection may take to be made, in milliseconds. */
  readonly connectTimeout: number;
  /** How long a socket may take to close, in milliseconds. */
  readonly disconnectTimeout: number;
  /** Otherwise ioredis reads its version from a file and needs a permission for that. */
  readonly disableClientInfo: true;
  /** How long a Sentinel may take to answer, in milliseconds. */
  readonly sentinelCommandTimeout: number;
  /** A client of a Sentinel hears when another server becomes the master, and then leaves the old one. */
  readonly failoverDetector: true;
  /** The pause in milliseconds before a lost connection for {@link failoverDetector} is made again. */
  readonly sentinelReconnectStrategy: () => number;
  /** The backplane tries again by itself. */
  readonly sentinelRetryStrategy: () => null;
}

/** A client of ioredis 5, any copy of it: a `Redis` or a `Cluster`. */
export interface RedisClient {
  /** Whether it is a `Cluster`. */
  readonly isCluster: boolean;
  /** Closes its connections. */
  disconnect(): void;
}

/** Options of {@link RedisBackplane}; each overrides what the URL says. */
export interface RedisBackplaneOptions extends BackplaneOptions {
  /**
   * The text before every channel name on the wire, byte for byte and without a separator. End
   * it in `:`, so that no prefix begins with another one.
   *
   * @default {""}
   */
  readonly prefix?: string;
  /** The ACL user to log in as. */
  readonly username?: string;
  /** The password to log in with. */
  readonly password?: string;
  /**
   * Encrypts the connection, also of a `redis:` URL.
   *
   * @default {{} for `rediss:`, otherwise not encrypted}
   */
  readonly tls?: RedisTlsOptions;
  /**
   * Makes the clients of a Sentinel or a Cluster, which a URL cannot name. It must pass on `options`,
   * without which messages would be lost in silence: `new Redis({ ...options, sentinels, name })` or
   * `new Cluster(nodes, { redisOptions: options })`.
   *
   * It is called for each connection and again for each attempt to connect, must return a new client
   * every time, and may throw. The backplane owns the returned client and closes it. Such a client also
   * sends INFO and, to a Cluster, CLUSTER SLOTS, so its user needs the permission for them.
   */
  readonly client?: (role: RedisRole, options: RedisClientOptions) => RedisClient;
}

/** The options of a backplane, complete and checked. */
export interface RedisSettings extends Required<BackplaneOptions> {
  readonly prefix: string;
  /** The address of the bus as texts show it: without user and password. */
  readonly address: string;
  /** The part of the URL and the options that ioredis gets. */
  readonly connection: Pick<
    RedisClientOptions,
    "host" | "port" | "username" | "password" | "tls"
  >;
  readonly client: RedisBackplaneOptions["client"];
}

/**
 * Joins the URL and the options.
 *
 * @throws {TypeError} if either is malformed; the text never has the password.
 * @throws {RangeError} if a duration is out of its range.
 */
export function resolveRedisSettings(
  url: string | URL,
  options: RedisBackplaneOptions = {},
): RedisSettings {
  checkOptionNames("RedisBackplane", options, NAMES);
  const parsed = parse(url);
  const { username = parsed.username, password = parsed.password } = options;
  const { prefix = parsed.prefix, tls = parsed.tls ? {} : undefined, client } = options;
  if (!prefix.isWellFormed()) {
    throw new TypeError(`Cannot use prefix: ${JSON.stringify(prefix)} has a lone surrogate`);
  }
  return {
    ...resolveBackplaneOptions(options),
    prefix,
    client,
    address: `${parsed.host.includes(":") ? `[${parsed.host}]` : parsed.host}:${parsed.port}`,
    connection: {
      host: parsed.host,
      port: parsed.port,
      ...username !== "" && { username },
      ...password !== "" && { password },
      ...tls && { tls: connectionTls(tls) },
    },
  };
}

const NAMES = {
  ...SHARED_OPTIONS,
  prefix: true,
  username: true,
  password: true,
  tls: true,
  client: true,
} as const;
const TLS_NAMES = {
  ca: true,
  cert: true,
  key: true,
  servername: true,
  rejectUnauthorized: true,
} as const;

function connectionTls(options: RedisTlsOptions): NonNullable<RedisClientOptions["tls"]> {
  checkOptionNames("RedisBackplane tls", options, TLS_NAMES);
  const { ca, ...rest } = options;
  return { ...rest, ...ca !== undefined && { ca: typeof ca === "string" ? ca : [...ca] } };
}

interface ParsedUrl {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly prefix: string;
  readonly tls: boolean;
}

function parse(input: string | URL): ParsedUrl {
  let url: URL;
  try {
    url = new URL(input);
    // URLSearchParams would turn a malformed query into U+FFFD without an error.
    decodeURIComponent(url.search);
  } catch {
    // The cause would show the URL, and with it the password.
    throw malformed("it is malformed");
  }
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") {
    throw malformed(`its scheme is ${url.protocol}`);
  }
  if (url.hostname === "") throw malformed("it has no host");
  if (!/^\/?\d*$/.test(url.pathname)) throw malformed("its path is not a database number");
  if (url.hash !== "") throw malformed("it has a fragment");
  const prefixes = url.searchParams.getAll("prefix");
  if (prefixes.length > 1) throw malformed("it has two prefixes");
  for (const name of url.searchParams.keys()) {
    if (name !== "prefix") throw malformed(`its parameter ${JSON.stringify(name)} is not known`);
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? 6379 : Number(url.port),
    username: decoded(url.username),
    password: decoded(url.password),
    prefix: prefixes[0] ?? "",
    tls: url.protocol === "rediss:",
  };
}

function decoded(credential: string): string {
  try {
    return decodeURIComponent(credential);
  } catch {
    throw malformed("its user or password is not percent-encoded");
  }
}

function malformed(why: string): TypeError {
  return new TypeError(
    `Cannot use Redis URL: ${why}; expected redis[s]://[user[:password]@]host[:port][?prefix=…]`,
  );
}
