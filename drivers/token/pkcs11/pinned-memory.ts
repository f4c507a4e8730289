/**
 * One page of memory that stays where it is and whose address is known, for mechanism parameters that hold a
 * pointer which pkcs11js cannot build: CK_KEY_DERIVATION_STRING_DATA, CK_SP800_108_KDF_PARAMS. Nothing secret is ever in it.
 *
 * The page is WebAssembly's, which stands apart between guard pages and never moves. Its address is read from
 * this process's own memory map and proved by finding what was just written there.
 *
 * Limits: Linux, 64 bits, little endian, and a process that may read its own map.
 *
 * @see PKCS#11 2.40 section 2.15
 */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { Bytes } from '../../../runtime/core/bytes.ts';

export interface PinnedMemory {
  /**
   * CK_KEY_DERIVATION_STRING_DATA over a copy of `data`; good until the next call.
   * @throws RangeError when the data exceed the page
   */
  stringData(data: Bytes): Buffer;
  /**
   * A parameter that points into data which point into themselves; good until the next call.
   * @param layout what the data are, given where each of their bytes will stand
   * @throws RangeError when the data exceed the page
   */
  laidOut(
    layout: (addressAt: (offset: number) => bigint) => { readonly data: Bytes; readonly parameter: Buffer },
  ): Buffer;
}

/** Why a derivation over several blocks is refused where there is no such memory. */
export const NO_POINTER = 'no memory whose address is known';

/** Bytes of a WebAssembly page. WebAssembly Core Specification section 2.5.5. */
const PAGE_BYTES = 65_536;
/** Long enough that nothing else in this process has the same bytes by chance. */
const MARKER_BYTES = 32;
/** How often the marker must be found where it is looked for. */
const PROOFS = 2;

/** What Node has of WebAssembly and its types lack. */
declare const WebAssembly: {
  readonly Memory: new (pages: {
    readonly initial: number;
    readonly maximum: number;
  }) => { readonly buffer: ArrayBuffer };
};

/** Null where the address cannot be found out, or not beyond doubt. */
export function openPinnedMemory(): PinnedMemory | null {
  const page = makePage();
  const address = page === null ? null : addressOf(page);
  if (page === null || address === null) return null;
  const put = (data: Bytes): void => {
    if (data.length > PAGE_BYTES) throw new RangeError('the data exceed the page');
    page.set(data);
  };
  return {
    laidOut: (layout) => {
      const { data, parameter } = layout((offset) => address + BigInt(offset));
      put(data);
      return parameter;
    },
    stringData: (data) => {
      put(data);
      const parameter = Buffer.alloc(16);
      parameter.writeBigUInt64LE(address, 0);
      parameter.writeBigUInt64LE(BigInt(data.length), 8);
      return parameter;
    },
  };
}

/** Null where the process may not reserve the gigabytes of addresses that the guard pages take. */
function makePage(): Buffer | null {
  try {
    return Buffer.from(new WebAssembly.Memory({ initial: 1, maximum: 1 }).buffer);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function addressOf(page: Buffer): bigint | null {
  let memory: number | null = null;
  try {
    memory = openSync('/proc/self/mem', 'r');
    let candidates = writableRegions();
    for (let proof = 0; proof < PROOFS; proof++) {
      const marker = randomBytes(MARKER_BYTES);
      page.set(marker);
      candidates = candidates.filter((address) => marker.equals(read(memory ?? -1, address)));
    }
    const [address = null, ...others] = candidates;
    return others.length === 0 ? address : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return null; // No map, or one that this process may not read: the caller says what it cannot do then.
  } finally {
    if (memory !== null) closeSync(memory);
  }
}

/** Where each writable region of this process begins. */
function writableRegions(): readonly bigint[] {
  const lines = readFileSync('/proc/self/maps', 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [, from] = /^([0-9a-f]+)-[0-9a-f]+ rw/.exec(line) ?? [];
    return from === undefined ? [] : [BigInt(`0x${from}`)];
  });
}

/** What stands there; nothing for a region that cannot be read, which ours can. */
function read(memory: number, address: bigint): Buffer {
  const found = Buffer.alloc(MARKER_BYTES);
  try {
    return found.subarray(0, readSync(memory, found, 0, MARKER_BYTES, address));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return Buffer.alloc(0);
  }
}
