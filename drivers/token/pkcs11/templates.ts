/** Attributes of the key policy as PKCS#11 templates, attributes read back, and the audit of a token's objects. */
import { Fault } from '../../../runtime/core/faults.ts';
import {
  type Attributes,
  type AttributeValue,
  createdAttributes,
  firstDifference,
  readNames,
} from '../../../runtime/core/key-attributes.ts';
import {
  type Kdf,
  type KeyRule,
  type MechanismName,
  ruleFor,
  type TokenRole,
} from '../../../runtime/core/key-policy.ts';
import { type Cryptoki, ck, findObjects, guarded, type Handle, type Template } from './cryptoki.ts';
import { SP800_108_COUNTER_KDF } from './sp800-108.ts';

/** Bytes of a CK_ULONG on every 64-bit platform we run on. */
const ULONG_BYTES = 8;
/** Attributes whose value is a number of the standard that has a name. */
const NAMED_NUMBERS: Readonly<Record<string, string>> = { CLASS: 'CKO', KEY_TYPE: 'CKK' };
const NUMBERS: readonly string[] = ['VALUE_LEN', 'MODULUS_BITS'];
const BYTES: readonly string[] = ['EC_PARAMS', 'PUBLIC_EXPONENT', 'VALUE'];
const TEXTS: readonly string[] = ['LABEL', 'ID'];
/** pkcs11js knows PKCS#11 2.40 alone. */
const constants: Readonly<Record<string, unknown>> = {
  ...ck,
  CKM_SP800_108_COUNTER_KDF: SP800_108_COUNTER_KDF,
};

/** The template an object of this rule is created with; `label` for token objects. */
export function templateOf(rule: KeyRule, label = ''): Template {
  return listOf(createdAttributes(rule, label));
}

/**
 * Reads every attribute of every object in the token and compares it with the policy.
 * @throws Fault KEY_POLICY_BROKEN naming key and attribute; also for an object that no rule is for, for one that
 * belongs in another token, and for a second one of a name
 */
export function auditToken(
  cryptoki: Cryptoki,
  session: Handle,
  role: TokenRole,
  kdf: Kdf = 'cbc-data',
): void {
  const seen = new Set<string>();
  for (const handle of findObjects(cryptoki, session, listOf({ TOKEN: true }))) {
    const { kind, label } = nameOf(cryptoki, session, handle);
    const broken = (attribute: string): Fault => new Fault('KEY_POLICY_BROKEN', { key: label, attribute });
    const rule = kind === null ? undefined : ruleFor(kind, label, kdf);
    if (rule === undefined) throw broken('unknown object');
    if (!rule.tokens.includes(role)) throw broken(`does not belong in a token of the ${role}`);
    if (seen.size === seen.add(`${kind} ${label}`).size) throw broken('a second object of this name');
    const difference = firstDifference(rule, label, readBack(cryptoki, session, handle, rule));
    if (difference !== null) throw broken(`CKA_${difference}`);
  }
}

/** What the token says of an object, in names and words. @throws Fault KEY_POLICY_BROKEN when it does not tell */
export function readBack(cryptoki: Cryptoki, session: Handle, object: Handle, rule: KeyRule): Attributes {
  return Object.fromEntries(
    readNames(rule).map((name) => [name, decode(name, readAttribute(cryptoki, session, object, name))]),
  );
}

/** One attribute's bytes. @throws Fault KEY_POLICY_BROKEN when the token does not tell */
export function readAttribute(cryptoki: Cryptoki, session: Handle, object: Handle, name: string): Buffer {
  const [attribute] = guarded('KEY_POLICY_BROKEN', () =>
    cryptoki.C_GetAttributeValue(session, object, [{ type: typeOf(name) }]),
  );
  return Buffer.from((attribute?.value ?? Buffer.alloc(0)) as Buffer);
}

/** Attributes in their order, as pkcs11js wants them. */
export function listOf(attributes: Readonly<Record<string, AttributeValue | Buffer>>): Template {
  return Object.entries(attributes).map(([name, value]) => ({
    type: typeOf(name),
    value: Buffer.isBuffer(value) ? value : encode(name, value),
  }));
}

function nameOf(
  cryptoki: Cryptoki,
  session: Handle,
  object: Handle,
): { readonly kind: KeyRule['kind'] | null; readonly label: string } {
  const label = readAttribute(cryptoki, session, object, 'LABEL').toString();
  switch (readAttribute(cryptoki, session, object, 'CLASS').readUInt32LE(0)) {
    case ck.CKO_SECRET_KEY:
      return { kind: 'secret', label };
    case ck.CKO_PRIVATE_KEY:
      return { kind: 'private', label };
    case ck.CKO_PUBLIC_KEY:
      return { kind: 'public', label };
    default:
      return { kind: null, label };
  }
}

function encode(name: string, value: AttributeValue): boolean | number | string | Buffer {
  const prefix = NAMED_NUMBERS[name];
  if (typeof value === 'object')
    return Buffer.concat(value.map((entry) => ulong(numberNamed(`CKM_${entry}`))));
  if (typeof value !== 'string') return value;
  if (prefix !== undefined) return numberNamed(`${prefix}_${value}`);
  if (BYTES.includes(name)) return Buffer.from(value, 'hex');
  return name === 'ID' ? Buffer.from(value) : value;
}

function decode(name: string, bytes: Buffer): AttributeValue {
  const prefix = NAMED_NUMBERS[name];
  if (name === 'ALLOWED_MECHANISMS')
    return Array.from({ length: Math.floor(bytes.length / ULONG_BYTES) }, (_, i) =>
      nameOfNumber('CKM', bytes.readBigUInt64LE(i * ULONG_BYTES)),
    ).sort();
  if (BYTES.includes(name)) return bytes.toString('hex');
  if (TEXTS.includes(name)) return bytes.toString();
  if (prefix === undefined && !NUMBERS.includes(name)) return bytes.length === 1 && bytes[0] === 1;
  if (bytes.length !== ULONG_BYTES) return 'untold';
  const number = bytes.readBigUInt64LE();
  return prefix === undefined ? Number(number) : nameOfNumber(prefix, number);
}

/** The standard's name for a number, without its prefix; the number itself where there is none. */
function nameOfNumber(prefix: string, number: bigint): string {
  const names = known.get(prefix) ?? namesWith(prefix);
  known.set(prefix, names);
  return names.get(number) ?? `0x${number.toString(16)}`;
}

/** Names by number, made once for each prefix: an audit asks for thousands. */
const known = new Map<string, ReadonlyMap<bigint, string>>();

/** Of several names of one number the shortest counts: EC, not ECDSA. */
function namesWith(prefix: string): ReadonlyMap<bigint, string> {
  const longestFirst = Object.entries(constants)
    .filter(([name, value]) => name.startsWith(`${prefix}_`) && typeof value === 'number')
    .sort(([a], [b]) => b.length - a.length || (a < b ? 1 : -1));
  return new Map(
    longestFirst.map(([name, value]) => [BigInt(value as number), name.slice(prefix.length + 1)]),
  );
}

/** The number of a mechanism, its type. */
export function mechanismNamed(name: MechanismName): number {
  return numberNamed(`CKM_${name}`);
}

function numberNamed(name: string): number {
  const number = constants[name];
  if (typeof number !== 'number') throw new RangeError(`no constant ${name}`);
  return number;
}

function typeOf(name: string): number {
  return numberNamed(`CKA_${name}`);
}

function ulong(value: number): Buffer {
  const bytes = Buffer.alloc(ULONG_BYTES);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
