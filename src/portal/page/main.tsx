/** The page begins: takes the token out of the address, and shows what it opens. */
import { render } from "preact";
import { App } from "./app.tsx";
import { takeTokenFromAddress } from "./session.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/shell.css";

takeTokenFromAddress();
addEventListener("hashchange", takeTokenFromAddress);
const root = document.getElementById("app");
if (root === null) throw new Error("the page has no place for the portal");
render(<App />, root);
