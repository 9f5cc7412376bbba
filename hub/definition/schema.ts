/**
 * What a schema is: the interface of [Standard Schema](https://standardschema.dev), which Zod, Valibot,
 * ArkType and others implement. It is declared here, as that specification suggests, so that nothing
 * has to be installed; a test compares it with the original.
 *
 * @module
 */

/** A schema: takes `Input` and makes `Output` of it, or says what is wrong. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the standard defines. */
  readonly "~standard": SchemaProperties<Input, Output>;
}

/** What the standard defines of a schema. */
export interface SchemaProperties<Input, Output> {
  /** The version of the standard. */
  readonly version: 1;
  /** The name of the library. */
  readonly vendor: string;
  /** Checks a value. */
  readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  /** For types alone; nothing is there at run time. */
  readonly types?: SchemaTypes<Input, Output> | undefined;
}

/** The types of a schema. */
export interface SchemaTypes<Input, Output> {
  /** What it takes. */
  readonly input: Input;
  /** What it gives. */
  readonly output: Output;
}

/** What came of a check. */
export type SchemaResult<Output> = SchemaSuccess<Output> | SchemaFailure;

/** The value is right. */
export interface SchemaSuccess<Output> {
  /** What the schema makes of it. */
  readonly value: Output;
  /** There are none. */
  readonly issues?: undefined;
}

/** The value is wrong. */
export interface SchemaFailure {
  /** What is wrong with it. */
  readonly issues: readonly SchemaIssue[];
}

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where in the value; absent for the whole. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema takes. */
export type SchemaInput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["input"];

/** What a schema gives. */
export type SchemaOutput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["output"];
