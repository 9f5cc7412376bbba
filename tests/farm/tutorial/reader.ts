import rootConfiguration from "../../../deno.json" with { type: "json" };
import testConfiguration from "../../deno.json" with { type: "json" };
import { filesIn, ROOT } from "../../kit/graph.ts";
import { freePort } from "../../kit/servers/server_process.ts";
import type { Step, TerminalLine, TerminalStep } from "./markdown.ts";
import { Terminal } from "./terminal.ts";

/** Every port on the page; on this machine somebody else may have it. */
const PORTS = /\b(?:8000|8001|8002|8003|6379|4222)\b/g;

/** Does what the page says, in a folder of its own. */
export class Reader implements AsyncDisposable {
  readonly #terminals = new Map<string, Terminal>();
  readonly #ports = new Map<string, string>();
  readonly #home: string;
  #folder: string;

  private constructor(home: string) {
    this.#home = this.#folder = home;
  }

  /** A reader in an empty folder. */
  static async begin(): Promise<Reader> {
    return new Reader(await Deno.makeTempDir({ prefix: "hubplane-tutorial-" }));
  }

  /** Does one step; rejects if something else happens than the page says. */
  async follow(step: Step): Promise<void> {
    if (step.type === "terminal") return await this.#work(step);
    await Deno.writeTextFile(`${this.#folder}/${step.name}`, this.#onFreePorts(step.text));
    await this.#check(step.name);
  }

  /** Ends the program in a terminal as a deploy does; rejects if the program does not end in time. */
  async terminate(terminal: string): Promise<void> {
    await this.#terminals.get(terminal)?.interrupt("SIGTERM");
  }

  async #work({ terminal, lines }: TerminalStep): Promise<void> {
    const screen = this.#terminals.get(terminal) ?? new Terminal(terminal);
    this.#terminals.set(terminal, screen);
    for (const line of lines) {
      const text = this.#onFreePorts(line.text);
      switch (line.type) {
        case "run":
          await this.#run(screen, text);
          break;
        case "type":
          await screen.type(text);
          break;
        case "interrupt":
          await screen.interrupt();
          break;
        case "see":
          await screen.see({ ...line, text } satisfies TerminalLine);
      }
    }
  }

  async #run(screen: Terminal, command: string): Promise<void> {
    if (command.startsWith("deno add ")) return await this.#add(command.split(" ").slice(2));
    const folder = /^cd (\S+)$/.exec(command)?.[1];
    if (folder !== undefined) this.#folder += `/${folder}`;
    else if (command.startsWith("mkdir ")) await Deno.mkdir(`${this.#folder}/${command.slice(6)}`);
    else await screen.run(command, this.#folder);
  }

  /** As `deno add`, but with a copy of the library as it is here and the client that the tests pin. */
  async #add(packages: readonly string[]): Promise<void> {
    const library = `${this.#home}/library`;
    for (const file of ["mod.ts", ...await filesIn("backplanes"), ...await filesIn("hub")]) {
      await Deno.mkdir(`${library}/${file}`.replace(/[^/]*$/, ""), { recursive: true });
      await Deno.copyFile(new URL(file, ROOT), `${library}/${file}`);
    }
    const available: Record<string, string> = {
      [`jsr:${rootConfiguration.name}`]: `${library}/mod.ts`,
      "npm:@microsoft/signalr": testConfiguration.imports["@microsoft/signalr"],
    };
    const imports: Record<string, string> = { ...rootConfiguration.imports };
    for (const name of packages) {
      const specifier = available[name];
      if (specifier === undefined) throw new Error(`Cannot add ${name}: it is not known here`);
      imports[name.slice(4)] = specifier;
    }
    await Deno.writeTextFile(`${this.#folder}/deno.json`, JSON.stringify({ imports }));
  }

  /** Also loads what the file needs, so that no later step prints what it downloads. */
  async #check(file: string): Promise<void> {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", file],
      cwd: this.#folder,
    }).output();
    if (!success) throw new Error(`Cannot check ${file}: ${new TextDecoder().decode(stderr)}`);
  }

  #onFreePorts(text: string): string {
    return text.replace(PORTS, (port) => {
      let free = this.#ports.get(port);
      if (free === undefined) this.#ports.set(port, free = String(freePort()));
      return free;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const terminal of this.#terminals.values()) await terminal[Symbol.asyncDispose]();
    await Deno.remove(this.#home, { recursive: true });
  }
}
