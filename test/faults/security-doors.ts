/** Doors of what needs more than one person. */
import { checkPlan } from '../../runtime/core/ceremony/plan-check.ts';
import { planOf } from '../ceremony/room.ts';
import { type Doors, elsewhere, refusalOf } from './door.ts';

export const securityDoors: Doors = {
  APPROVALS_MISSING: [
    'one of two officers has signed',
    elsewhere('core/approval.test', 'is missing while one officer is'),
  ],
  ORDER_INVALID: [
    'an order is for more units than its rule covers',
    elsewhere('cli/ticket.test', 'refuses an order that contradicts itself, and says where'),
  ],
  APPROVAL_REFUSED: [
    'one officer signs twice',
    elsewhere('core/approval.test', 'is refused when one officer signed twice, with other words even'),
  ],
  STATION_REVOKED: [
    'officers have revoked the station',
    elsewhere(
      'identity/revoked-station.test',
      'is refused by the backend from its next request on, while another goes on',
    ),
  ],
  STATION_LIST_REFUSED: [
    'a gateway is given the list of yesterday',
    elsewhere(
      'identity/revoked-station.test',
      'cannot be taken back by an older list, nor by one that leaves a station out',
    ),
  ],
  INSTRUCTION_UNREACHABLE: [
    'the program does not run',
    elsewhere(
      'contracts/instruction.test',
      'finds nobody before the program serves: INSTRUCTION_UNREACHABLE',
    ),
  ],
  INSTRUCTION_REFUSED: [
    'the program is of another version',
    elsewhere(
      'contracts/instruction.test',
      'is refused when the program does not know it or its form is wrong: INSTRUCTION_REFUSED',
    ),
  ],
  CEREMONY_PLAN_REFUSED: [
    'a plan makes the key of the root in the token of a gateway',
    () => refusalOf(() => checkPlan(planOf({ steps: [{ do: 'key-pair', key: 'root' }] }))),
  ],
  CEREMONY_TOKEN_OTHER: [
    'a ceremony is begun with another token connected',
    elsewhere('ceremony/refusals.test', 'on another token than the one that was approved'),
  ],
  CEREMONY_COMPONENT_WRONG: [
    'a custodian enters the component of another',
    elsewhere('ceremony/refusals.test', 'with a wrong component, of which nothing stays'),
  ],
  CEREMONY_KEY_DIFFERS: [
    'a vendor delivered another master than was announced',
    elsewhere('ceremony/token.test', 'keeps nothing of a key whose check value is another than the vendor’s'),
  ],
  CEREMONY_RECORD_INVALID: [
    'a letter of a record is altered',
    elsewhere('ceremony/record.test', 'proves nothing once any part of it is altered'),
  ],
};
