/**
 * The key policy table: every kind of key object there is, and what it may do. Objects are created from it, and
 * those in the token are audited against it at each start.
 *
 * A usage or mechanism that is not listed is switched off by name: SoftHSM's default for a derived key is "not
 * sensitive, may do everything".
 *
 * @see PKCS#11 2.40 sections 4.8 to 4.10
 */
import type { KeyAlgorithm } from '../../../runtime/core/card/key-algorithm.ts';

export type Use = 'ENCRYPT' | 'DECRYPT' | 'SIGN' | 'VERIFY' | 'WRAP' | 'UNWRAP' | 'DERIVE';
export type MechanismName =
  | 'AES_ECB'
  | 'AES_CBC'
  | 'AES_CMAC'
  | 'AES_CBC_ENCRYPT_DATA'
  | 'AES_ECB_ENCRYPT_DATA'
  | 'DES3_ECB_ENCRYPT_DATA'
  | 'ECDSA';
/** `block`: 16 bytes that are no key; `des-3`: a vendor's triple DES master of 24 bytes. */
export type KeyType = 'aes-128' | 'aes-256' | 'des-3' | 'block' | 'p-256';

export interface KeyRule {
  readonly name: string;
  readonly kind: 'secret' | 'private' | 'public';
  /** `token`: kept, and never destroyed by a program; `session`: gone with its PKCS#11 session. */
  readonly lives: 'token' | 'session';
  readonly type: KeyType;
  readonly uses: readonly Use[];
  readonly mechanisms: readonly MechanismName[];
  /** `never` leaves the token; `wrapped`: only under another key; `readable`: a public result. */
  readonly leaves: 'never' | 'wrapped' | 'readable';
  /** Labels of token objects that this rule is for. */
  readonly label: RegExp;
}

/** Session objects have no label. */
const NONE = /^$/;

