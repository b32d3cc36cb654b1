/* mailsession - see mailsession.h */
#include "mailsession.h"

#include "io.h"
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

bool mailsession_enter(const struct mailsession *session, const struct sandbox *sandbox)
{
    if (chdir(session->folder) < 0) {
        if (errno != ENOENT || !make_folder(session->folder) || chdir(session->folder) < 0)
            return false;
    }
    sandbox_narrow(sandbox);
    return true;
}
