/** An event as it is written down: what `JSON.stringify` makes of it, made once for all who write it. */
import { reportText } from './digest.ts';
import type { RunEvent } from './run-event.ts';

let last: { readonly event: RunEvent; readonly text: string } | undefined;

export function eventText(event: RunEvent): string {
  if (event !== last?.event)
    last = { event, text: event.type === 'node.reported' ? ended(event) : JSON.stringify(event) };
  return last.text;
}

/** Most of a log are reports. */
function ended(event: RunEvent & { type: 'node.reported' }): string {
  const rest = JSON.stringify({ ...event, report: 0 });
  return rest.endsWith(REPORT) ? `${rest.slice(0, -2)}${reportText(event.report)}}` : JSON.stringify(event);
}
const REPORT = '"report":0}';
