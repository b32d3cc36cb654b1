/* POP3 command lines: any line is a command with its argument inside the line, or is refused */
#include "pop3command.h"
#include "pop3reply.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct slice part, struct slice line)
{
    return part.size == 0 ||
           (part.data >= line.data && part.data + part.size <= line.data + line.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice line = slice_of(data, size), first, second;
    struct pop3command command;
    struct str reply;
    size_t number;
    if (pop3command_parse(line, &command) != POP3COMMAND_LINE_OK)
        return 0;
    if (command.verb >= POP3COMMAND_COUNT || !is_inside(command.argument, line))
        abort();
    if (pop3command_one(command.argument, &first) &&
        (!is_inside(first, command.argument) || first.size == 0))
        abort();
    if (pop3command_two(command.argument, &first, &second) &&
        (!is_inside(second, command.argument) || second.size == 0))
        abort();
    if (pop3command_number(first, 1000, &number) && (number < 1 || number > 1000))
        abort();
    str_init(&reply, POP3REPLY_LINE_MAX);
    if (!pop3reply_format(POP3LANGUAGE_JAPANESE, POP3REPLY_LOGIN_FAILED, command.argument,
                          &reply) ||
        slice_find(str_slice(&reply), '\n') != reply.size - 1)
        abort();
    str_free(&reply);
    return 0;
}