// biome-ignore format: this is a table
const rows = [
  // name                  kind       lives      type       uses                           mechanisms                                       leaves      label
  ['transport-master',     'secret',  'token',   'aes-256', ['DERIVE'],                    ['AES_CBC_ENCRYPT_DATA'],                        'never',    /^transport-master$/],
  ['transport-master-256', 'secret',  'token',   'aes-256', ['DERIVE'],                    ['AES_ECB_ENCRYPT_DATA'],                        'never',    /^transport-master-aes-256$/],
  ['vendor-master',        'secret',  'token',   'aes-128', ['DERIVE'],                    ['AES_CBC_ENCRYPT_DATA'],                        'never',    /^transport-master-(?:kdf3|an10922)$/],
  ['vendor-master-256',    'secret',  'token',   'aes-256', ['DERIVE'],                    ['AES_ECB_ENCRYPT_DATA'],                        'never',    /^transport-master-kdf3-aes-256$/],
  ['vendor-master-des',    'secret',  'token',   'des-3',   ['DERIVE'],                    ['DES3_ECB_ENCRYPT_DATA'],                       'never',    /^transport-master-(?:visa2|emv-cps-1\.1)$/],
  ['mdk',                  'secret',  'token',   'aes-256', ['DERIVE'],                    ['AES_CBC_ENCRYPT_DATA'],                        'never',    /^mdk-[1-9][0-9]{0,4}$/],
  ['mdk-256',              'secret',  'token',   'aes-256', ['DERIVE'],                    ['AES_ECB_ENCRYPT_DATA'],                        'never',    /^mdk-[1-9][0-9]{0,4}-aes-256$/],
  ['constants-seal',       'secret',  'token',   'aes-256', ['SIGN'],                      ['AES_CMAC'],                                    'never',    /^constants-seal$/],
  ['fixed-enc',            'secret',  'token',   'aes-128', ['ENCRYPT', 'DERIVE', 'SIGN'], ['AES_ECB', 'AES_CMAC', 'AES_CBC_ENCRYPT_DATA'], 'never',    /^transport-enc$/],
  ['fixed-mac',            'secret',  'token',   'aes-128', ['ENCRYPT', 'DERIVE'],         ['AES_ECB', 'AES_CBC_ENCRYPT_DATA'],             'never',    /^transport-mac$/],
  ['fixed-dek',            'secret',  'token',   'aes-128', ['WRAP'],                      ['AES_CBC'],                                     'never',    /^transport-dek$/],
  ['fixed-enc-256',        'secret',  'token',   'aes-256', ['ENCRYPT', 'DERIVE', 'SIGN'], ['AES_ECB', 'AES_CMAC', 'AES_ECB_ENCRYPT_DATA'], 'never',    /^transport-enc-aes-256$/],
  ['fixed-mac-256',        'secret',  'token',   'aes-256', ['ENCRYPT', 'DERIVE'],         ['AES_ECB', 'AES_ECB_ENCRYPT_DATA'],             'never',    /^transport-mac-aes-256$/],
  ['fixed-dek-256',        'secret',  'token',   'aes-256', ['WRAP'],                      ['AES_CBC'],                                     'never',    /^transport-dek-aes-256$/],
  ['signing',              'private', 'token',   'p-256',   ['SIGN'],                      ['ECDSA'],                                       'never',    /^(?:envelope|confirmation|issuer-[a-z0-9-]{1,32}|tls-[a-z0-9-]{1,32})$/],
  ['verifying',            'public',  'token',   'p-256',   ['VERIFY'],                    ['ECDSA'],                                       'readable', /^(?:envelope|confirmation|issuer-[a-z0-9-]{1,32}|tls-[a-z0-9-]{1,32})$/],
  ['k-enc',                'secret',  'session', 'aes-128', ['ENCRYPT', 'DERIVE', 'SIGN'], ['AES_ECB', 'AES_CMAC', 'AES_CBC_ENCRYPT_DATA'], 'never',    NONE],
  ['k-mac',                'secret',  'session', 'aes-128', ['ENCRYPT', 'DERIVE'],         ['AES_ECB', 'AES_CBC_ENCRYPT_DATA'],             'never',    NONE],
  ['k-dek',                'secret',  'session', 'aes-128', ['WRAP'],                      ['AES_CBC'],                                     'never',    NONE],
  ['s-enc',                'secret',  'session', 'aes-128', ['ENCRYPT', 'DECRYPT'],        ['AES_ECB', 'AES_CBC'],                          'never',    NONE],
  ['s-mac',                'secret',  'session', 'aes-128', ['SIGN'],                      ['AES_CMAC'],                                    'never',    NONE],
  ['s-rmac',               'secret',  'session', 'aes-128', ['SIGN'],                      ['AES_CMAC'],                                    'never',    NONE],
  ['new-key',              'secret',  'session', 'aes-128', ['ENCRYPT'],                   ['AES_ECB'],                                     'wrapped',  NONE],
  ['scratch-key',          'secret',  'session', 'aes-128', ['ENCRYPT', 'DERIVE', 'SIGN'], ['AES_ECB', 'AES_CMAC', 'AES_CBC_ENCRYPT_DATA'], 'wrapped',  NONE],
  ['checked-key',          'secret',  'session', 'aes-128', ['ENCRYPT'],                   ['AES_ECB'],                                     'never',    NONE],
  ['k-enc-256',            'secret',  'session', 'aes-256', ['ENCRYPT', 'DERIVE', 'SIGN'], ['AES_ECB', 'AES_CMAC', 'AES_ECB_ENCRYPT_DATA'], 'never',    NONE],
  ['k-mac-256',            'secret',  'session', 'aes-256', ['ENCRYPT', 'DERIVE'],         ['AES_ECB', 'AES_ECB_ENCRYPT_DATA'],             'never',    NONE],
  ['k-dek-256',            'secret',  'session', 'aes-256', ['WRAP'],                      ['AES_CBC'],                                     'never',    NONE],
  ['s-enc-256',            'secret',  'session', 'aes-256', ['ENCRYPT', 'DECRYPT'],        ['AES_ECB', 'AES_CBC'],                          'never',    NONE],
  ['s-mac-256',            'secret',  'session', 'aes-256', ['SIGN'],                      ['AES_CMAC'],                                    'never',    NONE],
  ['s-rmac-256',           'secret',  'session', 'aes-256', ['SIGN'],                      ['AES_CMAC'],                                    'never',    NONE],
  ['new-key-256',          'secret',  'session', 'aes-256', ['ENCRYPT'],                   ['AES_ECB'],                                     'wrapped',  NONE],
  ['scratch-key-256',      'secret',  'session', 'aes-256', ['ENCRYPT', 'DERIVE', 'SIGN'], ['AES_ECB', 'AES_CMAC', 'AES_ECB_ENCRYPT_DATA'], 'wrapped',  NONE],
  ['checked-key-256',      'secret',  'session', 'aes-256', ['ENCRYPT'],                   ['AES_ECB'],                                     'never',    NONE],
  ['readable-block',       'secret',  'session', 'block',   [],                            [],                                              'readable', NONE],
] as const satisfies readonly Row[];

type Row = readonly [
  name: string,
  kind: KeyRule['kind'],
  lives: KeyRule['lives'],
  type: KeyType,
  uses: readonly Use[],
  mechanisms: readonly MechanismName[],
  leaves: KeyRule['leaves'],
  label: RegExp,
];

export type RuleName = (typeof rows)[number][0];
type Short<Name extends string> = Name extends `${infer Head}-256` ? Head : never;
/** Rules that there are for either length of card keys. */
export type SizedRule = Short<RuleName>;

/** The rule for keys of one length. */
export function sizedRule(name: SizedRule, algorithm: KeyAlgorithm): RuleName {
  return algorithm === 'aes-128' ? name : `${name}-256`;
}

export const keyPolicy: readonly KeyRule[] = rows.map(
  ([name, kind, lives, type, uses, mechanisms, leaves, label]) => ({
    name,
    kind,
    lives,
    type,
    uses,
    mechanisms,
    leaves,
    label,
  }),
);

export function ruleOf(name: RuleName): KeyRule {
  const rule = keyPolicy.find((candidate) => candidate.name === name);
  if (rule === undefined) throw new RangeError(`no rule ${name}`); // The type allows only names of the table.
  return rule;
}

/** The rule for a token object; undefined when the policy knows no such object. */
export function ruleFor(kind: KeyRule['kind'], label: string): KeyRule | undefined {
  return keyPolicy.find((rule) => rule.lives === 'token' && rule.kind === kind && rule.label.test(label));
}
