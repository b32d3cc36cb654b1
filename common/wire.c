/* wire - see wire.h */
#include "wire.h"

#include "clock.h"
#include "io.h"
#include "number.h"
#include "unixsocket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

void wire_put(struct str *packet, struct slice field)
{
    str_append_number(packet, field.size);
    str_append_byte(packet, ':');
    str_append(packet, field);
    str_append_byte(packet, ',');
}

void wire_put_text(struct str *packet, const char *field)
{
    wire_put(packet, slice_text(field));
}

void wire_put_number(struct str *packet, uint64_t field)
{
    char digits[NUMBER_TEXT_SIZE];
    wire_put(packet, number_format(field, digits));
}

int wire_cut_netstring(struct slice *rest, size_t max, struct slice *field)
{
    struct slice head = slice_part(*rest, 0, WIRE_LENGTH_DIGITS + 1);
    size_t colon = slice_find(head, ':');
    struct slice digits = slice_part(head, 0, colon);
    size_t size = 0;
    if (digits.size > 0 && !number_parse_size(digits, max, &size))
        return -1;
    /* One writing per number, so that equal messages are equal bytes. */
    if (digits.size > 1 && digits.data[0] == '0')
        return -1;
    if (colon == head.size)
        return head.size > WIRE_LENGTH_DIGITS ? -1 : 0;
    if (digits.size == 0)
        return -1;
    struct slice body = slice_from(*rest, colon + 1);
    if (body.size <= size)
        return 0;
    if (body.data[size] != ',')
        return -1;
    *field = slice_part(body, 0, size);
    *rest = slice_from(body, size + 1);
    return 1;
}

bool wire_split(struct slice bytes, struct slice fields[], size_t max, size_t *count)
{
    *count = 0;
    while (bytes.size > 0) {
        if (*count == max || wire_cut_netstring(&bytes, bytes.size, &fields[*count]) != 1)
            return false;
        (*count)++;
    }
    return true;
}

struct slice wire_field(const struct wire_message *message, size_t index)
{
    return index < message->count ? message->fields[index] : SLICE("");
}

bool wire_number(const struct wire_message *message, size_t index, uint64_t max, uint64_t *number)
{
    return number_parse(wire_field(message, index), max, number);
}

bool wire_copy_text(const struct wire_message *message, size_t index, char *text, size_t size)
{
    return slice_copy_text(wire_field(message, index), text, size);
}

int wire_take_fd(struct wire_message *message, size_t index)
{
    if (index >= message->fd_count)
        return -1;
    int fd = message->fds[index];
    message->fds[index] = -1;
    return fd;
}

void wire_init(struct wire_message *message)
{
    wire_init_small(message, WIRE_MAX_SIZE);
}

void wire_init_small(struct wire_message *message, size_t max)
{
    str_init(&message->bytes, max);
    message->count = 0;
    message->fd_count = 0;
}

void wire_clear(struct wire_message *message)
{
    for (size_t i = 0; i < message->fd_count; i++)
        io_close(&message->fds[i]);
    message->fd_count = 0;
    message->count = 0;
    str_clear(&message->bytes);
}

void wire_free(struct wire_message *message)
{
    wire_clear(message);
    str_free(&message->bytes);
}

static enum wire_result result_from_errno(void)
{
    if (errno == ETIMEDOUT || errno == EAGAIN)
        return WIRE_TIMEOUT;
    if (errno == EPIPE || errno == ECONNRESET)
        return WIRE_END;
    return WIRE_ERROR;
}

/* Linux lets all processes of a uid together have no more descriptors on their way than one of them may
 * have open: of the many that log in at one moment some wait till others have been received. */
static bool wait_for_others(int64_t deadline)
{
    enum { PAUSE_MS = 1 };
    return clock_left(deadline) != 0 && (poll(NULL, 0, PAUSE_MS) == 0 || errno == EINTR);
}

