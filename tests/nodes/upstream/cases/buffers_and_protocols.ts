/**
 * ASP.NET Core's tests of stateful reconnect and of the hub protocols: MessageBufferTests in
 * `src/SignalR/common/SignalR.Common/test`, and the tests beside each protocol.
 *
 * @module
 */
import { differs, shown, testsIn, transcript, type UpstreamSuite } from "./upstream_case.ts";

const upstream = testsIn("nodes/upstream/message_buffer_test.ts");
const stateful = testsIn("unit/hub/stateful_test.ts");
const statefulBounds = testsIn("unit/hub/stateful_bounds_test.ts");
const downloads = testsIn("unit/streaming/download_flow_test.ts");
const comesBack = transcript("stateful: drop, reconnect, resend both ways");
const sizeOfBuffer = upstream(
  "statefulReconnectBufferSize says how much a client may leave unacknowledged",
);
const cancelled = downloads(
  "a stream that waits for room ends at once when it is cancelled, or its client goes",
);
const noAcknowledgement = statefulBounds(
  "HubConnection ends when its client does not acknowledge for 5 s",
);
const NOBODY_WAITS = "a full buffer holds back streams and nobody else";

/** HubConnectionHandlerTests on stateful reconnect. */
export const statefulHandlerTests: UpstreamSuite = {
  UnsolicitedSequenceAndAckMessagesDoNothing: shown(transcript("accepted oddities")),
  CanSetMessageBufferSizeOnServer: shown(sizeOfBuffer),
  IReconnectNotifyTriggersSequenceMessage: shown(comesBack),
  StatefulReconnectWithMessageBufferBackpressureIsCancelable: differs(NOBODY_WAITS, cancelled),
  GracefulCloseDisablesReconnect: shown(
    transcript("stateful: no reconnect after Close"),
    testsIn("nodes/upstream/hub_connection_test.ts")("abort() ends a stateful connection for good"),
  ),
};

/** MessageBufferTests. */
export const messageBufferTests: UpstreamSuite = {
  CanWriteNonBufferedMessagesWithoutBlocking: shown(
    upstream("pings are sent while the resend buffer is full, and are not sent again"),
  ),
  WriteBlocksOnAckWhenMessageBufferFull: differs(
    NOBODY_WAITS,
    testsIn("buses/stateful/cut_sockets_test.ts")(
      "HubServer streams more to a stateful client than is kept for it",
    ),
  ),
  BackpressureWriteMessageSurvivesReconnect: shown(
    upstream("a stream that waits for acknowledgements goes on when its client is back"),
  ),
  UnAckedMessageResentOnReconnect: shown(
    stateful("HubConnection.reattach() resends what was not acknowledged, behind its sequence"),
  ),
  UnAckedSerializedMessageResentOnReconnect: shown(
    testsIn("buses/stateful/cut_sockets_test.ts")(
      "HubServer loses and doubles nothing while sockets of ${protocol} are cut at any byte, ${CUTS} times",
    ),
  ),
  AckedMessageNotResentOnReconnect: shown(comesBack),
  ReceiveSequenceMessageWithLargerIDThanMessagesReceived: shown(
    transcript("stateful: Sequence greater than received"),
  ),
  WriteManyMessagesAckSomeProperlyBuffers: shown(
    upstream("ResendBuffer keeps what comes after the number that is acknowledged, whatever it is"),
  ),
  MessageBufferLimitCanBeModified: shown(sizeOfBuffer),
  CanSendMessagesWhilePipeClosed: shown(
    transcript("stateful: stream goes on while the client is away"),
  ),
  AckMessagesSentAutomatically: shown(transcript("stateful: acks")),
  ReceiveAckDuringResendStillSendsAllMessages: shown(
    upstream("an acknowledgement that comes during a resend leaves out nothing of it"),
  ),
  SendingAckMessageDelayedDuringResend: shown(
    upstream(
      "what is sent while a client is away comes behind what it missed, acknowledgements too",
    ),
  ),
  PipeBackpressureWriteMessageCanBeCanceled: differs(NOBODY_WAITS, cancelled),
  BufferedBackpressureWriteMessageDefaultCancellation: shown(noAcknowledgement),
  BufferedBackpressureWriteMessageCanBeCanceled: differs(NOBODY_WAITS, cancelled),
};

