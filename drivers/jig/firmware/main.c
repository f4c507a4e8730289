/*
 * The gate controller for an ATmega328P at 16 MHz: Firmata for the station, and a gate that obeys nobody but the
 * backend. One loop, no waiting but for the EEPROM, and a watchdog that shuts the gate when the loop stands still.
 */
#include "clock.h"
#include "firmata.h"
#include "gate.h"
#include "identity.h"
#include "sensors.h"
#include "serial.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>
#include <avr/wdt.h>

/* Longer than any step of the loop: the longest is one byte of EEPROM, and the answer after it. */
#define WATCHDOG WDTO_120MS
#define COMPLAIN_EVERY_MS 1000

/* After a reset by the watchdog it runs on, and at its shortest time. */
__attribute__((naked, used, section(".init3"))) void stop_watchdog(void) {
  MCUSR = 0;
  wdt_disable();
}

/* An interrupt that nobody asked for: the watchdog ends it, and a real reset with it. */
ISR(BADISR_vect) {
  gate_shut();
  for (;;);
}

/* Shut for good, and saying why to whoever listens. */
__attribute__((noreturn)) static void refuse_service(const char *why) {
  uint16_t said_at = clock_ms() - COMPLAIN_EVERY_MS;
  for (;;) {
    wdt_reset();
    gate_shut();
    clock_nap();
    if ((uint16_t)(clock_ms() - said_at) < COMPLAIN_EVERY_MS) continue;
    said_at = clock_ms();
    firmata_tell(why);
  }
}

static void sleep_until_something_happens(uint16_t looked_at) {
  set_sleep_mode(SLEEP_MODE_IDLE);
  cli();
  if (!serial_waits() && clock_ms() == looked_at) {
    sleep_enable();
    /* What comes after `sei` is done before any interrupt is. */
    sei();
    sleep_cpu();
    sleep_disable();
  }
  sei();
}

int main(void) {
  gate_shut();
  wdt_enable(WATCHDOG);
  firmata_start();
  clock_start();
  serial_start();
  sei();
  sensors_start();
  if (!identity_load()) refuse_service(PSTR("no identity in the EEPROM"));
  firmata_announce();
  if (!gate_start()) refuse_service(PSTR("the EEPROM does not remember"));
  uint16_t looked_at = clock_ms();
  while (gate_is_fit()) {
    uint8_t byte;
    wdt_reset();
    if (serial_take(&byte)) {
      gate_host_heard();
      firmata_take(byte);
    }
    if (clock_ms() != looked_at) {
      looked_at = clock_ms();
      gate_look();
      firmata_look();
    }
    sleep_until_something_happens(looked_at);
  }
  refuse_service(PSTR("the EEPROM does not remember"));
}
