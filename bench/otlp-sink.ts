/**
 * A collector that throws away what it is sent, in a process of its own: its work is not the run's. Any message is
 * answered by how many bytes there were.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

let bytes = 0;
const server = createServer((request, response) => {
  request.on('data', (chunk: Buffer) => void (bytes += chunk.length));
  request.on('end', () => response.end());
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('message', () => process.send?.(bytes));
process.once('disconnect', () => process.exit());
