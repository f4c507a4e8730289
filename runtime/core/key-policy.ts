/**
 * The key policy table: every kind of key object there is, what it may do, who uses it for what, and which tokens
 * may hold it. Objects are created from it, those in a token are audited against it at each start, and ceremony
 * records are verified against it.
 *
 * A usage or mechanism that is not listed is switched off by name: SoftHSM's default for a derived key is "not
 * sensitive, may do everything".
 *
 * @see PKCS#11 2.40 sections 4.8 to 4.10
 */
import type { KeyAlgorithm } from './card/key-algorithm.ts';

export type Use = 'ENCRYPT' | 'DECRYPT' | 'SIGN' | 'VERIFY' | 'WRAP' | 'UNWRAP' | 'DERIVE';
export type MechanismName =
  | 'AES_ECB'
  | 'AES_CBC'
  | 'AES_CMAC'
  | 'AES_CBC_ENCRYPT_DATA'
  | 'AES_ECB_ENCRYPT_DATA'
  | 'DES3_ECB_ENCRYPT_DATA'
  | 'SP800_108_COUNTER_KDF'
  | 'AES_KEY_WRAP_PAD'
  | 'RSA_PKCS_OAEP'
  | 'ECDSA';
/** `block`: 16 bytes that are no key; `des-3`: a vendor's triple DES master of 24 bytes. */
export type KeyType = 'aes-128' | 'aes-256' | 'des-3' | 'block' | 'p-256' | 'p-384' | 'rsa-3072';

/** How the EID-KDF is computed: from constants, on any module, or by the mechanism that tokens of PKCS#11 3.0 have.
 * It decides what the masters of a token may do, so one token has masters of one kind. */
export const kdfs = ['cbc-data', 'sp800-108'] as const;
export type Kdf = (typeof kdfs)[number];

/** What a token is for. A key that is in the wrong one is as wrong as a key that is none of ours. */
export const tokenRoles = ['gateway', 'root', 'station', 'officer'] as const;
export type TokenRole = (typeof tokenRoles)[number];

export interface KeyRule {
  readonly name: string;
  readonly kind: 'secret' | 'private' | 'public';
  /** `token`: kept, and never destroyed by a program; `session`: gone with its PKCS#11 session. */
  readonly lives: 'token' | 'session';
  /** Tokens that may hold it, or that work with it. */
  readonly tokens: readonly TokenRole[];
  readonly type: KeyType;
  readonly uses: readonly Use[];
  readonly mechanisms: readonly MechanismName[];
  /** `never` leaves the token; `once`: into its backup, before it was kept; `wrapped`: only under another key;
   * `readable`: a public result. */
  readonly leaves: 'never' | 'once' | 'wrapped' | 'readable';
  /** Who uses it, and for what. */
  readonly user: string;
  /** Labels of token objects that this rule is for. */
  readonly label: RegExp;
}

/** Session objects have no label. */
const NONE = /^$/;
const G = ['gateway'] as const;
const R = ['root'] as const;
const S = ['station'] as const;
const O = ['officer'] as const;
const GS = ['gateway', 'station'] as const;
const GR = ['gateway', 'root'] as const;

