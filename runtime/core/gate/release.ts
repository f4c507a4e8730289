/**
 * What the gate controller and the backend say to each other through the station: the release, whose tag
 * only these two can make, and the controller's report under the same key. Byte layouts are fixed here,
 * short enough for an 8-bit controller.
 */
import { type Bytes, bigEndian, concat, fromHex, fromText } from '../bytes.ts';

export const lanes = ['good', 'reject'] as const;
export type Lane = (typeof lanes)[number];

/**
 * Who judges at a gate. `controller`: a gate controller, by a key that no station knows. `plain-firmata`: nobody
 * but the station's own driver, over plain pins: no tag is verified and no report carries a MAC. For a bench
 * only; station and backend must both be configured for it.
 */
export const gateKinds = ['controller', 'plain-firmata'] as const;
export type GateKind = (typeof gateKinds)[number];

/** As people read it: `plain-firmata (bench only)`. */
export function gateText(gate: GateKind): string {
  return gate === 'controller' ? gate : `${gate} (bench only)`;
}

/** Permission to open one gate once, for one arrival. Made by the backend, verified by the controller. */
export interface Release {
  /** Name of the gate controller: 1 to 16 characters of a-z, 0-9 and hyphen. */
  readonly controller: string;
  readonly nest: string;
  readonly lane: Lane;
  /** UUID of the operation. */
  readonly operation: string;
  readonly epoch: number;
  /** The controller's own name for the unit that is present. */
  readonly arrival: number;
  /** Raised with every release for this controller; the controller obeys only a higher one than ever before. */
  readonly counter: number;
  /** AES-CMAC over `releaseBytes`, 16 bytes, hexadecimal; null for a plain Firmata gate, which verifies none. */
  readonly tag: string | null;
}

/** What happened last, or was asked for: why the controller speaks. */
export const reportKinds = ['status', 'arrived', 'left', 'closed', 'refused'] as const;
export type ReportKind = (typeof reportKinds)[number];

export const reasons = [
  'none',
  'tag-wrong',
  'arrival-stale',
  'counter-used',
  'absent',
  'gate-open',
  'clamped',
  'presence-lost',
  'host-lost',
  'timed-out',
  'reset',
] as const;
export type Reason = (typeof reasons)[number];

/** The controller's word about itself. */
export interface ControllerReport {
  readonly kind: ReportKind;
  readonly reason: Reason;
  readonly controller: string;
  readonly nest: string;
  /** Name of the arrival that is present, 0 when the nest is empty. Never repeats. */
  readonly arrival: number;
  readonly gate: 'closed' | 'open';
  /** Counter of the last release it obeyed, 0 for none. */
  readonly obeyed: number;
  /** The last unit that left by a lane after an opening; arrival 0 for none. */
  readonly left: { readonly arrival: number; readonly counter: number; readonly lane: Lane };
  /** AES-CMAC over `reportBytes`, 16 bytes, hexadecimal; null where the station's driver speaks for plain pins. */
  readonly mac: string | null;
}

/** `HFR1` | controller (16) | nest (8) | lane (1) | operation (16) | epoch (4) | arrival (6) | counter (6); big endian. */
export function releaseBytes(release: Omit<Release, 'tag'>): Bytes {
  return concat(
    fromText('HFR1'),
    name(release.controller, 16),
    name(release.nest, 8),
    Uint8Array.of(lanes.indexOf(release.lane)),
    fromHex(release.operation.replaceAll('-', '')),
    bigEndian(release.epoch, 4),
    bigEndian(release.arrival, 6),
    bigEndian(release.counter, 6),
  );
}

/** `HFS1` | kind | reason | gate open (1 each) | controller (16) | nest (8) | arrival (6) | obeyed (6) |
 * left arrival (6), counter (6), lane (1); big endian. */
export function reportBytes(report: Omit<ControllerReport, 'mac'>): Bytes {
  return concat(
    fromText('HFS1'),
    Uint8Array.of(
      reportKinds.indexOf(report.kind),
      reasons.indexOf(report.reason),
      report.gate === 'open' ? 1 : 0,
    ),
    name(report.controller, 16),
    name(report.nest, 8),
    bigEndian(report.arrival, 6),
    bigEndian(report.obeyed, 6),
    bigEndian(report.left.arrival, 6),
    bigEndian(report.left.counter, 6),
    Uint8Array.of(lanes.indexOf(report.left.lane)),
  );
}

/** ASCII, padded with zeros. @throws RangeError when it does not fit. */
function name(text: string, size: number): Bytes {
  if (!/^[a-z0-9-]+$/i.test(text) || text.length > size) throw new RangeError(`not a name: ${text}`);
  return concat(fromText(text), new Uint8Array(size - text.length));
}
