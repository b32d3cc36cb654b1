/*
 * unixsocket - listening on and connecting to the suite's sockets
 *
 * Every server has a folder ROOT/run/NAME with one socket in it. Paths are relative to ROOT,
 * where every program of the suite lives (life.h), so that no ROOT is too long for sun_path.
 * Anybody may connect; the server looks at the peer's uid, which the kernel vouches for.
 */
#ifndef COMMON_UNIXSOCKET_H
#define COMMON_UNIXSOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/* Binds and listens, mode 0666, replacing a socket that a dead server left. `type` is
 * SOCK_SEQPACKET or SOCK_STREAM. Non-blocking and close-on-exec. -1 with errno. */
int unixsocket_listen(const char *path, int type, int backlog);
/* -1 with errno. Blocking, close-on-exec. */
int unixsocket_connect(const char *path, int type);
/* A connected pair, close-on-exec. */
bool unixsocket_pair(int type, int pair[2]);
/* The uid and process that connected. */
bool unixsocket_peer(int fd, uid_t *uid, pid_t *pid);

#endif
