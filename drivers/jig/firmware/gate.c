#include "gate.h"

#include "clock.h"
#include "cmac.h"
#include "identity.h"
#include "pins.h"
#include "report.h"
#include "sensors.h"

#include <string.h>

/* Arrivals per boot: the running number takes the low 20 bits of an arrival, the boot counter the 28 above. */
#define RUNNING_MAX ((1UL << 20) - 1)
#define BOOTS_MAX ((1UL << 28) - 1)
#define NO_LANE LANE_COUNT

static const uint8_t nobody[NUMBER_BYTES];

static struct memory memory;
static bool fit;
/* Arrivals named since the boot. */
static uint32_t running;
/* The unit in the nest; nobody when there is none, or when it has left and still uncovers the sensors. */
static uint8_t arrival[NUMBER_BYTES];
/* The lane whose gate is held open. */
static uint8_t window;
static bool leaving;
static uint8_t sensed;
/* Of the open window, and of a unit that has left. */
static bool watching;
static uint16_t watched_since;
static bool host_there;
static uint16_t host_heard_at;

static bool is(enum sensor sensor) { return sensed & _BV(sensor); }

void gate_shut(void) {
  PORTB &= (uint8_t)~VALVES;
  DDRB |= VALVES;
}

/* The last look at the nest is at the contact itself: a unit may have been taken while its release was written. */
static void drive_open(uint8_t lane) {
  if (presence_now()) PORTB |= lane == LANE_GOOD ? VALVE_GOOD : VALVE_REJECT;
}

static void remember(void) {
  if (fit && !memory_save(&memory)) fit = false;
}

static void watch(void) {
  watching = true;
  watched_since = clock_ms();
}

/* Open unless both position switches say closed and no gate is held open. */
static bool is_open(void) { return window != NO_LANE || !is(GATE_GOOD_CLOSED) || !is(GATE_REJECT_CLOSED); }

static void say(uint8_t query, enum kind kind, enum reason reason) {
  const struct report report = {kind, reason, is_open(), arrival, &memory};
  if (fit) report_send(query, &report);
}

static uint32_t boots(void) {
  const uint8_t *b = memory.boots;
  return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint16_t)b[2] << 8 | b[3];
}

static void raise_boots(void) {
  uint32_t raised = boots() + 1;
  if (raised > BOOTS_MAX) fit = false;
  for (uint8_t i = 0; i < 4; i++) memory.boots[i] = (uint8_t)(raised >> (24 - 8 * i));
  remember();
}

/* Gives the unit in the nest its name; durable is what makes the name new. */
static void name_unit(void) {
  if (running == RUNNING_MAX) {
    running = 0;
    raise_boots();
  }
  running++;
  uint32_t high = boots() << 4 | running >> 16;
  for (uint8_t i = 0; i < 4; i++) arrival[i] = (uint8_t)(high >> (24 - 8 * i));
  arrival[4] = (uint8_t)(running >> 8);
  arrival[5] = (uint8_t)running;
}

static void forget_unit(void) { memcpy(arrival, nobody, NUMBER_BYTES); }

static void arrive(void) {
  leaving = false;
  name_unit();
  say(0, ARRIVED, NO_REASON);
}

/* With the unit still there, or gone without passing the exit: what was released is stale now. */
static void close(enum reason reason) {
  gate_shut();
  window = NO_LANE;
  watching = false;
  forget_unit();
  if (is(PRESENCE)) name_unit();
  say(0, CLOSED, reason);
  if (is(PRESENCE)) say(0, ARRIVED, NO_REASON);
}

/* The nest is empty now. */
static void vacate(void) {
  if (window != NO_LANE) {
    close(PRESENCE_LOST);
    return;
  }
  forget_unit();
  if (leaving) watching = false;
  else say(0, CLOSED, PRESENCE_LOST);
  leaving = false;
}

static void leave(void) {
  gate_shut();
  memcpy(memory.left_arrival, arrival, NUMBER_BYTES);
  memcpy(memory.left_counter, memory.obeyed, NUMBER_BYTES);
  memory.left_lane = window;
  forget_unit();
  window = NO_LANE;
  leaving = true;
  remember();
  watch();
  say(0, LEFT, NO_REASON);
}

