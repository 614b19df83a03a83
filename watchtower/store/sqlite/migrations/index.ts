import { tower } from "./0001-tower";

/** A step from one schema to the next; never changed once it was released. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** In order. */
export const MIGRATIONS: readonly Migration[] = [tower];
