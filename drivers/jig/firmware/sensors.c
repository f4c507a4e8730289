#include "sensors.h"

#include "clock.h"
#include "pins.h"

#include <avr/wdt.h>

#define REST_MS 4
#define PRESENCE_REST_MS 12
#define START_MS 20

static uint8_t resting;
/* How many readings in a row contradicted what rests, and whether any did. */
static uint8_t contrary[SENSOR_COUNT];
static bool moving;

/* D12 is bit 4 of port B; A0 to A5 are bits 0 to 5 of port C. */
static uint8_t levels_now(void) {
  uint8_t c = ~PINC;
  uint8_t active = 0;
  if (c & _BV(0)) active |= _BV(CLAMP_CLOSED);
  if (c & _BV(1)) active |= _BV(CLAMP_OPEN);
  if (c & _BV(2)) active |= _BV(PRESENCE);
  if (c & _BV(3)) active |= _BV(GATE_GOOD_CLOSED);
  if (c & _BV(4)) active |= _BV(GATE_REJECT_CLOSED);
  if (c & _BV(5)) active |= _BV(EXIT_GOOD);
  if (!(PINB & _BV(4))) active |= _BV(EXIT_REJECT);
  return active;
}

void sensors_start(void) {
  PORTC |= SENSOR_PORT_C;
  PORTB |= SENSOR_PORT_B;
  for (uint8_t i = 0; i < START_MS; i++) {
    wdt_reset();
    uint16_t before = clock_ms();
    while (clock_ms() == before) clock_nap();
    sensors_read();
  }
}

uint8_t sensors_at_rest(void) { return resting; }

void sensors_read(void) {
  uint8_t differing = levels_now() ^ resting;
  if (differing == 0 && !moving) return;
  moving = differing != 0;
  for (uint8_t sensor = 0; sensor < SENSOR_COUNT; sensor++) {
    uint8_t rest = sensor == PRESENCE ? PRESENCE_REST_MS : REST_MS;
    if (!(differing & _BV(sensor))) contrary[sensor] = 0;
    else if (++contrary[sensor] >= rest) {
      contrary[sensor] = 0;
      resting ^= _BV(sensor);
    }
  }
}

bool presence_now(void) { return levels_now() & _BV(PRESENCE); }
