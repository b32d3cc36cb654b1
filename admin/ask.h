/*
 * ask - talking to the suite's running programs
 */
#ifndef ADMIN_ASK_H
#define ADMIN_ASK_H

#include "str.h"

#include <stddef.h>

enum { ASK_TEXT_MAX = 65536, ASK_TIMEOUT_MS = 30000, ASK_CONNECT_MS = 3000 };

enum ask_result { ASK_OK, ASK_NO, ASK_DOWN };

/* queuectl/1 (ARCHITECTURE.md): asks queued; `text` is what it says. */
enum ask_result ask_queue(const char *verb, const char *const *ids, size_t count, struct str *text);

/* Does somebody take connections on the unix socket, or on ADDRESS:PORT? */
bool ask_is_up(const char *path);
bool ask_is_listening(struct slice endpoint);

#endif
