/* inject - see inject.h */
#include "inject.h"

#include "clock.h"
#include "io.h"
#include "number.h"
#include "unixsocket.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    FRAME_MAX = INJECT_ENVELOPE_MAX + 32,
    PARTS_MAX = 4,
};

void inject_init(struct inject *inject)
{
    *inject = (struct inject){.path = INJECT_SOCKET, .fd = -1};
    str_init(&inject->output, FRAME_MAX);
    str_init(&inject->chunk, INJECT_CHUNK_MAX);
}

void inject_close(struct inject *inject)
{
    io_close(&inject->fd);
    str_free(&inject->output);
    str_free(&inject->chunk);
}

static void frame_envelope(struct inject *inject, const struct envelope *envelope)
{
    struct str fields;
    str_init(&fields, INJECT_ENVELOPE_MAX);
    wire_put_text(&fields, "inject/2");
    wire_put(&fields, str_slice(&envelope->origin));
    wire_put(&fields, str_slice(&envelope->sender));
    wire_put_text(&fields, envelope_body_letter(envelope->body));
    wire_put_text(&fields, envelope->utf8 ? "1" : "0");
    wire_put_text(&fields, dsn_return_name(envelope->ret));
    wire_put(&fields, str_slice(&envelope->envid));
    for (size_t i = 0; i < envelope->recipient_count; i++)
        dsn_put_recipient(&fields, str_slice(&envelope->recipients[i].address),
                          envelope->recipients[i].notify,
                          str_slice(&envelope->recipients[i].orcpt));
    if (!fields.failed)
        wire_put(&inject->output, str_slice(&fields));
    inject->broken = fields.failed || inject->output.failed;
    str_free(&fields);
}

void inject_begin(struct inject *inject, const struct envelope *envelope)
{
    inject_abort(inject);
    inject->size = 0;
    frame_envelope(inject, envelope);
}

/* Takes `size` bytes off the front of the parts. */
static void advance(struct iovec *parts, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        size_t taken = size < parts[i].iov_len ? size : parts[i].iov_len;
        parts[i].iov_base = (char *)parts[i].iov_base + taken;
        parts[i].iov_len -= taken;
        size -= taken;
    }
}

static size_t total_size(const struct iovec *parts, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += parts[i].iov_len;
    return total;
}

static bool send_parts(struct inject *inject, struct iovec *parts, size_t count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    int64_t deadline = clock_deadline(INJECT_TIMEOUT_MS);
    while (total_size(parts, count) > 0) {
        ssize_t sent = sendmsg(inject->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            advance(parts, count, (size_t)sent);
        else if (errno != EINTR && (errno != EAGAIN || !io_wait(inject->fd, POLLOUT, deadline)))
            return false;
    }
    return true;
}

static struct iovec part_of(struct slice bytes)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes.data, .iov_len = bytes.size};
}

/* Sends the envelope, if it still waits, and the chunk, framed; with `end` the empty netstring. */
static void send_chunk(struct inject *inject, bool end)
{
    char bytes[NUMBER_TEXT_SIZE + 1];
    struct str head = str_on(bytes, sizeof bytes);
    struct slice tail = end ? SLICE("0:,") : SLICE("");
    if (inject->chunk.size > 0) {
        str_append_number(&head, inject->chunk.size);
        str_append_byte(&head, ':');
        tail = end ? SLICE(",0:,") : SLICE(",");
    }
    struct iovec parts[PARTS_MAX] = {
        part_of(str_slice(&inject->output)),
        part_of(str_slice(&head)),
        part_of(str_slice(&inject->chunk)),
        part_of(tail),
    };
    /* Connected no sooner: who is slow with the first bytes of a message keeps nobody waiting. */
    if (!inject->broken && inject->fd < 0)
        inject->fd = unixsocket_connect(inject->path, SOCK_STREAM);
    if (!inject->broken)
        inject->broken = inject->fd < 0 || !send_parts(inject, parts, PARTS_MAX);
    str_clear(&inject->output);
    str_clear(&inject->chunk);
}

void inject_data(struct inject *inject, struct slice bytes)
{
    inject->size += bytes.size;
    while (bytes.size > 0 && !inject->broken) {
        size_t room = INJECT_CHUNK_MAX - inject->chunk.size;
        struct slice part = slice_part(bytes, 0, room);
        inject->broken = !str_append(&inject->chunk, part);
        bytes = slice_from(bytes, part.size);
        if (inject->chunk.size == INJECT_CHUNK_MAX)
            send_chunk(inject, false);
    }
}

/* Reads the answer's netstring; nothing may follow it. */
static bool read_answer(struct inject *inject, char *bytes, size_t max, struct slice *answer)
{
    size_t size = 0;
    int64_t deadline = clock_deadline(INJECT_TIMEOUT_MS);
    for (;;) {
        ssize_t got = io_read(inject->fd, bytes + size, max - size, deadline);
        if (got <= 0)
            return false;
        size += (size_t)got;
        struct slice rest = slice_of(bytes, size);
        int cut = wire_cut_netstring(&rest, INJECT_REPLY_MAX, answer);
        if (cut != 0)
            return cut == 1 && rest.size == 0 && answer->size > 0;
        if (size == max)
            return false;
    }
}

static enum verdict finish_broken(struct str *reply)
{
    str_clear(reply);
    str_append_text(reply, "4.3.0 the queue does not answer, try again later");
    return VERDICT_TEMP;
}

enum verdict inject_finish(struct inject *inject, struct str *reply)
{
    char bytes[INJECT_REPLY_MAX + NUMBER_TEXT_SIZE + 2];
    struct slice answer;
    send_chunk(inject, true);
    bool answered = !inject->broken && read_answer(inject, bytes, sizeof bytes, &answer);
    io_close(&inject->fd);
    str_clear(reply);
    if (!answered || !str_append(reply, slice_from(answer, 1)))
        return finish_broken(reply);
    return verdict_from_letter(slice_part(answer, 0, 1));
}

void inject_abort(struct inject *inject)
{
    io_close(&inject->fd);
    str_clear(&inject->output);
    str_clear(&inject->chunk);
}
