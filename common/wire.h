/*
 * wire - messages between the suite's own programs
 *
 * A message is a run of netstrings ("5:hello,"), one per field, in one packet of a SOCK_SEQPACKET
 * socket, with up to WIRE_MAX_FDS descriptors beside it. The first field names the protocol and
 * its version ("auth/1"). Bytes need no quoting. A message that does not parse costs its sender
 * the connection, never the receiver its life.
 *
 * The same netstrings go over the stream socket of queue-inject.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include "str.h"

#include <stdint.h>

enum {
    WIRE_MAX_SIZE = 65536,   /* bytes of one message */
    WIRE_MAX_FIELDS = 512,   /* fields of one message */
    WIRE_MAX_FDS = 4,        /* descriptors beside it */
    WIRE_LENGTH_DIGITS = 10, /* digits of a netstring's length */
};

struct wire_message {
    struct str bytes;      /* the packet; fields point into it */
    int fds[WIRE_MAX_FDS]; /* owned; -1 once taken by wire_take_fd */
    size_t fd_count;
    size_t count;
    struct slice fields[WIRE_MAX_FIELDS]; /* last: few are used, and their pages alone touched */
};

/* For one on the stack, which wire_init makes ready: the compiler need not fill its 8 KB. */
#define WIRE_UNFILLED __attribute__((uninitialized))

enum wire_result {
    WIRE_OK,
    WIRE_END,     /* the peer closed */
    WIRE_RESET,   /* the same, told once by wire_receive: of what it was sent it read not all */
    WIRE_TIMEOUT, /* nothing till the deadline; EAGAIN on a non-blocking socket */
    WIRE_BAD,     /* not a message; close the connection */
    WIRE_ERROR,   /* errno says */
};

/* Appends one netstring. A failed append shows in the str's `failed`. */
void wire_put(struct str *packet, struct slice field);
void wire_put_text(struct str *packet, const char *field);
void wire_put_number(struct str *packet, uint64_t field);

/* Cuts one netstring off the front of *rest. 1: done; 0: more bytes are needed; -1: not one, or
 * longer than `max`. */
int wire_cut_netstring(struct slice *rest, size_t max, struct slice *field);

/* Splits `bytes` into fields. False when they are not just netstrings, or too many. */
bool wire_split(struct slice bytes, struct slice fields[], size_t max, size_t *count);

/* Field `index` as text, number or C string; beyond the last field the empty slice. */
struct slice wire_field(const struct wire_message *message, size_t index);
bool wire_number(const struct wire_message *message, size_t index, uint64_t max, uint64_t *number);
bool wire_copy_text(const struct wire_message *message, size_t index, char *text, size_t size);
/* Takes a descriptor out of the message: it is the caller's. -1 when there is none. */
int wire_take_fd(struct wire_message *message, size_t index);

void wire_init(struct wire_message *message);
/* For packets of at most `max` bytes, where memory counts; a larger one is WIRE_BAD. */
void wire_init_small(struct wire_message *message, size_t max);
/* Closes descriptors nobody took, and forgets the fields; memory is kept. */
void wire_clear(struct wire_message *message);
/* The same, and frees the bytes. */
void wire_free(struct wire_message *message);

/* Sends one packet. */
enum wire_result wire_send(int fd, struct slice packet, const int *fds, size_t fd_count,
                           int64_t deadline);
/* Receives one packet into `message`, which is emptied before. What the peer said before it closed comes after
 * WIRE_RESET and before WIRE_END. */
enum wire_result wire_receive(int fd, struct wire_message *message, int64_t deadline);
/* Sends `packet` and waits for the one answer. */
enum wire_result wire_ask(int fd, struct slice packet, const int *fds, size_t fd_count,
                          struct wire_message *answer, int64_t deadline);
/* The same on *fd, which is connected to the socket `path` when -1, and kept for the next question.
 * A kept connection that died meanwhile is replaced, as long as the question was not read: nothing
 * is asked twice. False when there is no answer; *fd is -1 then. */
bool wire_ask_kept(int *fd, const char *path, struct slice packet, const int *fds, size_t fd_count,
                   struct wire_message *answer, int64_t timeout_ms);
/* The same for a packet that has no answer. */
bool wire_tell_kept(int *fd, const char *path, struct slice packet, const int *fds, size_t fd_count,
                    int64_t timeout_ms);

#endif
