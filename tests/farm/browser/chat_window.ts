import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import type { TestBrowser } from "../../kit/browser.ts";

/** The connection states that the page shows. */
export type State = "connecting" | "connected" | "reconnecting" | "disconnected";

/** A window with the chat, used as a person does. */
export class ChatWindow {
  readonly page: Page;
  /** What went wrong in the page's scripts; a refusal by its security policy comes here as well. */
  readonly errors: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("console", (message) => {
      // The browser reports every attempt to connect that fails.
      if (message.type() === "error" && !message.text().includes("ERR_CONNECTION_REFUSED")) {
        this.errors.push(message.text());
      }
    });
  }

  /** Opens the chat of the node at `url` and takes a name; it is in the lobby then. */
  static async open(
    browser: TestBrowser,
    url: string,
    name: string,
    options: BrowserContextOptions = {},
  ): Promise<ChatWindow> {
    const window = new ChatWindow(await browser.open(url, options));
    const { page } = window;
    await window.is("connected");
    await page.getByLabel("Your name").fill(name);
    await page.getByRole("button", { name: "Change" }).click();
    await window.notice(`${name} (you) joined`).waitFor();
    return window;
  }

  /** Resolves once the page shows that state. */
  async is(state: State): Promise<void> {
    await this.page.locator(`#state[data-state=${state}]`).waitFor();
  }

  /** Joins a room and opens it; resolves once the node has let the person in. */
  async join(room: string): Promise<void> {
    await this.page.getByLabel("Join a room").fill(room);
    await this.page.getByRole("button", { name: "Join" }).click();
    await this.notice("(you) joined").first().waitFor();
  }

  /** Opens a room that the person is in. */
  async openRoom(room: string): Promise<void> {
    await this.roomItem(room).getByRole("button").first().click();
  }

  /** Leaves a room. */
  async leave(room: string): Promise<void> {
    await this.page.getByRole("button", { name: `Leave ${room}` }).click();
  }

  /** Writes a message in the open room and presses Enter. */
  async say(text: string): Promise<void> {
    const field = this.page.getByRole("textbox", { name: /^Message/ });
    await field.fill(text);
    await field.press("Enter");
  }

  /** The open room's message that consists of `text`. */
  message(text: string): Locator {
    return this.#log.locator(".message").filter({
      has: this.page.getByText(text, { exact: true }),
    });
  }

  /** Who has sent the message, and on which node, once it is there. */
  async sender(text: string): Promise<{ from: string | null; node: string | null }> {
    const message = this.message(text);
    return {
      from: await message.locator(".from").textContent(),
      node: await message.locator(".on").textContent(),
    };
  }

  /** The open room's notices with `text` in them. */
  notice(text: string): Locator {
    return this.#log.locator(".notice").filter({ hasText: text });
  }

  /** A room in the list. */
  roomItem(room: string): Locator {
    return this.page.getByRole("listitem").filter({
      has: this.page.getByText(room, { exact: true }),
    });
  }

  get #log(): Locator {
    return this.page.locator(".log:visible");
  }
}
