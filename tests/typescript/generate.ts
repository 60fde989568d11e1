// Writes the types of every tool's input and output, from contract.json and nothing else: one file for each
// schema, since each stands alone, and contract.ts, which has them by the name of the tool.
//
//   node generate.ts CONTRACT_JSON DIRECTORY

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { compile, type JSONSchema } from "json-schema-to-typescript";

type Tool = { name: string; inputSchema: JSONSchema; outputSchema: JSONSchema };

const [source, directory] = process.argv.slice(2);
if (!source || !directory) throw new Error("usage: node generate.ts CONTRACT_JSON DIRECTORY");

const contract: { tools: Tool[] } = JSON.parse(readFileSync(source, "utf8"));
mkdirSync(directory, { recursive: true });

async function write(file: string, type: "Input" | "Output", schema: JSONSchema): Promise<void> {
  const text = await compile(schema, type, { bannerComment: "", format: false });
  writeFileSync(join(directory as string, file), text);
}

const entries: string[] = [];
for (const tool of contract.tools) {
  await write(`${tool.name}.input.ts`, "Input", tool.inputSchema);
  await write(`${tool.name}.output.ts`, "Output", tool.outputSchema);
  const input = `import("./${tool.name}.input.ts").Input`;
  const output = `import("./${tool.name}.output.ts").Output`;
  entries.push(`  ${tool.name}: { input: ${input}; output: ${output} };\n`);
}
writeFileSync(join(directory, "contract.ts"), `export interface Tools {\n${entries.join("")}}\n`);
