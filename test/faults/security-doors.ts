/** Doors of what needs more than one person. */
import { checkPlan } from '../../runtime/core/ceremony/plan-check.ts';
import { planOf } from '../ceremony/room.ts';
import { type Doors, elsewhere, refusalOf } from './door.ts';

export const securityDoors: Doors = {
  APPROVALS_MISSING: [
    'one of two officers has signed',
    elsewhere('core/approval.test', 'is missing while one officer is'),
  ],
  LIFE_REFUSED: [
    'a unit is to be scrapped whose certificate is good',
    elsewhere('fleet/life.test', 'refuses to scrap a unit in quarantine whose certificate is good'),
  ],
  OPERATOR_UNKNOWN: [
    'a badge is shown that nobody registered',
    elsewhere(
      'simulation/operators.test',
      'is not let in with a badge that nobody registered, and nothing is written',
    ),
  ],
  SIGN_IN_BARRED: [
    'somebody tries badge numbers at a station',
    elsewhere(
      'simulation/operators.test',
      'waits ten minutes where ten unknown badges were shown: they cannot be tried one by one',
    ),
  ],
  OPERATOR_REFUSED: [
    'a badge is to be registered twice',
    elsewhere(
      'simulation/operators.test',
      'is registered by officers alone, once an order, and no badge twice',
    ),
  ],
  SHIFT_INVALID: [
    'a station shows the receipt of another one’s shift',
    elsewhere(
      'simulation/shifts.test',
      'names an operator at its own station and until its end, as the backend signed it, and nowhere else',
    ),
  ],
  UNIT_SET_ASIDE: [
    'a unit that is in quarantine is put into a nest',
    elsewhere('fleet/life.test', 'gets no release from the backend, and is held until they give it back'),
  ],
  HISTORY_TOO_LONG: [
    'a unit was worked on ten thousand times',
    elsewhere('fleet/state.test', 'answers with no part of a history that is longer than it reads'),
  ],
  TICKET_CLOSED: [
    'the batch was counted and closed, and a unit comes',
    elsewhere('orders/attacks.test', 'that is closed reserves nothing more, and resumes nothing'),
  ],
  RATE_EXCEEDED: [
    'units come faster than the takt of their order',
    elsewhere(
      'orders/attacks.test',
      'faster than its takt waits until the time that is named, and then goes on',
    ),
  ],
  NEST_OCCUPIED: [
    'the chip in the reader is exchanged under the eyes of nobody',
    elsewhere(
      'orders/attacks.test',
      'for a second unit in a nest waits until the gate controller has seen the first one end',
    ),
  ],
  COUNTS_DIFFER: [
    'the record of a released unit is gone',
    elsewhere('orders/close-out.test', 'is refused where a record is gone, and names the unit'),
  ],
  CLOSE_OUT_REFUSED: [
    'the counts of the gateway are of yesterday',
    elsewhere(
      'orders/close-out.test',
      'takes only counts that the gateway signed, of this ticket, of this hour and complete',
    ),
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
  RENEWAL_UNANSWERED: [
    'nobody carries the answer of the bus authority back',
    elsewhere(
      'identity/renewal.test',
      'asks again after each silence, later each time and never later than told, until an answer comes',
    ),
  ],
  CERTIFICATE_ENDING: [
    'a tenth of the life is left, and nothing has come',
    elsewhere(
      'identity/renewal.test',
      'says that the end is near while nothing comes, again and again, and goes on asking',
    ),
  ],
  STATION_LIST_FULL: [
    'a plant enrols more stations than a list can name',
    elsewhere('identity/station-enrolment.test', 'is refused when the list can name no further station'),
  ],
  STATION_LIST_REFUSED: [
    'a gateway is given the list of yesterday',
    elsewhere(
      'identity/revoked-station.test',
      'cannot be taken back by an older list, nor by one that leaves a station out',
    ),
  ],
  ENROLMENT_REFUSED: [
    'a one-time code is used again',
    elsewhere('identity/enrolment.test', 'refuses a code the second time'),
  ],
  ENROLMENT_FOREIGN: [
    'a station is given the certificate of another',
    elsewhere(
      'identity/enrolment.test',
      'needs somebody who vouches: officers do, by their approvals of these very keys',
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
  POLICY_INVALID: [
    'a policy names a witness that it does not define',
    elsewhere('fleet-log/policy.test', 'refuses what could be read in two ways, and names the line'),
  ],
  PROOF_INCOMPLETE: [
    'a proof is asked for before the witnesses have cosigned',
    elsewhere('fleet-log/proof.test', 'is not written before enough witnesses have cosigned'),
  ],
  PROOF_INVALID: [
    'a proof is shown with the record of another unit',
    elsewhere(
      'fleet-log/proof.test',
      'proves nothing of another record, nor of this one with a letter changed',
    ),
  ],
  WITNESS_UNREACHABLE: [
    'a witness of the log is silent',
    elsewhere(
      'fleet-log/cosigning.test',
      'waits for nobody: with silent witnesses it registers as before, and asks them again later',
    ),
  ],
  WITNESS_REFUSES: [
    'a witness has seen another history of the log',
    elsewhere(
      'fleet-log/cosigning.test',
      'is told when a witness has seen another history, and keeps nothing of it',
    ),
  ],
  LEAF_TOO_LARGE: [
    'an event names more units than one leaf holds',
    elsewhere('fleet-log/tiles.test', 'take no entry that a bundle could not hold'),
  ],
  LOG_EXPORT_INVALID: [
    'an entry of an export was changed',
    elsewhere('fleet-log/export.test', 'names the leaf whose entry was changed'),
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
  CARRIED_KEY_REFUSED: [
    'the key of a gate controller comes to a backend that the officers did not name',
    elsewhere(
      'ceremony/carriage.test',
      'is refused to anybody else, under any name, from any other file, and by any other record',
    ),
  ],
  CEREMONY_RECORD_INVALID: [
    'a letter of a record is altered',
    elsewhere('ceremony/record.test', 'proves nothing once any part of it is altered'),
  ],
};
