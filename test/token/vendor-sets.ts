/** Transport sets as makers of chips derive them, by code of its own. */
import { createCipheriv } from 'node:crypto';
import type { VendorScheme } from '../../runtime/core/card/import-schemes.ts';
import { type CardKeys, cmac, ecb } from './card-model.ts';

export function vendorSet(
  scheme: VendorScheme,
  master: Uint8Array,
  data: Buffer,
  bytes: 16 | 32 = 16,
): CardKeys {
  const key = Buffer.from(master);
  const make = {
    visa2: tripleDes([0, 1, 4, 5, 6, 7]),
    'emv-cps-1.1': tripleDes([4, 5, 6, 7, 8, 9]),
    kdf3,
    an10922,
  };
  const one = (id: number): Buffer => make[scheme](key, data, id).subarray(0, bytes);
  return [one(1), one(2), one(3)];
}

function tripleDes(chosen: readonly number[]) {
  return (key: Buffer, data: Buffer, id: number): Buffer => {
    const part = Buffer.from(chosen.map((at) => data[at] ?? 0)).toString('hex');
    const text = Buffer.from(`${part}f00${id}${part}0f0${id}`, 'hex');
    const cipher = createCipheriv('des-ede3-ecb', key, null).setAutoPadding(false);
    return Buffer.concat([cipher.update(text), cipher.final()]);
  };
}

function kdf3(key: Buffer, data: Buffer, id: number): Buffer {
  const block = (counter: number) => cmac(key, Buffer.concat([Buffer.of(counter, 0, 0, 0, id, 0), data]));
  return Buffer.concat([block(1), block(2)]);
}

/** The short input is padded to two blocks: CMAC of 31 bytes differs from this by its subkey alone. */
function an10922(key: Buffer, data: Buffer, id: number): Buffer {
  const first = Buffer.concat([Buffer.of(1), data, Buffer.of(id, 0x80), Buffer.alloc(3)]);
  const state = ecb(key, first);
  const subkey = shift(shift(ecb(key, Buffer.alloc(16))));
  return ecb(key, Buffer.from(state.map((byte, i) => byte ^ (subkey[i] ?? 0))));
}

function shift(block: Buffer): Buffer {
  const number = BigInt(`0x${block.toString('hex')}`);
  const doubled = ((number << 1n) & ((1n << 128n) - 1n)) ^ (number >> 127n === 1n ? 0x87n : 0n);
  return Buffer.from(doubled.toString(16).padStart(32, '0'), 'hex');
}
