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

/** `name in place`, for every secret found in any form. */
export function findSecrets(secrets: readonly Secret[], places: readonly Place[]): readonly string[] {
  const texts = places.map((place) => unfolded(Buffer.from(place.bytes).toString('latin1')).join('\n'));
  const whole = texts.join('\n');
  return secrets.flatMap((secret) => {
    const found = formsOf(Buffer.from(secret.bytes)).filter((form) => whole.includes(form));
    if (found.length === 0) return [];
    return places
      .filter((_, i) => found.some((form) => texts[i]?.includes(form)))
      .map((place) => `${secret.name} in ${place.name}`);
  });
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
