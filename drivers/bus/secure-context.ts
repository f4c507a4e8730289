/**
 * The client's side of mutual TLS 1.3. Where the private key lives is hidden here: in a file, or in a PKCS#11 token
 * through OpenSSL's engine.
 *
 * @see RFC 7512 (PKCS#11 URI); Node's tls.createSecureContext
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { asFault, Fault } from '../../runtime/core/faults.ts';

export interface ClientIdentity {
  /** PEM files. */
  readonly authorityFile: string;
  readonly certificateFile: string;
  readonly key:
    | { readonly kind: 'file'; readonly path: string }
    /** RFC 7512, without the PIN: `pkcs11:token=station;object=station-1;type=private;pin-source=/run/pin`. */
    | { readonly kind: 'pkcs11'; readonly uri: string };
}

/** One per process and certificate: every reconnect uses the same, since a second one opens the engine again. */
export interface ClientSecureContext {
  readonly certificateFile: string;
  /** What the next connection uses. A certificate that was renewed meanwhile is taken, unless it does not fit the key
   * and the former has not ended yet: `unfit` says what is wrong with it then. */
  current(): PresentContext;
}

export interface PresentContext {
  readonly context: SecureContext;
  /** When the client's own certificate ends; milliseconds since 1970. */
  readonly notAfterMs: number;
  readonly unfit: Fault | null;
}

/**
 * Node brings its own OpenSSL, which looks for engines where OPENSSL_ENGINES says, and the engine takes its module
 * from PKCS11_MODULE_PATH. OpenSSL reads both when the process starts, so whoever starts it has to set them.
 */
const ENGINE_ENVIRONMENT = ['OPENSSL_ENGINES', 'PKCS11_MODULE_PATH'] as const;

/** @throws Fault FILE_UNREADABLE, TOKEN_UNAVAILABLE, CONFIG_INVALID */
export function clientSecureContext(identity: ClientIdentity): ClientSecureContext {
  const { certificateFile } = identity;
  let cert = readPem(certificateFile);
  let present = contextOf(identity, cert);
  return {
    certificateFile,
    current: () => {
      try {
        const found = readPem(certificateFile);
        if (found === cert) return present;
        present = contextOf(identity, found);
        cert = found;
      } catch (error) {
        const unfit = asFault(error, 'UNEXPECTED');
        if (present.notAfterMs <= Date.now()) throw unfit;
        return { ...present, unfit };
      }
      return present;
    },
  };
}

function contextOf(identity: ClientIdentity, cert: string): PresentContext {
  const common = { ca: readPem(identity.authorityFile), cert, minVersion: 'TLSv1.3' } as const;
  const context =
    identity.key.kind === 'file'
      ? withKeyFile(common, identity.key.path, identity.certificateFile)
      : withToken(common, identity.key.uri);
  return { context, notAfterMs: notAfterOf(cert, identity.certificateFile), unfit: null };
}

function withKeyFile(common: SecureContextOptions, path: string, certificateFile: string): SecureContext {
  const key = readPem(path);
  try {
    return createSecureContext({ ...common, key });
  } catch (error) {
    throw new Fault('CONFIG_INVALID', { certificate: certificateFile, key: path }, { cause: error });
  }
}

function withToken(common: SecureContextOptions, uri: string): SecureContext {
  for (const name of ENGINE_ENVIRONMENT)
    if (process.env[name] === undefined) throw new Fault('TOKEN_UNAVAILABLE', { missing: name });
  try {
    return createSecureContext({ ...common, privateKeyEngine: 'pkcs11', privateKeyIdentifier: uri });
  } catch (error) {
    // The engine's message may quote the URI: it is the cause, for the log's redaction, and not in the context.
    throw new Fault('TOKEN_UNAVAILABLE', { engine: 'pkcs11' }, { cause: error });
  }
}

function notAfterOf(cert: string, certificate: string): number {
  try {
    return Date.parse(new X509Certificate(cert).validTo);
  } catch (error) {
    throw new Fault('CONFIG_INVALID', { certificate }, { cause: error });
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Fault('FILE_UNREADABLE', { file }, { cause: error });
  }
}
