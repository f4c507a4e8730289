#include "ports.h"

#include "serial.h"

#define PORT_COUNT 16
#define PORTS_WITH_PINS 3

enum mode { INPUT = 0, OUTPUT = 1, ANALOG = 2, PWM = 3, SERVO = 4, PULLUP = 0x0b };

static uint8_t modes[PIN_COUNT], states[PIN_COUNT];
/* One bit per port, those without pins too: a host may ask for them. */
static uint16_t reporting;
static uint8_t reported[PORT_COUNT];

static bool is_pwm(uint8_t pin) { return pin == 3 || pin == 5 || pin == 6 || (pin >= 9 && pin <= 11); }

static bool can(uint8_t pin, uint8_t mode) {
  enum role role = role_of(pin);
  if (role == ROLE_NONE) return false;
  if (mode == INPUT || mode == PULLUP) return true;
  if (mode == ANALOG) return pin >= 14;
  if (role != ROLE_FREE) return false;
  return mode == OUTPUT || mode == SERVO || (mode == PWM && is_pwm(pin));
}

/* Free pins alone: D2 to D7 on port D, D10 and D11 on port B. */
static void drive(uint8_t pin, bool output, bool high) {
  volatile uint8_t *direction = pin < 8 ? &DDRD : &DDRB;
  volatile uint8_t *level = pin < 8 ? &PORTD : &PORTB;
  uint8_t bit = _BV(pin & 7);
  if (high) *level |= bit;
  else *level &= (uint8_t)~bit;
  if (output) *direction |= bit;
  else *direction &= (uint8_t)~bit;
}

static bool level_of(uint8_t pin) {
  if (pin < 8) return PIND & _BV(pin);
  if (pin < 14) return PINB & _BV(pin - 8);
  return PINC & _BV(pin - 14);
}

static uint8_t value_of(uint8_t port) {
  uint8_t value = 0;
  for (uint8_t bit = 0; bit < 8; bit++) {
    uint8_t pin = 8 * port + bit;
    if (port >= PORTS_WITH_PINS || pin >= PIN_COUNT) break;
    if ((modes[pin] == INPUT || modes[pin] == PULLUP) && level_of(pin)) value |= _BV(bit);
  }
  return value;
}

static void say_port(uint8_t port, uint8_t value) {
  const uint8_t frame[] = {0x90 | port, value & 0x7f, value >> 7};
  reported[port] = value;
  serial_send(frame, sizeof frame);
}

void ports_reset(void) {
  reporting = 0;
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) {
    modes[pin] = pin >= 14 ? ANALOG : OUTPUT;
    states[pin] = 0;
    if (role_of(pin) == ROLE_FREE) drive(pin, true, false);
  }
}

uint8_t port_mode(uint8_t pin) { return modes[pin]; }
uint8_t port_state(uint8_t pin) { return states[pin]; }

bool port_set_mode(uint8_t pin, uint8_t mode) {
  if (pin >= PIN_COUNT || role_of(pin) == ROLE_NONE) return true;
  if (!can(pin, mode)) return false;
  modes[pin] = mode;
  states[pin] = mode == PULLUP;
  /* A sensor has its pull-up whatever a host says, and a servo or a PWM that nobody makes leaves its pin alone. */
  if (role_of(pin) == ROLE_FREE) drive(pin, mode == OUTPUT, mode == PULLUP);
  ports_look();
  return true;
}

void port_write(uint8_t pin, uint8_t value) {
  if (pin >= PIN_COUNT || modes[pin] != OUTPUT || role_of(pin) != ROLE_FREE) return;
  states[pin] = value != 0;
  drive(pin, true, value != 0);
}

void ports_write(uint8_t port, uint8_t value) {
  if (port >= PORTS_WITH_PINS) return;
  for (uint8_t bit = 0; bit < 8; bit++) {
    uint8_t pin = 8 * port + bit;
    uint8_t level = value >> bit & 1;
    if (pin >= PIN_COUNT) return;
    if (modes[pin] == OUTPUT) port_write(pin, level);
    else if (modes[pin] == INPUT) {
      /* An input that a host writes as 1 gets its pull-up, and keeps it. */
      states[pin] = level;
      if (role_of(pin) == ROLE_FREE) drive(pin, false, level);
    }
  }
}

void ports_report(uint8_t port, bool on) {
  uint16_t bit = (uint16_t)1 << port;
  if (!on) {
    reporting &= ~bit;
    return;
  }
  reporting |= bit;
  say_port(port, value_of(port));
}

void ports_look(void) {
  for (uint8_t port = 0; port < PORTS_WITH_PINS; port++) {
    if (!(reporting & (uint16_t)1 << port)) continue;
    uint8_t value = value_of(port);
    if (value != reported[port]) say_port(port, value);
  }
}

void ports_say_capabilities(void) {
  /* Mode and resolution. */
  static const uint8_t known[][2] = {{INPUT, 1}, {PULLUP, 1}, {OUTPUT, 1}, {ANALOG, 10}, {PWM, 8}, {SERVO, 14}};
  uint8_t frame[3 + PIN_COUNT * 10];
  uint8_t at = 0;
  frame[at++] = 0xf0;
  frame[at++] = 0x6c;
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) {
    for (uint8_t i = 0; i < sizeof known / sizeof *known; i++) {
      if (!can(pin, known[i][0])) continue;
      frame[at++] = known[i][0];
      frame[at++] = known[i][1];
    }
    frame[at++] = 0x7f;
  }
  frame[at++] = 0xf7;
  serial_send(frame, at);
}
