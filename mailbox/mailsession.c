/* mailsession - see mailsession.h */
#include "mailsession.h"

#include "clock.h"
#include "io.h"
#include "removal.h"
#include "template.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

bool mailsession_read(struct mailsession *session, const struct wire_message *connection)
{
    const char *terms = template_variable(connection, "TERMS");
    *session = (struct mailsession){.folder = template_variable(connection, "FOLDER"),
                                    .account = template_variable(connection, "ACCOUNT"),
                                    .client = template_variable(connection, "CLIENT"),
                                    .tls = template_variable(connection, "TLS"),
                                    .tag = template_variable(connection, "TAG")};
    return session->folder && session->account && session->client && session->tls && terms &&
           terms_parse(slice_text(terms), &session->terms);
}

/* Its name is on disk before a Maildir is made in it; else it is as if it had not been made. */
static bool make_folder(const char *folder)
{
    if (mkdir(folder, 0700) < 0)
        return errno == EEXIST;
    if (io_sync_folder(AT_FDCWD))
        return true;
    int error = errno;
    rmdir(folder);
    errno = error;
    return false;
}

static bool go_into(const char *folder)
{
    if (chdir(folder) == 0)
        return true;
    if (errno == ENOTDIR && removal_unmark_old(AT_FDCWD, folder, clock_seconds()))
        errno = ENOENT;
    return errno == ENOENT && make_folder(folder) && chdir(folder) == 0;
}

bool mailsession_enter(const struct mailsession *session, const struct sandbox *sandbox)
{
    bool entered = go_into(session->folder);
    int error = errno;
    sandbox_narrow(sandbox);
    errno = error;
    return entered;
}
