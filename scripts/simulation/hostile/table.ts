/** Every manner of a hostile broker that a whole simulated line is sent through. */
import { carriers } from './carriers.ts';
import { forgers } from './forgers.ts';
import type { Manner } from './manner.ts';

export const brokerManners: Readonly<Record<string, Manner>> = { ...carriers, ...forgers };
