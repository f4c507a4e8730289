/**
 * JSON with one spelling: keys sorted by code unit, no white space, integers and strings as JSON.stringify
 * writes them. What is hashed or signed is this text, stored as it is.
 *
 * @see RFC 8785, of which this is the part without fractions and exponents
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** @throws RangeError for a number that is not a safe integer. */
export function canonicalJson(value: Json | object): string {
  return write(value as Json);
}

function write(value: Json): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError('not a safe integer');
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  let members = '';
  if (isList(value)) {
    for (const member of value) members += `${members === '' ? '' : ','}${write(member)}`;
    return `[${members}]`;
  }
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined)
      members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${write(member)}`;
  }
  return `{${members}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
