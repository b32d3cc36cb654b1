/* spawn - see spawn.h */
#include "spawn.h"

#include "wire.h"

void spawn_put_question(struct str *packet, const struct spawn_request *request)
{
    wire_put_text(packet, "spawn/1");
    wire_put_text(packet, request->program);
    wire_put(packet, request->domain);
    wire_put(packet, request->local);
    for (size_t i = 0; i < request->argument_count && i < SPAWN_ARGUMENTS_MAX; i++)
        wire_put(packet, request->arguments[i]);
}

enum verdict spawn_read_answer(const struct wire_message *answer, struct str *reason)
{
    struct slice result = wire_field(answer, 0);
    if (slice_equal(result, SLICE("ok")))
        return VERDICT_OK;
    str_append(reason, wire_field(answer, 1));
    return slice_equal(result, SLICE("no")) ? VERDICT_PERM : VERDICT_TEMP;
}

enum verdict spawn_ask(int *fd, const struct spawn_request *request, struct str *reason)
{
    struct str packet;
    struct wire_message answer;
    enum verdict verdict = VERDICT_TEMP;
    str_init(&packet, WIRE_MAX_SIZE);
    wire_init(&answer);
    spawn_put_question(&packet, request);
    if (packet.failed)
        str_append_text(reason, "the request is too long, or memory is out");
    else if (wire_ask_kept(fd, SPAWN_SOCKET, str_slice(&packet), request->fds, request->fd_count,
                           &answer, SPAWN_TIMEOUT_MS))
        verdict = spawn_read_answer(&answer, reason);
    else
        str_append_text(reason, "spawnd does not answer");
    wire_free(&answer);
    str_free(&packet);
    return verdict;
}
