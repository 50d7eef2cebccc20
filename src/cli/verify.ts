/** `espalier verify`: whether a run, or a brief on disk, still is what was made. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { escapeTerminal } from '../render/escape-terminal.ts';
import { verifyBrief } from '../runtime/record/verify-brief.ts';
import { verifyRun, type Verification, type VerifyOptions } from '../runtime/record/verify.ts';
import { EXIT } from './exit-code.ts';
import { linesOf } from './lines.ts';
import { misuse, reasonOf } from './misuse.ts';
import type { StoreFlags } from './open-store.ts';
import type { Output } from './output.ts';
import { readPublicKey } from './signing-key.ts';
import { openRun } from './stored-run.ts';

export type VerifyFlags = StoreFlags & { key?: string; json?: boolean };

export async function verifyCommand(given: string, flags: VerifyFlags, output: Output): Promise<number> {
  const options = flags.key === undefined ? {} : { key: readPublicKey(flags.key) };
  const isFile = given.endsWith('.json') || statSync(given, { throwIfNoEntry: false })?.isFile() === true;
  const { verification, reach } = isFile ? verifyFile(given, options) : await verifyStored(given, flags, options);
  const { problems } = verification;
  if (flags.json === true) output.result(`${JSON.stringify(verification, null, 2)}\n`);
  else if (problems.length === 0) output.result(`${sentenceOf(verification, reach)}\n`);
  else output.result(problems.map(({ message }) => `${escapeTerminal(message)}\n`).join(''));
  return problems.length === 0 ? EXIT.complete : EXIT.failed;
}

type Verified = {
  verification: Verification;
  /** How far up or down was checked. */
  reach: string;
};

async function verifyStored(given: string, flags: StoreFlags, options: VerifyOptions): Promise<Verified> {
  const { store, run } = await openRun(given, flags);
  try {
    const verification = verifyRun(store, run.runId, options);
    const reach = verification.isFinished ? 'all the way to the brief' : 'as far as it has come: the run is unfinished';
    return { verification, reach };
  } finally {
    store.close();
  }
}

/** What was written beside a brief. */
const beside = (file: string, name: string): string | undefined => {
  const path = join(dirname(file), name);
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? path : undefined;
};

function verifyFile(file: string, options: VerifyOptions): Verified {
  const receiptFile = beside(file, 'receipt.json');
  const eventsFile = beside(file, 'events.ndjson');
  const text = textOf(file);
  const receipt = receiptFile === undefined ? {} : { receipt: jsonOf(textOf(receiptFile)) };
  const events = eventsFile === undefined ? {} : { events: linesOf(eventsFile) };
  let verification: Verification;
  try {
    verification = verifyBrief(text, { ...options, ...receipt, ...events });
  } catch (error) {
    throw misuse(`The files beside ${file} cannot be read: ${reasonOf(error)}.`, error);
  }
  if (verification.checked.nodes === 0 && receiptFile === undefined) {
    throw misuse(`${file} is not the JSON of a report. Name a run or the brief.json of one.`);
  }
  const missing = [
    ...(eventsFile === undefined ? ['events.ndjson'] : []),
    ...(receiptFile === undefined ? ['receipt.json'] : []),
  ];
  const alone = missing.length === 2 ? ': it agrees with itself, which is all that can be said' : '';
  return {
    verification,
    reach: missing.length === 0 ? 'all the way to the brief' : `without ${missing.join(' and ')} beside it${alone}`,
  };
}

function textOf(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw misuse(`${file} cannot be read: ${reasonOf(error)}. Name a run or the brief.json of one.`, error);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return ''; // nothing that was written is like that
  }
}

/** `null` of what is no JSON: there is a receipt, and it cannot be read. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function sentenceOf({ checked, signedBy }: Verification, reach: string): string {
  const { nodes, findings, criticals } = checked;
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
  const signature = signedBy === undefined ? 'not signed' : `signed by ${signedBy}`;
  return `verified: ${count(nodes, 'node')}, ${count(findings, 'finding')}, ${criticals} critical, ${reach}; ${signature}`;
}
