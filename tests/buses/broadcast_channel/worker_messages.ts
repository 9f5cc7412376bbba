/** What a test and its worker say to each other. */
import type { BackplaneStatusEvent } from "../../../backplanes/backplane.ts";
import type { BroadcastChannelBackplaneOptions } from "../../../backplanes/broadcast_channel.ts";

/** One thing that the worker is to do; it answers each with its `id`. */
export type Order =
  & { readonly id: number; readonly node: number }
  & (
    | {
      readonly type: "open";
      readonly name: string;
      readonly options: Omit<BroadcastChannelBackplaneOptions, "logger">;
    }
    | { readonly type: "publish"; readonly channel: string; readonly payload: Uint8Array }
    | { readonly type: "subscribe"; readonly channel: string }
    /** `of` is the id of the order to subscribe. */
    | { readonly type: "unsubscribe"; readonly of: number }
    /** Leaves the event loop unattended for so many milliseconds. */
    | { readonly type: "block"; readonly milliseconds: number }
    | { readonly type: "close" }
  );

/** What the worker says. */
export type Answer =
  | { readonly type: "done"; readonly id: number }
  | { readonly type: "failed"; readonly id: number; readonly name: string; readonly text: string }
  /** `of` is the id of the order to subscribe. */
  | { readonly type: "heard"; readonly of: number; readonly payload: Uint8Array }
  | { readonly type: "status"; readonly node: number; readonly event: BackplaneStatusEvent };
