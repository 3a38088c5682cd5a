// Reads the path of an AsyncAPI document from each line of stdin, and writes a line of JSON with what the parser says.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

for (const path of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  // A parser of its own: one that is used again refuses recursive files that it has read before.
  const { document, diagnostics } = await new Parser().parse(readFileSync(path, "utf8"), { source: path });
  const errors = diagnostics.filter((each) => each.severity === 0);
  const messages = document ? document.allMessages().all() : [];
  console.log(
    JSON.stringify({
      path,
      errors: errors.map((each) => `${each.path.join("/")}: ${each.code}: ${each.message}`),
      messages: messages.map((each) => each.name()),
    }),
  );
}
