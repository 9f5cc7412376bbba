import { Child } from "../../kit/child.ts";
import { bounded } from "../../kit/wait.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** The secret that the node signs with. */
export const SECRET = "a secret that the tests know as well";

/** What it reads from its environment, by the name of its server. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  fetch: ["AUTH_SECRET"],
  listen: ["AUTH_SECRET", "WS_NO_BUFFER_UTIL", "WS_NO_UTF_8_VALIDATE"],
};

/** The node of `examples/auth` as a process, with the permissions that its comment names. */
export class AuthNode implements AsyncDisposable {
  /** Where the board is. */
  readonly url: string;
  readonly #child: Child;

  private constructor(child: Child, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Starts it on a free port of one of the servers; its tokens are good for `lifetime` seconds. */
  static async start(server: string, lifetime = 60): Promise<AuthNode> {
    const file = await Deno.makeTempFile({ prefix: "auth_", suffix: ".env" });
    await Deno.writeTextFile(file, `AUTH_SECRET="${SECRET}"\n`);
    const child = Child.start(
      ...["run", "--no-prompt", "--allow-net", `--env-file=${file}`],
      `--allow-env=${VARIABLES[server]?.join(",")}`,
      ...[`${ROOT}examples/auth/node.ts`, "--port=0", `--lifetime=${lifetime}`],
      ...(server === "listen" ? ["--listen"] : []),
    );
    try {
      const [url = ""] = await child.until(/http:\S+(?=\n)/);
      return new AuthNode(child, url);
    } catch (error) {
      await child.end("SIGKILL");
      throw error;
    } finally {
      await Deno.remove(file);
    }
  }

  /** Signs somebody in; the status, and the token if there is one. */
  async login(body: unknown): Promise<readonly [status: number, token: string]> {
    const response = await bounded(fetch(new URL("/login", this.url), {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
    }));
    const text = await response.text();
    return [response.status, text === "" ? "" : JSON.parse(text).token];
  }

  /** Starts `client.ts` for somebody. */
  client(...args: string[]): Child {
    return Child.start(
      ...["run", "--no-prompt", "--allow-net", "--ignore-env", `${ROOT}examples/auth/client.ts`],
      ...[...args, `--url=${new URL(this.url).origin}`],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { code } = await this.#child.end("SIGINT");
    if (code !== 0) throw new Error(`The node ended with ${code}`);
  }
}