enum wire_result wire_send(int fd, struct slice packet, const int *fds, size_t fd_count,
                           int64_t deadline)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * WIRE_MAX_FDS)];
    } control;
    struct iovec part = {.iov_base = (void *)(uintptr_t)packet.data, .iov_len = packet.size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (packet.size == 0 || packet.size > WIRE_MAX_SIZE || fd_count > WIRE_MAX_FDS) {
        errno = EMSGSIZE;
        return WIRE_ERROR;
    }
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
    }
    for (;;) {
        if (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return WIRE_OK;
        if (errno == EAGAIN) {
            if (!io_wait(fd, POLLOUT, deadline))
                return result_from_errno();
        } else if (errno == ETOOMANYREFS) {
            if (!wait_for_others(deadline))
                return WIRE_ERROR;
        } else if (errno != EINTR) {
            return result_from_errno();
        }
    }
}

/* Takes the descriptors over; more than fit, or a cut control message, make the packet bad. */
static bool take_descriptors(struct msghdr *header, struct wire_message *message)
{
    bool good = !(header->msg_flags & MSG_CTRUNC);
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
            if (message->fd_count < WIRE_MAX_FDS) {
                message->fds[message->fd_count++] = fd;
            } else {
                io_close(&fd);
                good = false;
            }
        }
    }
    return good;
}

enum wire_result wire_receive(int fd, struct wire_message *message, int64_t deadline)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * WIRE_MAX_FDS)];
    } control;
    wire_clear(message);
    size_t size = message->bytes.max;
    char *room = str_reserve(&message->bytes, size);
    if (!room) {
        errno = ENOMEM;
        return WIRE_ERROR;
    }
    if (deadline != CLOCK_NEVER && !io_wait(fd, POLLIN, deadline))
        return result_from_errno();
    struct iovec part = {.iov_base = room, .iov_len = size};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    ssize_t got;
    do
        got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == ECONNRESET ? WIRE_RESET : result_from_errno();
    bool whole = take_descriptors(&header, message) && !(header.msg_flags & MSG_TRUNC);
    if (got == 0 && message->fd_count == 0)
        return WIRE_END;
    str_added(&message->bytes, (size_t)got);
    if (!whole ||
        !wire_split(str_slice(&message->bytes), message->fields, WIRE_MAX_FIELDS, &message->count))
        return WIRE_BAD;
    return WIRE_OK;
}

enum wire_result wire_ask(int fd, struct slice packet, const int *fds, size_t fd_count,
                          struct wire_message *answer, int64_t deadline)
{
    enum wire_result sent = wire_send(fd, packet, fds, fd_count, deadline);
    return sent == WIRE_OK ? wire_receive(fd, answer, deadline) : sent;
}

static enum wire_result send_kept(int *fd, const char *path, struct slice packet, const int *fds,
                                  size_t fd_count, int64_t deadline)
{
    bool kept = *fd >= 0;
    if (!kept)
        *fd = unixsocket_connect(path, SOCK_SEQPACKET);
    if (*fd < 0)
        return WIRE_ERROR;
    enum wire_result result = wire_send(*fd, packet, fds, fd_count, deadline);
    if (result == WIRE_END && kept) {
        io_close(fd);
        *fd = unixsocket_connect(path, SOCK_SEQPACKET);
        if (*fd < 0)
            return WIRE_ERROR;
        result = wire_send(*fd, packet, fds, fd_count, deadline);
    }
    return result;
}

bool wire_ask_kept(int *fd, const char *path, struct slice packet, const int *fds, size_t fd_count,
                   struct wire_message *answer, int64_t timeout_ms)
{
    int64_t deadline = clock_deadline(timeout_ms);
    enum wire_result result;
    bool kept;
    do {
        kept = *fd >= 0;
        result = send_kept(fd, path, packet, fds, fd_count, deadline);
        if (result == WIRE_OK)
            result = wire_receive(*fd, answer, deadline);
        if (result != WIRE_OK)
            io_close(fd);
    } while (result == WIRE_RESET && kept); /* it was dying when we asked */
    return result == WIRE_OK;
}

bool wire_tell_kept(int *fd, const char *path, struct slice packet, const int *fds, size_t fd_count,
                    int64_t timeout_ms)
{
    enum wire_result result =
        send_kept(fd, path, packet, fds, fd_count, clock_deadline(timeout_ms));
    if (result != WIRE_OK)
        io_close(fd);
    return result == WIRE_OK;
}
