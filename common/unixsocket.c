/* unixsocket - see unixsocket.h */
#include "unixsocket.h"

#include "io.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool set_path(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!slice_copy_text(slice_text(path), address->sun_path, sizeof address->sun_path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    return true;
}

int unixsocket_listen(const char *path, int type, int backlog)
{
    struct sockaddr_un address;
    if (!set_path(&address, path))
        return -1;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if ((unlink(path) < 0 && errno != ENOENT) ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0666) < 0 ||
        listen(fd, backlog) < 0)
        io_close(&fd);
    return fd;
}

int unixsocket_connect(const char *path, int type)
{
    struct sockaddr_un address;
    if (!set_path(&address, path))
        return -1;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int done;
    do
        done = connect(fd, (const struct sockaddr *)&address, sizeof address);
    while (done < 0 && errno == EINTR);
    if (done < 0)
        io_close(&fd);
    return fd;
}

bool unixsocket_pair(int type, int pair[2])
{
    return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) == 0;
}

bool unixsocket_peer(int fd, uid_t *uid, pid_t *pid)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return false;
    *uid = peer.uid;
    *pid = peer.pid;
    return true;
}
