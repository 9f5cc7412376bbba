/**
 * A client broke the rules. The text goes to the client only with `detailedErrors`; `name` is the name of
 * upstream's exception, because clients show it.
 */
export class ProtocolError extends Error {
  /** Makes the error. */
  constructor(
    message: string,
    name:
      | "InvalidDataException"
      | "FormatException"
      | "EndOfStreamException"
      | "MessagePackSerializationException"
      | "OperationCanceledException"
      | "JsonReaderException" = "InvalidDataException",
  ) {
    super(message);
    this.name = name;
  }
}
