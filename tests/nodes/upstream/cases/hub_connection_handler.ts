/**
 * ASP.NET Core's tests of hubs on the wire: HubConnectionHandlerTests in
 * `src/SignalR/server/SignalR/test`.
 *
 * @module
 */
import { differs, shown, testsIn, transcript, type UpstreamSuite } from "./upstream_case.ts";

const upstream = testsIn("nodes/upstream/hub_connection_test.ts");
const connection = testsIn("unit/hub/connection_test.ts");
const socket = testsIn("nodes/wire/socket_test.ts");
const dispatch = testsIn("unit/hub/dispatch_test.ts");
const targets = shown(
  testsIn("nodes/client/targets_test.ts")("clients reaches exactly those that each target names"),
);
const handshakeFailures = shown(transcript("handshake failures"));
const inPieces = shown(transcript("handshake in pieces, followed by messages"));
const invocationErrors = shown(transcript("invocation errors"));
const pings = connection(
  "HubConnection.tick() pings every keepAliveInterval whatever else is sent",
);
const refusedLeavesNothing = upstream(
  "a connection that connected refuses leaves nothing subscribed",
);
const saysGoodbye = shown(
  transcript("client sends Close"),
  connection(
    "HubConnection tells disconnected why it ended, once, with the connection still known",
  ),
);

