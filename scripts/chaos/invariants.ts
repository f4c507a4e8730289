/** What must hold whatever died when: judged on evidence from outside, without a word of the station's own. */
import { createHash } from 'node:crypto';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { fromBase64, toHex } from '../../runtime/core/bytes.ts';
import type { GateLine } from '../laboratory/fixture-world.ts';
import type { Evidence, Recorded } from './evidence.ts';

const FLEET_KEY_VERSION = 0x31;
const SECURED = 0x0f;

/** Units that must leave by the reject lane. */
export type Foreign = ReadonlySet<number>;

/** What is wrong, in sentences; empty when nothing is. */
export function judge(evidence: Evidence, foreign: Foreign): readonly string[] {
  const rules = [
    gateRule,
    releasedRule,
    rejectedRule,
    lostRule,
    phantomRule,
    journalRule,
    logRule,
    secretRule,
  ];
  return rules.flatMap((rule) => rule(evidence, foreign));
}

type Rule = (evidence: Evidence, foreign: Foreign) => readonly string[];

const departuresIn = ({ gate }: Evidence): readonly GateLine[] =>
  gate.filter(({ event }) => event === 'LEFT');
const named = (line: GateLine): string => `unit ${line.unit}`;

/** Each unit leaves once, and each arrival is let out once, by the lane that was opened for it. */
const gateRule: Rule = (evidence) => {
  const left = departuresIn(evidence);
  const opened = evidence.gate.filter(({ event }) => event === 'OPENED');
  return [
    ...repeated(left.map(named)).map((unit) => `${unit} left more than once`),
    ...repeated(opened.map(({ arrival }) => `arrival ${arrival}`)).map(
      (one) => `${one}: the gate opened twice`,
    ),
    ...left
      .filter((gone) => !opened.some((open) => open.arrival === gone.arrival && open.lane === gone.lane))
      .map((gone) => `${named(gone)} left by a gate that nobody had opened`),
  ];
};

/** Released: record, confirmation and leaf of this EID and key; one certificate in chip, record and ledger. */
const releasedRule: Rule = (evidence, foreign) =>
  departuresIn(evidence)
    .filter(({ lane }) => lane === 'good')
    .flatMap((gone) => releasedWrongly(evidence, foreign, gone).map((what) => `${named(gone)} ${what}`));

function releasedWrongly(evidence: Evidence, foreign: Foreign, gone: GateLine): readonly string[] {
  const { fleet, chips } = evidence;
  if (foreign.has(gone.unit ?? 0)) return ['left by the good lane, and its keys are not ours'];
  const eid = eidOfIndex(gone.unit ?? 0);
  const record = fleet.records.find((row) => row.eid === eid);
  if (record === undefined) return ['was released without a record'];
  const release = fleet.releases.find(({ counter }) => counter === gone.counter);
  const confirmed = fleet.confirmations.some(
    (row) => row.operation === record.operation && row.epoch === release?.epoch,
  );
  const chip = chips.get(eid);
  return [
    ...(release?.operation === record.operation && release.arrival === gone.arrival && release.lane === 'good'
      ? []
      : ['left on a release for another unit or arrival']),
    ...(confirmed ? [] : ['was released without the confirmation of its epoch']),
    ...(leafOf(evidence, record) ? [] : ['has a record that its leaf does not name']),
    ...(chip?.keyVersions.join() === String(FLEET_KEY_VERSION)
      ? []
      : ['holds other key sets than ours alone']),
    ...(chip?.lifeCycle === SECURED ? [] : ['is not secured']),
    ...certificateWrong(evidence, record, chip),
  ];
}

function leafOf({ fleet }: Evidence, record: Recorded): boolean {
  const leaf = fleet.leaves.find(({ index }) => index === record.leaf_index);
  const hash = createHash('sha256').update(record.record).digest('hex');
  return hash === record.record_hash && leaf?.entry.includes(record.record_hash) === true;
}

