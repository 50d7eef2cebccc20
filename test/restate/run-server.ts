/**
 * A Restate server for trials on this machine: `npm run restate`. Loopback only, at the ports that its guides name, in
 * a folder of its own, `runs/restate`, which may be removed when it does not run.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { serverArguments, serverEnvironment, serverProgram } from './program.ts';

const program = serverProgram();
if (!program) {
  process.stderr.write('The Restate server is not installed. Run: npm run restate:install\n');
  process.exit(2);
}
const folder = join(import.meta.dirname, '../../runs/restate');
mkdirSync(folder, { recursive: true });
const server = spawn(program, serverArguments(folder), {
  stdio: 'inherit',
  env: { ...serverEnvironment({ ingress: 8080, admin: 9070, fabric: 5122 }), RUST_LOG: 'warn' },
});
process.stdout.write('Ingress http://127.0.0.1:8080, admin http://127.0.0.1:9070; ^C ends it.\n');
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.kill(signal));
server.on('exit', (code) => process.exit(code ?? 0));
