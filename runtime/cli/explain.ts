/** `holdfast explain`: what a fault code means, why, and what to do. */
import { explanation } from '../core/fault-text.ts';
import { type FaultCode, faults, isFaultCode } from '../core/faults.ts';
import { ExitCode } from '../program.ts';
import { type Command, isSet, usage } from './command.ts';
import { didYouMean } from './near.ts';
import { columns } from './screen.ts';

export const explainCommand: Command = {
  name: 'explain',
  summary: 'what a fault code means, and what to do; without a code all of them',
  operands: '[CODE]',
  operandsMax: 1,
  options: {},
  examples: ['holdfast explain', 'holdfast explain CARD_ABSENT'],
  run: async (given, means) => {
    const [typed] = given.operands;
    const codes = Object.keys(faults).filter(isFaultCode);
    const wanted = typed === undefined ? codes : [codeOf(typed, codes)];
    if (isSet(given, 'json')) {
      const entries = wanted.map((code) => ({ code, ...faults[code] }));
      means.print(JSON.stringify(typed === undefined ? entries : entries[0]));
    } else if (typed === undefined)
      for (const line of columns(wanted.map((code) => [code, faults[code].title]))) means.print(line);
    else for (const code of wanted) means.print(explanation(code));
    return ExitCode.done;
  },
};

/** As people copy it: in small letters, with hyphens, or with the title around it.
 * @throws Fault USAGE with the codes that are near */
function codeOf(typed: string, codes: readonly FaultCode[]): FaultCode {
  const code = typed
    .trim()
    .toUpperCase()
    .replaceAll('-', '_')
    .replaceAll(/[^A-Z0-9_]/g, '');
  if (isFaultCode(code)) return code;
  throw usage(`there is no fault code ${typed}${didYouMean(code, codes)}`);
}
