import { MAXIMUM_BACKPLANES } from "./maximum.ts";

/** The options beside a list of URLs that say where the buses are. */
interface Places {
  readonly prefix?: string;
  /** Further servers of each NATS URL. */
  readonly servers?: readonly string[];
}

const URL_FORM = /^([a-z][a-z0-9+.-]*):(?:\/\/(?:[^/?#]*@)?)?([^/?#]*)[^?#]*(?:\?([^#]*))?/i;

/** The scheme of the bus and its default port, by the scheme of a URL. */
const REMOTE: Readonly<Record<string, readonly [scheme: string, port: number]>> = {
  redis: ["redis", 6379],
  rediss: ["redis", 6379],
  nats: ["nats", 4222],
  tls: ["nats", 4222],
};

/**
 * Checks a list of URLs and returns them as texts.
 *
 * @throws {TypeError} if it has no URL, too many, something else, or two that lead to the same bus as far
 * as their texts tell. The text shows no part of a URL, which may have a password.
 */
export function checkUrls(urls: readonly (string | URL)[], places: Places): string[] {
  if (!Array.isArray(urls)) throw refusal("it is not a URL or a list of URLs");
  if (urls.length === 0) throw refusal("the list has no URL");
  if (urls.length > MAXIMUM_BACKPLANES) {
    throw refusal(`the list has ${urls.length} URLs, more than ${MAXIMUM_BACKPLANES}`);
  }
  const known = new Map<string, number>();
  return urls.map((url: unknown, index) => {
    if (typeof url !== "string" && !(url instanceof URL)) {
      throw refusal(`item ${index + 1} of the list is not a URL`);
    }
    for (const place of placesOf(String(url), places)) {
      const other = known.get(place) ?? index;
      known.set(place, other);
      if (other !== index) {
        throw refusal(`URLs ${other + 1} and ${index + 1} of the list lead to the same bus`);
      }
    }
    return String(url);
  });
}

/** The servers of a URL, each with the prefix; the name of a local bus. */
function placesOf(url: string, { prefix, servers }: Places): string[] {
  const [, given = "", hosts = "", query = ""] = URL_FORM.exec(url) ?? [];
  const ownPrefix = prefix ?? new URLSearchParams(query).get("prefix") ?? "";
  const [scheme, port] = REMOTE[given.toLowerCase()] ?? [given.toLowerCase(), undefined];
  // `memory:` is a private bus each time.
  if (port === undefined) return hosts === "" ? [] : [JSON.stringify([scheme, hosts, ownPrefix])];
  const all = [...hosts.split(","), ...scheme === "nats" ? servers ?? [] : []];
  return all.map((host) => {
    const full = /:\d+$/.test(host) ? host : `${host}:${port}`;
    return JSON.stringify([scheme, full.trim().toLowerCase(), ownPrefix]);
  });
}

function refusal(why: string): TypeError {
  return new TypeError(`Cannot open backplane: ${why}`);
}
