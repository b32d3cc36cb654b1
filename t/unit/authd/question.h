/* question - a message as it would have come over the socket, for tests */
#ifndef T_UNIT_AUTHD_QUESTION_H
#define T_UNIT_AUTHD_QUESTION_H

#include "unit.h"

#include "wire.h"

#include <stdarg.h>

/* Makes `message` of C strings; NULL ends them. */
__attribute__((sentinel)) static inline void make_question(struct wire_message *message, ...)
{
    va_list fields;
    wire_init(message);
    va_start(fields, message);
    for (const char *field; (field = va_arg(fields, const char *));)
        wire_put_text(&message->bytes, field);
    va_end(fields);
    assert_true(
        wire_split(str_slice(&message->bytes), message->fields, WIRE_MAX_FIELDS, &message->count));
}

#endif
