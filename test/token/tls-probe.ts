/** A station's process in small: envelope key through PKCS#11 and TLS key through the OpenSSL engine at once. */
import { connect, createSecureContext } from 'node:tls';
import { openPkcs11Signer } from '../../drivers/token/pkcs11/signer.ts';
import type { Bytes } from '../../runtime/core/bytes.ts';
import { asFault } from '../../runtime/core/faults.ts';

export interface ProbeJob {
  readonly module: string;
  readonly label: string;
  readonly pinFile: string;
  /** Null: only sign. */
  readonly tls: {
    readonly port: number;
    readonly ca: string;
    readonly certificate: string;
    readonly keyUri: string;
    /** Whether the engine comes to the token before the signer does. */
    readonly engineFirst: boolean;
  } | null;
  readonly message: Bytes;
}
export interface ProbeReport {
  readonly publicKey: Bytes;
  readonly signatures: readonly Bytes[];
  /** What the server answered on each connection. */
  readonly answers: readonly string[];
  readonly failure: string | null;
}

process.on('disconnect', () => process.exit(0));
process.on('message', (job: ProbeJob) => {
  void run(job)
    .catch((error: unknown): ProbeReport => {
      const failure = asFault(error, 'UNEXPECTED').code;
      return { publicKey: new Uint8Array(0), signatures: [], answers: [], failure };
    })
    .then((report) => process.send?.(report));
});

async function run({ tls, message, ...place }: ProbeJob): Promise<ProbeReport> {
  const context = () =>
    createSecureContext({
      ca: tls?.ca,
      cert: tls?.certificate,
      minVersion: 'TLSv1.3',
      privateKeyEngine: 'pkcs11',
      privateKeyIdentifier: tls?.keyUri,
    });
  const early = tls?.engineFirst === true ? context() : null;
  const signer = await openPkcs11Signer({ ...place, key: 'envelope' });
  const signatures = [await signer.sign(message)];
  const answers: string[] = [];
  if (tls !== null) {
    const secureContext = early ?? context();
    for (let i = 0; i < 2; i++) {
      const answer = greet(tls.port, secureContext);
      signatures.push(await signer.sign(message));
      answers.push(await answer);
      signatures.push(await signer.sign(message));
    }
  }
  const { publicKey } = signer;
  await signer[Symbol.asyncDispose]();
  return { publicKey, signatures, answers, failure: null };
}

/** Connects with the token's key and returns what the server says of the client. */
function greet(port: number, secureContext: ReturnType<typeof createSecureContext>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port, secureContext, servername: 'localhost' });
    socket.setTimeout(10_000, () => socket.destroy(new Error('silent')));
    socket.on('data', (data) => {
      text += data.toString();
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}
