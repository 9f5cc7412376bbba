/** What a token says. */
export interface Claims {
  readonly sub?: string;
  readonly aud?: string;
  readonly iss?: string;
  readonly admin?: unknown;
  /** Seconds since 1970. */
  readonly exp?: number;
}

const encoder = new TextEncoder();

/** A JSON Web Token as RFC 7515 has it, made without the library that the example uses. */
export async function forge(
  claims: Claims,
  secret: string,
  header: Readonly<Record<string, string>> = { alg: "HS256" },
): Promise<string> {
  const signed = `${base64url(json(header))}.${base64url(json(claims))}`;
  if (header.alg === "none") return `${signed}.`;
  const algorithm = { name: "HMAC", hash: `SHA-${header.alg?.slice(2)}` };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, [
    "sign",
  ]);
  const signature = await crypto.subtle.sign("HMAC", key, encoder.encode(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

/** What the example's own tokens say, good for a minute. */
export function goodClaims(): Required<Claims> {
  const exp = Math.floor(Date.now() / 1000) + 60;
  return { sub: "ann", aud: "board", iss: "board-login", admin: true, exp };
}

function json(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
