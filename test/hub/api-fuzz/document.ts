import type { Schema } from "./sample";

/** As much of an OpenAPI document as a request is made from. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
}

interface OperationObject {
  readonly operationId?: string;
  readonly parameters?: readonly {
    readonly in: string;
    readonly name: string;
    readonly required?: boolean;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

export interface ApiOperation {
  readonly name: string;
  readonly method: string;
  /** `{name}` stands for a parameter. */
  readonly path: string;
  readonly params: Readonly<Record<string, Schema>>;
  readonly query: Readonly<Record<string, Schema>>;
  readonly body?: Schema;
}

export function operationsOf({ paths }: ApiDocument): readonly ApiOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters = [], requestBody }]) => {
      const of = (place: string): Record<string, Schema> =>
        Object.fromEntries(parameters.filter((each) => each.in === place).map(({ name, schema }) => [name, schema]));
      const body = requestBody?.content["application/json"]?.schema;
      return {
        ...{ name: operationId ?? "", method: method.toUpperCase(), path, params: of("path"), query: of("query") },
        ...(body === undefined ? {} : { body }),
      };
    }),
  );
}
