/*
 * The gate controller: which unit stands in the nest, and whether a release opens the gate for it.
 *
 * The rules are those of ../controller/gate-controller.ts, in the same order: every arrival has a number that
 * never repeats, and every closing of the gate makes older releases stale. A release is obeyed once, only for the
 * very unit it names. Loss of presence, of the host or of time closes the gate. What must be remembered is
 * durable before the gate moves by it.
 */
#ifndef GATE_H
#define GATE_H

#include "memory.h"

#include <stdbool.h>
#include <stdint.h>

enum lane { LANE_GOOD, LANE_REJECT, LANE_COUNT };

#define OPERATION_BYTES 16
#define EPOCH_BYTES 4
#define TAG_BYTES 16

/* As it crosses the wire, numbers big endian. */
struct release {
  uint8_t operation[OPERATION_BYTES];
  uint8_t epoch[EPOCH_BYTES];
  uint8_t arrival[NUMBER_BYTES];
  uint8_t counter[NUMBER_BYTES];
  uint8_t lane;
  uint8_t tag[TAG_BYTES];
};

/* Valves shut and driven. Before anything else, and again for ever when the controller is not fit. */
void gate_shut(void);
/* Names the boot, durably, and the unit if there is one. False when the memory cannot be read or written. */
bool gate_start(void);
/* `query` is the number of the question, which the answer repeats. */
void gate_open(uint8_t query, const struct release *release);
void gate_status(uint8_t query);
/* A byte came from the host. */
void gate_host_heard(void);
/* Looks at the sensors and at the time; once a millisecond. */
void gate_look(void);
/* False once the memory no longer keeps what is written: the gate is shut for good. */
bool gate_is_fit(void);

#endif
