import type { HubUser } from "../../mod.ts";
import { failure } from "./messages.ts";

/** A user of the tests. */
export interface Account extends HubUser {
  readonly admin: boolean;
}

export const ANN: Account = { id: "ann", admin: true };
export const BOB: Account = { id: "bob", admin: false };

/** Lets any admin. */
export const admin = ({ user }: { readonly user: Account | undefined }): boolean =>
  user?.admin === true;

/** What somebody is told who may not call a method. */
export function unauthorized(id: string, target: string) {
  return failure(id, `Failed to invoke '${target}' because user is unauthorized`);
}
