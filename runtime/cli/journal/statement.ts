/** What a signed statement says, for showing it: not verified, so nothing is decided by it. */
import { fromBase64, toText } from '../../core/bytes.ts';

/** The payload of a compact JWS; empty where it has none. */
export function saidIn(jws: string): Readonly<Record<string, unknown>> {
  try {
    const payload: unknown = JSON.parse(toText(fromBase64(jws.split('.')[1] ?? '')));
    return typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  } catch {
    return {}; // Shown without its particulars; the programs refuse such a statement.
  }
}