/** Connections, handshakes, calls and targets. */
export const handlerTests: UpstreamSuite = {
  AbortFromHubMethodForcesClientDisconnect: shown(transcript("hub aborts")),
  HandshakeTimesOut: shown(transcript("handshake timeout")),
  HandshakeFailureFromUnknownProtocolSendsResponseWithError: handshakeFailures,
  HandshakeFailureFromUnsupportedFormatSendsResponseWithError: shown(
    transcript("SSE: messagepack is refused"),
  ),
  HandshakeFailureFromIncompatibleProtocolVersionSendsResponseWithError: handshakeFailures,
  ConnectionClosedWhenHandshakeLargerThanMaxMessageSize: shown(
    transcript("handshake larger than the message limit"),
  ),
  SendingHandshakeRequestInChunksWorks: inPieces,
  SendingInvocatonInChunksWorks: shown(
    socket("a node reads records from binary messages cut inside a character"),
  ),
  SendingHandshakeRequestAndInvocationInSamePayloadParsesHandshakeAndInvocation: inPieces,
  HandshakeSuccessSendsResponseWithoutError: shown(transcript("handshake json")),
  HubMessageOverTheMaxMessageSizeThrows: shown(transcript("message larger than the limit")),
  ChunkedHubMessageOverTheMaxMessageSizeThrows: shown(
    socket("a node refuses a message in pieces before it is whole when it is too large"),
  ),
  ManyHubMessagesOneOverTheMaxMessageSizeThrows: shown(
    upstream("messages are served that come in one frame with one too large, up to that"),
  ),
  ManyHubMessagesUnderTheMessageSizeButConfiguredWithMax: shown(
    upstream("small messages are served that together are larger than one may be"),
  ),
  LifetimeManagerOnDisconnectedAsyncCalledIfLifetimeManagerOnConnectedAsyncThrows: differs(
    "a bus that is away refuses no client; what it refuses is asked for until the client has gone",
    testsIn("unit/scaleout/comings_and_goings_test.ts")(
      "createHubServer() subscribes nothing for a client that came and went while the bus was away",
    ),
  ),
  LifetimeManagerOnDisconnectedAsyncCalledIfHubOnDisconnectedAsyncThrows: shown(
    testsIn("buses/scaleout/closing_test.ts")(
      "disconnected() that throws is logged, and its connection is forgotten all the same",
    ),
  ),
  HubOnDisconnectedAsyncCalledIfHubOnConnectedAsyncThrows: shown(
    refusedLeavesNothing,
    connection(
      "HubConnection ends with an error that connected throws, and does not call disconnected",
    ),
  ),
  HubMethodsAreCaseInsensitive: shown(
    dispatch("clients can call what methods lists, in any case, and nothing else"),
  ),
  DetailedExceptionEvenWhenNotExplicitlySet: invocationErrors,
  HubMethodDoesNotSendResultWhenInvocationIsNonBlocking: shown(
    transcript("invocations without id are never answered"),
  ),
  HubMethodCanBeVoid: shown(transcript("invocation results")),
  CannotCallStaticHubMethods: invocationErrors,
  CannotCallObjectMethodsOnHub: shown(
    transcript("invocation errors"),
    dispatch("clients can call what methods lists, in any case, and nothing else"),
  ),
  CannotCallDisposeMethodOnHub: invocationErrors,
  BroadcastHubMethodSendsToAllClients: targets,
  SendToOthers: targets,
  SendToCaller: targets,
  SendToAllExcept: targets,
  SendToMultipleClients: targets,
  SendToMultipleUsers: targets,
  HubsCanAddAndSendToGroup: targets,
  SendToGroupExcept: targets,
  SendToOthersInGroup: targets,
  InvokeMultipleGroups: targets,
  RemoveFromGroupWhenNotInGroupDoesNotFail: shown(
    testsIn("buses/scaleout/specification_groups.ts")(
      "groups.remove() does nothing for a connection of this node that is no member",
    ),
  ),
  HubsCanSendToUser: targets,
  CanSendToConnectionsWithDifferentProtocols: shown(
    upstream("one message reaches clients of both protocols, each in its own"),
  ),
  ConnectionLifetimeNotificationClosesConnectionWithReconnectAllowed: shown(
    testsIn("buses/scaleout/drain_test.ts")(
      "HubServer.drain() refuses new clients with 503 and ends the others for reconnecting",
    ),
    transcript("authentication expires"),
  ),
  AcceptsPingMessages: shown(transcript("ping and client timeout")),
  DoesNotWritePingMessagesIfSufficientOtherMessagesAreSent: differs(
    "as upstream's server does, whatever this test is called: only pings put pings off",
    pings,
  ),
  WritesPingMessageIfNothingWrittenWhenKeepAliveIntervalElapses: shown(pings),
  ConnectionNotTimedOutIfClientNeverPings: shown(
    transcript("a client that never pings is not timed out"),
  ),
  ConnectionTimesOutIfInitialPingAndThenNoMessages: shown(transcript("ping and client timeout")),
  OnDisconnectedAsyncReceivesExceptionOnPingTimeout: shown(
    connection("HubConnection.tick() times out a client that has pinged and falls silent"),
  ),
  ReceivingMessagesPreventsConnectionTimeoutFromOccuring: shown(
    connection("HubConnection.tick() times out a client that has pinged and falls silent"),
  ),
  HubMethodInvokeDoesNotCountTowardsClientTimeout: differs(
    "pings are read while a call waits, so that only a client that is not read is excused",
    connection("HubConnection.tick() stops the client's clock while nothing is read"),
    testsIn("unit/hub/waiting_calls_test.ts")(
      "a client that is silent after its first ping is closed, even while one of its calls waits",
    ),
  ),
  HubMethodInvokeCountsTowardsClientTimeoutIfParallelNotMaxed: shown(
    connection("HubConnection.tick() counts the time of a running call that holds nothing up"),
  ),
  EndingConnectionSendsCloseMessageWithNoError: shown(
    transcript("hub aborts"),
    connection("HubConnection.close() writes its Close last and nothing after it"),
  ),
  ErrorInHubOnConnectSendsCloseMessageWithError: shown(transcript("OnConnected throws")),
  InvocationsRunInOrderWithNoParallelism: shown(
    dispatch("Invocations run one at a time by default, in the order they came"),
  ),
  InvocationsCanRunOutOfOrderWithParallelism: shown(
    dispatch(
      "Invocations run maximumParallelInvocationsPerClient at a time, and may end out of order",
    ),
  ),
  PendingInvocationUnblockedWhenBlockingMethodCompletesWithParallelism: shown(
    transcript("two invocations at a time"),
  ),
  ServerSendsCloseWithErrorWhenConnectionClosedWithPartialMessage: shown(
    upstream("disconnected hears that a client went in the middle of a message"),
  ),
  ConnectionClosesWhenClientSendsCloseMessage: saysGoodbye,
  ConnectionClosesWhenClientSendsCloseMessageWithError: shown(
    transcript("client sends Close"),
    upstream("disconnected hears what a client says it goes for, as a HubError"),
  ),
};

