/* relaylogin - see relaylogin.h */
#include "relaylogin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { KEY_MAX = 300 };

enum relaylogin_result relaylogin_find(struct cdbfile *table, const char *host, uint16_t port,
                                       struct slice *user, struct slice *password)
{
    char key[KEY_MAX];
    struct slice value;
    if (!cdbfile_refresh(table, AT_FDCWD, RELAYLOGIN_FILE))
        return errno == ENOENT ? RELAYLOGIN_NONE : RELAYLOGIN_TROUBLE;
    int size = snprintf(key, sizeof key, "%s:%u", host, port);
    if (size < 0 || (size_t)size >= sizeof key)
        return RELAYLOGIN_NONE;
    switch (cdbfile_find(table, slice_of(key, (size_t)size), &value)) {
    case CDBFILE_FOUND:
        *user = slice_cut(&value, '\0');
        *password = value;
        return RELAYLOGIN_FOUND;
    case CDBFILE_MISSING:
        return RELAYLOGIN_NONE;
    case CDBFILE_TROUBLE:
        break;
    }
    return RELAYLOGIN_TROUBLE;
}
