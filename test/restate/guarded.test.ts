/** Who may call a worker, and a server behind TLS. Worker and caller are processes, as users have them. */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server as TlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../src/protocol/report.ts';
import { runEspalier, startEspalier, TINY, workspace, type Started } from '../cli/command.ts';
import { selfSigned } from '../support/self-signed.ts';
import { isInstalled, LOOPBACK } from './program.ts';
import { startServer, type Server } from './server.ts';

/** As a server spells a public key: its 32 bytes by the letters of Bitcoin's addresses. */
function identityOf(key: Uint8Array): string {
  const LETTERS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let [number, text] = [BigInt(`0x${Buffer.from(key).toString('hex')}`), ''];
  for (; number > 0n; number /= 58n) text = `${LETTERS[Number(number % 58n)]}${text}`;
  for (const byte of key) {
    if (byte !== 0) break;
    text = `1${text}`;
  }
  return `publickeyv1_${text}`;
}
function newIdentity(): { pem: string; id: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return {
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    id: identityOf(Buffer.from(x, 'base64url')),
  };
}

/** The status that a caller gets who is not the server. */
async function statusOf(uri: string, path: string, method: string): Promise<number> {
  const session = connectHttp2(uri);
  try {
    const request = session.request({ ':path': path, ':method': method });
    request.end();
    const [headers] = (await once(request, 'response')) as [{ ':status'?: number }];
    return headers[':status'] ?? 0;
  } finally {
    session.destroy();
  }
}

describe.skipIf(!isInstalled())('with a Restate server that signs its requests, behind TLS', () => {
  const identity = newIdentity();
  const { key, cert } = selfSigned();
  const home = workspace({ 'identity.pem': identity.pem, 'ca.pem': cert });
  const trusting = { NODE_EXTRA_CA_CERTS: join(home.path, 'ca.pem') };
  let server: Server;
  let proxy: TlsServer;
  let worker: Started;
  let uri: string;
  const ingress = () => `https://${LOOPBACK}:${(proxy.address() as AddressInfo).port}`;
  const work = (...args: string[]): Started =>
    startEspalier(['worker', TINY, '--port', '0', '--register', server.admin, ...args], home.path);
  beforeAll(async () => {
    server = await startServer({
      RESTATE_WORKER__INVOKER__REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE: join(home.path, 'identity.pem'),
    });
    worker = work('--identity-key', identity.id);
    worker.child.stdout?.on('data', (text: string) => (uri ??= /http:\S+\d/.exec(text)?.[0] ?? uri));
    await worker.stderrSays('Registered at');
    const port = Number(new URL(server.ingress).port);
    proxy = createServer({ key, cert }, (caller) => {
      const to = connect(port, LOOPBACK);
      caller.on('error', () => to.destroy()).on('close', () => to.destroy());
      to.on('error', () => caller.destroy()).on('close', () => caller.destroy());
      caller.pipe(to).pipe(caller);
    }).listen(0, LOOPBACK);
    await once(proxy, 'listening');
  }, 60_000);
  afterAll(async () => {
    worker?.child.kill('SIGKILL');
    await worker?.ended;
    proxy?.close();
    await server?.stop();
    home[Symbol.dispose]();
  });

  it('a worker that knows its key serves it, and a caller who trusts the certificate gets the brief', async () => {
    using at = workspace();
    const there = ['--host', 'restate', '--ingress', ingress()];
    const { code, stdout, stderr } = await runEspalier(
      ['run', TINY, '--json', '--no-store', ...there],
      at.path,
      trusting,
    );
    expect(code, stderr).toBe(0);
    expect((JSON.parse(stdout) as Report).status).toBe('complete');
  });

  it('nobody else is answered by that worker', async () => {
    expect(await statusOf(uri, '/discover', 'GET')).toBe(401);
    expect(await statusOf(uri, '/invoke/espalier.tiny/run', 'POST')).toBe(401);
  });

  it('a worker that knows another key cannot be registered', async () => {
    const other = work('--identity-key', newIdentity().id);
    const { code, stderr } = await other.ended;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^espalier: The server at \S+ does not sign its requests with the --identity-key/),
    });
  });

  it('what is no key is said to be none', async () => {
    const { code, stderr } = await work('--identity-key', 'nonsense').ended;
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(
        /^espalier: Among the identity keys "nonsense" is one that is none: .*publickeyv1_….\n$/,
      ),
    });
  });

  it('a caller who does not trust the certificate is told so, and nothing is kept', async () => {
    using at = workspace();
    const { code, stderr } = await runEspalier(['run', TINY, '--host', 'restate', '--ingress', ingress()], at.path);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/The Restate server at https:\S+ does not answer: .*self.signed certificate/);
    expect((await runEspalier(['runs'], at.path)).stdout).not.toContain('tiny');
  });
});
