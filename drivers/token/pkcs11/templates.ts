/** Attribute templates made from the key policy table, and the audit of token objects against it. */
import { Fault } from '../../../runtime/core/faults.ts';
import { type Cryptoki, ck, findObjects, guarded, type Handle, type Template } from './cryptoki.ts';
import { type KeyRule, type MechanismName, ruleFor, type Use } from './key-policy.ts';

/** OID of P-256 as CKA_EC_PARAMS. RFC 5480 section 2.1.1.1. */
const P256_PARAMS = Buffer.from('06082a8648ce3d030107', 'hex');
/** Bytes of a CK_ULONG on every 64-bit platform we run on. */
const ULONG_BYTES = 8;

type AttributeValue = boolean | number | string | Buffer;
/** Attributes by their PKCS#11 names, in the order they are sent. */
type Attributes = Readonly<Record<string, AttributeValue>>;

const VALUE_LENGTH = { 'aes-128': 16, 'aes-256': 32, block: 16 } as const;
const SECRET_TYPE = {
  'aes-128': ck.CKK_AES,
  'aes-256': ck.CKK_AES,
  'des-3': ck.CKK_DES3,
  block: ck.CKK_GENERIC_SECRET,
} as const;
const SECRET_USES = ['ENCRYPT', 'DECRYPT', 'SIGN', 'VERIFY', 'WRAP', 'UNWRAP', 'DERIVE'] as const;
const PRIVATE_USES = ['DECRYPT', 'SIGN', 'UNWRAP', 'DERIVE'] as const;
const PUBLIC_USES = ['ENCRYPT', 'VERIFY', 'WRAP', 'DERIVE'] as const;

/** The template an object of this rule is created with; `label` and `id` for token objects. */
export function templateOf(rule: KeyRule, label = '', id: Buffer = Buffer.alloc(0)): Template {
  const named: Attributes = rule.lives === 'token' ? { LABEL: label, ID: id } : {};
  return listOf({ ...createdAttributes(rule), ...named, ...closingAttributes(rule) });
}

/**
 * Reads every attribute of every object in the token and compares it with the policy.
 * @throws Fault KEY_POLICY_BROKEN naming key and attribute; also for an object that no rule is for
 */
export function auditToken(cryptoki: Cryptoki, session: Handle): void {
  for (const handle of findObjects(cryptoki, session, listOf({ TOKEN: true }))) {
    const kind = kindOf(cryptoki, session, handle);
    const label = readAttribute(cryptoki, session, handle, 'LABEL').toString();
    const rule = kind === null ? undefined : ruleFor(kind, label);
    if (rule === undefined) throw new Fault('KEY_POLICY_BROKEN', { key: label, attribute: 'unknown object' });
    const expected = { ...createdAttributes(rule), ...closingAttributes(rule), ...bornAttributes(rule) };
    for (const [name, value] of Object.entries(expected)) {
      const found = readAttribute(cryptoki, session, handle, name);
      if (!same(name, found, encode(value)))
        throw new Fault('KEY_POLICY_BROKEN', { key: label, attribute: `CKA_${name}` });
    }
  }
}

/** One attribute's bytes. @throws Fault KEY_POLICY_BROKEN when the token does not tell */
export function readAttribute(cryptoki: Cryptoki, session: Handle, object: Handle, name: string): Buffer {
  const [attribute] = guarded('KEY_POLICY_BROKEN', () =>
    cryptoki.C_GetAttributeValue(session, object, [{ type: typeOf(name) }]),
  );
  return Buffer.from((attribute?.value ?? Buffer.alloc(0)) as Buffer);
}

/** Attributes in their order, as pkcs11js wants them. */
export function listOf(attributes: Attributes): Template {
  return Object.entries(attributes).map(([name, value]) => ({ type: typeOf(name), value }));
}