// biome-ignore format: this is a table
const rows = [
  // name                         kind       lives      tokens  type        uses                           mechanisms                                       leaves      user                                                            label
  ['transport-master',            'secret',  'token',   G,      'aes-256',  ['DERIVE'],                    ['AES_CBC_ENCRYPT_DATA'],                        'never',    'gateway: transport sets of chips',                             /^transport-master$/],
  ['transport-master-256',        'secret',  'token',   G,      'aes-256',  ['DERIVE'],                    ['AES_ECB_ENCRYPT_DATA'],                        'never',    'gateway: transport sets of chips',                             /^transport-master-aes-256$/],
  ['transport-master-native',     'secret',  'token',   G,      'aes-256',  ['DERIVE'],                    ['SP800_108_COUNTER_KDF'],                       'never',    'gateway: transport sets of chips, native derivation',          /^transport-master$/],
  ['transport-master-native-256', 'secret',  'token',   G,      'aes-256',  ['DERIVE'],                    ['SP800_108_COUNTER_KDF'],                       'never',    'gateway: transport sets of chips, native derivation',          /^transport-master-aes-256$/],
  ['vendor-master',               'secret',  'token',   G,      'aes-128',  ['DERIVE'],                    ['AES_CBC_ENCRYPT_DATA'],                        'never',    'gateway: transport sets of chips',                             /^transport-master-(?:kdf3|an10922)$/],
  ['vendor-master-256',           'secret',  'token',   G,      'aes-256',  ['DERIVE'],                    ['AES_ECB_ENCRYPT_DATA'],                        'never',    'gateway: transport sets of chips',                             /^transport-master-kdf3-aes-256$/],
  ['vendor-master-des',           'secret',  'token',   G,      'des-3',    ['DERIVE'],                    ['DES3_ECB_ENCRYPT_DATA'],                       'never',    'gateway: transport sets of chips',                             /^transport-master-(?:visa2|emv-cps-1\.1)$/],
  ['mdk',                         'secret',  'token',   G,      'aes-256',  ['DERIVE'],                    ['AES_CBC_ENCRYPT_DATA'],                        'never',    'gateway: key sets of the fleet',                               /^mdk-[1-9][0-9]{0,4}$/],
  ['mdk-256',                     'secret',  'token',   G,      'aes-256',  ['DERIVE'],                    ['AES_ECB_ENCRYPT_DATA'],                        'never',    'gateway: key sets of the fleet',                               /^mdk-[1-9][0-9]{0,4}-aes-256$/],
  ['mdk-native',                  'secret',  'token',   G,      'aes-256',  ['DERIVE'],                    ['SP800_108_COUNTER_KDF'],                       'never',    'gateway: key sets of the fleet, native derivation',            /^mdk-[1-9][0-9]{0,4}$/],
  ['mdk-native-256',              'secret',  'token',   G,      'aes-256',  ['DERIVE'],                    ['SP800_108_COUNTER_KDF'],                       'never',    'gateway: key sets of the fleet, native derivation',            /^mdk-[1-9][0-9]{0,4}-aes-256$/],
  ['constants-seal',              'secret',  'token',   G,      'aes-256',  ['SIGN'],                      ['AES_CMAC'],                                    'never',    'ceremony seals, gateway verifies: constants file',             /^constants-seal$/],
  ['fixed-enc',                   'secret',  'token',   G,      'aes-128',  ['ENCRYPT', 'DERIVE', 'SIGN'], ['AES_ECB', 'AES_CMAC', 'AES_CBC_ENCRYPT_DATA'], 'never',    'gateway: dialogue, transport set that chips share',            /^transport-enc$/],
  ['fixed-mac',                   'secret',  'token',   G,      'aes-128',  ['ENCRYPT', 'DERIVE'],         ['AES_ECB', 'AES_CBC_ENCRYPT_DATA'],             'never',    'gateway: dialogue, transport set that chips share',            /^transport-mac$/],
  ['fixed-dek',                   'secret',  'token',   G,      'aes-128',  ['WRAP'],                      ['AES_CBC'],                                     'never',    'gateway: dialogue, transport set that chips share',            /^transport-dek$/],
  ['fixed-enc-256',               'secret',  'token',   G,      'aes-256',  ['ENCRYPT', 'DERIVE', 'SIGN'], ['AES_ECB', 'AES_CMAC', 'AES_ECB_ENCRYPT_DATA'], 'never',    'gateway: dialogue, transport set that chips share',            /^transport-enc-aes-256$/],
  ['fixed-mac-256',               'secret',  'token',   G,      'aes-256',  ['ENCRYPT', 'DERIVE'],         ['AES_ECB', 'AES_ECB_ENCRYPT_DATA'],             'never',    'gateway: dialogue, transport set that chips share',            /^transport-mac-aes-256$/],
  ['fixed-dek-256',               'secret',  'token',   G,      'aes-256',  ['WRAP'],                      ['AES_CBC'],                                     'never',    'gateway: dialogue, transport set that chips share',            /^transport-dek-aes-256$/],
  ['envelope',                    'private', 'token',   GS,     'p-256',    ['SIGN'],                      ['ECDSA'],                                       'never',    'gateway and station: messages',                                /^envelope$/],
  ['envelope-public',             'public',  'token',   GS,     'p-256',    ['VERIFY'],                    ['ECDSA'],                                       'readable', 'whoever verifies',                                             /^envelope$/],
  ['confirmation',                'private', 'token',   G,      'p-256',    ['SIGN'],                      ['ECDSA'],                                       'never',    'gateway: confirmations',                                       /^confirmation$/],
  ['confirmation-public',         'public',  'token',   G,      'p-256',    ['VERIFY'],                    ['ECDSA'],                                       'readable', 'whoever verifies',                                             /^confirmation$/],
  ['issuer',                      'private', 'token',   G,      'p-256',    ['SIGN'],                      ['ECDSA'],                                       'never',    'gateway: device certificates, revocation lists',               /^issuer-(?!p384-|restorable-)[a-z0-9-]{1,32}$/],
  ['issuer-public',               'public',  'token',   G,      'p-256',    ['VERIFY'],                    ['ECDSA'],                                       'readable', 'whoever verifies',                                             /^issuer-(?!p384-|restorable-)[a-z0-9-]{1,32}$/],
  ['issuer-p384',                 'private', 'token',   G,      'p-384',    ['SIGN'],                      ['ECDSA'],                                       'never',    'gateway: device certificates, revocation lists',               /^issuer-p384-(?!restorable-)[a-z0-9-]{1,27}$/],
  ['issuer-p384-public',          'public',  'token',   G,      'p-384',    ['VERIFY'],                    ['ECDSA'],                                       'readable', 'whoever verifies',                                             /^issuer-p384-(?!restorable-)[a-z0-9-]{1,27}$/],
  ['issuer-restorable',           'private', 'token',   G,      'p-256',    ['SIGN'],                      ['ECDSA'],                                       'once',     'gateway: as an issuer, with a backup',                         /^issuer-restorable-[a-z0-9-]{1,22}$/],
  ['issuer-restorable-public',    'public',  'token',   G,      'p-256',    ['VERIFY'],                    ['ECDSA'],                                       'readable', 'whoever verifies',                                             /^issuer-restorable-[a-z0-9-]{1,22}$/],
  ['issuer-p384-restorable',      'private', 'token',   G,      'p-384',    ['SIGN'],                      ['ECDSA'],                                       'once',     'gateway: as an issuer, with a backup',                         /^issuer-p384-restorable-[a-z0-9-]{1,16}$/],
  ['issuer-p384-restorable-public','public',  'token',   G,      'p-384',    ['VERIFY'],                    ['ECDSA'],                                       'readable', 'whoever verifies',                                             /^issuer-p384-restorable-[a-z0-9-]{1,16}$/],
  ['tls',                         'private', 'token',   S,      'p-256',    ['SIGN'],                      ['ECDSA'],                                       'never',    'station: connection to the broker',                            /^tls-[a-z0-9-]{1,32}$/],
  ['tls-public',                  'public',  'token',   S,      'p-256',    ['VERIFY'],                    ['ECDSA'],                                       'readable', 'whoever verifies',                                             /^tls-[a-z0-9-]{1,32}$/],
  ['root',                        'private', 'token',   R,      'p-256',    ['SIGN'],                      ['ECDSA'],                                       'never',    'ceremony: certificates and revocation lists of intermediates', /^root$/],
  ['root-public',                 'public',  'token',   R,      'p-256',    ['VERIFY'],                    ['ECDSA'],                                       'readable', 'whoever verifies',                                             /^root$/],
  ['root-p384',                   'private', 'token',   R,      'p-384',    ['SIGN'],                      ['ECDSA'],                                       'never',    'ceremony: certificates and revocation lists of intermediates', /^root-p384$/],
  ['root-p384-public',            'public',  'token',   R,      'p-384',    ['VERIFY'],                    ['ECDSA'],                                       'readable', 'whoever verifies',                                             /^root-p384$/],
  ['root-restorable',             'private', 'token',   R,      'p-256',    ['SIGN'],                      ['ECDSA'],                                       'once',     'ceremony: as the root, with a backup',                         /^root-restorable$/],
  ['root-restorable-public',      'public',  'token',   R,      'p-256',    ['VERIFY'],                    ['ECDSA'],                                       'readable', 'whoever verifies',                                             /^root-restorable$/],
  ['root-p384-restorable',        'private', 'token',   R,      'p-384',    ['SIGN'],                      ['ECDSA'],                                       'once',     'ceremony: as the root, with a backup',                         /^root-p384-restorable$/],
  ['root-p384-restorable-public', 'public',  'token',   R,      'p-384',    ['VERIFY'],                    ['ECDSA'],                                       'readable', 'whoever verifies',                                             /^root-p384-restorable$/],
  ['officer',                     'private', 'token',   O,      'p-256',    ['SIGN'],                      ['ECDSA'],                                       'never',    'an officer: approvals and records',                            /^officer-[a-z0-9-]{1,24}$/],
  ['officer-public',              'public',  'token',   O,      'p-256',    ['VERIFY'],                    ['ECDSA'],                                       'readable', 'whoever verifies',                                             /^officer-[a-z0-9-]{1,24}$/],
  ['import',                      'private', 'token',   G,      'rsa-3072', ['UNWRAP'],                    ['RSA_PKCS_OAEP'],                               'never',    'ceremony: unwraps masters that come under RSA-OAEP',           /^import-[a-z0-9-]{1,24}$/],
  ['import-public',               'public',  'token',   G,      'rsa-3072', [],                            [],                                              'readable', 'whoever sends a master',                                       /^import-[a-z0-9-]{1,24}$/],
  ['k-enc',                       'secret',  'session', G,      'aes-128',  ['ENCRYPT', 'DERIVE', 'SIGN'], ['AES_ECB', 'AES_CMAC', 'AES_CBC_ENCRYPT_DATA'], 'never',    'gateway: dialogue, opens a channel',                           NONE],
  ['k-mac',                       'secret',  'session', G,      'aes-128',  ['ENCRYPT', 'DERIVE'],         ['AES_ECB', 'AES_CBC_ENCRYPT_DATA'],             'never',    'gateway: dialogue, opens a channel',                           NONE],
  ['k-dek',                       'secret',  'session', G,      'aes-128',  ['WRAP'],                      ['AES_CBC'],                                     'never',    'gateway: dialogue, wraps PUT KEY',                             NONE],
  ['s-enc',                       'secret',  'session', G,      'aes-128',  ['ENCRYPT', 'DECRYPT'],        ['AES_ECB', 'AES_CBC'],                          'never',    'gateway: dialogue, one channel',                               NONE],
  ['s-mac',                       'secret',  'session', G,      'aes-128',  ['SIGN'],                      ['AES_CMAC'],                                    'never',    'gateway: dialogue, one channel',                               NONE],
  ['s-rmac',                      'secret',  'session', G,      'aes-128',  ['SIGN'],                      ['AES_CMAC'],                                    'never',    'gateway: dialogue, one channel',                               NONE],
  ['new-key',                     'secret',  'session', G,      'aes-128',  ['ENCRYPT'],                   ['AES_ECB'],                                     'wrapped',  'gateway: dialogue, one PUT KEY',                               NONE],
  ['scratch-key',                 'secret',  'session', G,      'aes-128',  ['ENCRYPT', 'DERIVE', 'SIGN'], ['AES_ECB', 'AES_CMAC', 'AES_CBC_ENCRYPT_DATA'], 'wrapped',  'gateway: dialogue, proof of Key-DEK',                          NONE],
  ['checked-key',                 'secret',  'session', G,      'aes-128',  ['ENCRYPT'],                   ['AES_ECB'],                                     'never',    'gateway and ceremony: check values',                           NONE],
  ['k-enc-256',                   'secret',  'session', G,      'aes-256',  ['ENCRYPT', 'DERIVE', 'SIGN'], ['AES_ECB', 'AES_CMAC', 'AES_ECB_ENCRYPT_DATA'], 'never',    'gateway: dialogue, opens a channel',                           NONE],
  ['k-mac-256',                   'secret',  'session', G,      'aes-256',  ['ENCRYPT', 'DERIVE'],         ['AES_ECB', 'AES_ECB_ENCRYPT_DATA'],             'never',    'gateway: dialogue, opens a channel',                           NONE],
  ['k-dek-256',                   'secret',  'session', G,      'aes-256',  ['WRAP'],                      ['AES_CBC'],                                     'never',    'gateway: dialogue, wraps PUT KEY',                             NONE],
  ['s-enc-256',                   'secret',  'session', G,      'aes-256',  ['ENCRYPT', 'DECRYPT'],        ['AES_ECB', 'AES_CBC'],                          'never',    'gateway: dialogue, one channel',                               NONE],
  ['s-mac-256',                   'secret',  'session', G,      'aes-256',  ['SIGN'],                      ['AES_CMAC'],                                    'never',    'gateway: dialogue, one channel',                               NONE],
  ['s-rmac-256',                  'secret',  'session', G,      'aes-256',  ['SIGN'],                      ['AES_CMAC'],                                    'never',    'gateway: dialogue, one channel',                               NONE],
  ['new-key-256',                 'secret',  'session', G,      'aes-256',  ['ENCRYPT'],                   ['AES_ECB'],                                     'wrapped',  'gateway: dialogue, one PUT KEY',                               NONE],
  ['scratch-key-256',             'secret',  'session', G,      'aes-256',  ['ENCRYPT', 'DERIVE', 'SIGN'], ['AES_ECB', 'AES_CMAC', 'AES_ECB_ENCRYPT_DATA'], 'wrapped',  'gateway: dialogue, proof of Key-DEK',                          NONE],
  ['checked-key-256',             'secret',  'session', G,      'aes-256',  ['ENCRYPT'],                   ['AES_ECB'],                                     'never',    'gateway and ceremony: check values',                           NONE],
  ['readable-block',              'secret',  'session', G,      'block',    [],                            [],                                              'readable', 'ceremony: constants and check values',                         NONE],
  ['custody-wrap',                'secret',  'session', GR,     'aes-256',  ['WRAP'],                      ['AES_KEY_WRAP_PAD'],                            'never',    'ceremony: backup of a new key',                                NONE],
  ['custody-unwrap',              'secret',  'session', GR,     'aes-256',  ['UNWRAP'],                    ['AES_KEY_WRAP_PAD'],                            'never',    'ceremony: import and restore under AES-KWP',                   NONE],
  ['newborn',                     'secret',  'session', G,      'aes-256',  [],                            [],                                              'wrapped',  'ceremony: a new key until its backup is written',              NONE],
  ['newborn-pair',                'private', 'session', GR,     'p-256',    [],                            [],                                              'wrapped',  'ceremony: a new pair until its backup is written',             NONE],
  ['newborn-pair-public',         'public',  'session', GR,     'p-256',    [],                            [],                                              'readable', 'ceremony: the same',                                           NONE],
  ['newborn-pair-p384',           'private', 'session', GR,     'p-384',    [],                            [],                                              'wrapped',  'ceremony: a new pair until its backup is written',             NONE],
  ['newborn-pair-p384-public',    'public',  'session', GR,     'p-384',    [],                            [],                                              'readable', 'ceremony: the same',                                           NONE],
] as const satisfies readonly Row[];

