/**
 * ASP.NET Core's tests of HTTP connections: `src/SignalR/common/Http.Connections/test`.
 *
 * @module
 */
import { differs, shown, testsIn, transcript, type UpstreamSuite } from "./upstream_case.ts";

const upstream = testsIn("nodes/upstream/http_dispatcher_test.ts");
const table = testsIn("nodes/upstream/connection_table_test.ts");
const endpoint = testsIn("unit/transports/endpoint_test.ts");
const posting = testsIn("unit/transports/posting_test.ts");
const polling = testsIn("unit/transports/long_polling_test.ts");
const events = testsIn("unit/transports/server_sent_events_test.ts");
const network = testsIn("nodes/transports/network_test.ts");
const takeover = testsIn("nodes/stateful/takeover_test.ts");

const ids = transcript("id missing or unknown");
const lifeOfPolls = transcript("long polling: life from negotiate to DELETE");
const socketWithId = transcript("WebSocket connection: POST, DELETE, poll and a second socket");
const streamWithId = transcript(
  "SSE: second stream, other transports and DELETE on a live connection",
);
const newerPoll = transcript("long polling: newer poll replaces the older");
const otherTransports = shown(
  transcript("transport disabled"),
  upstream("a node that serves some transports refuses each of the others"),
);
const grants = shown(
  transcript("negotiate stateful reconnect"),
  takeover("negotiate grants stateful reconnect to those who ask, if the server allows it"),
);
const released = posting(
  "take() lets everything go when the connection ends while bodies trickle in",
);
const unanswered = upstream("a node is done with a client that leaves its close frame unanswered");
const dropped = testsIn("nodes/listen/web_sockets_test.ts")(
  "listen() drops the socket of a client that leaves its close frame unanswered",
);
const outlives = "${name}: a call outlives its connection, and is told so";
const waits = "${name}: a call that waits for its client ends with it";
const NO_THREADS = "no call has a thread to block: one that waits for its client is a promise";

