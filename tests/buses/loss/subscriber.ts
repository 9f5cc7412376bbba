/**
 * The subscribing process of a loss test: `subscriber.ts URL CHANNEL`. It writes what it hears as
 * lines of JSON ({@link SubscriberReport}) and obeys the lines of JSON it is sent
 * ({@link SubscriberOrder}) until its input ends.
 *
 * @module
 */
import { TextLineStream } from "../../kit/servers/text_lines.ts";
import type { BackplaneGap, BackplaneStatus } from "../../../backplanes/backplane.ts";
import { openDriver } from "./open_driver.ts";

/** What the process tells. */
export type SubscriberReport =
  | { readonly type: "ready" | "blocking" }
  | { readonly type: "received"; readonly sequence: number }
  | { readonly type: "status"; readonly status: BackplaneStatus; readonly gap?: BackplaneGap };

/** What the process is told: to leave its event loop unattended for so many milliseconds. */
export interface SubscriberOrder {
  readonly block: number;
}

if (import.meta.main) {
  const [url, channel] = Deno.args;
  if (url === undefined || channel === undefined) {
    throw new Error("Usage: subscriber.ts URL CHANNEL");
  }
  await subscribe(url, channel);
}

async function subscribe(url: string, channel: string): Promise<void> {
  await using backplane = await openDriver(url);
  using _listener = backplane.onStatus(({ status, gap }) =>
    report({ type: "status", status, ...gap && { gap } })
  );
  await backplane.subscribe(channel, (payload) => {
    const view = new DataView(payload.buffer, payload.byteOffset);
    report({ type: "received", sequence: view.getUint32(0) });
  }).confirmed;
  report({ type: "status", status: backplane.status });
  report({ type: "ready" });
  const lines = Deno.stdin.readable
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const { block } = JSON.parse(line) as SubscriberOrder;
    report({ type: "blocking" });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, block);
  }
}

function report(what: SubscriberReport): void {
  let rest = new TextEncoder().encode(`${JSON.stringify(what)}\n`);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}
