/** `holdfast ceremony component`: draws one custodian's component, and tells its check value. */
import { fromText, toHex } from '../../core/bytes.ts';
import { ExitCode } from '../../program.ts';
import { type Command, countOf, isSet, usage } from '../command.ts';
import { operandOf } from './given.ts';

const SIZES: readonly number[] = [16, 32];

export const ceremonyComponentCommand: Command = {
  name: 'ceremony component',
  summary: 'draws a custodian’s component of a key into a file, and tells its check value',
  operands: 'FILE',
  operandsMax: 1,
  options: { bytes: { type: 'string', value: 'N', help: 'length of the key: 16 or 32 (default 32)' } },
  notes: ['The check value goes into the plan. The component is never shown: the file is mode 0600.'],
  examples: ['holdfast ceremony component carla.key'],
  run: async (given, means) => {
    const path = operandOf(given, 'a FILE that is not there yet');
    const bytes = countOf(given, 'bytes', 1) ?? 32;
    if (!SIZES.includes(bytes)) throw usage('a component has 16 or 32 bytes');
    if ((await means.ceremony.shelf.read(path)) !== null) throw usage(`${path} is there already`);
    const component = means.ceremony.random(bytes);
    const checkValue = toHex(means.crypto.aesEncryptBlock(component, new Uint8Array(16)).subarray(0, 3));
    await means.ceremony.shelf.write(path, fromText(`${toHex(component)}\n`));
    component.fill(0);
    means.print(
      isSet(given, 'json') ? JSON.stringify({ file: path, checkValue }) : `check value ${checkValue}`,
    );
    return ExitCode.done;
  },
};
