/** Errors of NATS, its client and the socket. */
import { ErrorCode } from "nats/lib/nats-base-client/internal_mod.js";

/** The error with a reason, where the client gives none or only a code. */
export function explained(error: unknown, dialTimeout: number): unknown {
  if (error === undefined) return new Error("the server closed the connection");
  const code = codeOf(error);
  if (code === "ECONNREFUSED") return new Error("connection refused", { cause: error });
  if (code !== ErrorCode.Timeout) return error;
  return new Error(`no answer within ${dialTimeout} ms`, { cause: error });
}

/** The reason in an error, as texts show it. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Whether trying again cannot help: a refused user, password or token, a refused certificate, or TLS
 * demanded of a server that has none. Every other error (a full server, a server in lame duck mode, a
 * broken handshake, an unknown host) may pass.
 */
export function isIncurable(error: unknown): boolean {
  const code = codeOf(error);
  return INCURABLE.has(code) || CERTIFICATE.test(code);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

const INCURABLE: ReadonlySet<string> = new Set([
  ErrorCode.AuthorizationViolation,
  ErrorCode.BadAuthentication,
  ErrorCode.ServerOptionNotAvailable,
  ErrorCode.Tls,
]);
/** Codes of Node's TLS: errors of certificates and keys, and alerts of the server. */
const CERTIFICATE =
  /^ERR_(?:TLS|SSL|OSSL)_|CERT|^UNABLE_TO_|^HOSTNAME_MISMATCH$|^INVALID_(?:CA|PURPOSE)$/;