/** HttpConnectionDispatcherTests. */
export const dispatcherTests: UpstreamSuite = {
  NegotiateVersionZeroReservesConnectionIdAndReturnsIt: differs(
    "version 0 is not served: its public id would be the secret of a connection",
    transcript("negotiate without a version is version 0"),
  ),
  NegotiateReservesConnectionTokenAndConnectionIdAndReturnsIt: shown(
    transcript("negotiate version 1"),
  ),
  CheckThatThresholdValuesAreEnforced: differs(
    "limits are in bytes of messages that wait, and nobody waits for a client",
    testsIn("unit/hub/backpressure_test.ts")(
      "a client that sends much ahead is paused, and resumed when it has been dispatched",
    ),
  ),
  CheckThatThresholdValuesAreEnforcedWithSends: shown(
    network("a POST waits while the hub is busy with what came before it"),
  ),
  InvalidNegotiateProtocolVersionThrows: shown(
    transcript("negotiate versions: clamped and refused"),
  ),
  NoNegotiateVersionInQueryStringThrowsWhenMinProtocolVersionIsSet: shown(
    transcript("negotiate versions: clamped and refused"),
  ),
  NegotiateReturnsAvailableTransportsAfterFilteringByOptions: shown(
    transcript("negotiate with some transports disabled"),
  ),
  EndpointsThatAcceptConnectionId404WhenUnknownConnectionIdProvided: shown(ids),
  EndpointsThatAcceptConnectionId404WhenUnknownConnectionIdProvidedForPost: shown(ids),
  EndpointsThatRequireConnectionId400WhenNoConnectionIdProvided: shown(ids),
  EndpointsThatRequireConnectionId400WhenNoConnectionIdProvidedForPost: shown(ids),
  PostNotAllowedForWebSocketConnections: shown(socketWithId),
  PostReturns404IfConnectionDisposed: shown(lifeOfPolls),
  TransportEndingGracefullyWaitsOnApplication: shown(upstream(outlives)),
  TransportEndingGracefullyWaitsOnApplicationLongPolling: shown(upstream(outlives)),
  PostSendsToConnection: shown(lifeOfPolls),
  PostSendsToConnectionInParallel: shown(
    posting("take() takes bodies of one connection one after the other, in their order"),
  ),
  ResponsesForLongPollingHaveCacheHeaders: shown(lifeOfPolls, ids),
  HttpContextFeatureForLongpollingWorksBetweenPolls: shown(
    upstream("a method sees the request of the first poll while no poll waits"),
  ),
  IOExceptionWhenReadingRequestReturns400Response: shown(
    posting("take() answers 400 when a body breaks off, and goes on with the next"),
  ),
  EndPointThatOnlySupportsLongPollingRejectsOtherTransports: otherTransports,
  EndPointThatOnlySupportsSSERejectsOtherTransports: otherTransports,
  EndPointThatOnlySupportsWebSockesRejectsOtherTransports: otherTransports,
  EndPointThatOnlySupportsWebSocketsAndSSERejectsLongPolling: otherTransports,
  CompletedEndPointEndsConnection: shown(transcript("hub aborts")),
  SynchronousExceptionEndsConnection: shown(transcript("OnConnected throws")),
  CompletedEndPointEndsLongPollingConnection: shown(
    transcript("long polling: hub sends, then aborts"),
  ),
  LongPollingTimeoutSets200StatusCode: shown(transcript("long polling: poll timeout")),
  LongPollingConnectionClosesWhenSendTimeoutReached: shown(
    polling("tick() ends a connection whose large answer is stuck for transportSendTimeout"),
  ),
  SSEConnectionClosesWhenSendTimeoutReached: shown(
    events("tick() ends a stream that is stuck for transportSendTimeout, and no other"),
  ),
  WebSocketConnectionClosesWhenSendTimeoutReached: shown(
    testsIn("nodes/listen/send_timeout_test.ts")(
      "a client that takes nothing for transportSendTimeout is closed, and no other",
    ),
    testsIn("unit/hub/send_timeout_test.ts")(
      "HubConnection ends when its client takes nothing for transportSendTimeout, and no other does",
    ),
  ),
  WebSocketTransportTimesOutWhenCloseFrameNotReceived: shown(unanswered, dropped),
  RequestToActiveConnectionId409ForStreamingTransports: shown(streamWithId, socketWithId),
  RequestToActiveConnectionIdKillsPreviousConnectionLongPolling: shown(newerPoll),
  MultipleRequestsToActiveConnectionId409ForLongPolling: differs(
    "polls do not wait for one another, so none of them loses a race: the last is served",
    upstream("of several polls at once the last is served, and the others end with 204"),
  ),
  RequestToDisposedConnectionIdReturns404: shown(lifeOfPolls),
  ConnectionStateSetToInactiveAfterPoll: shown(
    polling("tick() drops a connection that pauses longer than disconnectTimeout, and no other"),
  ),
  BlockingConnectionWorksWithStreamingConnections: differs(NO_THREADS, upstream(waits)),
  BlockingConnectionWorksWithLongPollingConnection: differs(NO_THREADS, upstream(waits)),
  AttemptingToPollWhileAlreadyPollingReplacesTheCurrentPoll: shown(newerPoll),
  TransferModeSet: shown(transcript("handshake messagepack: the answer is a binary frame")),
  SetsInherentKeepAliveFeatureOnFirstLongPollingRequest: shown(
    upstream("polls are not answered with pings"),
  ),
  DeleteEndpointRejectsRequestToTerminateNonLongPollingTransport: shown(streamWithId, socketWithId),
  DeleteEndpointGracefullyTerminatesLongPolling: shown(
    lifeOfPolls,
    polling("DELETE ends the connection, a poll that waits, and nothing of another transport"),
  ),
  DeleteEndpointGracefullyTerminatesLongPollingEvenWhenBetweenPolls: shown(
    upstream("DELETE between two polls ends the connection in order"),
  ),
  DeleteEndpointTerminatesLongPollingWithHangingApplication: differs(
    "a poll that is open at a DELETE ends with 204: its client has asked for the end",
    upstream("DELETE ends a poll, though a call of its connection never ends"),
  ),
  PollCanReceiveFinalMessageAfterAppCompletes: shown(
    transcript("long polling: hub sends, then aborts"),
  ),
  NegotiateDoesNotReturnWebSocketsWhenNotAvailable: differs(
    "every platform has WebSockets; who wants none says so",
    endpoint("negotiate() lists the transports that are served, in the order of preference"),
  ),
  NegotiateDoesNotReturnUseStatefulReconnectWhenNotEnabledOnServer: grants,
  NegotiateDoesNotReturnUseStatefulReconnectWhenEnabledOnServerButNotRequestedByClient: grants,
  NegotiateReturnsUseStatefulReconnectWhenEnabledOnServerAndRequestedByClient: grants,
  ReconnectStopsPreviousConnection: shown(
    takeover("HubServer lets a client take over while its old socket is believed alive"),
    transcript("stateful: second socket while the first is open and answers the close"),
  ),
  DisableReconnectDisallowsReplacementConnection: shown(
    transcript("stateful: handshake version 1 switches reconnect off"),
  ),
  WriteThatIsDisposedBeforeCompleteReturns404: shown(released),
  CanDisposeWhileWriteLockIsBlockedOnBackpressureAndResponseReturns404: shown(released),
  LongPollingCanPollIfWritePipeHasBackpressure: shown(
    upstream("a poll is answered while a POST waits for a hub that is busy"),
  ),
  ErrorDuringPollWillCloseConnection: shown(
    polling("poll() ends the connection when a large answer is cut by the client"),
  ),
  LongPollingConnectionClosingTriggersConnectionClosedToken: shown(upstream(outlives)),
  SSEConnectionClosingTriggersConnectionClosedToken: shown(upstream(outlives)),
  WebSocketConnectionClosingTriggersConnectionClosedToken: shown(upstream(outlives)),
  ServerClosingClosesWebSocketConnection: shown(
    testsIn("nodes/wire/socket_test.ts")(
      "a node ends every socket in order when the server is closed",
    ),
  ),
  ConnectionClosedRequestedTriggeredOnAuthExpiration: shown(transcript("authentication expires")),
};

