/** Whether module and process can do what keys of the policy are for: asked before a key is made or a unit is there. */
import { Fault } from '../../../runtime/core/faults.ts';
import { isNative, type Kdf, type KeyRule, ruleFor } from '../../../runtime/core/key-policy.ts';
import type { Cryptoki, Handle } from './cryptoki.ts';
import { NO_POINTER, type PinnedMemory } from './pinned-memory.ts';
import { mechanismNamed } from './templates.ts';

/** What there is to derive with. */
export interface Offered {
  /** Numbers of the module's mechanisms. */
  readonly mechanisms: readonly number[];
  /** Null where parameters with pointers cannot be made. */
  readonly pinned: PinnedMemory | null;
}

export function offeredBy(cryptoki: Cryptoki, slot: Handle, pinned: PinnedMemory | null): Offered {
  return { mechanisms: cryptoki.C_GetMechanismList(slot), pinned };
}

/** AES-256 card keys, triple DES masters and native derivations are refused here, before a unit is there.
 * @throws Fault TOKEN_UNAVAILABLE naming the master and what it lacks */
export function demandMechanisms(
  { masters, kdf }: { readonly masters: readonly string[]; readonly kdf: Kdf },
  offered: Offered,
): void {
  for (const master of masters) {
    const rule = ruleFor('secret', master, kdf);
    if (rule !== undefined) demandOffered(master, rule, offered);
  }
}

/** @throws Fault TOKEN_UNAVAILABLE naming the key and what it lacks */
export function demandOffered(key: string, rule: KeyRule, { mechanisms, pinned }: Offered): void {
  for (const mechanism of rule.mechanisms) {
    const context = { key, mechanism };
    if (!mechanisms.includes(mechanismNamed(mechanism)))
      throw new Fault('TOKEN_UNAVAILABLE', { ...context, reason: 'the module does not offer it' });
    if (pinned === null && (isNative(rule) || mechanism.endsWith('_ECB_ENCRYPT_DATA')))
      throw new Fault('TOKEN_UNAVAILABLE', { ...context, reason: NO_POINTER });
  }
}
