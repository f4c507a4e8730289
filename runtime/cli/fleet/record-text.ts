/**
 * The identity record for people: grouped, with labels in words. Written for any version of the record: what it
 * does not know by name it shows all the same, under its own name.
 */
import { columns, type Paint } from '../screen.ts';

type Value = unknown;
type Members = Readonly<Record<string, Value>>;

/** Heading, and the members of the record that stand under it, in this order. */
const groups: readonly (readonly [string, readonly string[]])[] = [
  ['Unit', ['product', 'batch', 'manufacturedAt', 'lifeCycle']],
  ['Certificate', ['certificate']],
  ['Keys', ['keyMaterial']],
  ['Proof of the keys', ['keyInjection']],
  ['Chip', ['silicon']],
  [
    'Production',
    [
      'productionLine',
      'station',
      'nest',
      'gateController',
      'gate',
      'gateway',
      'operator',
      'ticket',
      'ticketProfile',
      'place',
      'errors',
    ],
  ],
  ['Time', ['time']],
  ['Evidence', ['evidence']],
];

/** Shown above or below the record, or of no use to people. */
const left = new Set(['schema', 'eid', 'operation', 'custody']);

const labels: Readonly<Record<string, string>> = {
  eid: 'EID',
  sha256: 'SHA-256',
  der: 'certificate itself',
  atr: 'ATR',
  enc: 'K-ENC',
  mac: 'K-MAC',
  dek: 'K-DEK',
  seFingerprint: 'SE fingerprint',
  manufacturedAt: 'made',
  errors: 'holds before',
  stationQuote: 'station quote (TPM)',
};

/** Bytes of the card's own standards, written as there. */
const HEXADECIMAL = /keyVersion$|^lifeCycle$/i;

/** Text longer than this is shown by its length: a program reads it with --json. */
const VALUE_MAX = 100;

export function recordLines(record: Members, paint: Paint): readonly string[] {
  const named = new Set(groups.flatMap(([, members]) => members));
  const others = Object.keys(record).filter((name) => !named.has(name) && !left.has(name));
  return [...groups, ['Also in the record', others] as const].flatMap(([heading, members]) => {
    const rows = members
      .filter((name) => record[name] !== undefined)
      .flatMap((name) =>
        rowsOf(name, record[name], isGroup(record[name]) && members.length === 1 ? null : name),
      );
    return rows.length === 0
      ? []
      : [paint.strong(heading), ...columns(rows.map(([label, value]) => [`  ${label}`, value])), ''];
  });
}

/** @param prefix null where the heading says it already */
function rowsOf(name: string, value: Value, prefix: string | null): readonly (readonly [string, string])[] {
  const label = prefix === null ? '' : labelOf(prefix);
  if (!isGroup(value) || isAbsent(value)) return [[label === '' ? labelOf(name) : label, shown(name, value)]];
  const inside = Object.entries(value);
  if (inside.length === 0) return [[label, 'none']];
  return inside.flatMap(([member, inner]) =>
    rowsOf(member, inner, null).map(([deeper, text]): readonly [string, string] => [
      [
        label,
        isGroup(inner) && !isAbsent(inner) && !deeper.startsWith(labelOf(member)) ? labelOf(member) : '',
        deeper,
      ]
        .filter((part) => part !== '')
        .join(', '),
      text,
    ]),
  );
}

function shown(name: string, value: Value): string {
  if (isAbsent(value)) return `not known: ${value.absent}`;
  if (value === null) return 'none';
  if (typeof value === 'number' && HEXADECIMAL.test(name)) return value.toString(16).padStart(2, '0');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(itemText).join(', ');
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > VALUE_MAX ? `${text.length} characters; --json shows them` : text;
}

/** A fault by its code, anything else as it is. */
function itemText(item: Value): string {
  if (isGroup(item)) return typeof item.code === 'string' ? item.code : JSON.stringify(item);
  return String(item);
}

function isGroup(value: Value): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAbsent(value: Value): value is { readonly absent: string } {
  return isGroup(value) && typeof value.absent === 'string' && Object.keys(value).length === 1;
}

/** `issuerKeyId` is `issuer key id`; a tag of a card stays as it is. */
function labelOf(name: string): string {
  if (/\d/.test(name) && /^[0-9a-f]+$/i.test(name)) return name;
  return (
    labels[name] ??
    name.replaceAll(/([a-z0-9])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`)
  );
}
