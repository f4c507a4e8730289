/** Doors of broker, gateway and backend: what befalls the plant around a station. */
import assert from 'node:assert/strict';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { createInMemoryHead } from '../../drivers/store/in-memory-head.ts';
import type { BackendPorts } from '../../runtime/backend/ports.ts';
import { Sequencer } from '../../runtime/backend/sequencer.ts';
import { Fault } from '../../runtime/core/faults.ts';
import { chainHash } from '../../runtime/core/journal/entry.ts';
import { eventsExchange } from '../../runtime/core/messages/exchanges.ts';
import { ask, hasFact, lanesOfUnit, pass, stationOf, until, watchedWorld } from '../simulation/by-hand.ts';
import { type Doors, elsewhere, firstFault, onBroker, onLine, refusalOf } from './door.ts';

const silent = { outgoing: true, incoming: true };
const impostor = (claim: string) => elsewhere('simulation/impostors.test', claim);

export const busDoors: Doors = {
  BUS_UNREACHABLE: ['the network of the station is cut', onBroker((broker) => broker.cut('station-1'))],
  BUS_CERTIFICATE_EXPIRED: [
    'nobody renewed the certificate',
    elsewhere('bus/mqtt.test', 'tells an expired own certificate apart, and does not even connect'),
  ],
  BUS_REFUSED: [
    'the certificate is revoked',
    elsewhere(
      'bus/mqtt.test',
      'tells a refusal by the broker apart: a revoked certificate, and one of another authority',
    ),
  ],
  GATEWAY_SILENT: ['the gateway hears nothing', onBroker((broker) => broker.isolate('gateway-1', silent))],
  BACKEND_SILENT: ['the backend hears nothing', onBroker((broker) => broker.isolate('backend-1', silent))],
  ENVELOPE_INVALID: [
    'a key that nobody trusts has signed',
    elsewhere('core/envelope.test', 'refuses a key that nobody trusts'),
  ],
  MESSAGE_MALFORMED: [
    'a program of another version says more than was agreed',
    elsewhere('core/envelope.test', 'refuses payload members that the declaration does not have'),
  ],
  RECEIPT_INVALID: [
    'a receipt names another unit',
    elsewhere('core/gate.test', 'holds, and says why, when one receipt names another'),
  ],
  LOG_ROLLED_BACK: [
    'the fleet’s database is restored from a backup between two units',
    async () => {
      const { world } = await watchedWorld({ seed: 'restored', units: 2, stations: 1 });
      const restore = world.fleet.backup();
      await until(world, () => lanesOfUnit(world, 1) === 'good', 'the first unit leaves');
      restore();
      return firstFault(world);
    },
  ],
  LOG_HEAD_MISSING: [
    'somebody has removed the file in which the backend remembers the head of its log',
    elsewhere(
      'simulation/head-missing.test',
      'does not start where there are leaves, and does after the head of the verified log was written',
    ),
  ],
  LEDGER_ROLLED_BACK: [
    'the gateways’ database is restored from a backup between two units',
    async () => {
      const { world } = await watchedWorld({ seed: 'ledger-restored', units: 2, stations: 1 });
      const restore = world.ledger.backup();
      await until(world, () => lanesOfUnit(world, 1) === 'good', 'the first unit leaves');
      restore();
      return firstFault(world);
    },
  ],
  LOG_FORKED: [
    'the log does not contain what the station saw',
    elsewhere(
      'core/receipt-judge.test',
      'tells of a fork when the log does not contain what this station saw',
    ),
  ],
};

export const gatewayDoors: Doors = {
  TICKET_INVALID: [
    'the ticket is for other stations',
    elsewhere('core/ticket.test', 'is refused for a station that it does not name'),
  ],
  TICKET_EID_REFUSED: [
    'a unit of another order is fed',
    onLine({ forged: { 1: (fresh) => ({ ...fresh, eid: eidOfIndex(1, '89049033') }) } }),
  ],
  RESERVATION_STALE: [
    'the unit is at another station when its old one asks',
    elsewhere(
      'simulation/moved.test',
      'is not registered by the old station, though that has the confirmation of its own epoch',
    ),
  ],
  DIALOGUE_LOST: [
    'the token has lost its channels',
    elsewhere(
      'contracts/token.contract',
      'breaks the channel at an answer that was changed, cut or answered without R-MAC',
    ),
  ],
  ATTEMPTS_EXHAUSTED: [
    'a chip breaks off every session',
    elsewhere(
      'simulation/attempts.test',
      'is kept in the ledger: sessions are begun so often and no more, in an hour and in the next',
    ),
  ],
  HSM_FAILED: [
    'the process of the HSM is killed',
    elsewhere('token/pkcs11.test', 'fails everything that waits when the process is killed, and comes back'),
  ],
  KEY_POLICY_BROKEN: [
    'two entries of the constants give the same keys',
    elsewhere('token/constants.test', 'names both entries when two give the test EID the same keys'),
  ],
  TRANSPORT_KEYS_KNOWN: [
    'chips with published keys come under a pilot ticket',
    elsewhere(
      'simulation/key-supply.test',
      'are held under a pilot ticket, untouched: no key is used, no reject is made',
    ),
  ],
  LEDGER_UNAVAILABLE: [
    'the database of the gateway is down',
    onLine({}, ({ ledger }) => ledger.setReachable(false)),
  ],
  CERTIFICATE_REFUSED: [
    'two chips show one public key',
    elsewhere(
      'contracts/ledger.contract',
      'refuses the public key of another EID, and a serial number in use',
    ),
  ],
  TRANSCRIPT_INVALID: [
    'an answer in a transcript is changed',
    elsewhere(
      'cli/transcript.test',
      'exits 1 with TRANSCRIPT_INVALID when an answer was changed, and names what is wrong',
    ),
  ],
};

