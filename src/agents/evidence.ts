/**
 * What one attempt has really read, by the origin under which the model saw it. A finding's source is looked up here:
 * what nobody read is no source.
 */
import { hash } from 'node:crypto';
import type { Citation } from '../ports/model.ts';
import type { Source } from '../protocol/finding.ts';
import type { Report } from '../protocol/report.ts';
import type { Series } from '../protocol/series.ts';

export type Evidence = {
  series(series: Series): void;
  /** Gives the origin under which the model is to see it. */
  tool(name: string, text: string): string;
  citations(given: readonly Citation[]): void;
  reports(given: readonly Report[]): void;
  /** Undefined of what was not read. */
  sourceOf(origin: string): Source | undefined;
  /** Where an origin comes from, roughly: two texts of one place do not bear each other out. */
  placeOf(origin: string): string | undefined;
};
type Read = { source: Source; place: string };

export function gatherEvidence(): Evidence {
  const read = new Map<string, Read>();
  const calls = new Map<string, number>();
  const note = (origin: string, source: Source, place: string): void => {
    read.set(normal(origin), { source, place });
  };
  const find = (origin: string): Read | undefined => read.get(normal(origin));
  return {
    series({ id, source, last }) {
      note(id, { ...source, asOf: last.date }, `series ${id}`);
    },
    tool(name, text) {
      const call = (calls.get(name) ?? 0) + 1;
      calls.set(name, call);
      const origin = `${name}#${call}`;
      note(origin, { kind: 'tool', ref: name, sha256: hash('sha256', text, 'hex') }, `tools ${name.split('/', 1)[0]}`);
      return origin;
    },
    citations(given) {
      for (const { url } of given) if (URL.canParse(url)) note(url, { kind: 'web', ref: url }, siteOf(new URL(url)));
    },
    reports(given) {
      for (const { findings, path } of given) for (const { id, source } of findings) note(id, source, `node ${path}`);
    },
    sourceOf: (origin) => find(origin)?.source,
    placeOf: (origin) => find(origin)?.place,
  };
}

/** The same page, whatever stands behind a "#" or a last slash. */
function normal(origin: string): string {
  const text = origin.trim();
  if (!/^https?:/i.test(text) || !URL.canParse(text)) return text;
  const url = new URL(text);
  url.hash = '';
  return url.href.replace(/\/$/, '');
}

const SITE_LABELS = 2;
/** The last two labels: a stranger under a shared suffix counts as the same, which is the careful side. */
const siteOf = ({ hostname }: URL): string => `site ${hostname.split('.').slice(-SITE_LABELS).join('.')}`;
