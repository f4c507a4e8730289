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
};
