/** A manifest of units as text: one line each, for whoever takes them over. Nothing in it is secret. */
import { toText } from '../bytes.ts';
import type { RecordRow } from '../store/fleet.ts';

/** Chosen from the record by its path; a column is for ever, new ones come at the end. */
const columns = [
  ['eid'],
  ['operation'],
  ['manufacturedAt'],
  ['product'],
  ['batch'],
  ['ticket'],
  ['productionLine'],
  ['station'],
  ['nest'],
  ['gateway'],
  ['operator'],
  ['certificate', 'serial'],
  ['certificate', 'sha256'],
  ['certificate', 'issuer'],
  ['certificate', 'publicKeyHash'],
  ['keyMaterial', 'scheme'],
  ['keyMaterial', 'generation'],
  ['keyMaterial', 'keyVersion'],
  ['silicon', 'seFingerprint'],
] as const;

/** RFC 4180, without its line break. */
export const csvHeading = [...columns.map((path) => path.join('.')), 'recordHash', 'leaf'].join(',');

/** One unit as CSV; what a record does not have is empty. */
export function csvLine({ record, recordHash, leafIndex }: RecordRow): string {
  const said: unknown = JSON.parse(toText(record));
  const values = columns.map((path) => quoted(found(said, path)));
  return [...values, recordHash, String(leafIndex)].join(',');
}

/** One unit as JSON: the record as it was logged, with its hash and its leaf. */
export function jsonLine({ record, recordHash, leafIndex }: RecordRow): string {
  // The record stays in the spelling that is hashed.
  return `{"leaf":${leafIndex},"record":${toText(record)},"recordHash":"${recordHash}"}`;
}

function found(value: unknown, path: readonly string[]): string {
  const [first, ...rest] = path;
  if (first === undefined) return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  if (typeof value !== 'object' || value === null) return '';
  return found((value as Readonly<Record<string, unknown>>)[first], rest);
}

/** A text that a table program would take for a formula is none: it keeps its quotes and an apostrophe. */
function quoted(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) || harmless !== text ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
