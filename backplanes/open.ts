import { checkNames, type NamesOf } from "../hub/options/known.ts";
import type { Backplane } from "./backplane.ts";
import type { BroadcastChannelBackplaneOptions } from "./broadcast_channel.ts";
import type { MemoryBackplaneOptions } from "./memory.ts";
import type { NatsBackplaneOptions } from "./nats.ts";
import type { RedisBackplaneOptions } from "./redis.ts";
import type { SeveralBackplanesOptions } from "./several.ts";

/**
 * Options of {@link openBackplane}, over what the URL says. Each driver takes its own, so that one program
 * can run with another URL.
 */
export type OpenBackplaneOptions =
  | BroadcastChannelBackplaneOptions
  | MemoryBackplaneOptions
  | NatsBackplaneOptions
  | RedisBackplaneOptions;

const MEMORY: NamesOf<MemoryBackplaneOptions> = { logger: true, prefix: true };
const BROADCAST: NamesOf<BroadcastChannelBackplaneOptions> = {
  ...MEMORY,
  probeInterval: true,
  probeTimeout: true,
};
const REMOTE = { ...BROADCAST, publishTimeout: true, password: true, tls: true } as const;
const REDIS: NamesOf<RedisBackplaneOptions> = { ...REMOTE, username: true, client: true };
const NATS: NamesOf<NatsBackplaneOptions> = { ...REMOTE, user: true, token: true, servers: true };

/** The options that one driver takes. */
function pick<O>(options: OpenBackplaneOptions, names: NamesOf<O>): O {
  const own = Object.entries(options).filter(([name]) => Object.hasOwn(names, name));
  return Object.fromEntries(own) as O;
}

const SUPPORTED =
  "memory:[name], broadcast:name, redis://[user[:password]@]host[:port], rediss://…, " +
  "nats://[user:password@|token@]host[:port][,host[:port]…] or tls://…, each with an optional ?prefix=";

/**
 * Opens the backplane that `url` names, or several as one, and loads only the drivers it needs. It does not wait for
 * the bus: the backplane keeps trying until the bus comes, and says where it stands by its `status`.
 *
 * | URL | driver |
 * |---|---|
 * | `memory:` | a private bus: one node |
 * | `memory:name` | one bus of that name in this process |
 * | `broadcast:name` | the workers of this process |
 * | `redis://[user[:password]@]host[:port]`, `rediss://…` | Redis pub/sub |
 * | `nats://[user:password@\|token@]host[:port][,…]`, `tls://…` | core NATS |
 *
 * Each takes `?prefix=`, which keeps applications on one bus apart; end it in `:`. It is put before
 * every channel name byte for byte, on NATS as tokens of the subject.
 *
 * A list of two to four URLs opens a `SeveralBackplanes`, for hubs: it publishes on all buses and hears all,
 * and is `open` while one of them is. Each driver takes its own of the options. A list of one URL is the
 * same as that URL.
 *
 * @throws {TypeError} if a URL is malformed, its scheme is not supported, or an option is one of no
 * driver; if a list is empty, has more than four URLs or anything else in it, or two of its URLs lead
 * to the same bus. The text never has the password.
 * @throws {RangeError} if an option is out of its range.
 *
 * @example
 * ```ts
 * import { openBackplane } from "@hubplane/hubplane";
 *
 * await using backplane = await openBackplane("memory:");
 * console.assert(backplane.status === "open");
 * ```
 */
export async function openBackplane(
  url: string | URL | readonly (string | URL)[],
  options: OpenBackplaneOptions = {},
): Promise<Backplane> {
  checkNames(options, { ...REDIS, ...NATS }, "Cannot open backplane");
  if (typeof url === "string" || url instanceof URL) return await openOne(String(url), options);
  const { checkUrls } = await import("./several/urls.ts");
  const urls = checkUrls(url, options);
  const [first = ""] = urls;
  return urls.length === 1 ? await openOne(first, options) : await openSeveral(urls, options);
}

async function openSeveral(
  urls: readonly string[],
  options: OpenBackplaneOptions,
): Promise<Backplane> {
  const { SeveralBackplanes } = await import("./several.ts");
  const opened: Backplane[] = [];
  try {
    for (const url of urls) opened.push(await openOne(url, options));
    return new SeveralBackplanes(opened, pick<SeveralBackplanesOptions>(options, { logger: true }));
  } catch (error) {
    await Promise.all(opened.map((backplane) => backplane.close()));
    throw error;
  }
}

async function openOne(text: string, options: OpenBackplaneOptions): Promise<Backplane> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case "memory": {
      const { MemoryBackplane } = await import("./memory.ts");
      const { name, prefix } = parseLocal(text);
      return new MemoryBackplane(name, {
        ...prefix,
        ...pick<MemoryBackplaneOptions>(options, MEMORY),
      });
    }
    case "broadcast": {
      const { BroadcastChannelBackplane } = await import("./broadcast_channel.ts");
      const { name, prefix } = parseLocal(text);
      if (name === "") throw refusal("broadcast: needs a name");
      return new BroadcastChannelBackplane(name, {
        ...prefix,
        ...pick<BroadcastChannelBackplaneOptions>(options, BROADCAST),
      });
    }
    case "redis":
    case "rediss": {
      const { RedisBackplane } = await import("./redis.ts");
      return new RedisBackplane(text, pick<RedisBackplaneOptions>(options, REDIS));
    }
    case "nats":
    case "tls": {
      const { NatsBackplane } = await import("./nats.ts");
      return new NatsBackplane(text, pick<NatsBackplaneOptions>(options, NATS));
    }
    case undefined:
      throw refusal("it is not a URL");
    default:
      throw refusal(`its scheme is ${scheme}:`);
  }
}

/** `scheme:name?prefix=…`, both percent-encoded. */
function parseLocal(url: string): { name: string; prefix: { prefix?: string } } {
  const [, name = "", query = ""] = /^[^:]+:([^?#]*)(?:\?([^#]*))?$/.exec(url) ?? [undefined];
  if (url.includes("#")) throw refusal("it has a fragment");
  const parameters = new URLSearchParams(query);
  const prefix = parameters.get("prefix");
  for (const parameter of parameters.keys()) {
    if (parameter !== "prefix") throw refusal(`it has the parameter ${JSON.stringify(parameter)}`);
  }
  try {
    return { name: decodeURIComponent(name), prefix: prefix === null ? {} : { prefix } };
  } catch {
    throw refusal("its name is malformed");
  }
}

function refusal(why: string): TypeError {
  return new TypeError(`Cannot open backplane: ${why}; supported are ${SUPPORTED}`);
}
