/** `holdfast ceremony recipient`: the key to which keys of a ceremony are encrypted, and the line for the plan. */
import { toHex } from '../../core/bytes.ts';
import { ExitCode } from '../../program.ts';
import type { Command } from '../command.ts';
import { needed } from '../given.ts';
import { operandOf } from './given.ts';

export const ceremonyRecipientCommand: Command = {
  name: 'ceremony recipient',
  summary: 'makes the key of somebody to whom a ceremony sends keys, and prints its line for the plan',
  operands: 'FILE',
  operandsMax: 1,
  options: { recipient: { type: 'string', value: 'NAME', help: 'the backend, or the gate controller' } },
  notes: [
    'On the machine of the backend, or where the board is commissioned. A key that is there is kept.',
    'Read the line to the officers over a known voice: they approve it with the plan.',
  ],
  examples: ['holdfast ceremony recipient carry.key --recipient backend-1'],
  run: async (given, means) => {
    const path = operandOf(given, 'a FILE for the key');
    const name = needed(given, 'recipient', 'who gets keys');
    await means.pki.makeKey(path);
    const { publicKey } = await means.ceremony.openRecipient(path);
    means.print(JSON.stringify({ name, publicKey: toHex(publicKey) }));
    return ExitCode.done;
  },
};
