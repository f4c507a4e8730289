/** One leaf of the fleet log against the rows that it stands for: each says what the other says. */
import { type Bytes, equal, fromText, toHex, toText } from '../../core/bytes.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import { leafHash } from '../../core/log/tree.ts';
import type { Crypto } from '../../core/ports.ts';
import type {
  AppearanceRow,
  ConfirmationRow,
  EventRow,
  LeafRow,
  RecordRow,
  RejectionRow,
} from '../../core/store/fleet.ts';
import type { FleetView } from '../means.ts';

/** A leaf with what the tables hold under the names that it gives. */
export interface Evidence {
  readonly leaf: LeafRow;
  /** Null where the entry is not one of ours. */
  readonly said: Said | null;
  readonly record: RecordRow | null;
  readonly confirmations: readonly ConfirmationRow[];
  readonly rejection: RejectionRow | null;
  readonly appearance: AppearanceRow | null;
  readonly event: EventRow | null;
}

interface Said {
  readonly kind: string;
  readonly key: string;
  readonly at: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export async function evidenceOf(leaf: LeafRow, view: FleetView): Promise<Evidence> {
  const said = saidBy(leaf.entry);
  const text = (name: string): string => String(said?.body[name] ?? '');
  const ofUnit = said?.kind === 'registration' || said?.kind === 'confirmation';
  const [record, confirmations, rejection, appearance, event] = await Promise.all([
    ofUnit ? view.recordByOperation(text('operation')) : null,
    ofUnit ? view.confirmationsOf(text('operation')) : [],
    said?.kind === 'rejection' ? view.rejection(text('visit')) : null,
    said?.kind === 'appearance' ? view.appearance(said.key) : null,
    said?.kind === 'station-event'
      ? view.event(text('station'), text('journal'), Number(said.body.sequence))
      : null,
  ]);
  return { leaf, said, record, confirmations, rejection, appearance, event };
}

/** What is wrong with a leaf, in words; null when nothing is. */
export function objectionTo(evidence: Evidence, crypto: Crypto): string | null {
  const { leaf, said } = evidence;
  if (!equal(leafHash(leaf.entry, crypto.sha256), leaf.hash)) return 'its hash is not the hash of its entry';
  if (said === null) return 'its entry is not one of this log';
  if (said.key !== leaf.key) return `its entry is of ${said.key}, it is filed under ${leaf.key}`;
  switch (said.kind) {
    case 'registration':
      return ofRecord(evidence, said, crypto) ?? ofConfirmation(evidence, said, crypto);
    case 'confirmation':
      return ofConfirmation(evidence, said, crypto);
    case 'rejection':
      return ofEntry('rejection', evidence.rejection, evidence.leaf, said);
    case 'appearance':
      return ofEntry('appearance', evidence.appearance, evidence.leaf, said);
    case 'station-event':
      return ofEvent(evidence, said);
    default:
      return null;
  }
}

function ofRecord({ leaf, record }: Evidence, said: Said, crypto: Crypto): string | null {
  if (record === null) return 'its identity record is missing';
  const hash = toHex(crypto.sha256(record.record));
  if (hash !== said.body.recordHash) return 'the stored identity record is another than was logged';
  if (record.recordHash !== hash) return 'the identity record is filed under another hash than its own';
  if (record.leafIndex !== leaf.index) return `its identity record names leaf ${record.leafIndex}`;
  if (record.eid !== said.body.eid) return 'its identity record is filed under another EID';
  return null;
}

function ofConfirmation({ leaf, confirmations }: Evidence, said: Said, crypto: Crypto): string | null {
  const row = confirmations.find((one) => one.epoch === said.body.epoch);
  if (row === undefined) return 'its confirmation is missing';
  const hash = toHex(crypto.sha256(fromText(row.jws)));
  if (hash !== said.body.confirmationHash || row.sha256 !== hash)
    return 'the stored confirmation is another than was logged';
  return row.leafIndex === leaf.index ? null : `its confirmation names leaf ${row.leafIndex}`;
}

/** A row that keeps what the leaf says, byte for byte. */
function ofEntry(
  kind: string,
  row: Pick<RejectionRow, 'entry' | 'leafIndex'> | null,
  leaf: LeafRow,
  said: Said,
): string | null {
  if (row === null) return `its ${kind} is missing`;
  if (!equal(row.entry, fromText(canonicalJson(said.body))))
    return `the stored ${kind} is another than was logged`;
  return row.leafIndex === leaf.index ? null : `its ${kind} names leaf ${row.leafIndex}`;
}

function ofEvent({ event }: Evidence, said: Said): string | null {
  if (event === null) return 'its station event is missing';
  return event.hash === said.body.hash ? null : 'the stored station event is another than was logged';
}

function saidBy(entry: Bytes): Said | null {
  try {
    const { kind, key, at, body } = JSON.parse(toText(entry)) as {
      kind?: unknown;
      key?: unknown;
      at?: unknown;
      body?: unknown;
    };
    return typeof kind === 'string' && typeof key === 'string' && typeof body === 'object' && body !== null
      ? { kind, key, at: String(at), body: body as Readonly<Record<string, unknown>> }
      : null;
  } catch {
    return null; // The caller names the leaf.
  }
}
