/*
 * What hangs at each pin of the Uno, and who may use it. The same map as ../controller/pin-map.ts.
 *
 * Contacts pull their input to ground against the pull-up inside: level 0 is "active", so that a broken wire
 * reads as "not there" and "not in position".
 */
#ifndef PINS_H
#define PINS_H

#include <avr/io.h>
#include <stdbool.h>
#include <stdint.h>

#define PIN_COUNT 20

/* A free pin is the host's; a sensor can be read and is never driven; a pin of no role is out of reach. */
enum role { ROLE_FREE, ROLE_SENSOR, ROLE_NONE };

/* D2..D7, D10 and D11. */
#define FREE_PORT_D 0xfc
#define FREE_PORT_B (_BV(2) | _BV(3))
/* D12 and A0..A5. */
#define SENSOR_PORT_B _BV(4)
#define SENSOR_PORT_C 0x3f

/* The gate valves, active at HIGH: D8 for the good lane, D9 for the reject lane. No message reaches them. */
#define VALVE_GOOD _BV(0)
#define VALVE_REJECT _BV(1)
#define VALVES (VALVE_GOOD | VALVE_REJECT)

static inline enum role role_of(uint8_t pin) {
  if (pin == 12 || pin >= 14) return ROLE_SENSOR;
  if (pin < 2 || pin == 8 || pin == 9 || pin == 13) return ROLE_NONE;
  return ROLE_FREE;
}

#endif
