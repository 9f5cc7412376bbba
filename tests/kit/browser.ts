import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { BROWSERS } from "../runner/programs.ts";

/** The longest that a browser may take for a step, in milliseconds. */
const PATIENCE = 20_000;

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A headless Chromium, closed with the test. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Starts it. */
  static async start(): Promise<TestBrowser> {
    const executablePath = await findChromium();
    return new TestBrowser(
      await chromium.launch({ executablePath, args: ARGUMENTS, timeout: PATIENCE }),
    );
  }

  /** Opens `url` in a window that shares nothing with the others. */
  async open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext(options);
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

async function findChromium(): Promise<string> {
  const directories = (Deno.env.get("PATH") ?? "").split(":");
  for (const name of BROWSERS) {
    for (const directory of directories) {
      const path = `${directory}/${name}`;
      if ((await Deno.stat(path).catch(() => undefined))?.isFile) return path;
    }
  }
  throw new Error(`Cannot find a browser: none of ${BROWSERS.join(", ")} is on the PATH`);
}
