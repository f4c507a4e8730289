/** How the values of PostgreSQL's types arrive: bigint as a safe integer, bytea as plain bytes. */
import type { CustomTypesConfig } from 'pg';

const INT8 = 20;
const BYTEA = 17;

type Parser = (text: string) => unknown;

export function typeParsers(standard: CustomTypesConfig): CustomTypesConfig {
  const parserOf = (oid: number, format?: 'text' | 'binary'): Parser => {
    if (oid === INT8) return safeInteger;
    if (oid === BYTEA) return plainBytes;
    return standard.getTypeParser(oid, format as 'text') as Parser;
  };
  return { getTypeParser: parserOf as CustomTypesConfig['getTypeParser'] };
}

/** @throws RangeError beyond 2^53: a number that is wrong in its last digit is worse than none. */
function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${text}`);
  return value;
}

/** `\x` and hexadecimal digits, the form of every server since 9.0. In memory of their own: a hash that is kept must
 * not keep the eight kilobytes in which node decodes what came with it. */
function plainBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
}