function certificateWrong(
  { certificates }: Evidence,
  row: Recorded,
  chip: { readonly objects: string; readonly publicKeys: readonly string[] } | undefined,
): readonly string[] {
  // Its other fields are the schema's to judge: `holdfast audit verify` reads every record.
  const { certificate, eid } = JSON.parse(row.record) as { certificate: { der?: string }; eid: string };
  if (certificate.der === undefined) return ['has a record without its certificate'];
  const der = toHex(fromBase64(certificate.der));
  const issued = certificates.filter((one) => one.eid === row.eid);
  return [
    ...(eid === row.eid ? [] : ['has a record of another EID']),
    ...(chip?.objects.includes(der) === true ? [] : ['holds another certificate than its record']),
    ...(chip?.publicKeys.some((key) => der.includes(key)) === true
      ? []
      : ['has a certificate for a key that it does not hold']),
    ...(issued.some((one) => one.der === der) ? [] : ['has a certificate that the ledger does not know']),
    ...(issued.length === 1 ? [] : [`was given ${issued.length} certificates`]),
  ];
}

/** Only a verdict on the card rejects, and never without its record. */
const rejectedRule: Rule = ({ fleet, ...evidence }, foreign) =>
  departuresIn({ fleet, ...evidence })
    .filter(({ lane }) => lane === 'reject')
    .flatMap((gone) => {
      const eid = eidOfIndex(gone.unit ?? 0);
      return [
        ...(foreign.has(gone.unit ?? 0) ? [] : ['is good and was rejected']),
        ...(fleet.rejections.some((row) => row.eid === eid) ? [] : ['was rejected without a reject record']),
        ...(fleet.records.some((row) => row.eid === eid) ? ['was rejected and has an identity record'] : []),
      ].map((what) => `${named(gone)} ${what}`);
    });

/** Every chip with our keys is known, and has left or is in the nest. */
const lostRule: Rule = (evidence) => {
  const gone = new Set(departuresIn(evidence).map(({ unit }) => eidOfIndex(unit ?? 0)));
  const here = evidence.present === null ? null : eidOfIndex(evidence.present.unit);
  const known = new Set(evidence.fleet.operations.map(({ eid }) => eid));
  const ours = [...evidence.chips].filter(([, chip]) => chip.keyVersions.includes(FLEET_KEY_VERSION));
  return [
    ...ours.filter(([eid]) => !known.has(eid)).map(([eid]) => `${eid} has our keys and no operation`),
    ...ours
      .filter(([eid]) => !gone.has(eid) && eid !== here)
      .map(([eid]) => `${eid} has our keys and is nowhere`),
  ];
};

/** No record of a unit that is not there, and no unit of the quota that nobody has. */
const phantomRule: Rule = (evidence) => {
  const { fleet, present } = evidence;
  const there = new Set(
    departuresIn(evidence)
      .filter(({ lane }) => lane === 'good')
      .map(({ unit }) => eidOfIndex(unit ?? 0)),
  );
  if (present !== null) there.add(eidOfIndex(present.unit));
  const operations = fleet.operations.length + fleet.disowned;
  return [
    ...fleet.records.filter(({ eid }) => !there.has(eid)).map(({ eid }) => `${eid} has a record and no unit`),
    ...(fleet.taken === operations
      ? []
      : [`${fleet.taken} units of the quota are taken for ${operations} operations`]),
  ];
};

/** The journal is one chain, and the backend has exactly its entries. */
const journalRule: Rule = ({ journal, fleet }) => {
  if (journal.refusal !== null) return [`the journal does not verify: ${journal.refusal}`];
  const own = new Map(journal.entries.map(({ sequence, hash }) => [sequence, hash]));
  const strange = fleet.events.filter(({ sequence, hash }) => own.get(sequence) !== hash);
  const missing = own.size - fleet.events.length;
  return [
    ...strange.map(({ sequence }) => `entry ${sequence} of the backend is not the journal's`),
    ...(missing > 0 ? [`${missing} entries of the journal never reached the backend`] : []),
  ];
};

const logRule: Rule = ({ auditRefusal }) =>
  auditRefusal === null ? [] : [`the log does not verify: ${auditRefusal}`];

const secretRule: Rule = ({ secrets }) => secrets.map((found) => `a secret is readable: ${found}`);

function repeated(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
}
