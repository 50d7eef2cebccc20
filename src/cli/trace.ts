/** `espalier trace`: a stored run as a file that a trace viewer opens. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { jaegerJson } from '../adapters/telemetry/jaeger-json.ts';
import { SERVICE } from '../adapters/telemetry/names.ts';
import { otlpJson } from '../adapters/telemetry/otlp-json.ts';
import { replaySpans } from '../adapters/telemetry/replay.ts';
import type { RecordedSpan } from '../adapters/telemetry/span-recorder.ts';
import { escapeTerminal } from '../render/escape-terminal.ts';
import { EXIT } from './exit-code.ts';
import { misuse, reasonOf } from './misuse.ts';
import type { StoreFlags } from './open-store.ts';
import type { Output } from './output.ts';
import { isWorkedOn } from './shown-state.ts';
import { eventsOf, lastKnown, openRun } from './stored-run.ts';

export type TraceFlags = StoreFlags & { jaeger?: string; otlp?: string };

const STDOUT = '-';
const PIECE_CHARACTERS = 1 << 16;

const FORMS = {
  jaeger: { write: jaegerJson, use: "open it in Jaeger's page, Search > Upload, which needs no server for it" },
  otlp: { write: otlpJson, use: 'post it to /v1/traces of a collector, as application/json' },
} as const;
type Form = keyof typeof FORMS;

export async function traceCommand(given: string, flags: TraceFlags, output: Output): Promise<number> {
  const files = (Object.keys(FORMS) as Form[]).flatMap((form) => {
    const file = flags[form];
    return file === undefined ? [] : [{ form, file }];
  });
  const [first, second] = files;
  if (!first)
    throw misuse('Nothing says where the trace goes. Give --jaeger FILE, --otlp FILE, or both; "-" is stdout.');
  if (second?.file === first.file) {
    throw misuse(`--jaeger and --otlp both name ${first.file}. Give each a file of its own.`);
  }
  const { store, run } = await openRun(given, flags);
  let spans: readonly RecordedSpan[];
  try {
    const until = run.endedAt === undefined ? lastKnown(run, [...store.nodes(run.runId)], Date.now()) : run.endedAt;
    spans = replaySpans(eventsOf(store, run.runId), { serviceOf: (tier) => `${SERVICE}-${tier}`, until });
    if (isWorkedOn(run)) output.note('The run goes on: what has not ended yet is shown as if it had been stopped now.');
  } finally {
    store.close();
  }
  for (const { form, file } of files) {
    const { write, use } = FORMS[form];
    if (file === STDOUT) for (const piece of pieces(write(spans))) output.result(piece);
    else {
      writeTo(file, form, write(spans));
      const count = `${spans.length} span${spans.length === 1 ? '' : 's'} of run ${run.runId}`;
      output.note(`${escapeTerminal(file)}: ${count}; ${use}`);
    }
  }
  return EXIT.complete;
}

function writeTo(file: string, form: Form, text: Iterable<string>): void {
  try {
    const descriptor = openSync(file, 'w');
    try {
      for (const piece of pieces(text)) writeSync(descriptor, piece);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw misuse(`${file} cannot be written: ${reasonOf(error)}. Name another file with --${form}.`, error);
  }
}

/** Fewer and bigger ones. */
function* pieces(text: Iterable<string>): Iterable<string> {
  let piece = '';
  for (const each of text) {
    piece += each;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}
