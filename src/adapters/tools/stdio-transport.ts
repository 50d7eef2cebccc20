/** Speaks the Model Context Protocol with a process, over its stdin and stdout. */
import type { ReadBuffer } from '@modelcontextprotocol/sdk/shared/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { startProcess, type Command, type ServerProcess } from './child-process.ts';

/** What of the SDK it takes: an optional peer, loaded when a server is opened. */
type Wire = {
  readonly ReadBuffer: new () => ReadBuffer;
  readonly serializeMessage: (message: JSONRPCMessage) => string;
};

export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #command: Command;
  readonly #wire: Wire;
  #process: ServerProcess | undefined;

  constructor(command: Command, wire: Wire) {
    this.#command = command;
    this.#wire = wire;
  }

  start(): Promise<void> {
    const process = (this.#process = startProcess(this.#command));
    const { child } = process;
    const buffer = new this.#wire.ReadBuffer();
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        buffer.append(chunk);
        for (let message = buffer.readMessage(); message; message = buffer.readMessage()) this.onmessage?.(message);
      } catch (error) {
        this.onerror?.(error as Error);
      }
    });
    child.once('close', () => {
      void process.end(); // what it had started may still be there
      this.onclose?.();
    });
    return new Promise((resolve, reject) => {
      child.once('spawn', () => resolve());
      child.once('error', reject);
    });
  }

  send(message: JSONRPCMessage): Promise<void> {
    const { child } = this.#process ?? {};
    if (!child?.stdin.writable) return Promise.reject(new Error('the server has ended'));
    return new Promise((resolve) => {
      if (child.stdin.write(this.#wire.serializeMessage(message))) resolve();
      else child.stdin.once('drain', resolve).once('close', resolve);
    });
  }

  async close(): Promise<void> {
    await this.#process?.end();
  }

  /** The last line it wrote to stderr. */
  lastWords = (): string => this.#process?.lastWords() ?? '';
}
