import { Type, type TSchema } from "typebox";

/** Objects are closed: an unknown field may be one that its sender believes to be honoured. */
export function closed<Properties extends Record<string, TSchema>>(
  properties: Properties,
  description?: string,
): ReturnType<typeof Type.Object<Properties>> {
  return Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  });
}
