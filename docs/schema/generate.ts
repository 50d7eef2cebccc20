/** Writes the JSON Schemas of what Espalier writes down: `npm run schema`. With `--check` it only compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import * as protocol from 'espalier';

const schemas = { receipt: protocol.Receipt, report: protocol.Report, 'run-event': protocol.RunEvent };

/** Parts that stand under their own name in `$defs`. */
const named = {
  Assessment: protocol.Assessment,
  Conflict: protocol.Conflict,
  Decision: protocol.Decision,
  FailureToken: protocol.FailureToken,
  Finding: protocol.Finding,
  Gap: protocol.Gap,
  Grant: protocol.Grant,
  Relation: protocol.Relation,
  Report: protocol.Report,
  Retention: protocol.Retention,
  Usage: protocol.Usage,
};
const names = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries(named)) names.add(schema, { id });

function schemaText(name: keyof typeof schemas): string {
  const schema = z.toJSONSchema(schemas[name], { metadata: names, reused: 'inline' });
  return `${JSON.stringify({ title: `Espalier ${name}, version ${protocol.SCHEMA_VERSION}`, ...schema }, null, 2)}\n`;
}

const isCheck = process.argv.includes('--check');
for (const name of Object.keys(schemas) as (keyof typeof schemas)[]) {
  const file = new URL(`${name}.schema.json`, import.meta.url);
  const text = schemaText(name);
  if (!isCheck) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`docs/schema/${name}.schema.json is out of date. Run npm run schema.`);
    process.exitCode = 1;
  }
}
