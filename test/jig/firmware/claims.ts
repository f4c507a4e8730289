/**
 * What the firmware must do, one sentence each. The tests hold all of them against the firmware, and against each
 * build that lacks a rule the sentence that must find it.
 */
import { claimsOfClosings } from './claims-of-closings.ts';
import { claimsOfPower } from './claims-of-power.ts';
import { claimsOfReleases } from './claims-of-releases.ts';

export const claims = { ...claimsOfReleases, ...claimsOfClosings, ...claimsOfPower } as const;
export type ClaimName = keyof typeof claims;
