/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/** A node in a thread of its own, so that a test can end it: posts its URL once it is ready. */
import { HOSTS } from "../../kit/servers/hosts.ts";
import { startNode } from "./asking.ts";
import { openBus } from "./open_bus.ts";

self.onmessage = async ({ data: bus }: MessageEvent<string>) => {
  const host = HOSTS["fetch"];
  if (host === undefined) throw new Error("Cannot find host: fetch");
  const node = await startNode(await openBus(bus), host);
  self.postMessage(node.url("/hub"));
};
