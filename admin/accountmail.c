/* accountmail - see accountmail.h */
#include "accountmail.h"

#include "folders.h"
#include "io.h"
#include "life.h"
#include "removal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES_MAX = 100 };

typedef bool removal_step(int domain, const char *local);

/* What lies there is a customer's: it is touched with his rights. */
static bool do_as_owner(int root, const char *domain, uid_t uid, const char *local,
                        removal_step *step)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "mail/%s", domain);
    int folder = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder < 0)
        return errno == ENOENT;
    bool done = folders_act_as(uid) && step(folder, local);
    int error = errno;
    bool back = folders_act_as_root();
    io_close(&folder);
    errno = error;
    return done && back;
}

bool accountmail_begin(int root, const char *domain, uid_t uid, const char *local)
{
    return do_as_owner(root, domain, uid, local, removal_begin);
}

bool accountmail_give_up(int root, const char *domain, uid_t uid, const char *local)
{
    return do_as_owner(root, domain, uid, local, removal_give_up);
}

static bool is_not_begun(int folder, const char *local)
{
    return !removal_is_begun(folder, local);
}

bool accountmail_is_begun(int root, const char *domain, uid_t uid, const char *local)
{
    return !do_as_owner(root, domain, uid, local, is_not_begun);
}

bool accountmail_finish(int root, const char *domain, uid_t uid, const char *local)
{
    return do_as_owner(root, domain, uid, local, removal_finish);
}

static bool welcome(int folder, const char *local)
{
    return removal_finish(folder, local) && removal_unmark(folder, local);
}

bool accountmail_welcome(int root, const char *domain, uid_t uid, const char *local)
{
    return do_as_owner(root, domain, uid, local, welcome);
}

/* ---- a domain ---- */

/* Workers that are still there may put something into it. */
static bool remove_folder(int mail, const char *name)
{
    struct stat info;
    int folder = openat(mail, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder < 0)
        return errno == ENOENT;
    bool done = fstat(folder, &info) == 0 &&
                (info.st_uid == 0 || life_is_domain_uid(info.st_uid) || getuid() != 0);
    uid_t owner = info.st_uid == 0 ? (uid_t)-1 : info.st_uid;
    for (int tries = 0; done && tries < TRIES_MAX; tries++) {
        done = folders_remove_content(folder, owner);
        if (done && (unlinkat(mail, name, AT_REMOVEDIR) == 0 || errno == ENOENT))
            break;
        done = done && (errno == ENOTEMPTY || errno == EEXIST);
    }
    io_close(&folder);
    return done;
}

bool accountmail_remove_domain(int root, const char *domain, bool *found)
{
    char gone[PATH_MAX];
    struct stat info;
    int mail = openat(root, "mail", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (found)
        *found = false;
    if (mail < 0)
        return errno == ENOENT;
    snprintf(gone, sizeof gone, ".removing-%s", domain);
    if (found)
        *found = fstatat(mail, domain, &info, AT_SYMLINK_NOFOLLOW) == 0 ||
                 fstatat(mail, gone, &info, AT_SYMLINK_NOFOLLOW) == 0;
    bool done = remove_folder(mail, gone) &&
                (renameat(mail, domain, mail, gone) == 0 || errno == ENOENT) &&
                io_sync_folder(mail) && remove_folder(mail, gone);
    io_close(&mail);
    return done;
}