static void sense(enum sensor sensor) {
  sensed ^= _BV(sensor);
  if (sensor == PRESENCE) {
    if (is(PRESENCE)) arrive();
    else vacate();
    return;
  }
  bool at_exit =
      (sensor == EXIT_GOOD && window == LANE_GOOD) || (sensor == EXIT_REJECT && window == LANE_REJECT);
  if (at_exit && is(sensor)) leave();
}

/* `HFR1` | controller | nest | lane | operation | epoch | arrival | counter. */
static bool is_genuine(const struct release *release) {
  uint8_t covered[4 + CONTROLLER_BYTES + NEST_BYTES + 1 + OPERATION_BYTES + EPOCH_BYTES + 2 * NUMBER_BYTES];
  uint8_t *at = covered;
  memcpy(at, "HFR1", 4);
  memcpy(at += 4, identity.controller, CONTROLLER_BYTES);
  memcpy(at += CONTROLLER_BYTES, identity.nest, NEST_BYTES);
  *(at += NEST_BYTES) = release->lane;
  memcpy(at += 1, release->operation, OPERATION_BYTES);
  memcpy(at += OPERATION_BYTES, release->epoch, EPOCH_BYTES);
  memcpy(at += EPOCH_BYTES, release->arrival, NUMBER_BYTES);
  memcpy(at += NUMBER_BYTES, release->counter, NUMBER_BYTES);
  return cmac_fits(covered, sizeof covered, release->tag);
}

/* Why this release does not open. An exit that is still covered counts as a gate not closed. */
static enum reason objection(const struct release *release) {
  if (!is_genuine(release)) return TAG_WRONG;
  if (!is(PRESENCE)) return ABSENT;
  if (memcmp(release->arrival, arrival, NUMBER_BYTES) != 0) return ARRIVAL_STALE;
  if (memcmp(release->counter, memory.obeyed, NUMBER_BYTES) <= 0) return COUNTER_USED;
  if (is_open() || is(EXIT_GOOD) || is(EXIT_REJECT)) return GATE_OPEN;
  return is(CLAMP_OPEN) && !is(CLAMP_CLOSED) ? NO_REASON : CLAMPED;
}

void gate_open(uint8_t query, const struct release *release) {
  enum reason reason = objection(release);
  if (reason != NO_REASON) {
    say(query, REFUSED, reason);
    return;
  }
  memcpy(memory.obeyed, release->counter, NUMBER_BYTES);
  remember();
  if (!fit) return;
  window = release->lane;
  drive_open(window);
  watch();
  say(query, STATUS, NO_REASON);
}

void gate_status(uint8_t query) { say(query, STATUS, NO_REASON); }

void gate_host_heard(void) {
  host_there = true;
  host_heard_at = clock_ms();
}

void gate_look(void) {
  sensors_read();
  uint8_t changed = sensors_at_rest() ^ sensed;
  for (uint8_t sensor = 0; changed != 0; sensor++, changed >>= 1)
    if (changed & 1) sense(sensor);

  uint16_t now = clock_ms();
  if (host_there && (uint16_t)(now - host_heard_at) >= identity.host_timeout_ms) {
    host_there = false;
    if (window != NO_LANE) close(HOST_LOST);
  }
  if (watching && (uint16_t)(now - watched_since) >= identity.open_timeout_ms) {
    watching = false;
    if (window != NO_LANE) close(TIMED_OUT);
    /* A unit that tripped the exit sensor and stayed is a new arrival, not a unit without a name. */
    else if (leaving) arrive();
  }
}

bool gate_start(void) {
  window = NO_LANE;
  fit = memory_load(&memory);
  if (!fit) return false;
  raise_boots();
  sensed = sensors_at_rest();
  say(0, CLOSED, RESET);
  if (is(PRESENCE)) arrive();
  return fit;
}

bool gate_is_fit(void) { return fit; }
