/**
 * The page that a node serves. Its files are part of the program: nothing is read while it runs.
 *
 * @module
 */
import signalr from "@microsoft/signalr/dist/browser/signalr.min.js" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import html from "./index.html" with { type: "text" };
import log from "./log.css" with { type: "text" };
import narrow from "./narrow.css" with { type: "text" };
import css from "./page.css" with { type: "text" };
import page from "./page.js" with { type: "text" };
import view from "./view.js" with { type: "text" };

const STYLE = "text/css; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";

const FILES: ReadonlyMap<string, { readonly type: string; readonly text: string }> = new Map([
  ["/", { type: "text/html; charset=utf-8", text: html }],
  ["/icon.svg", { type: "image/svg+xml", text: icon }],
  ["/log.css", { type: STYLE, text: log }],
  ["/narrow.css", { type: STYLE, text: narrow }],
  ["/page.css", { type: STYLE, text: css }],
  ["/page.js", { type: SCRIPT, text: page }],
  ["/view.js", { type: SCRIPT, text: view }],
  ["/signalr.min.js", { type: SCRIPT, text: signalr }],
]);

/** Scripts and styles come from this node alone, and text never becomes markup. */
const HEADERS = {
  "cache-control": "no-cache",
  "content-security-policy": "default-src 'self'; object-src 'none'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Answers a request for a file of the page; `undefined` if it is for something else. */
export function servePage(request: Request): Response | undefined {
  if (request.method !== "GET" && request.method !== "HEAD") return undefined;
  const file = FILES.get(new URL(request.url).pathname);
  if (file === undefined) return undefined;
  return new Response(file.text, { headers: { ...HEADERS, "content-type": file.type } });
}
