/**
 * Components of a key as custodians enter them: 64 hexadecimal digits (32 for a key of 16 bytes) in a file of mode
 * 0600 or at the terminal, checked, joined by exclusive or, and wiped.
 *
 * Limits: the text that was read is a JavaScript string for a moment, which cannot be wiped; the process ends with
 * the ceremony, and should run without swap.
 */
import { createCipheriv } from 'node:crypto';
import type { Bytes } from '../../../../runtime/core/bytes.ts';
import type { ComponentSource } from '../../../../runtime/core/ceremony/token.ts';
import { Fault } from '../../../../runtime/core/faults.ts';
import { readSecret } from '../cryptoki.ts';

/** Bytes of a check value. */
const CHECK_BYTES = 3;
const BLOCK_BYTES = 16;

/** Asks at the terminal, without an echo. */
export type Prompt = (custodian: string, digits: number) => Promise<string>;

/** Reads and joins components of `size` bytes, gives the key to `use`, and wipes it whatever happens.
 * @throws Fault CEREMONY_COMPONENT_WRONG naming the custodian, FILE_UNREADABLE */
export async function withJoined<T>(
  sources: readonly ComponentSource[],
  size: number,
  prompt: Prompt,
  use: (key: Bytes) => T,
): Promise<T> {
  const key = Buffer.alloc(size);
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
  return cipher.update(Buffer.alloc(BLOCK_BYTES)).subarray(0, CHECK_BYTES).toString('hex');
}

async function readComponent(source: ComponentSource, size: number, prompt: Prompt): Promise<Buffer> {
  const { custodian, checkValue, file } = source;
  const text = (file === null ? await prompt(custodian, 2 * size) : readSecret(file)).replaceAll(/\s/g, '');
  const wrong = (why: string): Fault => new Fault('CEREMONY_COMPONENT_WRONG', { custodian, why });
  if (text.length !== 2 * size || !/^[0-9a-f]*$/i.test(text))
    throw wrong(`not ${2 * size} hexadecimal digits`);
  const component = Buffer.from(text, 'hex');
  if (checkValueOfBytes(component) === checkValue) return component;
  component.fill(0);
  throw wrong('has another check value');
}
