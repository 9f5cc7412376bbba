import signalr from "@microsoft/signalr/dist/browser/signalr.min.js" with { type: "text" };

/** A page without anything but the official client, on an origin of its own. */
export class ScriptSite implements AsyncDisposable {
  readonly #http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    const script = url.endsWith("/signalr.js");
    const type = script ? "text/javascript" : "text/html";
    const text = script ? signalr : "<!doctype html><script src=/signalr.js></script>";
    return new Response(text, { headers: { "content-type": type } });
  });

  get origin(): string {
    return `http://127.0.0.1:${this.#http.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.shutdown();
  }
}
