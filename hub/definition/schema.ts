/**
 * The interface of [Standard Schema](https://standardschema.dev), which Zod, Valibot, ArkType and others
 * implement. It is declared here, as its specification suggests, so that users need not install it; a
 * test compares the declarations with the original.
 *
 * @module
 */

/** A schema: turns an `Input` into an `Output`, or reports the issues of the input. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The properties that the standard defines. */
  readonly "~standard": SchemaProperties<Input, Output>;
}

/** The properties that the standard defines. */
export interface SchemaProperties<Input, Output> {
  /** The version of the standard. */
  readonly version: 1;
  /** The name of the library. */
  readonly vendor: string;
  /** Checks a value. */
  readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  /** Types only; absent at run time. */
  readonly types?: SchemaTypes<Input, Output> | undefined;
}

/** The types of a schema. */
export interface SchemaTypes<Input, Output> {
  /** The type of the input. */
  readonly input: Input;
  /** The type of the output. */
  readonly output: Output;
}

/** The result of a check. */
export type SchemaResult<Output> = SchemaSuccess<Output> | SchemaFailure;

/** The result for a valid value. */
export interface SchemaSuccess<Output> {
  /** The output of the schema. */
  readonly value: Output;
  /** Absent. */
  readonly issues?: undefined;
}

/** The result for an invalid value. */
export interface SchemaFailure {
  /** The issues of the value. */
  readonly issues: readonly SchemaIssue[];
}

/** One issue of a value. */
export interface SchemaIssue {
  /** The text of the issue. */
  readonly message: string;
  /** The path to the invalid part; absent for the whole value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The input type of a schema. */
export type SchemaInput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["input"];

/** The output type of a schema. */
export type SchemaOutput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["output"];
