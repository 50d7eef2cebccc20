/** A run's events in one line each: those a person would want to hear of. */
import { formatAmount } from '../protocol/amount.ts';
import { counted, formatDuration } from '../render/figures.ts';
import { escapeTerminal } from '../render/escape-terminal.ts';
import type { Style } from '../render/paint.ts';
import type { RunEvent } from '../protocol/run-event.ts';

export type EventLine = {
  readonly style: Style;
  readonly text: string;
  /** Worth staying on the screen beside a live tree, which shows the rest by itself. */
  readonly isNotable: boolean;
};

const line = (style: Style, text: string, isNotable = true): EventLine => ({
  style,
  text: escapeTerminal(text),
  isNotable,
});

/** What to say about an event; undefined for those that only fill the record. */
export function lineOf(event: RunEvent): EventLine | undefined {
  const { path } = event;
  switch (event.type) {
    case 'run.started': {
      const resumed = event.resumed ? `, resumed after ${counted(event.resumed.events, 'event')}` : '';
      const asOf = event.asOf === undefined ? '' : `, as of ${event.asOf}`;
      return line(
        'bold',
        `${event.scenario}: ${event.thesis}${asOf}, due in ${formatDuration(event.deadline - event.at)}${resumed}`,
        false,
      );
    }
    case 'node.planned': {
      const { stages, skipped, mode, demoted } = event.decision;
      // Where depth is spent, the refusal that follows says it all.
      if (mode === 'execute') return demoted ? undefined : line('dim', `${path} executes the task itself`, false);
      const left = skipped.length === 0 ? '' : `, ${skipped.length} skipped`;
      const children = counted(stages.flat().length, 'child', 'children');
      return line('dim', `${path} activates ${children} in ${counted(stages.length, 'stage')}${left}`, false);
    }
    case 'depth.refused':
      return line(
        'yellow',
        `${path} may not divide: depth is spent, ${counted(event.children.length, 'child', 'children')} refused`,
      );
    case 'limit.ignored':
      return line('yellow', event.message);
    case 'budget.refused':
      return line(
        'yellow',
        `${path} was refused ${formatAmount(event.dimension, event.asked)}: ${formatAmount(event.dimension, event.left)} left`,
      );
    case 'attempt.failed': {
      const next = event.willRetry ? ', trying again' : '';
      return line(
        'yellow',
        `${path} attempt ${event.attempt} failed (${event.fault.status}): ${event.fault.message}${next}`,
        event.willRetry,
      );
    }
    case 'attempt.backed-off': {
      const { attempt, fault, ms } = event;
      const why = fault.diagnosis ?? fault.status;
      return line('dim', `${path} attempt ${attempt} asks again in ${formatDuration(ms)}: ${why}`, false);
    }
    case 'attempt.hedged':
      return line('dim', `${path} attempt ${event.attempt} takes long, and is executed once more`, false);
    case 'execution.dropped': {
      const { which, fault } = event;
      const [one, other] = which === 'first' ? ['first execution', 'hedge'] : ['hedge', 'first execution'];
      const why = fault
        ? `failed (${fault.status}), the ${other} goes on`
        : `was not needed: the ${other} had answered`;
      return line('dim', `${path} the ${one} ${why}`, false);
    }
    case 'slots.changed':
      return line('dim', `At once in ${event.pool}: ${event.limit} (${event.why})`, event.why !== 'recovered');
    case 'finding.escalated':
      return line('red', `CRITICAL ${event.finding.path}: ${event.finding.statement}`);
    case 'join.expired':
      return line('yellow', `${path} went on without ${event.missing.join(', ')}`);
    case 'child.late': {
      const criticals = event.findings.filter((finding) => finding.critical).length;
      const carried = criticals === 0 ? '' : `, with ${counted(criticals, 'critical finding')}`;
      return line('yellow', `${path} heard ${event.child} after it had ended (${event.why})${carried}`, criticals > 0);
    }
    case 'integrity.alert':
      return line('red', `ALERT ${path}: ${event.message}`);
    case 'synthesis.rejected': {
      const next = event.willRetry ? 'asked again' : 'replaced by the deterministic one';
      return line('yellow', `${path} synthesis rejected: ${event.fault.message}; ${next}`);
    }
    case 'node.reported': {
      if (event.tier === 'leaf') return undefined;
      const { status, findings, escalations } = event.report;
      const critical = escalations.length === 0 ? '' : `, ${escalations.length} critical`;
      const style = status === 'complete' ? 'green' : 'yellow';
      return line(style, `${path} ${status}: ${counted(findings.length, 'finding')}${critical}`, false);
    }
    case 'node.failed':
      return line(
        'yellow',
        `${path} failed (${event.token.status}): ${event.token.message}${event.token.needsHuman ? ' (needs a human)' : ''}`,
      );
    case 'node.invalidated':
      return line('yellow', `${path} cannot stand as it was: ${event.why}`);
    case 'dependency.observed':
      return line(
        'yellow',
        `${path} read the ${event.via === 'source' ? 'source' : `${event.via} of`} ${event.on} without declaring it`,
      );
    case 'record.failed':
      return line('red', `Not stored from here on: ${event.message}`);
    case 'memory.failed':
      return line('yellow', `What this run taught could not be kept: ${event.message}`);
    case 'interim.failed':
      return line('yellow', `${path} could not say how it stands: ${event.fault.message}`, false);
    case 'synthesis.interim': // as movements of conviction, by whoever shows the progress
    case 'node.started':
    case 'node.reused':
    case 'attempt.started':
    case 'source.read':
    case 'tool.called':
    case 'finding.reported':
    case 'run.completed':
      return undefined;
    default:
      // A new event is a line here, or a decision that it has none: not an oversight.
      event satisfies never;
      return undefined;
  }
}
