/**
 * Somebody at the board: `client.ts <name> <password> [--url http://127.0.0.1:8010] [--clear]`. Writes a
 * note, shows what others write, and clears the board first if told to, which admins may. It stays until
 * Ctrl-C, with a new token whenever the old one expires.
 *
 * @module
 */
import type { HubProxy } from "@hubplane/hubplane/client";
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { parseArgs } from "node:util";
import type { board } from "./board.ts";

const { values: { url, clear }, positionals: [name = "", password = ""] } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string", default: "http://127.0.0.1:8010" },
    clear: { type: "boolean", default: false },
  },
});

/** A new token. */
async function signIn(): Promise<string> {
  const body = JSON.stringify({ name, password });
  const response = await fetch(`${url}/login`, { method: "POST", body });
  if (!response.ok) throw new Error(`Cannot sign in as ${name}: ${response.status}`);
  const { token } = await response.json();
  return token;
}

/** Writes a line to the standard output. */
function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const connection = new HubConnectionBuilder()
  // Asked for a token whenever it connects, so a reconnect has a new one.
  .withUrl(`${url}/board`, { accessTokenFactory: signIn })
  .withAutomaticReconnect()
  .configureLogging(LogLevel.None)
  .build();
// From here on the compiler knows the methods of the hub, at no cost at run time.
const hub: HubProxy<typeof board> = connection;
hub.on("noted", (from, text) => say(`${from}: ${text}`));
hub.on("cleared", (by) => say(`cleared by ${by}`));
connection.onreconnected(() => say("reconnected"));

await connection.start();
if (clear) await hub.invoke("clear").catch((error: Error) => say(error.message));
await hub.invoke("write", `${name} was here`);
say(`${(await hub.invoke("read")).length} notes`);

/** What happens to this client if the hub's `clear` and `write` are renamed, or take something else. */
function _renamed(): void {
  // @ts-expect-error: the hub has no method of that name
  hub.invoke("wipe");
  // @ts-expect-error: its argument is a text
  hub.invoke("write", 1);
  // @ts-expect-error: the hub tells its clients no such thing
  hub.on("erased", () => {});
}
