#include "firmata.h"

#include "extension.h"
#include "ports.h"
#include "serial.h"

#include <avr/pgmspace.h>
#include <stdbool.h>

#define SYSEX_BYTES_MAX 64
#define TEXT_MAX 32

static uint8_t sysex[SYSEX_BYTES_MAX];
static uint8_t sysex_size;
static bool in_sysex, overlong;
/* The command whose data bytes are coming. */
static uint8_t first, waits_for, data[2], data_count;

static const uint8_t version[] = {0xf9, 2, 5};

static void send_text(const uint8_t *head, uint8_t size, const char *text) {
  uint8_t frame[4 + 2 * TEXT_MAX + 1];
  uint8_t at = 0;
  while (at < size) {
    frame[at] = head[at];
    at++;
  }
  for (uint8_t i = 0; i < TEXT_MAX && pgm_read_byte(text + i) != 0; i++) {
    frame[at++] = pgm_read_byte(text + i) & 0x7f;
    frame[at++] = 0;
  }
  frame[at++] = 0xf7;
  serial_send(frame, at);
}

static void say_firmware(void) {
  static const uint8_t head[] = {0xf0, 0x79, 2, 5};
  send_text(head, sizeof head, PSTR("HoldfastGate.ino"));
}

void firmata_tell(const char *text) {
  static const uint8_t head[] = {0xf0, 0x71};
  send_text(head, sizeof head, text);
}

static void say_analog_mapping(void) {
  uint8_t frame[2 + PIN_COUNT + 1] = {0xf0, 0x6a};
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) frame[2 + pin] = pin < 14 ? 0x7f : pin - 14;
  frame[2 + PIN_COUNT] = 0xf7;
  serial_send(frame, sizeof frame);
}

static void say_pin_state(uint8_t pin) {
  uint8_t frame[6] = {0xf0, 0x6e, pin, 0xf7};
  uint8_t size = 4;
  if (pin < PIN_COUNT) {
    frame[3] = port_mode(pin);
    frame[4] = port_state(pin);
    frame[5] = 0xf7;
    size = 6;
  }
  serial_send(frame, size);
}

static void end_sysex(void) {
  bool whole = !overlong && sysex_size > 0;
  in_sysex = overlong = false;
  if (!whole) return;
  switch (sysex[0]) {
    case 0x79:
      say_firmware();
      return;
    case 0x6b:
      ports_say_capabilities();
      return;
    case 0x69:
      say_analog_mapping();
      return;
    case 0x6d:
      if (sysex_size > 1) say_pin_state(sysex[1]);
      return;
    case EXTENSION:
      extension_take(sysex + 1, sysex_size - 1);
  }
}

static void obey(void) {
  uint8_t low = first & 0x0f;
  uint8_t kind = first < 0xf0 ? first & 0xf0 : first;
  switch (kind) {
    case 0x90:
      ports_write(low, data[0] | data[1] << 7);
      return;
    case 0xc0:
      if (data[0] != 0) {
        /* No analog input is in use: they read 0. */
        const uint8_t frame[] = {0xe0 | low, 0, 0};
        serial_send(frame, sizeof frame);
      }
      return;
    case 0xd0:
      ports_report(low, data[0] != 0);
      return;
    case 0xf4:
      if (!port_set_mode(data[0], data[1])) firmata_tell(PSTR("Unknown pin mode"));
      return;
    case 0xf5:
      port_write(data[0], data[1]);
      return;
    case 0xf9:
      serial_send(version, sizeof version);
      return;
    case 0xff:
      ports_reset();
  }
}

static void begin(uint8_t byte) {
  waits_for = data_count = 0;
  if (byte == 0xf0) {
    in_sysex = true;
    sysex_size = 0;
    return;
  }
  first = byte;
  uint8_t kind = byte < 0xf0 ? byte & 0xf0 : byte;
  if (kind == 0x90 || kind == 0xe0 || kind == 0xf4 || kind == 0xf5) waits_for = 2;
  else if (kind == 0xc0 || kind == 0xd0) waits_for = 1;
  else if (kind == 0xf9 || kind == 0xff) obey();
}

void firmata_take(uint8_t byte) {
  if (in_sysex) {
    if (byte == 0xf7) end_sysex();
    else if (sysex_size < SYSEX_BYTES_MAX) sysex[sysex_size++] = byte;
    else overlong = true;
  } else if (byte >= 0x80) begin(byte);
  else if (waits_for > 0) {
    data[data_count++] = byte;
    if (--waits_for == 0) obey();
  }
}

void firmata_start(void) { ports_reset(); }

void firmata_announce(void) {
  serial_send(version, sizeof version);
  say_firmware();
}

void firmata_look(void) { ports_look(); }