function createdAttributes(rule: KeyRule): Attributes {
  const token = { TOKEN: rule.lives === 'token' };
  const may = (uses: readonly Use[]) => Object.fromEntries(uses.map((use) => [use, rule.uses.includes(use)]));
  const hidden = {
    PRIVATE: true,
    SENSITIVE: rule.leaves !== 'readable',
    EXTRACTABLE: rule.leaves !== 'never',
  };
  if (rule.kind === 'private')
    return {
      CLASS: ck.CKO_PRIVATE_KEY,
      KEY_TYPE: ck.CKK_EC,
      ...token,
      ...hidden,
      ...may(PRIVATE_USES),
      SIGN_RECOVER: false,
    };
  if (rule.kind === 'public')
    return {
      CLASS: ck.CKO_PUBLIC_KEY,
      KEY_TYPE: ck.CKK_EC,
      ...token,
      PRIVATE: false,
      ...may(PUBLIC_USES),
      VERIFY_RECOVER: false,
      EC_PARAMS: P256_PARAMS,
    };
  return {
    CLASS: ck.CKO_SECRET_KEY,
    KEY_TYPE: SECRET_TYPE[rule.type as keyof typeof SECRET_TYPE],
    // The length of a triple DES key is its type's.
    ...(rule.type === 'des-3' ? {} : { VALUE_LEN: VALUE_LENGTH[rule.type as keyof typeof VALUE_LENGTH] }),
    ...token,
    ...hidden,
    ...may(SECRET_USES),
  };
}

/** MODIFIABLE must come last: SoftHSM applies it at once and then refuses what follows. */
function closingAttributes(rule: KeyRule): Attributes {
  return {
    ...(rule.lives === 'token' ? { DESTROYABLE: false } : {}),
    ...(rule.kind === 'public' || rule.mechanisms.length === 0
      ? {}
      : { ALLOWED_MECHANISMS: mechanismList(rule.mechanisms) }),
    COPYABLE: false,
    MODIFIABLE: false,
  };
}

/** What the token itself knows of a key's birth: a signing key was made inside and never was outside. */
function bornAttributes(rule: KeyRule): Attributes {
  return rule.kind === 'private'
    ? { LOCAL: true, ALWAYS_SENSITIVE: true, NEVER_EXTRACTABLE: true, EC_PARAMS: P256_PARAMS }
    : {};
}

/** An array of CK_MECHANISM_TYPE, each a CK_ULONG in the machine's order. */
function mechanismList(names: readonly MechanismName[]): Buffer {
  return Buffer.concat(names.map((name) => encode(ck[`CKM_${name}`])));
}

function encode(value: AttributeValue): Buffer {
  if (typeof value === 'boolean') return Buffer.of(value ? 1 : 0);
  if (typeof value === 'string') return Buffer.from(value);
  if (typeof value !== 'number') return value;
  const bytes = Buffer.alloc(ULONG_BYTES);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** Mechanism lists are sets: a token may return them in another order. */
function same(name: string, found: Buffer, expected: Buffer): boolean {
  if (name !== 'ALLOWED_MECHANISMS') return found.equals(expected);
  const sorted = (list: Buffer): string =>
    (list.toString('hex').match(/.{16}/g) ?? []).sort((a, b) => (a < b ? -1 : 1)).join();
  return found.length === expected.length && sorted(found) === sorted(expected);
}

function kindOf(cryptoki: Cryptoki, session: Handle, object: Handle): KeyRule['kind'] | null {
  switch (readAttribute(cryptoki, session, object, 'CLASS').readUInt32LE(0)) {
    case ck.CKO_SECRET_KEY:
      return 'secret';
    case ck.CKO_PRIVATE_KEY:
      return 'private';
    case ck.CKO_PUBLIC_KEY:
      return 'public';
    default:
      return null;
  }
}

function typeOf(name: string): number {
  const type = (ck as unknown as Readonly<Record<string, unknown>>)[`CKA_${name}`];
  if (typeof type !== 'number') throw new RangeError(`no attribute CKA_${name}`);
  return type;
}
