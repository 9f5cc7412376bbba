import type { MessageGap } from "../bus/gap_reports.ts";
import type { Backplane } from "../bus/node_context.ts";
import { checkFilters, type HubFilter } from "../definition/filter.ts";
import { checkHub, type Hub, type HubMethods } from "../definition/hub.ts";
import type { HubUser } from "../definition/context.ts";
import type { HubPolicy } from "../definition/policy.ts";
import { checkNames, type NamesOf } from "../options/known.ts";
import type { HubServerOptions, ResolvedOptions } from "../options/server.ts";
import type { Authenticate } from "../serving/authentication.ts";

/** Hubs by path. `U` is the user that their methods must take; by default any. */
export type Hubs<U extends HubUser = never> = Readonly<Record<string, Hub<HubMethods<U>>>>;

/** The configuration of `createHubServer`; all of {@link HubServerOptions} may be given too. */
export interface HubServerConfiguration<H extends Hubs, U extends HubUser = HubUser>
  extends HubServerOptions {
  /** The hubs by path: each path starts with `/` and has no trailing slash. */
  readonly hubs: H;
  /** The connection to the other nodes. The server owns the backplane and closes it. */
  readonly backplane: Backplane;
  /**
   * Returns the user of a request. Runs for every request; the request that opens the transport decides
   * which user the connection has. A throw is logged and answered with 500, and so is a user whose id is
   * not a string or is longer than `maximumNameBytes`. A user with an empty id is anonymous.
   */
  readonly authenticate?: Authenticate<U>;
  /**
   * Decides whether a user may use the hubs, and call a method. Runs before the `authorize` of the hub
   * and of the method; all must return `true`.
   */
  readonly authorize?: HubPolicy;
  /** Filters around the calls and connections of all hubs. The first filter is the outermost. */
  readonly filters?: readonly HubFilter[];
  /**
   * Called when messages from other nodes may have been missed, and it is known what has become of them: if
   * they are not {@link MessageGap.repaired}, let clients read their state again. A throw or a rejection is
   * logged.
   */
  readonly onGap?: (gap: MessageGap) => void | Promise<void>;
}

/** The members of a configuration that are not options. */
const OWN_MEMBERS: NamesOf<Omit<HubServerConfiguration<Hubs>, keyof HubServerOptions>> = {
  hubs: true,
  backplane: true,
  authenticate: true,
  authorize: true,
  filters: true,
  onGap: true,
};

/**
 * Checks the members of a configuration that are not options, and all names. `options` are resolved.
 *
 * @throws {TypeError} naming the member that is not known or of the wrong type.
 */
export function checkConfiguration(
  configuration: HubServerConfiguration<Hubs>,
  options: ResolvedOptions,
): void {
  checkNames(configuration, { ...options, ...OWN_MEMBERS }, "Cannot create hub server");
  const { hubs, backplane, filters = [] } = configuration;
  for (const [path, hub] of Object.entries(hubs ?? {})) {
    checkHub(hub, `Cannot serve hub at ${JSON.stringify(path)}`);
  }
  if (backplane instanceof Promise) {
    throw new TypeError(
      "Cannot create hub server: backplane is a Promise; await openBackplane()",
    );
  }
  if (typeof backplane?.publish !== "function") {
    throw new TypeError(
      'Cannot create hub server: backplane is missing; openBackplane("memory:") gives one',
    );
  }
  for (const member of ["authenticate", "authorize", "onGap"] as const) {
    const value = configuration[member];
    if (value === undefined || typeof value === "function") continue;
    throw new TypeError(`Cannot create hub server: ${member} is not a function`);
  }
  checkFilters(filters, "Cannot create hub server");
}
