/** The firmware without one of its rules each, and the claim that must find it. */
import type { ClaimName } from './claims.ts';

export interface Mutant {
  readonly lacks: string;
  readonly file: string;
  /** Stands in the file once. */
  readonly from: string;
  readonly to: string;
  readonly foundBy: ClaimName;
}

const FORGED = 'refuses a forged tag, and one for another controller, nest, lane, epoch or counter';
const NOT_READY = 'refuses while the unit is clamped, a gate not shut or an exit covered';
const DURABLE = 'opens only when the counter is durable: power fails in the writing of any byte of a release';
const BOOTS = 'names no arrival twice though power fails in the writing of any byte at boot';
const ONCE = 'obeys a counter once, and no lower one, also for a later unit and after a power cut';
const GOOD = 'opens once for its unit, shuts at the exit, and says LEFT under a true MAC';
const ROGUE = 'moves no gate for a host that writes ports, pins and modes';

export const mutants: readonly Mutant[] = [
  {
    lacks: 'the check of the tag',
    file: 'gate.c',
    from: 'if (!is_genuine(release)) return TAG_WRONG;',
    to: 'if (is_genuine(release)) memory.boots[0] &= 0xff;',
    foundBy: FORGED,
  },
  {
    lacks: 'half of the tag',
    file: 'cmac.c',
    from: 'for (uint8_t i = 0; i < BLOCK_BYTES; i++) differing',
    to: 'for (uint8_t i = 0; i < BLOCK_BYTES / 2; i++) differing',
    foundBy: FORGED,
  },
  {
    lacks: 'the names under the tag',
    file: 'gate.c',
    from: 'memcpy(at += CONTROLLER_BYTES, identity.nest, NEST_BYTES);',
    to: 'memset(at += CONTROLLER_BYTES, 0, NEST_BYTES);',
    foundBy: GOOD,
  },
  {
    lacks: 'the lane under the tag',
    file: 'gate.c',
    from: '*(at += NEST_BYTES) = release->lane;',
    to: '*(at += NEST_BYTES) = LANE_GOOD;',
    foundBy: FORGED,
  },
  {
    lacks: 'the check of the arrival',
    file: 'gate.c',
    from: 'if (memcmp(release->arrival, arrival, NUMBER_BYTES) != 0) return ARRIVAL_STALE;',
    to: '',
    foundBy: 'refuses a release for another arrival',
  },
  {
    lacks: 'the check of the presence',
    file: 'gate.c',
    from: 'if (!is(PRESENCE)) return ABSENT;',
    to: '',
    foundBy: 'refuses a release for an empty nest, even for the arrival 0 that an empty nest reports',
  },
  {
    lacks: 'the check of the counter',
    file: 'gate.c',
    from: 'if (memcmp(release->counter, memory.obeyed, NUMBER_BYTES) <= 0) return COUNTER_USED;',
    to: '',
    foundBy: ONCE,
  },
  {
    lacks: 'the refusal of the same counter',
    file: 'gate.c',
    from: 'memory.obeyed, NUMBER_BYTES) <= 0)',
    to: 'memory.obeyed, NUMBER_BYTES) < 0)',
    foundBy: ONCE,
  },
  {
    lacks: 'the check that no gate is open',
    file: 'gate.c',
    from: 'if (is_open() || is(EXIT_GOOD) || is(EXIT_REJECT)) return GATE_OPEN;',
    to: 'if (is(EXIT_GOOD) || is(EXIT_REJECT)) return GATE_OPEN;',
    foundBy: 'opens no second time while it stands open',
  },
  {
    lacks: 'the check of the exits',
    file: 'gate.c',
    from: ' || is(EXIT_GOOD) || is(EXIT_REJECT)) return GATE_OPEN;',
    to: ') return GATE_OPEN;',
    foundBy: NOT_READY,
  },
  {
    lacks: 'the check of the clamp',
    file: 'gate.c',
    from: 'return is(CLAMP_OPEN) && !is(CLAMP_CLOSED) ? NO_REASON : CLAMPED;',
    to: 'return NO_REASON;',
    foundBy: NOT_READY,
  },
  {
    lacks: 'the shutting when the unit is taken',
    file: 'gate.c',
    from: '    close(PRESENCE_LOST);\n    return;',
    to: '    return;',
    foundBy: 'shuts when the unit is taken by hand',
  },
  {
    lacks: 'the last look at the nest before the gate opens',
    file: 'gate.c',
    from: 'if (presence_now()) PORTB',
    to: 'PORTB',
    foundBy: 'stays shut when the unit is taken while its release is being written',
  },
  {
    lacks: 'the shutting when the host is silent',
    file: 'gate.c',
    from: 'if (window != NO_LANE) close(HOST_LOST);',
    to: '',
    foundBy: 'shuts when the host falls silent',
  },
  {
    lacks: 'the time-out of an open gate',
    file: 'gate.c',
    from: 'if (window != NO_LANE) close(TIMED_OUT);\n',
    to: 'if (window != NO_LANE) return;\n',
    foundBy: 'shuts by its own time-out',
  },
  {
    lacks: 'the new name behind a closing',
    file: 'gate.c',
    from: '  forget_unit();\n  if (is(PRESENCE)) name_unit();\n',
    to: '',
    foundBy: 'shuts when the host falls silent',
  },
  {
    lacks: 'the shutting at the exit',
    file: 'gate.c',
    from: 'static void leave(void) {\n  gate_shut();',
    to: 'static void leave(void) {',
    foundBy: GOOD,
  },
  {
    lacks: 'the difference between the exits',
    file: 'gate.c',
    from: '(sensor == EXIT_REJECT && window == LANE_REJECT)',
    to: '(sensor == EXIT_REJECT && window != NO_LANE)',
    foundBy: GOOD,
  },
  {
    lacks: 'the boot counter',
    file: 'gate.c',
    from: 'uint32_t raised = boots() + 1;',
    to: 'uint32_t raised = boots();',
    foundBy: 'shuts at a reset in every state, and gives the unit another name',
  },
  {
    lacks: 'the remembering of a boot',
    file: 'gate.c',
    from: '(uint8_t)(raised >> (24 - 8 * i));\n  remember();',
    to: '(uint8_t)(raised >> (24 - 8 * i));',
    foundBy: 'shuts at a reset in every state, and gives the unit another name',
  },
  {
    lacks: 'the remembering before the gate opens',
    file: 'gate.c',
    from: '  remember();\n  if (!fit) return;\n  window = release->lane;\n  drive_open(window);\n  watch();',
    to: '  window = release->lane;\n  drive_open(window);\n  watch();\n  remember();',
    foundBy: DURABLE,
  },
  {
    lacks: 'the remembering of a release',
    file: 'gate.c',
    from: '  remember();\n  if (!fit) return;\n  window = release->lane;',
    to: '  window = release->lane;',
    foundBy: ONCE,
  },
  {
    lacks: 'the second slot of its memory',
    file: 'memory.c',
    from: 'uint8_t index = (newest + tries) % SLOTS;',
    to: 'uint8_t index = (newest + tries - 1) % SLOTS;',
    foundBy: BOOTS,
  },
  {
    lacks: 'the mark of a whole slot and its check',
    file: 'memory.c',
    from: 'return slot->counts == COUNTS && slot->check[0] == check >> 8 && slot->check[1] == (check & 0xff);',
    to: 'return check != 0 && slot->sequence[0] != 0xff;',
    foundBy: DURABLE,
  },
  {
    lacks: 'the refusal to begin from nothing',
    file: 'memory.c',
    from: '  return found;',
    to: '  return found || true;',
    foundBy: 'does nothing without an identity, or with a memory that is lost',
  },
  {
    lacks: 'the wall between Firmata and the gates',
    file: 'pins.h',
    from: 'pin == 8 || pin == 9 || pin == 13) return ROLE_NONE;',
    to: 'pin == 13) return ROLE_NONE;',
    foundBy: ROGUE,
  },
  {
    lacks: 'the wall between Firmata and the sensors',
    file: 'pins.h',
    from: 'if (pin == 12 || pin >= 14) return ROLE_SENSOR;',
    to: 'if (pin >= 14) return ROLE_SENSOR;',
    foundBy: 'drives none of its sensors, whatever the host writes',
  },
  {
    lacks: 'the rest that a contact must come to',
    file: 'sensors.c',
    from: 'else if (++contrary[sensor] >= rest) {',
    to: 'else if (++contrary[sensor] >= rest / rest) {',
    foundBy: 'believes no contact that bounces',
  },
];
