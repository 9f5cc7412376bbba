import type { HubPolicy } from "../definition/policy.ts";
import type { CallContext, HubContext } from "../definition/context.ts";
import { failedToInvoke, toError, unauthorized, withDetail } from "../connection/error_texts.ts";
import { HubError } from "../definition/errors.ts";
import type { StandardSchema } from "../definition/schema.ts";
import type { Call } from "./active_call.ts";
import { allAllow } from "./authorization.ts";
import { type NowOrLater, then } from "./now_or_later.ts";
import { checkArguments } from "./schema_arguments.ts";

/** What a call goes on with: the arguments for its method, or why it is refused. */
export type Passage = readonly unknown[] | string;

/**
 * What stands before a method: first its schemas, then the policies, in upstream's order
 * (`specs/signalr-wire.md §9.2`). Never throws or rejects.
 */
export type Gate = (context: CallContext, message: Call) => NowOrLater<Passage>;

/** What a gate is made of. */
export interface GateParts {
  /** The hub's name. */
  readonly hub: string;
  /** The method's name, as the hub has it. */
  readonly method: string;
  /** A schema for each argument. */
  readonly schemas: readonly StandardSchema[];
  /** The policies of the server and of the hub. */
  readonly policies: readonly HubPolicy[];
  /** The policy of the method. */
  readonly authorize: ((...args: [HubContext<never, never>, ...unknown[]]) => unknown) | undefined;
  readonly detailedErrors: boolean;
  readonly logger: Pick<Console, "error">;
}

/** The gate of a method; `undefined` where nothing is to be looked at. */
export function gateOf(parts: GateParts): Gate | undefined {
  const { schemas, policies, authorize } = parts;
  const guarded = policies.length > 0 || authorize !== undefined;
  const allowed = (context: CallContext, message: Call, args: readonly unknown[]) =>
    then(
      isAllowed(parts, context, args),
      (yes) => yes ? args : unauthorized(message.target),
    );
  if (schemas.length === 0) {
    return guarded ? (context, message) => allowed(context, message, message.arguments) : undefined;
  }
  return (context, message) =>
    then(
      checked(parts, message),
      (args) => guarded && typeof args !== "string" ? allowed(context, message, args) : args,
    );
}

function checked(parts: GateParts, message: Call): NowOrLater<Passage> {
  const refused = (thrown: unknown): string => {
    const error = toError(thrown);
    if (!(error instanceof HubError)) {
      parts.logger.error(`A schema of hub method "${parts.method}" failed:`, error);
    }
    return withDetail(failedToInvoke(message.target), error, parts.detailedErrors);
  };
  try {
    const args = checkArguments(parts.schemas, message.arguments);
    return args instanceof Promise ? args.catch(refused) : args;
  } catch (error) {
    return refused(error);
  }
}

function isAllowed(
  { hub, method, policies, authorize, logger }: GateParts,
  context: CallContext,
  args: readonly unknown[],
): NowOrLater<boolean> {
  const report = (error: unknown) => {
    logger.error(`authorize of hub method "${method}" failed:`, error);
  };
  const own = () =>
    authorize === undefined ||
    allAllow([authorize], (policy) => policy(context, ...args), report);
  if (policies.length === 0) return own();
  const access = context.invocation(hub, method, args);
  return then(
    allAllow(policies, (policy) => policy(access, method), report),
    (yes) => yes && own(),
  );
}
