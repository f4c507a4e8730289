/**
 * The PKCS#11 attributes that follow from a rule of the key policy, in names and words: what an object is created
 * with, what the token must say of it when it is read back, and where the two differ.
 *
 * @see PKCS#11 2.40 sections 4.4 to 4.10
 */
import type { KeyRule, KeyType, Use } from './key-policy.ts';

/** Texts are the standard's names without their prefix; EC_PARAMS and PUBLIC_EXPONENT are hexadecimal. */
export type AttributeValue = boolean | number | string | readonly string[];
/** By name without `CKA_`. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

const VALUE_BYTES: Readonly<Partial<Record<KeyType, number>>> = { 'aes-128': 16, 'aes-256': 32, block: 16 };
const KEY_TYPES = {
  'aes-128': 'AES',
  'aes-256': 'AES',
  'des-3': 'DES3',
  block: 'GENERIC_SECRET',
  'p-256': 'EC',
  'p-384': 'EC',
  'rsa-3072': 'RSA',
} as const satisfies Record<KeyType, string>;
/** Object identifiers of the curves, DER. RFC 5480 section 2.1.1.1. */
const EC_PARAMS: Readonly<Partial<Record<KeyType, string>>> = {
  'p-256': '06082a8648ce3d030107',
  'p-384': '06052b81040022',
};
const SECRET_USES = ['ENCRYPT', 'DECRYPT', 'SIGN', 'VERIFY', 'WRAP', 'UNWRAP', 'DERIVE'] as const;
const PRIVATE_USES = ['DECRYPT', 'SIGN', 'UNWRAP', 'DERIVE'] as const;
const PUBLIC_USES = ['ENCRYPT', 'VERIFY', 'WRAP', 'DERIVE'] as const;

/** What an object of this rule is created with, in the order it is sent. `label` names token objects. */
export function createdAttributes(rule: KeyRule, label = ''): Attributes {
  const named: Attributes = rule.lives === 'token' ? { LABEL: label, ID: label } : {};
  return { ...ofKind(rule), ...named, ...closing(rule) };
}

/** What the token must say of an object: what it was created with, what nobody but the security officer could
 * have set, and of key pairs that they were made inside and never were outside, unless they have a backup. */
export function demandedAttributes(rule: KeyRule, label: string): Attributes {
  const trusting: Attributes = {
    ...(rule.kind === 'public' ? {} : { WRAP_WITH_TRUSTED: false }),
    ...(rule.kind === 'private' ? {} : { TRUSTED: false }),
  };
  const curve = EC_PARAMS[rule.type];
  const born: Attributes =
    rule.kind === 'private'
      ? {
          ...(rule.leaves === 'once' ? {} : BORN_INSIDE),
          ...(curve === undefined ? {} : { EC_PARAMS: curve }),
        }
      : {};
  return { ...createdAttributes(rule, label), ...trusting, ...born };
}

/** How the token knows a key that it made itself and that never left it. */
export const BORN_INSIDE = { LOCAL: true, ALWAYS_SENSITIVE: true, NEVER_EXTRACTABLE: true } as const;

/** Every attribute of an object that is read back: what the policy demands, and its birth. */
export function readNames(rule: KeyRule): readonly string[] {
  const birth = rule.kind === 'public' ? ['LOCAL'] : Object.keys(BORN_INSIDE);
  return [...new Set([...Object.keys(demandedAttributes(rule, '')), ...birth])];
}

/** The first attribute that is not as the policy demands, without `CKA_`; null when all are. */
export function firstDifference(rule: KeyRule, label: string, found: Attributes): string | null {
  for (const [name, value] of Object.entries(demandedAttributes(rule, label)))
    if (!same(found[name], value) && !isLengthUntold(name, found)) return name;
  return null;
}

/** SoftHSM 2.6.1 keeps no length of a key that was unwrapped and takes none from the template; the check value of
 * the ceremony vouches for it. */
function isLengthUntold(name: string, found: Attributes): boolean {
  return name === 'VALUE_LEN' && found.VALUE_LEN === 0 && found.LOCAL === false;
}

/** Mechanism lists are sets: a token may return them in another order. */
function same(found: AttributeValue | undefined, demanded: AttributeValue): boolean {
  if (typeof demanded !== 'object') return found === demanded;
  return (
    typeof found === 'object' &&
    found.length === demanded.length &&
    demanded.every((entry) => found.includes(entry))
  );
}

function ofKind(rule: KeyRule): Attributes {
  const token = { KEY_TYPE: KEY_TYPES[rule.type], TOKEN: rule.lives === 'token' };
  const may = (uses: readonly Use[]) => Object.fromEntries(uses.map((use) => [use, rule.uses.includes(use)]));
  const hidden = {
    PRIVATE: true,
    SENSITIVE: rule.leaves !== 'readable',
    EXTRACTABLE: rule.leaves === 'wrapped' || rule.leaves === 'readable',
  };
  const length = VALUE_BYTES[rule.type];
  switch (rule.kind) {
    case 'private':
      return { CLASS: 'PRIVATE_KEY', ...token, ...hidden, ...may(PRIVATE_USES), SIGN_RECOVER: false };
    case 'public':
      return {
        CLASS: 'PUBLIC_KEY',
        ...token,
        PRIVATE: false,
        ...may(PUBLIC_USES),
        VERIFY_RECOVER: false,
        ...publicForm(rule.type),
      };
    case 'secret':
      // The length of a triple DES key is its type's.
      return {
        CLASS: 'SECRET_KEY',
        ...token,
        ...(length === undefined ? {} : { VALUE_LEN: length }),
        ...hidden,
        ...may(SECRET_USES),
      };
  }
}

function publicForm(type: KeyType): Attributes {
  const curve = EC_PARAMS[type];
  return curve === undefined ? { MODULUS_BITS: 3072, PUBLIC_EXPONENT: '010001' } : { EC_PARAMS: curve };
}

/** MODIFIABLE must come last: SoftHSM applies it at once and then refuses what follows. */
function closing(rule: KeyRule): Attributes {
  return {
    ...(rule.lives === 'token' ? { DESTROYABLE: false } : {}),
    ...(rule.kind === 'public' || rule.mechanisms.length === 0
      ? {}
      : { ALLOWED_MECHANISMS: rule.mechanisms }),
    COPYABLE: false,
    MODIFIABLE: false,
  };
}
