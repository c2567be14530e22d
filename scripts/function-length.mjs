/**
 * An oxlint rule: a function has at most 70 lines of code of its own. Blank lines, comments and
 * the lines of functions inside it do not count, because a factory that returns closures is a
 * scope and not one long procedure; each of its closures is held to the limit itself. (ESLint's
 * max-lines-per-function adds the inner functions up and would forbid factories instead of
 * length.) JavaScript, because an editor runs oxlint on whatever Node it has.
 */

/** Just over a screen; longer ones do several things. */
const maxLines = 70;

const functionLength = {
  create(context) {
    const code = new Set();
    /** Lines of inner functions, for each function that is still open. */
    const open = [];

    return {
      Program() {
        collectCodeLines(context.sourceCode, code);
      },
      FunctionDeclaration: enter,
      FunctionExpression: enter,
      ArrowFunctionExpression: enter,
      "FunctionDeclaration:exit": leave,
      "FunctionExpression:exit": leave,
      "ArrowFunctionExpression:exit": leave,
    };

    function enter() {
      open.push(new Set());
    }

    function leave(node) {
      const inner = open.pop();
      const outer = open.at(-1);
      let own = 0;
      for (let line = node.loc.start.line; line <= node.loc.end.line; line += 1) {
        if (code.has(line) && !inner.has(line)) own += 1;
        // The first line belongs to the outer function too: `app.get("/", (context) => {`.
        if (line > node.loc.start.line) outer?.add(line);
      }
      if (own > maxLines) {
        const message = `Function has ${own} lines of its own, at most ${maxLines}.`;
        context.report({ node, message });
      }
    }
  },
};

/** A line is code unless it is blank or a comment covers it from its first character on. */
function collectCodeLines(sourceCode, code) {
  sourceCode.lines.forEach((text, index) => {
    if (text.trim() !== "") code.add(index + 1);
  });
  for (const { loc } of sourceCode.getAllComments()) {
    const before = sourceCode.lines[loc.start.line - 1].trimStart();
    if (!before.startsWith("/*") && !before.startsWith("//")) continue;
    for (let line = loc.start.line; line <= loc.end.line; line += 1) code.delete(line);
  }
}

export default {
  meta: { name: "tidegate" },
  rules: { "function-length": functionLength },
};
