/** Doors of what needs more than one person. */
import { type Doors, elsewhere } from './door.ts';

export const securityDoors: Doors = {
  APPROVALS_MISSING: [
    'one of two officers has signed',
    elsewhere('core/approval.test', 'is missing while one officer is'),
  ],
  APPROVAL_REFUSED: [
    'one officer signs twice',
    elsewhere('core/approval.test', 'is refused when one officer signed twice, with other words even'),
  ],
};
