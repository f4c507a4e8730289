/**
 * A token for ceremonies in memory: the same verbs and attributes as the real one, deterministic from a seed. Its
 * check values are AES over zeros for every key, and RSA keys are too slow for it: it unwraps under AES-KWP alone.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { type Bytes, concat, fromHex, fromText, toBase64, toHex, xor } from '../../runtime/core/bytes.ts';
import { encryptToAll } from '../../runtime/core/ceremony/carriage.ts';
import type { CeremonyToken, ComponentSource, ReadKey } from '../../runtime/core/ceremony/token.ts';
import { Fault } from '../../runtime/core/faults.ts';
import {
  type Attributes,
  BORN_INSIDE,
  demandedAttributes,
  firstDifference,
} from '../../runtime/core/key-attributes.ts';
import { type Kdf, type KeyRule, ruleFor, type TokenRole } from '../../runtime/core/key-policy.ts';
import type { TokenDescription } from '../../runtime/core/token.ts';
import { nodeCrypto } from '../crypto/node.ts';
import { createSimulatedEntropy } from '../entropy/simulated.ts';

export interface SimulatedCeremonyOptions {
  readonly role: TokenRole;
  /** Which masters it has; `cbc-data` by default. */
  readonly kdf?: Kdf;
  readonly description: TokenDescription;
  /** Components by the file they are read from, hexadecimal. */
  readonly components: ReadonlyMap<string, string>;
  /** Called before each verb that changes something, and after it; what it throws happens instead. */
  readonly onChange?: (verb: string, when: 'before' | 'after') => void;
}

export interface SimulatedKey {
  readonly value: Bytes;
  objects: { readonly kind: KeyRule['kind']; attributes: Attributes }[];
}

export interface SimulatedCeremonyToken extends CeremonyToken {
  /** What is in the token, for whoever tampers with it. */
  readonly keys: Map<string, SimulatedKey>;
}

/** Initial value of AES-KWP. RFC 5649 section 3. */
const KWP_IV = Buffer.from('a65959a6', 'hex');
const SIZES: Readonly<Record<string, number>> = { 'aes-128': 16, 'aes-256': 32, 'des-3': 24 };

export function createSimulatedCeremonyToken(options: SimulatedCeremonyOptions): SimulatedCeremonyToken {
  const keys = new Map<string, SimulatedKey>();
  let drawn = 0;
  const draw = (size: number): Bytes =>
    createHash('sha256').update(`${options.description.serial} ${drawn++}`).digest().subarray(0, size);
  const changing = async <T>(verb: string, work: () => T): Promise<T> => {
    options.onChange?.(verb, 'before');
    const result = work();
    options.onChange?.(verb, 'after');
    return result;
  };
  const join = (sources: readonly ComponentSource[]): Bytes =>
    sources.map((source) => componentIn(source, options.components)).reduce((a, b) => xor(a, b));
  const keep = (label: string, value: Bytes, expected: string | null): void => {
    const found = checkValue(value);
    if (expected !== null && found !== expected)
      throw new Fault('CEREMONY_KEY_DIFFERS', { key: label, why: 'another check value', expected, found });
    keys.set(label, { value, objects: objectsOf(label, false, options.kdf) });
  };
  return {
    keys,
    describe: async () => options.description,
    readKey: async (label) => readKey(keys.get(label)),
    generate: (label) =>
      changing('generate', () => {
        const size = SIZES[ruleFor('secret', label)?.type ?? ''] ?? 32;
        keys.set(label, { value: draw(size), objects: objectsOf(label, true, options.kdf) });
      }),
    wrapNewborn: (under) => changing('wrapNewborn', () => wrap(join(under), draw(32))),
    wrapNewbornPair: (_label, under) =>
      changing('wrapNewbornPair', () => {
        const value = draw(32);
        return { wrapped: wrap(join(under), value), publicKey: publicKeyOf(value) };
      }),
    unwrapPair: (label, { wrapped, publicKey }, under) =>
      changing('unwrapPair', () => {
        const value = unwrap(join(under), wrapped);
        if (publicKeyOf(value) !== publicKey)
          throw new Fault('CEREMONY_KEY_DIFFERS', { key: label, why: 'its public key belongs to another' });
        if (!keys.has(label)) keys.set(label, { value, objects: objectsOf(label, false, options.kdf) });
      }),
    join: (label, components, expected) => changing('join', () => keep(label, join(components), expected)),
    unwrap: (label, wrapped, under, expected) =>
      changing('unwrap', () => {
        if (under.method === 'rsa-oaep')
          throw new Fault('HSM_FAILED', { reason: 'simulated tokens have no RSA' });
        keep(label, unwrap(join(under.components), wrapped), expected);
      }),
    writeConstants: (file, keyVersions) =>
      changing('writeConstants', () => ({
        sha256: toHex(createHash('sha256').update(file).digest()),
        entries: Object.entries(keyVersions).flatMap(([master, versions]) =>
          versions.map((keyVersion) => ({ master, keyVersion, checkValues: ['000000', '000000', '000000'] })),
        ),
      })),
    writeTagKey: (file) =>
      changing('writeTagKey', () => ({
        checkValue: toHex(createHash('sha256').update(file).digest()).slice(0, 6),
      })),
    carryTagKey: (cargo, recipients) =>
      changing('carryTagKey', () => {
        const key = draw(16);
        const entropy = createSimulatedEntropy(`${options.description.serial} ${drawn}`);
        const keys = encryptToAll(key, cargo, recipients, { crypto: nodeCrypto, entropy });
        return { checkValue: checkValue(key), keys };
      }),
    audit: async () => audit(keys, options.role, options.kdf),
    close: async () => undefined,
  };
}

