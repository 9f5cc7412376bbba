/**
 * Stands in for `jsr:@std/assert` where JSR cannot be reached: the same functions, from npm's
 * copy of the Deno standard library, with the types the tests need.
 *
 * @module
 */
// deno-lint-ignore-file no-explicit-any -- the real package's signatures use `any` here
import * as strict from "npm:deno-std@1.4.0/assert/strict_equals.js";
import * as truthy from "npm:deno-std@1.4.0/assert/assert.js";
import * as equals from "npm:deno-std@1.4.0/assert/equals.js";
import * as notEquals from "npm:deno-std@1.4.0/assert/not_equals.js";
import * as rejects from "npm:deno-std@1.4.0/assert/rejects.js";
import * as throws from "npm:deno-std@1.4.0/assert/throws.js";
import * as match from "npm:deno-std@1.4.0/assert/match.js";
import * as includes from "npm:deno-std@1.4.0/assert/string_includes.js";
import * as arrayIncludes from "npm:deno-std@1.4.0/assert/array_includes.js";
import * as objectMatch from "npm:deno-std@1.4.0/assert/object_match.js";
import * as greater from "npm:deno-std@1.4.0/assert/greater.js";
import * as greaterOrEqual from "npm:deno-std@1.4.0/assert/greater_or_equal.js";
import * as less from "npm:deno-std@1.4.0/assert/less.js";
import * as lessOrEqual from "npm:deno-std@1.4.0/assert/less_or_equal.js";
import * as instanceOf from "npm:deno-std@1.4.0/assert/instance_of.js";
import * as exists from "npm:deno-std@1.4.0/assert/exists.js";
import * as failing from "npm:deno-std@1.4.0/assert/fail.js";
import * as error from "npm:deno-std@1.4.0/assert/assertion_error.js";

type ErrorClass<E> = abstract new (...args: any[]) => E;

export const assert: (expr: unknown, msg?: string) => asserts expr = truthy.assert;
export const assertEquals: <T>(actual: T, expected: T, msg?: string) => void = equals.assertEquals;
export const assertNotEquals: <T>(
  actual: T,
  expected: T,
  msg?: string,
) => void = notEquals.assertNotEquals;
export const assertStrictEquals: <T>(
  actual: unknown,
  expected: T,
  msg?: string,
) => asserts actual is T = strict.assertStrictEquals;
export const assertRejects: {
  (fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  <E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    errorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
} = rejects.assertRejects as any;
export const assertThrows: {
  (fn: () => unknown, msg?: string): unknown;
  <E extends Error = Error>(
    fn: () => unknown,
    errorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
} = throws.assertThrows as any;
export const assertMatch: (
  actual: string,
  expected: RegExp,
  msg?: string,
) => void = match.assertMatch;
export const assertStringIncludes: (
  actual: string,
  expected: string,
  msg?: string,
) => void = includes.assertStringIncludes;
export const assertArrayIncludes: <T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
) => void = arrayIncludes.assertArrayIncludes;
export const assertObjectMatch: (
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
) => void = objectMatch.assertObjectMatch;
export const assertGreater: <T>(actual: T, expected: T, msg?: string) => void =
  greater.assertGreater;
export const assertGreaterOrEqual: <T>(
  actual: T,
  expected: T,
  msg?: string,
) => void = greaterOrEqual.assertGreaterOrEqual;
export const assertLess: <T>(actual: T, expected: T, msg?: string) => void = less.assertLess;
export const assertLessOrEqual: <T>(
  actual: T,
  expected: T,
  msg?: string,
) => void = lessOrEqual.assertLessOrEqual;
export const assertInstanceOf: <T extends abstract new (...args: any[]) => any>(
  actual: unknown,
  expectedType: T,
  msg?: string,
) => asserts actual is InstanceType<T> = instanceOf.assertInstanceOf;
export const assertExists: <T>(
  actual: T,
  msg?: string,
) => asserts actual is NonNullable<T> = exists.assertExists;
export const fail: (msg?: string) => never = failing.fail;
export const AssertionError: new (
  message: string,
  options?: ErrorOptions,
) => Error = error.AssertionError;
