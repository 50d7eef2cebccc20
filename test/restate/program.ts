/** The server's program, and how it is told to keep to this machine. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = `@restatedev/restate-server-${process.platform}-${process.arch}`;

/** Its path, when `npm run restate:install` has been here. */
export function serverProgram(): string | undefined {
  const program = join(import.meta.dirname, 'node_modules', PACKAGE, 'bin', 'restate-server');
  return existsSync(program) ? program : undefined;
}

/** Says aloud when the tests that need it are skipped. */
export function isInstalled(): boolean {
  if (serverProgram()) return true;
  console.warn('SKIPPED: the tests against a Restate server, which is not installed. Run: npm run restate:install');
  return false;
}

export const LOOPBACK = '127.0.0.1';
export const serverArguments = (folder: string): string[] => [
  '--no-logo',
  '--base-dir',
  folder,
  '--node-name',
  'espalier',
  '--listen-mode',
  'tcp',
];
/** On loopback alone, telling nobody. */
export const serverEnvironment = (ports: { ingress: number; admin: number; fabric: number }): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  RESTATE_BIND_ADDRESS: `${LOOPBACK}:${ports.fabric}`,
  RESTATE_ADVERTISED_ADDRESS: `http://${LOOPBACK}:${ports.fabric}/`,
  RESTATE_ADMIN__BIND_ADDRESS: `${LOOPBACK}:${ports.admin}`,
  RESTATE_INGRESS__BIND_ADDRESS: `${LOOPBACK}:${ports.ingress}`,
  RESTATE_ADMIN__DISABLE_WEB_UI: 'true',
  RESTATE_DISABLE_TELEMETRY: 'true',
  DO_NOT_TRACK: '1',
  RESTATE_DEFAULT_NUM_PARTITIONS: '2',
  RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE: '64 MB',
  RESTATE_SHUTDOWN_TIMEOUT: '2s',
});
