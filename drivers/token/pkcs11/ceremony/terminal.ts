/** Asks a custodian for a component at the terminal: nothing of what is typed is shown, and it stays bytes. */
import { Fault } from '../../../../runtime/core/faults.ts';

/** A custodian may have to open an envelope first. */
const ENTRY_MS = 600_000;
/** Bytes of one entry, with spaces between groups. */
const TYPED_MAX = 512;
/** What a terminal in raw mode sends for Ctrl-C and for the key that takes the last letter back. */
const INTERRUPT = 0x03;
const ERASE: readonly number[] = [0x08, 0x7f];
const ENTER: readonly number[] = [0x0a, 0x0d];

/** What was piped in behind the line that was taken. */
let rest: Buffer = Buffer.alloc(0);

/** One line, from the terminal or from what is piped in; the caller wipes it.
 * @throws Fault CEREMONY_COMPONENT_WRONG when nothing is entered */
export function promptHidden(custodian: string, digits: number): Promise<Buffer> {
  const { stdin } = process;
  const isTerminal = stdin.isTTY === true;
  // The echo ends before anybody is asked to type.
  if (isTerminal) stdin.setRawMode(true);
  process.stderr.write(`${custodian}: ${digits} hexadecimal digits, not shown: `);
  const typed = Buffer.alloc(TYPED_MAX);
  let length = 0;
  return new Promise((resolve, reject) => {
    const end = (finish: () => void): void => {
      clearTimeout(timer);
      stdin.off('data', take).off('end', close).pause();
      if (isTerminal) stdin.setRawMode(false);
      process.stderr.write('\n');
      finish();
    };
    const refuse = (why: string): void => {
      typed.fill(0);
      end(() => reject(new Fault('CEREMONY_COMPONENT_WRONG', { custodian, why })));
    };
    const close = (): void => refuse('nothing was entered');
    const timer = setTimeout(() => refuse('nothing was entered in time'), ENTRY_MS);
    const take = (bytes: Buffer): void => {
      const enter = bytes.findIndex((byte, at) => ENTER.includes(byte) && length + at > 0);
      const line = enter < 0 ? bytes : bytes.subarray(0, enter);
      for (const byte of line)
        if (ERASE.includes(byte)) length = Math.max(0, length - 1);
        else if (!ENTER.includes(byte) && length < TYPED_MAX) typed[length++] = byte;
      const isInterrupted = line.includes(INTERRUPT);
      if (enter >= 0) rest = Buffer.from(bytes.subarray(enter + 1));
      bytes.fill(0);
      if (isInterrupted) refuse('the entry was interrupted');
      else if (length === TYPED_MAX) refuse('too long');
      else if (enter >= 0) end(() => resolve(typed.subarray(0, length)));
    };
    stdin.on('data', take).on('end', close).resume();
    if (rest.length > 0) {
      const before = rest;
      rest = Buffer.alloc(0);
      take(before);
    }
  });
}