export const backendDoors: Doors = {
  STORE_UNAVAILABLE: [
    'the database of the fleet is down',
    onLine({}, ({ fleet }) => fleet.setReachable(false)),
  ],
  BACKUP_FAILED: [
    'the database is not empty, the key is another, the disk is full',
    elsewhere('cli/backup.test', 'is put back into an empty database alone, whole or not at all'),
  ],
  TIMESTAMP_INVALID: [
    'the authority stamped another file',
    elsewhere('fleet-log/timestamp.test', 'is kept only where it stamps a checkpoint of this log'),
  ],
  STORE_UNSAFE: [
    'fsync is off',
    elsewhere('store/postgres-fitness.test', 'is refused when it may lose what it acknowledges'),
  ],
  STORE_SCHEMA: [
    'a newer version has migrated the database',
    elsewhere('store/postgres-fitness.test', 'is refused when its schema is changed, newer, or another'),
  ],
  BACKEND_BUSY: ['the database is slower than the stations', () => refusalOf(fillSequencer)],
  QUOTA_EXHAUSTED: ['one unit more is fed than the ticket allows', onLine({ units: 2, quota: 1 })],
  UNIT_RELEASED_BEFORE: [
    'a unit that has left is put in again',
    impostor('is held as rework when it comes back: no ticket allows that'),
  ],
  UNIT_REJECTED_BEFORE: [
    'a unit that was rejected is put in again',
    impostor('leaves by the reject lane again when that was its lane, proved or not'),
  ],
  UNIT_CLONED: [
    'another chip shows the EID of a unit',
    onLine({ units: 2, forged: { 2: (fresh) => ({ ...fresh, eid: eidOfIndex(1) }) } }),
  ],
  UNIT_RELABELLED: [
    'a known chip shows another EID',
    impostor('is held as relabelled, and the history of the unit that it was shows it'),
  ],
  RELEASE_USED: [
    'a unit is carried to another station with a release, of which its old gate has said nothing yet',
    async () => {
      const { world } = await watchedWorld({ seed: 'used', units: 1, stations: 2 });
      await until(world, () => hasFact(world, 1, 'registered'), 'registered');
      stationOf(world, 1).fixture.line.takeByHand();
      await pass(world, 1_000);
      await stationOf(world, 2).fixture.line.putByHand(1);
      return firstFault(world, 'RELEASE_USED');
    },
  ],
  REPORT_INVALID: [
    'the backend takes the gate for another kind',
    onLine({ gates: { stations: 'controller', backend: 'plain-firmata' } }),
  ],
  CONFIRMATION_INVALID: [
    'a station rejects a unit in the name of another’s work',
    impostor('gets a receipt for its own nest, and the unit goes on'),
  ],
  EVENTS_OUT_OF_ORDER: ['an entry of the journal differs from what was sent before', changeHistory],
};

/** Says an entry again with other words, chained as a journal would chain it. */
async function changeHistory(): Promise<Fault> {
  const { world, sent } = await watchedWorld({ seed: 'history', units: 1, stations: 1 });
  await until(world, () => hasFact(world, 1, 'released'), 'released');
  await pass(world, 10_000);
  const said = sent.find(({ topic }) => topic.endsWith('/backend/events')) ?? assert.fail('nothing was said');
  const { entries, previousHash } = said.body as unknown as Said;
  const [{ text, sequence }] = entries;
  const other = text.replace('"at":1', '"at":2');
  assert.notEqual(other, text);
  const hash = chainHash(other, sequence, previousHash, nodeCrypto.sha256);
  const body = { ...said.body, entries: [{ sequence, text: other, hash }] };
  const { refused } = await ask(world, 1, eventsExchange, { body });
  return new Fault(refused ?? assert.fail('it was taken'));
}

interface Said {
  readonly previousHash: string;
  readonly entries: readonly [{ readonly text: string; readonly sequence: number }];
}

/** One item is under way in a database that does not answer, one waits, and one is too many. */
function fillSequencer(): Promise<unknown> {
  const ports = {
    crypto: nodeCrypto,
    heads: createInMemoryHead(),
    log: createMemoryLog(),
    store: { transaction: () => new Promise(() => undefined) },
  } as unknown as BackendPorts;
  const sequencer = new Sequencer(ports, 1);
  const add = () => sequencer.add(async () => 0, true);
  void add();
  return Promise.resolve()
    .then(() => Promise.resolve())
    .then(() => {
      void add();
      return add();
    });
}