const upload = testsIn("unit/streaming/upload_flow_test.ts");
const uploadInUse = upload("an upload id in use is refused, and the running upload goes on");
const nobodysUpload = shown(upload("items and ends of uploads that do not exist are ignored"));
const streamCount = shown(
  transcript("upload: item that does not bind, wrong number of streams"),
);

/** Streams in both directions. */
export const streamTests: UpstreamSuite = {
  HubsCanStreamResponses: shown(transcript("stream")),
  NonErrorCompletionSentWhenStreamCanceledFromClient: shown(transcript("stream cancel")),
  ReceiveCorrectErrorFromStreamThrowing: shown(transcript("stream errors")),
  StreamingInvocationsDoNotBlockOtherInvocations: shown(
    transcript("one invocation at a time, streams beside it"),
  ),
  StreamMethodWithDuplicateIdFails: shown(transcript("stream id in use")),
  StreamUploadBufferCapacityBlocksOtherInvocations: shown(
    upload(
      "an upload holds streamBufferCapacity items; beyond that no call of its client begins",
    ),
  ),
  UploadStringsToConcat: shown(transcript("upload")),
  UploadStreamWithDuplicateIdsFailsAndConnectionContinues: shown(
    testsIn("nodes/upstream/streams_and_uploads_test.ts")(
      "a call that names one stream twice is refused, and nothing is left of it",
    ),
  ),
  ActiveUploadStreamCannotBeReplacedAndIdCanBeReusedAfterCompletion: shown(uploadInUse),
  UploadStreamItemInvalidType: shown(
    testsIn("nodes/streaming/unreadable_test.ts")(
      "an item that cannot be read ends its upload with an error, and nothing else",
    ),
  ),
  UploadStreamItemInvalidId: nobodysUpload,
  UploadStreamCompleteInvalidId: nobodysUpload,
  UploadStreamCompleteWithError: shown(transcript("upload ended with an error")),
  UploadStreamWithTooManyStreamsFails: streamCount,
  UploadStreamWithTooFewStreamsFails: streamCount,
  UploadStreamDoesNotCountTowardsMaxInvocationLimit: shown(
    upload("calls with uploads take no slot, and wait for none"),
  ),
  CancellationAfterGivenMessagesEndsStreaming: shown(transcript("stream cancel")),
  InvokeHubMethodCanAcceptCancellationTokenAsArgument: shown(
    testsIn("unit/streaming/cancel_calls_test.ts")(
      "CancelInvocation aborts the signal of a plain call, whose answer is still sent",
    ),
  ),
  ConnectionCloseCleansUploadStreams: shown(
    upload("an upload fails, after what has come, when its client disappears"),
  ),
};

const answers = testsIn("buses/client_results/answers_test.ts");
const rules = testsIn("buses/client_results/rules_test.ts");
const duringLife = shown(
  rules("invoke() within connected and disconnected is refused, whomever it asks"),
);

/** Results of clients. */
export const clientResultTests: UpstreamSuite = {
  CanReturnClientResultToHub: shown(transcript("client result")),
  CanReturnClientResultErrorToHub: shown(transcript("client result failures")),
  ThrowsWhenUsedInOnConnectedAsync: duringLife,
  ThrowsWhenUsedInOnDisconnectedAsync: duringLife,
  ClientResultFromHubDoesNotBlockReceiveLoop: shown(
    rules("a method that asks a client gives its slot back, so that the answer can be read"),
  ),
  CanCancelClientResultsWithIHubContext: shown(
    answers("invoke() rejects when its signal is aborted, and the late answer does no harm"),
  ),
  ClientResultInUploadStreamingMethodWorks: shown(
    testsIn("nodes/upstream/client_results_test.ts")(
      "a method asks its client between the items of an upload",
    ),
  ),
  ClientResultInStreamingMethodWorks: shown(
    rules("a method may ask its client several times, and stream what it hears"),
  ),
};
