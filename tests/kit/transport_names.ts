import { HttpTransportType } from "@microsoft/signalr";

/** The transports that are made of several requests, as the official client calls them. */
export const HTTP_TRANSPORTS = {
  ServerSentEvents: HttpTransportType.ServerSentEvents,
  LongPolling: HttpTransportType.LongPolling,
} as const;

/** Every transport. */
export const TRANSPORTS = { WebSockets: HttpTransportType.WebSockets, ...HTTP_TRANSPORTS } as const;
