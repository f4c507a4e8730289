#include "serial.h"

#include <avr/interrupt.h>
#include <avr/io.h>

/* 16 MHz / 8 / 35 is 57 143 Bd, 0.8 % below the name. */
#define BAUD_DIVISOR 34

/* Indices are single bytes: they wrap by themselves, and one side alone writes each. */
static volatile uint8_t heard[256], heard_in, heard_out;
static volatile uint8_t said[256], said_in, said_out;

ISR(USART_RX_vect) {
  uint8_t byte = UDR0;
  uint8_t next = heard_in + 1;
  if (next == heard_out) return;
  heard[heard_in] = byte;
  heard_in = next;
}

/* On only while something waits. */
ISR(USART_UDRE_vect) {
  UDR0 = said[said_out];
  said_out++;
  if (said_in == said_out) UCSR0B &= (uint8_t)~_BV(UDRIE0);
}

void serial_start(void) {
  UBRR0 = BAUD_DIVISOR;
  UCSR0A = _BV(U2X0);
  UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
  UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
}

bool serial_take(uint8_t *byte) {
  if (!serial_waits()) return false;
  *byte = heard[heard_out];
  heard_out++;
  return true;
}

bool serial_waits(void) { return heard_in != heard_out; }

void serial_send(const uint8_t *frame, uint8_t size) {
  uint8_t room = said_out - said_in - 1;
  if (size == 0 || size > room) return;
  for (uint8_t i = 0; i < size; i++) said[(uint8_t)(said_in + i)] = frame[i];
  said_in += size;
  UCSR0B |= _BV(UDRIE0);
}