/** HttpConnectionManagerTests. */
export const managerTests: UpstreamSuite = {
  NewConnectionsHaveConnectionId: shown(transcript("negotiate version 1")),
  ConnectionIdAndConnectionTokenAreTheSameForNegotiateVersionZero: differs(
    "version 0 is not served: its public id would be the secret of a connection",
    table("a connection token opens its connection, and the public connection id does not"),
  ),
  ConnectionIdAndConnectionTokenAreDifferentForNegotiateVersionOne: shown(
    transcript("negotiate version 1"),
  ),
  CloseConnectionsEndsAllPendingConnections: shown(
    table("close() ends connections of every transport, waiting or not, each once"),
  ),
  DisposingConnectionMultipleTimesWaitsOnConnectionClose: shown(
    table("a connection that is ended in several ways at once ends once"),
  ),
  DisposeInactiveConnection: shown(
    testsIn("nodes/wire/http_test.ts")(
      "a node forgets a negotiated connection after disconnectTimeout",
    ),
  ),
};

const socket = testsIn("nodes/wire/socket_test.ts");
const transports = testsIn("nodes/upstream/transports_test.ts");
const everything = polling(
  "poll() takes everything that was written since the last poll, as one body",
);
const eventHeaders = shown(
  events("events() answers with headers against buffering, and a comment at once"),
);

/** WebSocketsTests. */
export const webSocketTests: UpstreamSuite = {
  ReceivedFramesAreWrittenToChannel: shown(
    socket(
      "a node joins the fragments of a message, inside characters too, and answers pings between",
    ),
  ),
  WebSocketTransportSetsMessageTypeBasedOnTransferFormatFeature: shown(
    transcript("handshake messagepack: the answer is a binary frame"),
  ),
  TransportCommunicatesErrorToApplicationWhenClientDisconnectsAbnormally: shown(
    socket("a node ends the connection without error when the socket vanishes"),
  ),
  ClientReceivesInternalServerErrorWhenTheApplicationFails: differs(
    "no failure of a hub ends a socket without a Close: where upstream has none, clients are admitted",
    transcript("OnConnected throws"),
    transcript("lifetime manager fails on connect"),
  ),
  TransportClosesOnCloseTimeoutIfClientDoesNotSendCloseFrame: shown(unanswered, dropped),
  ServerGracefullyClosesWhenApplicationEndsThenClientSendsCloseFrame: shown(
    transports("a socket ends in order when the client answers the node's close frame"),
  ),
  ServerGracefullyClosesWhenClientSendsCloseFrameThenApplicationEnds: shown(
    socket("a node ends the connection without error when the client closes, whatever the code"),
  ),
  SubProtocolSelectorIsUsedToSelectSubProtocol: differs(
    "no client of SignalR offers a sub-protocol, so none is ever chosen",
    transports("a node chooses no sub-protocol of those that a client offers"),
  ),
};

/** LongPollingTests. */
export const longPollingTests: UpstreamSuite = {
  Set204StatusCodeWhenChannelComplete: shown(
    polling("close() answers a poll that waits with what was written before it, or 204"),
  ),
  Set200StatusCodeWhenTimeoutTokenFires: shown(
    polling("poll() answers an empty 200 after pollTimeout, and not before"),
  ),
  FrameSentAsSingleResponse: shown(everything),
  MultipleFramesSentAsSingleResponse: shown(everything),
  CheckLongPollingTimeoutValue: shown(
    testsIn("unit/hub/options_test.ts")(
      "resolveOptions() fills in the documented defaults, for undefined as well",
    ),
  ),
};

/** ServerSentEventsTests. */
export const serverSentEventsTests: UpstreamSuite = {
  SSESetsContentType: eventHeaders,
  SSETurnsResponseBufferingOff: eventHeaders,
  SSEWritesMessages: shown(
    events("write() makes one event, and counts it until the platform has asked for it"),
  ),
  SSEWritesVeryLargeMessages: shown(events("write() hands a large event over in parts")),
  SSEAddsAppropriateFraming: shown(
    events("eventBytes() frames a payload, and begins a data line for each of its lines"),
  ),
};
