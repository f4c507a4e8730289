/**
 * Whose word is enough: the keys of logs and witnesses, groups of them, and the quorum that must have cosigned. A text
 * file that people read, so that a verifier decides by itself whom to believe.
 *
 * @example
 * log log.example+5d3a0f1c+AQ…
 * witness w1 w1.example+9b3fb2d5+BF… http://127.0.0.1:8750
 * group both all w1 w2
 * quorum both
 *
 * @see https://c2sp.org/tlog-policy
 */

import { toHex } from '../bytes.ts';
import { Fault } from '../faults.ts';
import type { Crypto } from '../ports.ts';
import { type Checkpoint, originOf, parseCheckpoint } from './checkpoint.ts';
import { keyId, type NoteKey, readNote, readVerifierKey, SignatureType, verifyNote } from './note.ts';

export interface PolicyKey {
  /** In the policy alone; the name of a witness's key is its own. */
  readonly name: string;
  readonly key: NoteKey;
  /** Where it is asked or read; null where the policy does not say. */
  readonly url: string | null;
}

export interface Policy {
  readonly logs: readonly PolicyKey[];
  readonly witnesses: readonly PolicyKey[];
  readonly groups: readonly Group[];
  /** Of a witness or a group; null for none at all. */
  readonly quorum: string | null;
}

interface Group {
  readonly name: string;
  readonly members: readonly string[];
  /** How many of them. */
  readonly needed: number;
}

/** Lines that are not comments; 32 of each kind must be accepted. */
const LINES_MAX = 1024;

/** @throws Fault POLICY_INVALID naming the line */
export function readPolicy(text: string, crypto: Crypto): Policy {
  const reading = new Reading(crypto);
  for (const [i, line] of text.split('\n').entries()) {
    const words = line
      .replace(/#.*$/, '')
      .split(/[ \t\r]+/)
      .filter((word) => word !== '');
    const why = words.length === 0 ? null : i >= LINES_MAX ? 'too many lines' : reading.take(words);
    if (why !== null) throw new Fault('POLICY_INVALID', { line: i + 1, why });
  }
  return reading.policy();
}

/** Reads line by line; a method answers what is wrong, or null. */
class Reading {
  readonly #crypto: Crypto;
  readonly #logs: PolicyKey[] = [];
  readonly #witnesses: PolicyKey[] = [];
  readonly #groups: Group[] = [];
  readonly #keys = new Set<string>();
  readonly #members = new Set<string>();
  #quorum: string | undefined;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  take([what, ...words]: readonly string[]): string | null {
    if (what === 'log') return this.#log(words);
    if (what === 'witness') return this.#witness(words);
    if (what === 'group') return this.#group(words);
    if (what === 'quorum') return this.#takeQuorum(words);
    return `${what} is no word of a policy`;
  }

  /** @throws Fault POLICY_INVALID without a quorum, and without a log */
  policy(): Policy {
    const quorum = this.#quorum;
    if (quorum === undefined) throw new Fault('POLICY_INVALID', { why: 'there is no quorum line' });
    if (this.#logs.length === 0) throw new Fault('POLICY_INVALID', { why: 'there is no log line' });
    return {
      logs: this.#logs,
      witnesses: this.#witnesses,
      groups: this.#groups,
      quorum: quorum === 'none' ? null : quorum,
    };
  }

  #log([vkey = '', url, ...more]: readonly string[]): string | null {
    const key = readVerifierKey(vkey, this.#crypto);
    if (key?.type !== SignatureType.ed25519 || more.length > 0)
      return 'log takes the Ed25519 key of a log, and a URL';
    this.#logs.push({ name: key.name, key, url: url ?? null });
    return this.#isNew(key);
  }

  #witness([name = '', vkey = '', url, ...more]: readonly string[]): string | null {
    const key = readVerifierKey(vkey, this.#crypto);
    if (key?.type !== SignatureType.cosignature || more.length > 0)
      return 'witness takes a name, the key of a witness, and a URL';
    const why = this.#freeName(name);
    if (why !== null) return why;
    this.#witnesses.push({ name, key, url: url ?? null });
    return this.#isNew(key);
  }

  #group([name = '', count = '', ...members]: readonly string[]): string | null {
    const why = this.#freeName(name);
    if (why !== null) return why;
    const needed = count === 'any' ? 1 : count === 'all' ? members.length : Number(count);
    if (!/^(any|all|[1-9]\d{0,3})$/.test(count) || needed > members.length || needed < 1)
      return 'group takes a name, how many of its members, and that many members or more';
    for (const member of members) {
      if (!this.#isDefined(member)) return `${member} is not defined before this line`;
      if (this.#members.has(member)) return `${member} is a member already`;
      this.#members.add(member);
    }
    this.#groups.push({ name, members, needed });
    return null;
  }

  #takeQuorum([name = '', ...more]: readonly string[]): string | null {
    if (this.#quorum !== undefined) return 'there is a quorum already';
    if (more.length > 0 || (name !== 'none' && !this.#isDefined(name)))
      return `${name} is not defined before this line`;
    this.#quorum = name;
    return null;
  }

  #freeName(name: string): string | null {
    if (name === '' || name === 'none') return 'a name is missing, or is none';
    return this.#isDefined(name) ? `${name} is defined already` : null;
  }

  #isDefined(name: string): boolean {
    return [...this.#witnesses, ...this.#groups].some((one) => one.name === name);
  }

  #isNew(key: NoteKey): string | null {
    const id = `${toHex(key.publicKey)} ${key.name} ${toHex(keyId(key, this.#crypto))}`;
    if (this.#keys.has(id)) return 'this key is named already';
    this.#keys.add(id);
    return null;
  }
}

/** Witnesses by their names in the policy. */
export function meetsQuorum({ quorum, groups }: Policy, witnesses: ReadonlySet<string>): boolean {
  if (quorum === null) return true;
  const met = new Set(witnesses);
  for (const { name, members, needed } of groups)
    if (members.filter((member) => met.has(member)).length >= needed) met.add(name);
  return met.has(quorum);
}

export interface Witnessed {
  readonly checkpoint: Checkpoint;
  /** In the policy's names, with their times in seconds since 1970. */
  readonly witnesses: readonly { readonly name: string; readonly time: number }[];
  readonly quorum: boolean;
}

/** What a note is worth under a policy; in words why nothing, where no log of the policy signed it. */
export function judgeNote(note: string, policy: Policy, crypto: Crypto): Witnessed | string {
  const origin = originOf(note);
  const log = policy.logs.find(({ name }) => name === origin);
  if (log === undefined) return 'the checkpoint is not of a log of this policy';
  const verified = verifyNote(note, [log.key, ...policy.witnesses.map(({ key }) => key)], crypto);
  if (verified === null) return 'a signature under the checkpoint is wrong, or nobody known signed it';
  if (!verified.some(({ key }) => key === log.key)) return 'the log did not sign the checkpoint';
  const checkpoint = parseCheckpoint(readNote(note)?.text ?? '', log.name);
  if (checkpoint === null) return 'the note is no checkpoint';
  const witnesses = policy.witnesses.flatMap(({ name, key }) => {
    const time = verified.find((one) => one.key === key)?.time ?? null;
    return time === null ? [] : [{ name, time }];
  });
  const quorum = meetsQuorum(policy, new Set(witnesses.map(({ name }) => name)));
  return { checkpoint, witnesses, quorum };
}