type Row = readonly [
  name: string,
  kind: KeyRule['kind'],
  lives: KeyRule['lives'],
  tokens: readonly TokenRole[],
  type: KeyType,
  uses: readonly Use[],
  mechanisms: readonly MechanismName[],
  leaves: KeyRule['leaves'],
  user: string,
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
  ([name, kind, lives, tokens, type, uses, mechanisms, leaves, user, label]) => ({
    name,
    kind,
    lives,
    tokens,
    type,
    uses,
    mechanisms,
    leaves,
    user,
    label,
  }),
);

export function ruleOf(name: RuleName): KeyRule {
  const rule = keyPolicy.find((candidate) => candidate.name === name);
  if (rule === undefined) throw new RangeError(`no rule ${name}`); // The type allows only names of the table.
  return rule;
}

/** The rule for a token object; undefined when the policy knows no such object. Of a master there are two kinds: in a
 * token whose EID-KDF is native it does that mechanism and no other. */
export function ruleFor(kind: KeyRule['kind'], label: string, kdf: Kdf = 'cbc-data'): KeyRule | undefined {
  const fitting = keyPolicy.filter(
    (rule) => rule.lives === 'token' && rule.kind === kind && rule.label.test(label),
  );
  return fitting.find((rule) => isNative(rule) === (kdf === 'sp800-108')) ?? fitting[0];
}

/** Whether keys of this rule derive by CKM_SP800_108_COUNTER_KDF. */
export function isNative({ mechanisms }: KeyRule): boolean {
  return mechanisms.includes('SP800_108_COUNTER_KDF');
}
