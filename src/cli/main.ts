#!/usr/bin/env node
/** The entry of the `espalier` command. It imports nothing that an older Node could not load, so that it can say so. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`espalier: Node ${process.versions.node} is too old. Use Node 22.18 or newer.`);
  process.exitCode = 2;
} else {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(); // the next start need not compile again; where nothing can be written, nothing happens
  const { main } = await import('./command.ts');
  await main();
}
