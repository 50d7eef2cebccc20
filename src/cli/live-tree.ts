/**
 * Progress on a terminal: the tree, redrawn in place, with escalations and failures scrolling by above it.
 * It hides the cursor while it draws; `close` shows it again, and so does the end of the process.
 */
import type { WriteStream } from 'node:tty';
import { createLogUpdate } from 'log-update';
import { wrappedWithin } from '../render/text-layout.ts';
import { lineOf } from './event-line.ts';
import { closingFrame, frameOf, type FrameOptions } from './progress-frame.ts';
import type { ProgressView } from './progress-view.ts';
import type { RunProgress } from './run-progress.ts';
import { paintFor, sizeOf } from './screen.ts';

const REDRAW_MS = 100;
/** Lines above the tree where the latest notices stay in sight, and how many of them one may take. */
const NOTICE_ROWS = 5;
const NOTICE_LINES = 2;

export function liveTree(stream: WriteStream, progress: RunProgress): ProgressView {
  const log = createLogUpdate(stream);
  const paint = paintFor(stream);
  // The last column stays free: some terminals wrap as soon as it is written.
  const options = (): FrameOptions => {
    const { columns, rows } = sizeOf(stream);
    const room = rows - 1 - Math.min(told, NOTICE_ROWS, Math.floor(rows / 4));
    return { columns: Math.max(20, columns - 1), rows: Math.max(1, room), now: Date.now(), paint };
  };
  let notices: string[] = [];
  let told = 0;
  let isOpen = true;

  const noticeOf = (text: string): string[] => wrappedWithin(text, options().columns, NOTICE_LINES);
  // In one write per tick: a flood of criticals must not redraw the tree for each.
  const tell = (): void => {
    if (notices.length > 0) log.persist(notices.join('\n'));
    told += notices.length;
    notices = [];
  };
  const draw = (): void => {
    tell();
    log(frameOf(progress, options()).join('\n'));
  };
  const timer = setInterval(draw, REDRAW_MS);
  timer.unref();
  stream.on('resize', draw);

  return {
    show(event) {
      progress.apply(event);
      const line = lineOf(event);
      if (line?.isNotable) notices.push(...noticeOf(line.text).map((text) => paint(line.style, text)));
      if (event.type === 'run.started') draw();
    },
    say(text) {
      notices.push(paint('bold', text));
      draw();
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      clearInterval(timer);
      stream.off('resize', draw);
      tell();
      log(closingFrame(progress, options()).join('\n'));
      log.done();
    },
  };
}
