/** What went wrong between client and broker, as faults: the only place that knows the vendors' numbers. */
import { Fault, isFault } from '../../runtime/core/faults.ts';

/** MQTT 5.0 section 2.4: reason codes that mean "not you". */
const REFUSING: ReadonlySet<number> = new Set([
  0x84, // unsupported protocol version
  0x85, // client identifier not valid
  0x86, // bad user name or password
  0x87, // not authorized
  0x8a, // banned
  0x8c, // bad authentication method
  0x8e, // session taken over: somebody else has this program's certificate
]);

/**
 * TLS alerts by which a broker refuses a client's certificate; RFC 8446 section 6. With TLS 1.3 they arrive after
 * the client's own handshake is done. An expired list of revoked certificates shows as certificate_expired too.
 */
const REFUSING_ALERT =
  /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_REVOKED|CERTIFICATE_EXPIRED|CERTIFICATE_UNKNOWN|UNKNOWN_CA|ACCESS_DENIED|CERTIFICATE_REQUIRED)/;

/** Why a connection ended or was not made. */
export function connectionFault(error: unknown): Fault {
  if (isFault(error)) return error;
  const code = (error as { readonly code?: number | string } | null)?.code ?? null;
  const refused =
    typeof code === 'number' ? REFUSING.has(code) : code !== null && REFUSING_ALERT.test(code.toUpperCase());
  return new Fault(refused ? 'BUS_REFUSED' : 'BUS_UNREACHABLE', { reason: code }, { cause: error });
}

/** The broker ended the connection and says why. */
export function disconnectFault(reasonCode: number | undefined): Fault {
  return new Fault(REFUSING.has(reasonCode ?? 0) ? 'BUS_REFUSED' : 'BUS_UNREACHABLE', {
    reason: reasonCode ?? null,
  });
}

/** Why a publish or a subscription failed: a reason code of the broker, or the end of the connection. */
export function requestFault(error: unknown, topic: string): Fault {
  if (isFault(error)) return error;
  const code = (error as { readonly code?: number | string }).code ?? ungranted(error);
  const refused = typeof code === 'number' && REFUSING.has(code);
  return new Fault(refused ? 'BUS_REFUSED' : 'BUS_UNREACHABLE', { topic, reason: code }, { cause: error });
}

/** Reason codes from here on are failures; below it a subscription says its QoS. MQTT 5.0 section 3.9.3. */
const REASON_FAILED = 0x80;

/** MQTT.js keeps the reason of a refused subscription in the packet alone. */
function ungranted(error: unknown): number | null {
  const { packet } = error as { readonly packet?: { readonly granted?: readonly number[] } };
  return packet?.granted?.find((reason) => reason >= REASON_FAILED) ?? null;
}
