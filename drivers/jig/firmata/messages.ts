/** What crosses between the station's process and the child that owns the board. */
import { Fault, type FaultNote } from '../../../runtime/core/faults.ts';
import type { ControllerReport, Release } from '../../../runtime/core/gate/release.ts';
import type { Lamp } from '../../../runtime/core/ports.ts';
import type { SessionOptions } from './options.ts';

export type JigCall =
  | { readonly verb: 'report'; readonly nest: string }
  | { readonly verb: 'clamp'; readonly nest: string; readonly position: 'closed' | 'open' }
  | { readonly verb: 'open'; readonly release: Release }
  | { readonly verb: 'lamp'; readonly nest: string; readonly lamp: Lamp };

export type ToChild =
  | { readonly kind: 'start'; readonly options: SessionOptions }
  | { readonly kind: 'call'; readonly id: number; readonly call: JigCall }
  | { readonly kind: 'close' };

export type ToParent =
  | { readonly kind: 'done'; readonly id: number; readonly report: ControllerReport | null }
  | { readonly kind: 'failed'; readonly id: number; readonly fault: FaultNote }
  | { readonly kind: 'report'; readonly report: ControllerReport }
  | { readonly kind: 'lost'; readonly fault: FaultNote }
  | { readonly kind: 'ready' }
  | { readonly kind: 'closed' };

export function faultOf({ code, context }: FaultNote): Fault {
  return new Fault(code, context);
}
