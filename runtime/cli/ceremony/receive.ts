/** `holdfast ceremony receive`: a recipient's copy of a key that a ceremony sent, judged by the ceremony's record. */
import { equal, fromText, toHex } from '../../core/bytes.ts';
import { receive } from '../../core/ceremony/carriage.ts';
import { verifyRecord } from '../../core/ceremony/verification.ts';
import { Fault } from '../../core/faults.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet } from '../command.ts';
import { needed } from '../given.ts';
import { jwsIn, operandOf, trustedIn, trustedOption } from './given.ts';

export const ceremonyReceiveCommand: Command = {
  name: 'ceremony receive',
  summary: 'takes a key that a ceremony sent to this machine out of its encrypted file',
  operands: 'FILE',
  operandsMax: 1,
  options: {
    recipient: { type: 'string', value: 'NAME', help: 'who we are in the plan' },
    key: { type: 'string', value: 'FILE', help: 'our key, as `holdfast ceremony recipient` made it' },
    record: { type: 'string', value: 'FILE', help: 'record.jws of the ceremony' },
    out: { type: 'string', value: 'FILE', help: 'where the key goes, hexadecimal, mode 0600' },
    ...trustedOption,
  },
  notes: [
    'Compare the check value with the record. The file that was carried may be thrown away then, and our key with it.',
  ],
  examples: [
    'holdfast ceremony receive masters/gate-1.tag --recipient backend-1 --key carry.key --record masters/record.jws ' +
      '--trusted officers.json --out gate-1.key',
  ],
  run: async (given, means) => {
    const path = operandOf(given, 'a FILE that was carried');
    const out = needed(given, 'out', 'where the key goes');
    const { record } = verifyRecord(
      jwsIn(needed(given, 'record', 'what the ceremony did'), means),
      trustedIn(given, means),
      means.crypto,
    );
    const file = await means.ceremony.shelf.read(path);
    if (file === null) throw new Fault('FILE_UNREADABLE', { path });
    const own = await means.ceremony.openRecipient(needed(given, 'key', 'our own key'));
    const name = needed(given, 'recipient', 'who we are in the plan');
    const key = receive({ file, recipient: name, own, record }, means.crypto);
    const text = fromText(`${toHex(key)}\n`);
    const there = await means.ceremony.shelf.read(out);
    if (there !== null && !equal(there, text))
      throw new Fault('CARRIED_KEY_REFUSED', { why: 'another key is there already', file: out });
    if (there === null) await means.ceremony.shelf.write(out, text);
    const checkValue = toHex(means.crypto.aesEncryptBlock(key, new Uint8Array(16)).subarray(0, 3));
    key.fill(0);
    text.fill(0);
    means.print(
      isSet(given, 'json') ? JSON.stringify({ file: out, checkValue }) : `check value ${checkValue}`,
    );
    return ExitCode.done;
  },
};
