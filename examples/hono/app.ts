/**
 * A restaurant in one Hono app: a page for the kitchen, an API that takes orders, and the hub that brings
 * them to the page.
 *
 * @module
 */
import { type Backplane, createHubServer } from "@hubplane/hubplane";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import signalr from "@microsoft/signalr/dist/browser/signalr.min.js" with { type: "text" };
import html from "./index.html" with { type: "text" };
import css from "./page.css" with { type: "text" };
import script from "./page.js" with { type: "text" };
import { defineKitchen, Orders } from "./orders.ts";

/** The largest body of a request to the API, in bytes. */
const LARGEST_BODY = 1024;

/** Makes the app; whoever made it closes the server. */
export function createApp(backplane: Backplane) {
  const orders = new Orders();
  const server = createHubServer({ hubs: { "/kitchen": defineKitchen(orders) }, backplane });
  const app = new Hono();

  // With `c.req.raw` as it is: a WebSocket cannot be opened from a copy of its request.
  app.all("/kitchen/*", (c) => server.fetch(c.req.raw));

  app.use(secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'self'"] } }));
  app.get("/", (c) => c.html(html));
  app.get("/page.css", (c) => c.body(css, 200, { "content-type": "text/css" }));
  for (const [path, text] of [["/page.js", script], ["/signalr.js", signalr]] as const) {
    app.get(path, (c) => c.body(text, 200, { "content-type": "text/javascript" }));
  }

  app.get("/api/orders", (c) => c.json(orders.open));
  app.post("/api/orders", bodyLimit({ maxSize: LARGEST_BODY }), async (c) => {
    const order = orders.take(await c.req.json().catch(() => undefined));
    if (typeof order === "string") return c.json({ error: order }, 400);
    // Not awaited: while the bus is away the server logs it, and pages ask for all orders when they are back.
    server.hub("/kitchen").clients.all.send("ordered", order);
    return c.json(order, 201);
  });
  return { app, server };
}
