/* ageing: what nightly reads from a worker under a customer's uid, and the worker's side - numbers within
 * their bounds and a text that ends, or no answer; a folder's name that leads nowhere else. */
#include "ageing.h"
#include "clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_answer(int fd, struct wire_message *message)
{
    char text[AGEING_TEXT_MAX];
    struct ageing_result result;
    enum ageing_answer answer = ageing_receive(fd, message, &result, text, clock_deadline(0));
    check(memchr(text, '\0', sizeof text) != NULL);
    check((answer == AGEING_GONE) <= (text[0] != '\0'));
    check(answer == AGEING_DONE || (result.archived | result.deleted) == 0);
    check(result.archived <= INT64_MAX && result.archived_bytes <= INT64_MAX);
    check(result.deleted <= INT64_MAX && result.deleted_bytes <= INT64_MAX);
}

static void check_question(const struct wire_message *message)
{
    struct ageing_request request;
    if (!ageing_read(message, &request))
        return;
    check(request.local[0] != '\0' && request.local[0] != '.' && !strchr(request.local, '/'));
    check(request.days.archive <= AGEING_DAYS_MAX && request.days.trash <= AGEING_DAYS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int pair[2] = {-1, -1};
    static struct wire_message message;
    if (pair[0] < 0) {
        check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
        wire_init(&message);
    }
    if (size == 0 || size > WIRE_MAX_SIZE / 4)
        return 0;
    check(send(pair[1], data, size, 0) == (ssize_t)size);
    check_answer(pair[0], &message);
    check_question(&message);
    return 0;
}
