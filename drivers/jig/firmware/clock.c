#include "clock.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <util/atomic.h>

static volatile uint16_t passed_ms;

ISR(TIMER0_COMPA_vect) { passed_ms++; }

void clock_start(void) {
  /* 16 MHz / 64 / 250 is 1 kHz. */
  TCCR0A = _BV(WGM01);
  OCR0A = 249;
  TIMSK0 = _BV(OCIE0A);
  TCCR0B = _BV(CS01) | _BV(CS00);
}

uint16_t clock_ms(void) {
  uint16_t now;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { now = passed_ms; }
  return now;
}

void clock_nap(void) {
  set_sleep_mode(SLEEP_MODE_IDLE);
  sleep_mode();
}