const json = testsIn("unit/protocol/json_test.ts");
const jsonErrors = testsIn("unit/protocol/json_errors_test.ts");
const jsonVectors = shown(json("jsonProtocol.parse() and write() agree with upstream's vectors"));
const anyOrder = shown(
  json("jsonProtocol.parse() takes members in any order and ignores unknown ones"),
);
const malformedJson = shown(
  jsonErrors("jsonProtocol.parse() refuses malformed records in upstream's words"),
);

/** JsonHubProtocolTestsBase. */
export const jsonTests: UpstreamSuite = {
  WriteMessage: jsonVectors,
  ParseMessage: jsonVectors,
  InvalidMessages: malformedJson,
  ParseOutOfOrderJson: anyOrder,
  ExtraItemsInMessageAreIgnored: anyOrder,
  ArgumentBindingErrors: shown(transcript("invocation errors, detailed errors")),
  InvalidNestingWhileBindingTypesFails: malformedJson,
  ReadToEndOfArgumentArrayOnError: shown(
    testsIn("nodes/upstream/protocol_test.ts")(
      "a call refused for its arguments is read to its end, and the next as usual",
    ),
  ),
  RawResultRoundTripsProperly: shown(
    testsIn("buses/client_results/raw_answers_test.ts")(
      "a client's answer goes to another node as the client has written it (${protocol.name})",
    ),
  ),
  UnexpectedClientResultGivesEmptyCompletionMessage: shown(
    testsIn("buses/client_results/rules_test.ts")("answers that nobody waits for do no harm"),
  ),
  WrongTypeForClientResultGivesErrorCompletionMessage: differs(
    "a result has no type at run time; one that cannot be read at all is an error",
    testsIn("buses/client_results/raw_answers_test.ts")(
      "invoke() gives what a MessagePack client answers, the same from every node",
    ),
  ),
};

const packed = testsIn("unit/protocol/messagepack_parse_test.ts");
const packedHostile = testsIn("unit/protocol/messagepack_hostile_test.ts");
const unreadableArguments = shown(
  packed("messagepackProtocol.parse() lets missing or unreadable arguments fail the call alone"),
);

/** MessagePackHubProtocolTestBase. */
export const messagePackTests: UpstreamSuite = {
  BaseParseMessages: shown(
    packed("messagepackProtocol.parse() reads upstream's vectors, and write() writes them"),
  ),
  BaseWriteMessages: shown(
    testsIn("unit/protocol/messagepack_test.ts")(
      "messagepackProtocol.write() writes upstream's vectors",
    ),
  ),
  ParseMessageWithExtraData: shown(
    packed("messagepackProtocol.parse() reads what clients write otherwise than the server"),
  ),
  SkipResult_WithDeeplyNestedStructure: shown(
    packedHostile("messagepackProtocol.parse() survives 100,000 nested arrays and maps"),
  ),
  ParserThrowsForInvalidMessages: shown(
    packed("messagepackProtocol.parse() refuses malformed records in upstream's words"),
  ),
  GettingArgumentsThrowsIfBindingFailed: unreadableArguments,
  ParserDoesNotConsumePartialData: shown(
    testsIn("unit/protocol/binary_framing_test.ts")(
      "BinaryFrameReader.read() cuts records wherever chunks end",
    ),
  ),
};

const binaryFrames = testsIn("unit/protocol/binary_framing_test.ts");
const textFrames = testsIn("unit/protocol/framing_test.ts");
const handshakes = testsIn("unit/protocol/handshake_test.ts");

/** Whole classes about framing and handshakes. */
export const framingTests: UpstreamSuite = {
  BinaryMessageParserTests: shown(
    binaryFrames("BinaryFrameReader.read() reads prefixes of one to five bytes"),
    binaryFrames("BinaryFrameReader.read() refuses an empty record and a prefix above 2 GB"),
    binaryFrames("BinaryFrameReader.read() cuts records wherever chunks end"),
  ),
  TextMessageParserTests: shown(
    textFrames(
      "TextFrameReader.read() cuts records wherever chunks of bytes end, inside characters too",
    ),
  ),
  HandshakeProtocolTests: shown(
    handshakes("parseHandshake() accepts what upstream accepts"),
    handshakes("parseHandshake() refuses the rest in upstream's words"),
    handshakes("handshakeFailure() and HANDSHAKE_SUCCESS are whole records"),
  ),
};
