import type { HubContext } from "../definition/context.ts";
import { HubError } from "../definition/errors.ts";
import type { HubPolicy } from "../definition/policy.ts";
import type { StandardSchema } from "../definition/schema.ts";
import { failedToInvoke, toError, unauthorized, withDetail } from "../connection/error_texts.ts";
import type { LimitedLog } from "../scheduling/limited_log.ts";
import { allAllow } from "./authorization.ts";
import type { Call, CallContext } from "./call_context.ts";
import { chain, type NowOrLater } from "./now_or_later.ts";
import { logRefusal } from "./refusals.ts";
import { checkArguments } from "./schema_arguments.ts";

/** The function of a method; it is called without a `this`. */
export type MethodCall = (context: CallContext, ...args: unknown[]) => unknown;

/** The arguments that a method is called with, or the text that refuses the call. */
export type CheckedArguments = readonly unknown[] | string;

/**
 * Checks a call before its method runs: the schemas first, then the policies, in upstream's order
 * (`specs/signalr-wire.md §9.2`). Never throws or rejects.
 */
export type Guard = (context: CallContext, message: Call) => NowOrLater<CheckedArguments>;

/** The checks of one method. */
export interface GuardParts {
  /** The name of the hub. */
  readonly hub: string;
  /** The name of the method, as the hub spells it. */
  readonly method: string;
  /** A schema for each argument. */
  readonly schemas: readonly StandardSchema[];
  /** The policies of the server and of the hub. */
  readonly policies: readonly HubPolicy[];
  /** The policy of the method. */
  readonly authorize: ((...args: [HubContext<never, never>, ...unknown[]]) => unknown) | undefined;
  readonly detailedErrors: boolean;
  readonly limitedLog: LimitedLog;
}

/** Makes the guard of a method; `undefined` if the method has neither schemas nor policies. */
export function guardFor(parts: GuardParts): Guard | undefined {
  const { schemas, policies, authorize } = parts;
  const restricted = policies.length > 0 || authorize !== undefined;
  const allowed = (context: CallContext, message: Call, args: readonly unknown[]) =>
    chain(isAllowed(parts, context, args), (yes) => {
      if (yes) return args;
      const text = unauthorized(message.target);
      logRefusal(parts.limitedLog, "debug", context.connectionId, parts.method, text);
      return text;
    });
  if (schemas.length === 0) {
    if (!restricted) return undefined;
    return (context, message) => allowed(context, message, message.arguments);
  }
  return (context, message) =>
    chain(
      checked(parts, context, message),
      (args) => restricted && typeof args !== "string" ? allowed(context, message, args) : args,
    );
}

function checked(
  { schemas, method, limitedLog, detailedErrors }: GuardParts,
  { connectionId }: CallContext,
  message: Call,
): NowOrLater<CheckedArguments> {
  const refused = (thrown: unknown): string => {
    const error = toError(thrown);
    const text = withDetail(failedToInvoke(message.target), error, detailedErrors);
    if (error instanceof HubError) logRefusal(limitedLog, "info", connectionId, method, text);
    else limitedLog.failure(`A schema of hub method "${method}" failed:`, error);
    return text;
  };
  try {
    const args = checkArguments(schemas, message.arguments);
    return args instanceof Promise ? args.catch(refused) : args;
  } catch (error) {
    return refused(error);
  }
}

function isAllowed(
  { hub, method, policies, authorize, limitedLog }: GuardParts,
  context: CallContext,
  args: readonly unknown[],
): NowOrLater<boolean> {
  const report = (error: unknown) => {
    limitedLog.failure(`authorize of hub method "${method}" failed:`, error);
  };
  const byMethod = () =>
    authorize === undefined ||
    allAllow([authorize], (policy) => policy(context, ...args), report);
  if (policies.length === 0) return byMethod();
  const access = context.invocation(hub, method, args);
  return chain(
    allAllow(policies, (policy) => policy(access, method), report),
    (yes) => yes && byMethod(),
  );
}
