/**
 * Real-time hubs for Deno that scale out. Official SignalR clients connect to a hub; a backplane
 * carries its messages between nodes: in memory, between workers, through Redis or NATS.
 *
 * ```ts
 * import { createHubServer, defineHub, type HubContext, openBackplane } from "@hubplane/hubplane";
 *
 * interface ChatClient {
 *   message(room: string, from: string, text: string): void;
 * }
 * type Context = HubContext<ChatClient>;
 *
 * const chat = defineHub({
 *   methods: {
 *     async join({ groups, connectionId }: Context, room: string) {
 *       await groups.add(connectionId, room);
 *     },
 *     async say({ clients, user }: Context, room: string, text: string) {
 *       await clients.group(room).send("message", room, user?.id ?? "anonymous", text);
 *     },
 *   },
 * });
 *
 * const server = createHubServer({
 *   hubs: { "/chat": chat },
 *   backplane: await openBackplane("memory:"),
 * });
 * await server.ready;
 * const http = Deno.serve({ port: 0 }, server.fetch);
 *
 * await server.close();
 * await http.shutdown();
 * ```
 *
 * @module
 */
export type {
  Backplane,
  BackplaneGap,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "./backplanes/backplane.ts";
export {
  BackplaneClosedError,
  BackplaneError,
  type BackplaneErrorOptions,
  BackplaneUnavailableError,
} from "./backplanes/errors.ts";
export { MemoryBackplane, type MemoryBackplaneOptions, MemoryBus } from "./backplanes/memory.ts";
export { openBackplane, type OpenBackplaneOptions } from "./backplanes/open.ts";
export type { MessageGap } from "./hub/bus/gap_reports.ts";
export type { NodeState, ServerNode, ServerNodeEvent } from "./hub/cluster/node.ts";
export type {
  ClientProxy,
  HubCallerClients,
  HubClients,
  HubGroups,
  InvokeOptions,
  ResultMethod,
  SingleClientProxy,
} from "./hub/definition/clients.ts";
export type { HubAccess, HubPolicy } from "./hub/definition/policy.ts";
export type { Authenticate } from "./hub/serving/authentication.ts";
export type { BackplaneHealth, ServerHealth } from "./hub/serving/health.ts";
export type {
  HubContext,
  HubInvocationContext,
  HubRequest,
  HubUser,
} from "./hub/definition/context.ts";
export { ClientConnectionError, GroupAckTimeoutError, HubError } from "./hub/definition/errors.ts";
export type { HubFilter } from "./hub/definition/filter.ts";
export {
  defineHub,
  type Hub,
  type HubDefinition,
  type HubFunction,
  type HubMethodDefinition,
  type HubMethods,
} from "./hub/definition/hub.ts";
export type { Logger } from "./hub/definition/logger.ts";
export type { BusOptions } from "./hub/options/bus.ts";
export type { RelayOptions } from "./hub/options/relay.ts";
export type { ConnectionOptions } from "./hub/options/connection.ts";
export type { DispatchOptions } from "./hub/options/dispatch.ts";
export type { RoutingOptions } from "./hub/options/routing.ts";
export type { HubServerOptions } from "./hub/options/server.ts";
export type { DrainOptions, HealthOptions, ServingOptions } from "./hub/options/serving.ts";
export type {
  CorsOptions,
  LongPollingOptions,
  TransportName,
  TransportOptions,
  WebSocketOptions,
} from "./hub/options/transports.ts";
export type { ServerStatusEvent } from "./hub/serving/status_reports.ts";
export { createHubServer } from "./hub/server.ts";
export type { Hubs, HubServerConfiguration } from "./hub/server/configuration.ts";
export type { HubHandle, HubServer } from "./hub/server/hub_server.ts";
