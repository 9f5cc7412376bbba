/**
 * A node whose clients sign in with JSON Web Tokens:
 *
 * ```sh
 * deno run --allow-net --allow-env=AUTH_SECRET examples/auth/node.ts [--port 8010] [--lifetime 60]
 * deno run --allow-net --ignore-env examples/auth/client.ts ann ann-secret
 * deno run --allow-net --ignore-env examples/auth/client.ts bob bob-secret
 * ```
 *
 * `POST /login` with `{ "name", "password" }` gives a token that is good for `--lifetime` seconds; when
 * it expires the connection is closed, and the client comes back with a new one. Nodes that share
 * `AUTH_SECRET` recognise each other's tokens; without it the secret is made up at the start.
 *
 * With `--listen` the same is served as for a port that strangers reach. It then also needs
 * `--allow-env=WS_NO_BUFFER_UTIL,WS_NO_UTF_8_VALIDATE`.
 *
 * @module
 */
import { createHubServer, openBackplane } from "@hubplane/hubplane";
import { parseArgs } from "node:util";
import { Accounts, tokenOf } from "./accounts.ts";
import { board } from "./board.ts";

/** The most that may be posted to sign in, in bytes. */
const MAXIMUM_LOGIN_BYTES = 1000;

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8010" },
    lifetime: { type: "string", default: "60" },
    listen: { type: "boolean", default: false },
  },
});
const given = Deno.env.get("AUTH_SECRET");
const secret = given === undefined
  ? crypto.getRandomValues(new Uint8Array(32))
  : new TextEncoder().encode(given);
const accounts = new Accounts(secret, 1000 * Number(values.lifetime));

const server = createHubServer({
  hubs: { "/board": board },
  backplane: await openBackplane("memory:"),
  closeOnAuthenticationExpiration: true,
  async authenticate(request) {
    const token = tokenOf(request);
    if (token === undefined) return undefined;
    return await accounts.recognise(token) ?? new Response(null, { status: 401 });
  },
});

/** Gives a token for a name and a password. */
async function login(request: Request): Promise<Response> {
  const length = Number(request.headers.get("content-length") ?? Infinity);
  if (length > MAXIMUM_LOGIN_BYTES) return new Response(null, { status: 413 });
  try {
    const { name, password } = await request.json();
    const token = await accounts.signIn(name, password);
    return token === undefined ? new Response(null, { status: 401 }) : Response.json({ token });
  } catch {
    return new Response(null, { status: 400 });
  }
}

/** What is asked of this node: to sign somebody in, or something of the hub server. */
function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  return request.method === "POST" && pathname === "/login"
    ? login(request)
    : server.fetch(request);
}

/** Serves the node with Deno's own server; returns its port, and what ends it. */
function serve(hostname: string, port: number) {
  const http = Deno.serve({ hostname, port, onListen() {} }, answer);
  return { port: http.addr.port, close: () => http.shutdown() };
}

/** The same with the server for strangers, which needs more permissions. */
async function listen(hostname: string, port: number) {
  const { listen } = await import("@hubplane/hubplane/listen");
  return await listen(server, { hostname, port, fetch: answer });
}

await server.ready;
const start = values.listen ? listen : serve;
const http = await start("127.0.0.1", Number(values.port));
Deno.stdout.writeSync(new TextEncoder().encode(`http://127.0.0.1:${http.port}/board\n`));

/** Asks the clients to come back later, and ends. */
async function stop(): Promise<void> {
  await server.drain();
  await server.close();
  // Deno waits for ever for a client that left while it connected.
  setTimeout(Deno.exit, 5000, 0);
  await http.close();
  Deno.exit(0);
}

Deno.addSignalListener("SIGINT", stop);
if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
