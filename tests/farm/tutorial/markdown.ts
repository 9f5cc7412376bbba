/**
 * Reads the tutorial as a list of steps.
 *
 * @module
 */

/** A file that the reader writes: a block of code below a line that is its name in bold. */
export interface FileStep {
  readonly type: "file";
  readonly name: string;
  readonly text: string;
}

/** What the reader does and sees in one terminal: a block `console` that begins with `# terminal N`. */
export interface TerminalStep {
  readonly type: "terminal";
  readonly terminal: string;
  readonly lines: readonly TerminalLine[];
}

/** One line of a {@link TerminalStep}. */
export interface TerminalLine {
  /** `run` a command (`$ …`), `type` into what runs (`> …`), `interrupt` it (`^C`), or `see` a line. */
  readonly type: "run" | "type" | "interrupt" | "see";
  readonly text: string;
  /** Where it stands in the page. */
  readonly at: number;
}

/** One thing that the reader does. */
export type Step = FileStep | TerminalStep;

const FENCE = /^```(\w*)/;
const FILE_NAME = /^\*\*`([^`]+)`\*\*$/;
const TERMINAL = /^# (terminal \d+)$/;

/**
 * Reads a page.
 *
 * @throws {SyntaxError} if a block of it is neither a file nor a terminal.
 */
export function readSteps(markdown: string): Step[] {
  const lines = markdown.split("\n");
  const steps: Step[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    const language = FENCE.exec(line)?.[1];
    if (language === undefined) continue;
    const name = FILE_NAME.exec(lines[index - 2] ?? "")?.[1];
    const end = lines.indexOf("```", index + 1);
    if (end === -1) throw new SyntaxError(`Cannot read line ${index + 1}: the block has no end`);
    const block = lines.slice(index + 1, end);
    if (language === "console") steps.push(readTerminal(block, index + 2));
    else if (name !== undefined) {
      steps.push({ type: "file", name, text: block.join("\n") + "\n" });
    } else throw new SyntaxError(`Cannot read line ${index + 1}: the block has no file name`);
    index = end;
  }
  return steps;
}

function readTerminal(block: readonly string[], at: number): TerminalStep {
  const terminal = TERMINAL.exec(block[0] ?? "")?.[1];
  if (terminal === undefined) throw new SyntaxError(`Cannot read line ${at}: no "# terminal N"`);
  return {
    type: "terminal",
    terminal,
    lines: block.slice(1).map((line, index) => readLine(line, at + 1 + index)),
  };
}

function readLine(line: string, at: number): TerminalLine {
  if (line.startsWith("$ ")) return { type: "run", text: line.slice(2), at };
  if (line.startsWith("> ")) return { type: "type", text: line.slice(2), at };
  if (line === "^C") return { type: "interrupt", text: "", at };
  return { type: "see", text: line, at };
}

/** Whether a program's line is what the page shows; `…` stands for anything. */
export function isShownAs(line: string, shown: string): boolean {
  const parts = shown.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(line);
}
