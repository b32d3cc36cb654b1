/* state - see state.h */
#include "state.h"

#include <stdarg.h>

bool state_ask(int *fd, struct wire_message *answer, const char *verb, ...)
{
    struct str packet;
    va_list fields;
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, "state/1");
    wire_put_text(&packet, verb);
    va_start(fields, verb);
    for (const char *field; (field = va_arg(fields, const char *));)
        wire_put_text(&packet, field);
    va_end(fields);
    bool done =
        !packet.failed &&
        wire_ask_kept(fd, STATE_SOCKET, str_slice(&packet), NULL, 0, answer, STATE_TIMEOUT_MS) &&
        answer->count > 0;
    str_free(&packet);
    return done;
}

void state_put_question(struct str *packet, const char *verb, struct slice account,
                        struct slice more)
{
    wire_put_text(packet, "state/1");
    wire_put_text(packet, verb);
    wire_put(packet, account);
    wire_put(packet, more);
}
