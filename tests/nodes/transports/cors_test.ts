import { assertEquals } from "@std/assert";
import { defineHub, type HubServerOptions } from "../../../mod.ts";
import { onEachServer, type Serve } from "../../kit/servers/each_server.ts";
import { rawFetch, type RawResponse } from "../../kit/http.ts";

const PAGE = "https://app.example";

/** A node that refuses everyone without a token. */
function startNode(serve: Serve, cors?: HubServerOptions["cors"]) {
  return serve({
    hubs: { "/hub": defineHub({ methods: {} }) },
    ...(cors === undefined ? {} : { cors }),
    authenticate(request) {
      const token = request.headers.get("authorization");
      if (token === "Bearer bad") throw new Error("no directory");
      // As an answer that was fetched elsewhere: its headers cannot be changed.
      if (token === "Bearer moved") return Response.redirect("https://login.example/");
      return token === null ? new Response(null, { status: 401 }) : { id: token };
    },
  });
}

/** The headers of an answer that are about origins. */
function crossOrigin({ headers }: RawResponse): Record<string, string> {
  const names = Object.keys(headers).filter((name) => /^(?:access-control-|vary$)/.test(name));
  return Object.fromEntries(names.map((name) => [name, headers[name] ?? ""]));
}

const ALLOWED = {
  "access-control-allow-credentials": "true",
  "access-control-allow-origin": PAGE,
  "vary": "Origin",
};

const PREFLIGHT = {
  "access-control-request-method": "POST",
  "access-control-request-headers": "authorization,x-requested-with,x-signalr-user-agent",
};

onEachServer(
  "fetch() answers a preflight of a listed origin before it asks who it is",
  async (serve) => {
    await using node = await startNode(serve, { origins: [PAGE] });
    for (const path of ["/hub/negotiate", "/hub?id=unknown"]) {
      const response = await rawFetch(node.port, {
        method: "OPTIONS",
        path,
        headers: { origin: PAGE, ...PREFLIGHT },
      });
      assertEquals([response.status, response.body], [204, ""]);
      assertEquals(crossOrigin(response), {
        ...ALLOWED,
        "access-control-allow-headers": PREFLIGHT["access-control-request-headers"],
        "access-control-allow-methods": "GET, POST, DELETE",
      });
    }
    const outside = await rawFetch(node.port, {
      method: "OPTIONS",
      path: "/elsewhere",
      headers: { origin: PAGE, ...PREFLIGHT },
    });
    assertEquals([outside.status, crossOrigin(outside)], [404, {}]);
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "fetch() gives a listed origin its headers with every answer, errors too",
  async (serve) => {
    await using node = await startNode(serve, { origins: ["https://first.example", PAGE] });
    const cases = [
      ["POST", "/hub/negotiate", undefined, 401],
      ["POST", "/hub/negotiate", "Bearer ann", 200],
      ["POST", "/hub/negotiate", "Bearer bad", 500],
      ["POST", "/hub/negotiate", "Bearer moved", 302],
      ["GET", "/hub/negotiate", "Bearer ann", 405],
      ["GET", "/hub", "Bearer ann", 400],
      ["POST", "/hub?id=unknown", "Bearer ann", 404],
    ] as const;
    for (const [method, path, authorization, status] of cases) {
      const headers = { origin: PAGE, ...(authorization === undefined ? {} : { authorization }) };
      const response = await rawFetch(node.port, { method, path, headers });
      assertEquals([response.status, crossOrigin(response)], [status, ALLOWED]);
    }
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "fetch() gives an origin that is not listed nothing, and a request without one a Vary",
  async (serve) => {
    await using node = await startNode(serve, { origins: [PAGE] });
    const authorization = "Bearer ann";
    const cases: readonly Record<string, string>[] = [
      { origin: "https://other.example" },
      { origin: "null" },
      {},
    ];
    for (const headers of cases) {
      const response = await rawFetch(node.port, {
        method: "POST",
        path: "/hub/negotiate",
        headers: { ...headers, authorization },
      });
      assertEquals([response.status, crossOrigin(response)], [200, { vary: "Origin" }]);
    }
    const preflight = await rawFetch(node.port, {
      method: "OPTIONS",
      path: "/hub/negotiate",
      headers: { origin: "https://other.example", ...PREFLIGHT },
    });
    assertEquals([preflight.status, crossOrigin(preflight)], [204, { vary: "Origin" }]);
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "fetch() gives a response that authenticate returns again and again its headers once",
  async (serve) => {
    const refusal = new Response("no", { status: 401, headers: { vary: "Accept" } });
    await using node = await serve({
      hubs: { "/hub": defineHub({ methods: {} }) },
      cors: { origins: [PAGE] },
      authenticate: () => refusal,
    });
    const request = { method: "POST", path: "/hub/negotiate", headers: { origin: PAGE } };
    for (let time = 0; time < 3; time++) {
      const response = await rawFetch(node.port, request);
      assertEquals([response.status, response.body], [401, "no"]);
      assertEquals(crossOrigin(response), { ...ALLOWED, vary: "Accept, Origin" });
    }
    assertEquals([...refusal.headers.keys()], ["content-type", "vary"]);
  },
).forEach((test) => Deno.test(test));

onEachServer("fetch() lets every origin read without credentials when told so", async (serve) => {
  await using node = await startNode(serve, { origins: "*" });
  const response = await rawFetch(node.port, {
    method: "POST",
    path: "/hub/negotiate",
    headers: { origin: PAGE, authorization: "Bearer ann" },
  });
  assertEquals(crossOrigin(response), { "access-control-allow-origin": "*" });
}).forEach((test) => Deno.test(test));

onEachServer("fetch() leaves credentials out for listed origins when told so", async (serve) => {
  await using node = await startNode(serve, { origins: [PAGE], credentials: false });
  const response = await rawFetch(node.port, {
    method: "POST",
    path: "/hub/negotiate",
    headers: { origin: PAGE },
  });
  assertEquals(crossOrigin(response), { "access-control-allow-origin": PAGE, vary: "Origin" });
}).forEach((test) => Deno.test(test));

onEachServer("fetch() knows nothing of origins without the option", async (serve) => {
  await using node = await startNode(serve);
  const headers = { origin: PAGE, authorization: "Bearer ann", ...PREFLIGHT };
  for (const [method, status] of [["POST", 200], ["OPTIONS", 405]] as const) {
    const response = await rawFetch(node.port, { method, path: "/hub/negotiate", headers });
    assertEquals([response.status, crossOrigin(response)], [status, {}]);
  }
}).forEach((test) => Deno.test(test));
