/**
 * The process that owns the I/O board. Its death is an expected event: the gate controller shuts the gate when
 * it hears nothing, and the parent starts another. It ends by itself when its parent is gone. A board with plain
 * Firmata shuts nothing by itself: there the next process does, when it brings the outputs to their safe levels.
 */
import { randomInt } from 'node:crypto';
import { asFault, noteOf } from '../../../runtime/core/faults.ts';
import type { ControllerReport } from '../../../runtime/core/gate/release.ts';
import { QUERY_MAX } from '../extension.ts';
import { openSerialPort } from './link.ts';
import type { JigCall, ToChild, ToParent } from './messages.ts';
import { type Session, startSession } from './session.ts';

/** Enough to bring the outputs to their safe levels, or to find out that nobody takes them. */
const END_MS = 1_500;

let session: Session | null = null;

process.on('message', (message: ToChild) => {
  if (message.kind === 'start')
    session ??= startSession({
      options: message.options,
      openPort: openSerialPort,
      firstQuery: randomInt(QUERY_MAX),
      onEvent: (event) => tell(event.kind === 'lost' ? { kind: 'lost', fault: noteOf(event.fault) } : event),
    });
  else if (message.kind === 'call') void perform(message.id, message.call);
  else void end();
});
process.on('disconnect', () => void end());

async function perform(id: number, call: JigCall): Promise<void> {
  try {
    tell({ kind: 'done', id, report: await answer(call) });
  } catch (error) {
    tell({ kind: 'failed', id, fault: noteOf(asFault(error, 'UNEXPECTED', { verb: call.verb })) });
  }
}

async function answer(call: JigCall): Promise<ControllerReport | null> {
  if (session === null) throw new RangeError('a call before the start');
  switch (call.verb) {
    case 'report':
      return session.report(call.nest);
    case 'open':
      return session.open(call.release);
    case 'clamp':
      await session.clamp(call.nest, call.position);
      return null;
    case 'lamp':
      await session.lamp(call.nest, call.lamp);
      return null;
  }
}

function tell(message: ToParent): void {
  if (process.connected) process.send?.(message);
}

async function end(): Promise<void> {
  setTimeout(() => process.exit(1), END_MS);
  await session?.close();
  tell({ kind: 'closed' });
  process.exit(0);
}
