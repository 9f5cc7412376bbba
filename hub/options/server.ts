/**
 * All options of a server: each room of the hub has its own slice.
 *
 * @module
 */
import { type BusOptions, resolveBus } from "./bus.ts";
import { type ConnectionOptions, resolveConnection } from "./connection.ts";
import { type DispatchOptions, resolveDispatch } from "./dispatch.ts";
import { checkNames } from "./known.ts";
import { type RelayOptions, resolveRelay } from "./relay.ts";
import { resolveRouting, type RoutingOptions } from "./routing.ts";
import { type ResolvedServingOptions, resolveServing, type ServingOptions } from "./serving.ts";
import {
  type ResolvedTransportOptions,
  resolveTransports,
  type TransportOptions,
} from "./transports.ts";

/** Options of {@link createHubServer}; all have defaults. Durations are milliseconds, sizes bytes. */
export interface HubServerOptions
  extends
    ServingOptions,
    ConnectionOptions,
    DispatchOptions,
    RoutingOptions,
    BusOptions,
    RelayOptions,
    TransportOptions {}

/** The options with their defaults. */
export interface ResolvedOptions
  extends
    ResolvedServingOptions,
    Required<ConnectionOptions>,
    Required<DispatchOptions>,
    Required<RoutingOptions>,
    Required<BusOptions>,
    Required<RelayOptions>,
    ResolvedTransportOptions {}

/**
 * Checks and completes the options.
 *
 * @throws {RangeError} naming the option, its value and its range.
 * @throws {TypeError} if an option is of the wrong type, or a nested option is not known.
 */
export function resolveOptions(options: HubServerOptions): ResolvedOptions {
  const resolved = {
    ...resolveServing(options),
    ...resolveConnection(options),
    ...resolveDispatch(options),
    ...resolveRouting(options),
    ...resolveBus(options),
    ...resolveRelay(options),
    ...resolveTransports(options),
  };
  for (const name of ["webSockets", "longPolling", "cors", "health"] as const) {
    if (resolved[name] !== undefined) {
      checkNames(options[name] ?? {}, resolved[name], `Cannot use ${name}`);
    }
  }
  return resolved;
}
