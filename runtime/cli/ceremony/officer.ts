/** `holdfast ceremony officer`: an officer's key, made in their own token, and its public part as others trust it. */
import { fromBase64, toHex } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { ExitCode } from '../../program.ts';
import { officerOptions, officerTokenIn } from '../approval.ts';
import { type Command, textOf, usage } from '../command.ts';
import { needed } from '../given.ts';
import type { Means } from '../means.ts';

/** Bytes of an uncompressed point of P-256, which is the end of its SubjectPublicKeyInfo. RFC 5480 section 2. */
const POINT_BYTES = 65;

export const ceremonyOfficerCommand: Command = {
  name: 'ceremony officer',
  summary:
    'tells an officer’s public key as it stands under trusted; in a token makes it where there is none',
  options: { ...officerOptions },
  notes: [
    'The key in a token is called officer-NAME, and signs nothing but what the officer is asked to sign.',
  ],
  examples: ['holdfast ceremony officer --officer ada --officer-token ada.json'],
  run: async (given, means) => {
    const name = needed(given, 'officer', 'whose key it is');
    const [file, token] = [textOf(given, 'key'), textOf(given, 'officer-token')];
    if ((file === null) === (token === null))
      throw usage('say where the key is: --key FILE or --officer-token FILE');
    const publicKey =
      token === null ? await publicKeyInFile(file ?? '', means) : await publicKeyInToken(name, token, means);
    means.print(JSON.stringify({ name, role: 'officer', publicKey }));
    return ExitCode.done;
  },
};

async function publicKeyInFile(file: string, { openSigner }: Means): Promise<string> {
  await using signer = await openSigner({ file });
  return toHex(signer.publicKey);
}

/** @throws Fault KEY_POLICY_BROKEN when the token holds something else besides */
async function publicKeyInToken(name: string, file: string, means: Means): Promise<string> {
  const place = officerTokenIn(file, means);
  const key = `officer-${name}`;
  if (place.key !== key) throw new Fault('CONFIG_INVALID', { file, where: 'key', why: `must be ${key}` });
  await using token = await means.ceremony.openToken({
    ...place,
    role: 'officer',
    kdf: 'cbc-data',
    laboratory: true,
  });
  if ((await token.readKey(key)) === null) await token.generate(key);
  await token.audit();
  const made = await token.readKey(key);
  return toHex(fromBase64(made?.publicKey ?? '').subarray(-POINT_BYTES));
}
