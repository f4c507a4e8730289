#include "memory.h"

#include "check.h"
#include "clock.h"

#include <avr/eeprom.h>
#include <avr/io.h>
#include <avr/wdt.h>
#include <string.h>
#include <util/atomic.h>

#define FIRST_PLACE 64
#define SLOT_BYTES 32
#define SLOTS 30
#define COUNTS 0xa5

struct slot {
  uint8_t counts;
  uint8_t sequence[4];
  struct memory memory;
  uint8_t check[2];
};

static uint8_t newest;
static uint32_t sequence;

static uint8_t *place_of(uint8_t slot) { return (uint8_t *)(FIRST_PLACE + SLOT_BYTES * (uint16_t)slot); }

/* Until the byte before is written: 3.4 ms. The serial line and the clock go on meanwhile. */
static void wait(void) {
  wdt_reset();
  while (!eeprom_is_ready()) clock_nap();
}

static uint32_t number_of(const uint8_t bytes[4]) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint16_t check_of(const struct slot *slot) {
  const uint8_t *bytes = slot->sequence;
  uint16_t check = CHECK_START;
  for (uint8_t i = 0; i < sizeof slot->sequence + sizeof slot->memory; i++) check = check_add(check, bytes[i]);
  return check;
}

static bool read_slot(uint8_t index, struct slot *slot) {
  eeprom_read_block(slot, place_of(index), sizeof *slot);
  uint16_t check = check_of(slot);
  return slot->counts == COUNTS && slot->check[0] == check >> 8 && slot->check[1] == (check & 0xff);
}

bool memory_load(struct memory *memory) {
  bool found = false;
  for (uint8_t i = 0; i < SLOTS; i++) {
    struct slot slot;
    if (!read_slot(i, &slot)) continue;
    if (found && number_of(slot.sequence) <= sequence) continue;
    found = true;
    newest = i;
    sequence = number_of(slot.sequence);
    *memory = slot.memory;
  }
  return found;
}

/* Takes bits away without erasing: whatever the byte was, it does not count any more. */
static void spoil(uint8_t *place) {
  wait();
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    EEAR = (uint16_t)place;
    EEDR = 0;
    EECR = _BV(EEPM1);
    EECR |= _BV(EEMPE);
    EECR |= _BV(EEPE);
  }
  wait();
}

static bool write_slot(uint8_t index, const struct slot *slot) {
  const uint8_t *bytes = (const uint8_t *)slot;
  uint8_t *place = place_of(index);
  spoil(place);
  for (uint8_t i = 1; i < sizeof *slot; i++) {
    eeprom_update_byte(place + i, bytes[i]);
    wait();
    if (eeprom_read_byte(place + i) != bytes[i]) return false;
  }
  eeprom_write_byte(place, COUNTS);
  wait();
  return eeprom_read_byte(place) == COUNTS;
}

bool memory_save(const struct memory *memory) {
  struct slot slot = {.counts = COUNTS, .memory = *memory};
  sequence++;
  for (uint8_t i = 0; i < 4; i++) slot.sequence[i] = (uint8_t)(sequence >> (24 - 8 * i));
  uint16_t check = check_of(&slot);
  slot.check[0] = check >> 8;
  slot.check[1] = check & 0xff;
  /* The newest itself is never written over: if no other slot will do, what was known stays known. */
  for (uint8_t tries = 1; tries < SLOTS; tries++) {
    uint8_t index = (newest + tries) % SLOTS;
    if (!write_slot(index, &slot)) continue;
    newest = index;
    return true;
  }
  return false;
}
