/**
 * Key sets derived, wrapped and proved a second, through the token's process with sixteen units at a time, beside
 * what the primitive calls of the token allow: the time spent inside the PKCS#11 module for the same units.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createVirtualSe, type VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { readConstants } from '../../drivers/token/pkcs11/constants.ts';
import { type Cryptoki, findSlot, loadModule, logIn } from '../../drivers/token/pkcs11/cryptoki.ts';
import { createGatewayToken, type GatewayToken } from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Token } from '../../drivers/token/pkcs11/token.ts';
import { openVault } from '../../drivers/token/pkcs11/vault.ts';
import { channelLimits, createVerbs } from '../../drivers/token/verbs.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import type { Token } from '../../runtime/core/token.ts';
import type { BenchRow } from '../bench.ts';
import { enter, FLEET_KEY_VERSION, fleetOf, inject, prove } from './one-unit.ts';

const UNITS = 400;
const WARM = 40;
const AT_A_TIME = 16;
const profile = cardProfiles['holdfast-virtual'];

export async function benchKeySets(directory: string): Promise<readonly BenchRow[]> {
  const transportMaster = randomBytes(32);
  const made = await createGatewayToken({
    directory: join(directory, 'key-sets'),
    label: 'key-sets',
    masters: { 'transport-master': transportMaster, 'mdk-1': 'generated' },
    keyVersions: { 'transport-master': [profile.transportKeyVersion], 'mdk-1': [FLEET_KEY_VERSION] },
    signingKeys: ['envelope', 'confirmation', 'issuer-bench'],
  });
  const ours = await throughProcess(made, transportMaster);
  const primitive = await insideModule(made, transportMaster);
  return [
    {
      what: 'key sets derived, wrapped and proved',
      value: ours.perSecond,
      unit: '/s',
      beside: {
        what: 'what the primitive calls allow',
        value: primitive.perSecond,
        ratio: ours.perSecond / primitive.perSecond,
      },
    },
    { what: 'PKCS#11 calls of one of them', value: primitive.calls, unit: '' },
  ];
}

/** The chips' own time is not counted: on a line they are elsewhere. */
async function throughProcess(made: GatewayToken, transportMaster: Uint8Array) {
  await using token = await openPkcs11Token({ ...made, laboratory: true });
  await manyAtOnce(WARM, (i) => wholeUnit(token, transportMaster, i, freeChip));
  let chipMs = 0;
  const timed = (chip: VirtualSe): VirtualSe => ({
    ...chip,
    transmit: (command) => {
      const begun = performance.now();
      const answer = chip.transmit(command);
      chipMs += performance.now() - begun;
      return answer;
    },
  });
  const begun = performance.now();
  await manyAtOnce(UNITS, (i) => wholeUnit(token, transportMaster, WARM + i, timed));
  return { perSecond: (UNITS * 1000) / (performance.now() - begun - chipMs) };
}

/** The same verbs in this process, with a clock around every call of the module. */
async function insideModule(made: GatewayToken, transportMaster: Uint8Array) {
  process.env.SOFTHSM2_CONF = made.softHsmConf;
  const watch = { ms: 0, calls: 0 };
  const cryptoki = watched(loadModule(made.module), watch);
  const slot = findSlot(cryptoki, made.label);
  const session = logIn(cryptoki, slot, made.pinFile);
  const constants = readConstants(made.constantsFile);
  const vault = openVault({ cryptoki, slot, session, constants, kdf: 'cbc-data' });
  const monotonicMs = (): number => performance.now();
  const { verbs } = createVerbs({ vault, limits: channelLimits, prefix: 'bench', monotonicMs });
  const token = new Proxy(verbs, {
    get:
      (all, verb: keyof typeof verbs) =>
      async (...input: readonly unknown[]) =>
        (all[verb] as (...given: readonly unknown[]) => unknown)(...input),
  }) as unknown as Token;
  for (let i = 0; i < WARM; i++) await wholeUnit(token, transportMaster, i, freeChip);
  watch.ms = 0;
  watch.calls = 0;
  for (let i = 0; i < UNITS; i++) await wholeUnit(token, transportMaster, WARM + i, freeChip);
  return { perSecond: (UNITS * 1000) / watch.ms, calls: Math.round(watch.calls / UNITS) };
}

function watched(cryptoki: Cryptoki, watch: { ms: number; calls: number }): Cryptoki {
  return new Proxy(cryptoki, {
    get: (module, name: keyof Cryptoki) => {
      const member: unknown = module[name];
      if (typeof member !== 'function') return member;
      return (...input: readonly unknown[]) => {
        const begun = performance.now();
        try {
          return member.apply(module, input);
        } finally {
          watch.ms += performance.now() - begun;
          watch.calls += 1;
        }
      };
    },
  });
}

type Dressed = (chip: VirtualSe) => VirtualSe;
const freeChip: Dressed = (chip) => chip;

/** PUT KEY under the transport set, then a session under the new keys, the proof of K-DEK and the negative control. */
async function wholeUnit(
  token: Token,
  transportMaster: Uint8Array,
  index: number,
  dressed: Dressed,
): Promise<void> {
  const eid = eidOfIndex(index);
  const { transportKeyVersion } = profile;
  const state = freshChip({ eid, index, transportMaster, transportKeyVersion });
  const chip = dressed(createVirtualSe({ state, entropy: { bytes: randomBytes } }));
  await inject(token, chip, eid);
  const channel = await enter(token, chip, fleetOf(eid));
  await prove(token, chip, channel);
  await token.closeChannel(channel);
}

async function manyAtOnce(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}
