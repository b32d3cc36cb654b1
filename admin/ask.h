/*
 * ask - talking to the suite's running programs
 */
#ifndef ADMIN_ASK_H
#define ADMIN_ASK_H

#include "str.h"

#include <stddef.h>

enum { ASK_TEXT_MAX = 65536, ASK_TIMEOUT_MS = 30000 };

enum ask_result { ASK_OK, ASK_NO, ASK_DOWN };

/* queuectl/1 (ARCHITECTURE.md): asks queued; `text` is what it says. */
enum ask_result ask_queue(const char *verb, const char *const *ids, size_t count, struct str *text);

/* The same; all of the answer. */
struct wire_message;
enum ask_result ask_queue_whole(const char *verb, const char *const *ids, size_t count,
                                struct wire_message *answer);

/* Room may have been made: queued looks at what is full at once, not within a minute. */
void ask_to_measure(void);

/* Does somebody take connections on the unix socket? */
bool ask_is_up(const char *path);
/* Does somebody listen on ADDRESS:PORT? The kernel is asked, so that no service sees a client that
 * says nothing. */
bool ask_is_listening(struct slice endpoint);
/* The same for the text of /proc/net/tcp or tcp6. */
bool ask_find_listener(struct slice table, struct slice endpoint);

#endif
