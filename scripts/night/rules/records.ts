/** Rules of what is written down: judged when the night is over and everything has come to rest. */
import { eidOfIndex } from '../../../drivers/card-reader/virtual-se/eid.ts';
import { equal, toHex } from '../../../runtime/core/bytes.ts';
import { MerkleTree } from '../../../runtime/core/log/tree.ts';
import { FLEET_KEY_VERSION } from '../../simulation/parties.ts';
import { type Plant, quotaOf } from '../plant.ts';
import { departures, type Rule } from './rule.ts';

/** Objects that chips of a plant ever had: their certificates. */
const certificatesHeld = new WeakMap<Plant, Set<string>>();

export const recordRules: readonly Rule[] = [
  {
    name: 'I7',
    says: 'every chip that was touched is known, with one final state, and that state is what became of it',
    end: ({ plant, story, done }, blame) => {
      if (!done) return;
      for (const [unit, { state }] of plant.chips) {
        if (story.liars[unit] !== undefined) continue;
        const touched = state.keySets.some(({ keyVersion }) => keyVersion === FLEET_KEY_VERSION);
        const operation = plant.fleet.tables.operations.find('operation_eid', eidOfIndex(unit));
        if (touched && operation === null) blame(`unit ${unit} carries our keys and nobody knows it`);
        const left = departures(plant).filter((line) => line.unit === unit && line.lane === 'good');
        if (left.length > 1) blame(`unit ${unit} left ${left.length} times`);
        // Of a departure that stood on storage which was put back, the controller tells when the next unit comes.
        const forgotten =
          plant.places.some(({ ownDisks }) => ownDisks.length > 1) && operation?.state === 'recorded';
        if (left.length === 1 && operation?.state !== 'released' && !forgotten)
          blame(`unit ${unit} has left and is ${operation?.state ?? 'unknown'} in the fleet's store`);
      }
    },
  },
  {
    name: 'I8',
    says: 'one EID has one record and one key, and records are as many as releases',
    end: ({ plant, done }, blame) => {
      const records = plant.fleet.tables.records.all();
      for (const of of ['eid', 'publicKeyHash', 'certificateSerial', 'operation'] as const)
        if (new Set(records.map((row) => row[of])).size !== records.length)
          blame(`two records have one ${of}`);
      const certificates = plant.ledger.tables.certificates.all();
      if (new Set(certificates.map((row) => toHex(row.publicKey))).size !== certificates.length)
        blame('two certificates are for one key');
      const released = departures(plant).filter(({ lane }) => lane === 'good').length;
      if (done && released !== records.length)
        blame(`${released} were released, ${records.length} are recorded`);
    },
  },
  {
    name: 'I15',
    says: 'whatever a gateway signed stands in its ledger: each certificate that a chip ever held, and each confirmation',
    watch: (plant, story) => {
      const held = new Set<string>();
      certificatesHeld.set(plant, held);
      plant.witnesses.push({
        onCommand: ({ unit, chip, changed }) => {
          if (!changed || story.liars[unit] !== undefined) return;
          for (const object of Object.values(chip.state.objects)) held.add(object);
        },
      });
    },
    end: ({ plant, done }, blame) => {
      if (!done) return;
      const kept = plant.ledger.tables.certificates
        .all()
        .map(({ certificate }) => toHex(certificate ?? new Uint8Array(1)));
      for (const object of certificatesHeld.get(plant) ?? [])
        if (!kept.some((certificate) => certificate.length > 2 && object.toLowerCase().includes(certificate)))
          blame('a chip held a certificate that is not in the ledger');
      const { certificates, conclusions } = plant.ledger.tables;
      for (const { eid, certificateSerial } of plant.fleet.tables.records.all())
        if (
          certificateSerial !== null &&
          certificates.find('certificate_serial', certificateSerial)?.eid !== eid
        )
          blame(`the certificate of ${eid} is in a record, and not in the ledger`);
      for (const { operation, epoch } of plant.fleet.tables.confirmations.all())
        if (conclusions.find('conclusion_operation_epoch', operation, epoch) === null)
          blame(`epoch ${epoch} of ${operation} is confirmed, and the ledger does not know it`);
      const eids = certificates.all().map(({ eid }) => eid);
      if (new Set(eids).size !== eids.length) blame('an EID has two certificates');
    },
  },
  {
    name: 'I9',
    says: "neither reservations nor the gateway's dialogues exceed the ticket's quota",
    end: ({ plant, story }, blame) => {
      for (const { taken } of [...plant.fleet.tables.tickets.all(), ...plant.ledger.tables.quotas.all()])
        if (taken > quotaOf(story)) blame(`${taken} of a quota of ${quotaOf(story)} are taken`);
    },
  },
  {
    name: 'I13',
    says: 'the log is what its head says, and every leaf stands where its receipt says',
    end: ({ plant }, blame) => {
      const { heads, leaves, records } = plant.fleet.tables;
      const tree = new MerkleTree(plant.crypto.sha256);
      for (const leaf of [...leaves.all()].sort((a, b) => a.index - b.index)) {
        if (leaf.index !== tree.size) blame(`leaf ${leaf.index} follows leaf ${tree.size - 1}`);
        tree.append(leaf.hash);
      }
      const [head] = heads.all();
      if (head?.size !== tree.size || !equal(head.root, tree.root()))
        blame('the head is not the root of the leaves');
      for (const { eid, leafIndex } of records.all())
        if (leaves.find('log_leaf_index', leafIndex) === null) blame(`the record of ${eid} has no leaf`);
    },
  },
];
