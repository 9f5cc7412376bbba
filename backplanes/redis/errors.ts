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
