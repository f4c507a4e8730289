/**
 * Components of a key as custodians enter them: 64 hexadecimal digits (32 for a key of 16 bytes) in a file of mode
 * 0600 or at the terminal, checked, joined by exclusive or, and wiped. They are bytes throughout: a text of JavaScript
 * could not be wiped.
 *
 * Limits: what Node and the operating system copied on the way is theirs; the process ends with the ceremony, and
 * should run without swap.
 */
import { createCipheriv } from 'node:crypto';
import type { Bytes } from '../../../../runtime/core/bytes.ts';
import type { ComponentSource } from '../../../../runtime/core/ceremony/token.ts';
import { Fault } from '../../../../runtime/core/faults.ts';
import { readSecretBytes } from '../cryptoki.ts';

/** Bytes of a check value. */
const CHECK_BYTES = 3;
const BLOCK_BYTES = 16;

/** Asks at the terminal, without an echo. The caller wipes what it answers. */
export type Prompt = (custodian: string, digits: number) => Promise<Buffer>;

/** Reads and joins components of `size` bytes, gives the key to `use`, and wipes it whatever happens.
 * @throws Fault CEREMONY_COMPONENT_WRONG naming the custodian, FILE_UNREADABLE */
export async function withJoined<T>(
  sources: readonly ComponentSource[],
  size: number,
  prompt: Prompt,
  use: (key: Bytes) => T,
): Promise<T> {
  const key = wipeable(size);
  try {
    for (const source of sources) {
      const component = await readComponent(source, size, prompt);
      for (let i = 0; i < size; i++) key[i] = (key[i] ?? 0) ^ (component[i] ?? 0);
      component.fill(0);
    }
    return use(key);
  } finally {
    key.fill(0);
  }
}

/** First 3 bytes of a block of zeros under an AES key of 16 or 32 bytes, hexadecimal. */
export function checkValueOfBytes(key: Bytes): string {
  const cipher = createCipheriv(key.length === 16 ? 'aes-128-ecb' : 'aes-256-ecb', key, null);
  const value = cipher.update(Buffer.alloc(BLOCK_BYTES)).subarray(0, CHECK_BYTES).toString('hex');
  cipher.final(); // OpenSSL wipes its key schedule here, not when the object is collected.
  return value;
}

/** Zeros that stay where they are: V8 keeps small arrays in its heap, and leaves copies behind when it moves them. */
function wipeable(size: number): Buffer {
  return Buffer.from(new ArrayBuffer(size));
}

async function readComponent(source: ComponentSource, size: number, prompt: Prompt): Promise<Buffer> {
  const { custodian, checkValue, file } = source;
  const wrong = (why: string): Fault => new Fault('CEREMONY_COMPONENT_WRONG', { custodian, why });
  const entered = file === null ? await prompt(custodian, 2 * size) : readSecretBytes(file);
  const component = wipeable(size);
  const isWhole = decodeHex(entered, component);
  entered.fill(0);
  if (isWhole && checkValueOfBytes(component) === checkValue) return component;
  component.fill(0);
  throw wrong(isWhole ? 'has another check value' : `not ${2 * size} hexadecimal digits`);
}

/** Spaces and line ends between digits are passed over; false unless there are exactly as many as `into` takes. */
function decodeHex(text: Uint8Array, into: Buffer): boolean {
  let digits = 0;
  for (const letter of text) {
    if (letter === 0x20 || (letter >= 0x09 && letter <= 0x0d)) continue;
    const value = digitOf(letter);
    if (value === null || digits >= 2 * into.length) return false;
    const at = digits >> 1;
    into[at] = digits % 2 === 0 ? value << 4 : (into[at] ?? 0) | value;
    digits++;
  }
  return digits === 2 * into.length;
}

/** ASCII: 0 to 9, a to f, A to F. */
function digitOf(letter: number): number | null {
  if (letter >= 0x30 && letter <= 0x39) return letter - 0x30;
  const small = letter | 0x20;
  return small >= 0x61 && small <= 0x66 ? small - 0x61 + 10 : null;
}
