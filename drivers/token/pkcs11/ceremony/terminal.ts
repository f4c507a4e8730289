/** Asks a custodian for a component at the terminal: nothing of what is typed is shown. */
import { Fault } from '../../../../runtime/core/faults.ts';

/** A custodian may have to open an envelope first. */
const ENTRY_MS = 600_000;
const ENTER = /[\r\n]/;
const INTERRUPT = '\u0003';

/** One line, from the terminal or from what is piped in. @throws Fault CEREMONY_COMPONENT_WRONG */
export function promptHidden(custodian: string, digits: number): Promise<string> {
  process.stderr.write(`${custodian}: ${digits} hexadecimal digits, not shown: `);
  const { stdin } = process;
  const terminal = stdin.isTTY === true;
  if (terminal) stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    let typed = rest;
    const end = (finish: () => void): void => {
      clearTimeout(timer);
      stdin.off('data', take).off('end', close).pause();
      if (terminal) stdin.setRawMode(false);
      process.stderr.write('\n');
      finish();
    };
    const refuse = (why: string): void =>
      end(() => reject(new Fault('CEREMONY_COMPONENT_WRONG', { custodian, why })));
    const close = (): void => refuse('nothing was entered');
    const timer = setTimeout(() => refuse('nothing was entered in time'), ENTRY_MS);
    const look = (): void => {
      const at = typed.search(ENTER);
      if (typed.includes(INTERRUPT)) refuse('the entry was interrupted');
      else if (at >= 0) {
        const line = typed.slice(0, at);
        rest = typed.slice(at + 1).replace(/^\n/, '');
        end(() => resolve(line));
      } else if (typed.length > TYPED_MAX) refuse('too long');
    };
    const take = (text: string): void => {
      typed += text;
      look();
    };
    stdin.on('data', take).on('end', close).resume();
    look();
  });
}

/** Characters of one entry, with spaces between groups. */
const TYPED_MAX = 512;
/** What was piped in behind the line that was taken. */
let rest = '';
