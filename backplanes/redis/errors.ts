/** Errors of Redis and ioredis: which a retry may cure, and their texts without secrets. */

/** No retry cures these errors of authentication, permission and certificates. */
const INCURABLE_REPLY =
  /(?:^|\s)(?:WRONGPASS|NOAUTH|NOPERM|DENIED)\s|ERR invalid password|ERR Client sent AUTH/;
const INCURABLE_CODE =
  /CERT|UNKNOWN_CA|^UNABLE_TO_|^HOSTNAME_MISMATCH$|^INVALID_CA$|^ERR_(?:OSSL|TLS|INVALID_ARG)/;

/**
 * Whether trying again cannot help: authentication, permission (of Redis or of Deno), certificate,
 * configuration.
 */
export function isIncurable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof TypeError || error.name === "NotCapable") return true;
  const { code } = error as { code?: unknown };
  return INCURABLE_REPLY.test(error.message) ||
    typeof code === "string" && INCURABLE_CODE.test(code);
}

/** Whether Redis refused a command, on a connection that still works. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** With these replies Redis says that it cannot serve now; on some of them it ends the connection. */
const UNAVAILABLE_REPLY = /^(?:LOADING|MASTERDOWN|BUSY)\s|max number of clients reached/;
/** With these replies Redis says that it does not know who asks. */
const UNKNOWN_USER_REPLY = /^(?:NOAUTH|WRONGPASS|DENIED)\s/;

/**
 * Whether `error` shows that Redis serves this connection, although it refused the command. Redis
 * answers PING with MISCONF while it cannot save, and serves pub/sub all the same.
 */
export function isAnswer(error: unknown): error is Error {
  return isRefusal(error) && !isIncurable(error);
}

/** Whether Redis refused a command for what the command asks, and serves this connection otherwise. */
export function isRefusal(error: unknown): error is Error {
  return isReply(error) && !UNAVAILABLE_REPLY.test(error.message) &&
    !UNKNOWN_USER_REPLY.test(error.message);
}

/** The texts of ioredis for a command whose connection is gone. */
const CLOSED = /^(?:Stream isn't writeable|Connection is closed\.|Command aborted)/;

/** The reason in an error, as texts show it. */
export function reasonOf(error: Error): string {
  const { code } = error as { code?: unknown };
  if (code === "ECONNREFUSED") return "connection refused";
  return CLOSED.test(error.message) ? "the connection was closed" : error.message;
}

/**
 * The same error without secrets. ioredis keeps the arguments of the failed command, also of AUTH,
 * beside the error, and Redis repeats the arguments of an unknown command.
 */
export function withoutSecrets(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const clean = new Error(error.message.replace(/, with args beginning with:.*$/s, ""));
  clean.name = error.name;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? Object.assign(clean, { code }) : clean;
}
