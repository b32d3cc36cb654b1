/* peer - see peer.h */
#include "peer.h"

#include "io.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

int peer_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!slice_copy_text(slice_text(path), address.sun_path, sizeof address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        io_close(&fd);
    return fd;
}
