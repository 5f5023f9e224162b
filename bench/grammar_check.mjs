// What Harper (npm package harper.js, WebAssembly, nothing leaves the machine) says of texts. grammar.py drives it.
//
//     node bench/grammar_check.mjs FOLDER <texts.jsonl >lints.jsonl        FOLDER: where harper.js was installed
//
// Reads {"id", "text"} a line and writes a line for each lint: id, rule, kind, message, text (the span), context (the
// span with its surroundings, the span in angle quotes) and suggestion. A spelling that American or British English
// knows is right, and so is every word that the environment variable KNOWN_WORDS holds, parted by commas.

import { createInterface } from "node:readline";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const CONTEXT_CHARS = 60;

const load = (name) => import(pathToFileURL(join(resolve(process.argv[2]), "node_modules/harper.js/dist", name)));
const { Dialect, LocalLinter } = await load("index.js");
const { binary } = await load("binary.js");

async function makeLinter(dialect) {
  const linter = new LocalLinter({ binary, dialect });
  await linter.setup();
  const known = (process.env.KNOWN_WORDS ?? "").split(",").filter((word) => word);
  if (known.length) await linter.importWords(known);
  return linter;
}

async function lint(linter, text) {
  const chars = Array.from(text); // spans count characters, not UTF-16 units
  const cut = (start, end) => chars.slice(Math.max(start, 0), end).join("");
  const found = [];
  for (const [rule, lints] of Object.entries(await linter.organizedLints(text, { language: "plaintext" }))) {
    for (const one of lints) {
      const { start, end } = one.span();
      const [suggestion] = one.suggestions();
      found.push({
        rule,
        kind: one.lint_kind(),
        message: one.message(),
        start,
        text: cut(start, end),
        context: `${cut(start - CONTEXT_CHARS, start)}«${cut(start, end)}»${cut(end, end + CONTEXT_CHARS)}`,
        suggestion: suggestion ? suggestion.get_replacement_text() : null,
      });
    }
  }
  return found;
}

const american = await makeLinter(Dialect.American);
const british = await makeLinter(Dialect.British);
const key = ({ kind, start }) => `${kind} ${start}`;

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const { id, text } = JSON.parse(line);
  let found = await lint(american, text);
  if (found.some(({ kind }) => kind === "Spelling")) {
    const there = new Set((await lint(british, text)).map(key));
    found = found.filter((one) => one.kind !== "Spelling" || there.has(key(one)));
  }
  for (const one of found) process.stdout.write(`${JSON.stringify({ id, ...one })}\n`);
}
