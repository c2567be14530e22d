/** One value of the address's query: a filter that a reload, and whoever is given the link, keeps. */
import { useLocation, useSearch } from "wouter-preact";

/** The value and how to set it; the default one stands in no address. */
export function useSearchValue(name: string, fallback: string): [string, (value: string) => void] {
  const [location, navigate] = useLocation();
  const search = useSearch();
  const set = (value: string) => {
    const next = new URLSearchParams(search);
    if (value === "" || value === fallback) next.delete(name);
    else next.set(name, value);
    const text = next.toString();
    navigate(text === "" ? location : `${location}?${text}`, { replace: true });
  };
  return [new URLSearchParams(search).get(name) ?? fallback, set];
}