function componentIn(
  { custodian, checkValue: expected, file }: ComponentSource,
  entered: ReadonlyMap<string, string>,
): Bytes {
  const wrong = (why: string): Fault => new Fault('CEREMONY_COMPONENT_WRONG', { custodian, why });
  const text = entered.get(file ?? custodian);
  if (text === undefined) throw wrong('nothing was entered');
  const component = fromHex(text);
  if (checkValue(component) !== expected) throw wrong('has another check value');
  return component;
}

function readKey(key: SimulatedKey | undefined): ReadKey | null {
  if (key === undefined) return null;
  const isPair = key.objects.length > 1;
  return {
    objects: key.objects.map(({ kind, attributes }) => ({ kind, attributes })),
    checkValue: isPair ? null : checkValue(key.value),
    publicKey: isPair ? publicKeyOf(key.value) : null,
  };
}

/** What stands for one here. */
function publicKeyOf(value: Bytes): string {
  return toBase64(concat(fromText('simulated'), value));
}

function objectsOf(label: string, inside: boolean, kdf: Kdf | undefined): SimulatedKey['objects'] {
  return (['secret', 'private', 'public'] as const).flatMap((kind) => {
    const rule = ruleFor(kind, label, kdf);
    if (rule === undefined) return [];
    const born =
      kind === 'public' ? {} : Object.fromEntries(Object.keys(BORN_INSIDE).map((name) => [name, inside]));
    return [{ kind, attributes: { ...demandedAttributes(rule, label), ...born } }];
  });
}

function audit(keys: ReadonlyMap<string, SimulatedKey>, role: TokenRole, kdf: Kdf | undefined): void {
  for (const [label, { objects }] of keys)
    for (const { kind, attributes } of objects) {
      const rule = ruleFor(kind, label, kdf);
      const attribute = rule === undefined ? 'unknown object' : firstDifference(rule, label, attributes);
      if (attribute !== null || rule?.tokens.includes(role) !== true)
        throw new Fault('KEY_POLICY_BROKEN', { key: label, attribute: `CKA_${attribute ?? 'LABEL'}` });
    }
}

function checkValue(key: Bytes): string {
  const cipher = createCipheriv(`aes-${8 * key.length}-ecb`, key, null);
  return toHex(cipher.update(new Uint8Array(16)).subarray(0, 3));
}

function wrap(kek: Bytes, key: Bytes): Bytes {
  const cipher = createCipheriv('id-aes256-wrap-pad', kek, KWP_IV);
  return Buffer.concat([cipher.update(key), cipher.final()]);
}

function unwrap(kek: Bytes, wrapped: Bytes): Bytes {
  try {
    const decipher = createDecipheriv('id-aes256-wrap-pad', kek, KWP_IV);
    return Buffer.concat([decipher.update(wrapped), decipher.final()]);
  } catch (error) {
    throw new Fault('HSM_FAILED', { reason: 'it does not unwrap' }, { cause: error });
  }
}
