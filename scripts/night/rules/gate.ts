/** Rules of the gate: judged when its own witness, who belongs to nobody, sees it move. */
import { eidOfIndex } from '../../../drivers/card-reader/virtual-se/eid.ts';
import { publicKeyOf } from '../../../drivers/crypto/ecdsa.ts';
import { p256Spki } from '../../../drivers/crypto/node.ts';
import type { GateLogLine } from '../../../drivers/jig/controller/fixture.ts';
import { fromHex, toHex } from '../../../runtime/core/bytes.ts';
import { leafHash } from '../../../runtime/core/log/tree.ts';
import { FLEET_KEY_VERSION } from '../../simulation/parties.ts';
import type { Plant } from '../plant.ts';
import { factsOfArrival, type Rule } from './rule.ts';

const leftBy = (line: GateLogLine, lane: 'good' | 'reject'): boolean =>
  line.event === 'LEFT' && line.lane === lane && line.unit !== null;

const recordOf = ({ fleet }: Plant, unit: number) =>
  fleet.tables.records.find('identity_record_eid', eidOfIndex(unit));

/** SHA-256 of the public key in the chip, as records name it; null while there is none. */
function keyHashOf({ chips, crypto }: Plant, unit: number): string | null {
  const scalar = chips.get(unit)?.state.pairs['9e'];
  return scalar === undefined ? null : toHex(crypto.sha256(p256Spki(publicKeyOf(fromHex(scalar)))));
}

export const gateRules: readonly Rule[] = [
  {
    name: 'I1',
    says: 'who is released has a committed record of this very EID and public key, with its leaf and confirmation',
    gate: (line, _, { plant }, blame) => {
      if (!leftBy(line, 'good') || line.unit === null) return;
      const record = recordOf(plant, line.unit);
      if (record === null) return blame(`unit ${line.unit} left without a record`);
      if (record.publicKeyHash !== keyHashOf(plant, line.unit))
        blame(`unit ${line.unit} left with another key than its record names`);
      const leaf = plant.fleet.tables.leaves.find('log_leaf_index', record.leafIndex);
      if (leaf === null || toHex(leafHash(leaf.entry, plant.crypto.sha256)) !== toHex(leaf.hash))
        blame(`the record of unit ${line.unit} has no leaf`);
      if (plant.fleet.tables.confirmations.group(record.operation).length === 0)
        blame(`the record of unit ${line.unit} has no confirmation`);
    },
  },
  {
    name: 'I2',
    says: 'who is released holds the certificate that the gateway logged, for the key inside, and the fleet set alone',
    gate: (line, _, { plant }, blame) => {
      if (!leftBy(line, 'good') || line.unit === null) return;
      const { unit } = line;
      const state = plant.chips.get(unit)?.state;
      const serial = recordOf(plant, unit)?.certificateSerial ?? '';
      const logged = plant.ledger.tables.certificates.find('certificate_serial', serial);
      if (logged?.certificate == null) return blame(`the certificate of unit ${unit} is in no ledger`);
      if (!(state?.objects['5fc101'] ?? '').includes(toHex(logged.certificate)))
        blame(`unit ${unit} left with another certificate than the one that was logged`);
      if (toHex(plant.crypto.sha256(p256Spki(logged.publicKey))) !== keyHashOf(plant, unit))
        blame(`the certificate of unit ${unit} is for another key than the one inside`);
      const versions = state?.keySets.map(({ keyVersion }) => keyVersion) ?? [];
      if (versions.join() !== String(FLEET_KEY_VERSION))
        blame(`unit ${unit} left with key versions ${versions}`);
    },
  },
  {
    name: 'I3',
    says: "who is released is confirmed and registered on the station's own medium, in the attempt that released it",
    gate: (line, place, _, blame) => {
      if (!leftBy(line, 'good')) return;
      const facts = factsOfArrival(place, line.arrival);
      const attempt = facts.slice(
        Math.max(
          0,
          facts.findLastIndex(({ name }) => name === 'resumed'),
        ),
      );
      const names = facts.map(({ name }) => name);
      for (const name of ['confirmed', 'registered', 'release-intent'] as const)
        if (!names.includes(name)) blame(`unit ${line.unit} left, and ${name} is not on the disk`);
      // A resumption under way when the gate opened may have begun a new attempt; its receipts stand before it.
      if (!attempt.some(({ name }) => name === 'resumed') && attempt.at(0)?.name !== 'arrived')
        blame(`unit ${line.unit} left, and its arrival is not on the disk`);
    },
  },
  {
    name: 'I4',
    says: 'a unit that fails never leaves by the good lane, and a good one never by the other',
    gate: (line, _, { story }, blame) => {
      const liar = line.unit === null ? undefined : story.liars[line.unit];
      if (leftBy(line, 'good') && liar !== undefined) blame(`unit ${line.unit} left as good and is ${liar}`);
      if (leftBy(line, 'reject') && liar === undefined) blame(`unit ${line.unit} was rejected and is good`);
    },
  },
  {
    name: 'I5',
    says: 'a reject leaves only with a record of it, and with its verdict on the own medium',
    gate: (line, place, { plant }, blame) => {
      if (!leftBy(line, 'reject')) return;
      const facts = factsOfArrival(place, line.arrival);
      const visits = new Set(facts.flatMap((fact) => ('visit' in fact ? [fact.visit] : [])));
      if (![...visits].some((visit) => plant.fleet.tables.rejections.find('rejection_visit', visit) !== null))
        blame(`unit ${line.unit} was rejected without a record`);
      if (!facts.some(({ name }) => name === 'reject-registered'))
        blame(`unit ${line.unit} was rejected, and its receipt is not on the disk`);
    },
  },
  {
    name: 'I6',
    says: 'the gate opens once for an arrival at most, never with nobody there, and nobody else leaves by it',
    gate: (line, place, _, blame) => {
      const opened = place.gateLog.some((one) => one.event === 'OPENED' && one.arrival === line.arrival);
      if (line.event === 'LEFT' && !opened)
        blame(`arrival ${line.arrival} left by a gate that was opened for another`);
      if (line.event !== 'OPENED') return;
      const before = place.gateLog.filter((one) => one.event === 'OPENED' && one.arrival === line.arrival);
      if (before.length > 1) blame(`the gate opened ${before.length} times for arrival ${line.arrival}`);
      if (line.unit === null) blame('the gate opened with no unit there');
    },
  },
  {
    name: 'L2',
    says: 'the gate moves only while its station says on its own medium that it releases or diverts',
    gate: (line, place, _, blame) => {
      if (line.event !== 'OPENED') return;
      const facts = factsOfArrival(place, line.arrival);
      const leave = line.lane === 'good' ? 'release-intent' : 'reject-registered';
      if (!facts.some(({ name }) => name === leave))
        blame(`the ${line.lane} gate opened for unit ${line.unit} without ${leave}`);
    },
    end: ({ plant, done }, blame) => {
      if (!done) return;
      for (const { name, fixture } of plant.places) {
        const sensed = fixture.sensed();
        if (!sensed['gate-good-closed'] || !sensed['gate-reject-closed'])
          blame(`a gate of ${name} stands open when the night is over`);
      }
    },
  },
];
