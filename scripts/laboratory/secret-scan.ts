/** Searches bytes for a secret in every form in which it may leak: raw, hexadecimal, base64 at each alignment. */

export interface Secret {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A place where bytes rest or pass. */
export interface Place {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** `name in place`, for every secret found in any form. One pass over each place, however many secrets there are. */
export function findSecrets(secrets: readonly Secret[], places: readonly Place[]): readonly string[] {
  const sought = soughtForms(secrets);
  const found = places.map((place) => {
    const texts = unfolded(Buffer.from(place.bytes).toString('latin1'));
    return new Set(texts.flatMap((text) => namesIn(Buffer.from(text, 'latin1'), sought)));
  });
  const names = [...new Set(secrets.map(({ name }) => name))];
  return names.flatMap((name) =>
    places.filter((_, i) => found[i]?.has(name) === true).map((place) => `${name} in ${place.name}`),
  );
}

/** Forms by their first four bytes, and a table that tells most other bytes apart without asking for them. */
interface Sought {
  readonly byHead: ReadonlyMap<number, readonly { readonly name: string; readonly form: Buffer }[]>;
  readonly maybe: Uint8Array;
}

const HEAD_BYTES = 4;
/** Spreads four bytes over sixteen bits: the golden ratio's share of 2^32. */
const SPREAD = 0x9e3779b1;

const placeOf = (head: number): number => Math.imul(head, SPREAD) >>> 16;

function soughtForms(secrets: readonly Secret[]): Sought {
  const byHead = new Map<number, { name: string; form: Buffer }[]>();
  const maybe = new Uint8Array(1 << 16);
  for (const { name, bytes } of secrets)
    for (const text of formsOf(Buffer.from(bytes))) {
      const form = Buffer.from(text, 'latin1');
      if (form.length < HEAD_BYTES) throw new RangeError(`${name} is too short to be looked for`);
      const head = form.readUInt32BE(0);
      maybe[placeOf(head)] = 1;
      byHead.set(head, [...(byHead.get(head) ?? []), { name, form }]);
    }
  return { byHead, maybe };
}

function namesIn(text: Buffer, { byHead, maybe }: Sought): readonly string[] {
  const names = new Set<string>();
  let head = 0;
  for (let end = 1; end <= text.length; end += 1) {
    head = ((head << 8) | (text[end - 1] ?? 0)) >>> 0;
    if (end < HEAD_BYTES || maybe[placeOf(head)] === 0) continue;
    const start = end - HEAD_BYTES;
    for (const { name, form } of byHead.get(head) ?? [])
      if (text.compare(form, 0, form.length, start, Math.min(start + form.length, text.length)) === 0)
        names.add(name);
  }
  return [...names];
}

function formsOf(bytes: Buffer): readonly string[] {
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].flatMap((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // Characters at both ends mix with their neighbours; the middle is the secret's alone.
    const middle = encoded.slice(
      Math.ceil((shift * 4) / 3),
      Math.floor(((shift + bytes.length) * 4) / 3) - 1,
    );
    return [middle, middle.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const decimals = [...bytes].join(',');
  return [bytes.toString('latin1'), hex, hex.toUpperCase(), ...base64, decimals];
}

/** The text and, inside it, the payload of every JWS, to any depth. */
function unfolded(text: string): readonly string[] {
  const texts = [text];
  for (const part of texts) {
    if (texts.length > 500) throw new RangeError('too many envelopes in one place');
    for (const [, payload] of part.matchAll(/eyJ[\w-]+\.([\w-]{20,})\.[\w-]+/g))
      texts.push(Buffer.from(payload ?? '', 'base64url').toString('latin1'));
  }
  return texts;
}
