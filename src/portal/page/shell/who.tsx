/** Whose key the page has. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Schemas } from "../api.ts";

export type Who = Schemas["CurrentKey"];

const context = createContext<Who | undefined>(undefined);

export const WhoProvider = context.Provider;

export function useWho(): Who {
  const who = useContext(context);
  if (who === undefined) throw new Error("nobody is signed in");
  return who;
}
