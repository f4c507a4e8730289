/** Doors of reader and chip: the virtual chips that lie raise each verdict, the real reader what a reader can. */
import assert from 'node:assert/strict';
import { connectFault } from '../../drivers/card-reader/pcsc/pcsc-errors.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { liars, type MannerName, manners } from '../../drivers/card-reader/virtual-se/mutants/table.ts';
import { createSimulatedReader } from '../../drivers/card-reader/virtual-se/simulated-reader.ts';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { Fault, type FaultCode } from '../../runtime/core/faults.ts';
import { dialogueOpenExchange } from '../../runtime/core/messages/exchanges.ts';
import { ask, until, watchedWorld } from '../simulation/by-hand.ts';
import { type Door, type Doors, elsewhere, onLine } from './door.ts';

/** The first chip of the table of liars that is found out with this code. */
function liar(code: FaultCode): Door {
  const names = Object.keys(liars) as MannerName[];
  const name = names.find((one) => manners[one].fault === code) ?? assert.fail(`nobody lies for ${code}`);
  return [`the chip ${manners[name].does}`, onLine({ manners: { 1: { name } } }, undefined, code)];
}

const pcsc = (claim: string) => elsewhere('card-reader/pcsc.test', claim);
const threeReaders = pcsc('tells apart: no such reader, several, in use, no pcscd');

export const cardDoors: Doors = {
  READER_ABSENT: ['the configuration names a reader that is not there', threeReaders],
  READER_SERVICE_DOWN: ['pcscd does not run', threeReaders],
  READER_IN_USE: ['another program has the reader', threeReaders],
  READER_FAILED: [
    'the driver of the reader says that it is not ready',
    async () => connectFault(new Error('Reader not ready'), { reader: 'Example reader' }),
  ],
  CARD_ABSENT: [
    'no unit is under the contacts',
    async () => {
      const clock = createSimulatedClock(0);
      const playing = createSimulatedReader({ clock, card: () => null }).play([{ kind: 'cold-reset' }]);
      while (await clock.runNext());
      const played = await playing;
      return played.outcome === 'played' ? assert.fail('nothing was there to play') : played.fault;
    },
  ],
  CARD_OUTCOME_UNKNOWN: [
    'contact is lost in the middle of a command',
    onLine({ manners: { 1: { name: 'torn-before', at: 5 } } }),
  ],
  CARD_ANSWER_MALFORMED: liar('CARD_ANSWER_MALFORMED'),
  CARD_CHANGED: [
    'another chip is in the nest when the dialogue is opened than was reserved',
    async () => {
      const { world, sent } = await watchedWorld({ seed: 'changed', units: 1, stations: 1 });
      const opened = () => sent.find(({ topic }) => topic.includes('/gateway/open'));
      await until(world, () => opened() !== undefined, 'a dialogue');
      const { body, operation, epoch } = opened() ?? assert.fail();
      const identity = { ...(body.identity as object), eid: eidOfIndex(2) };
      const binding = { operation, epoch };
      const { refused } = await ask(world, 1, dialogueOpenExchange, { body: { ...body, identity }, binding });
      return new Fault(refused ?? assert.fail('it was opened'));
    },
  ],
  CARD_EID_INVALID: [
    'the check digits of the EID are wrong',
    onLine({ forged: { 1: (fresh) => ({ ...fresh, eid: `${fresh.eid.slice(0, 30)}00` }) } }),
  ],
  CARD_NOT_OURS: liar('CARD_NOT_OURS'),
  CARD_CHANNEL_BROKEN: liar('CARD_CHANNEL_BROKEN'),
  CARD_IDENTITY_MISMATCH: liar('CARD_IDENTITY_MISMATCH'),
  CARD_COMMAND_REFUSED: liar('CARD_COMMAND_REFUSED'),
  CARD_KEYS_NOT_PROVED: liar('CARD_KEYS_NOT_PROVED'),
  CARD_KEY_PAIR_NOT_PROVED: liar('CARD_KEY_PAIR_NOT_PROVED'),
  CARD_CERTIFICATE_NOT_STORED: liar('CARD_CERTIFICATE_NOT_STORED'),
  CARD_KEYS_LEFT_BEHIND: liar('CARD_KEYS_LEFT_BEHIND'),
  CARD_STATE_WRONG: liar('CARD_STATE_WRONG'),
};
