/* imapquota - see imapquota.h; GETQUOTA, GETQUOTAROOT: one root, the account, with STORAGE */
#include "imapquota.h"

#include "clock.h"
#include "imapcommand.h"
#include "imapname.h"
#include "io.h"
#include "maildirsize.h"
#include "quote.h"

#include <errno.h>
#include <fcntl.h>

#define QUOTA_ROOT "account"
enum {
    QUOTA_UNIT = 1024, /* octets of STORAGE (RFC 9208 5.1) */
    COUNT_TRUSTED_MS = 10000,
};

static uint64_t units(uint64_t bytes)
{
    return bytes / QUOTA_UNIT + (bytes % QUOTA_UNIT != 0);
}

static bool measure(const struct imapsession *session, struct maildirsize *size)
{
    int maildir = open(IMAPFOLDER_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = maildir >= 0 && maildirsize_read(maildir, session->terms.quota, size);
    io_close(&maildir);
    return done;
}

/* What the file says may be more than there is: messages may have gone by hand. So all is counted before
 * the answer is no; who tries again and again hears the same for a while. */
static bool is_counted(struct imapsession *session, struct maildirsize *size)
{
    int64_t now = clock_ms();
    if (session->quota_counted_ms > 0 && now - session->quota_counted_ms < COUNT_TRUSTED_MS)
        return false;
    session->quota_counted_ms = now;
    int maildir = open(IMAPFOLDER_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = maildir >= 0 && maildirsize_count(maildir, session->terms.quota, size);
    io_close(&maildir);
    return done;
}

bool imapquota_has_room(struct imapsession *session, uint64_t bytes)
{
    struct maildirsize size;
    return session->terms.quota == 0 || !measure(session, &size) ||
           maildirsize_has_room(&size, bytes) ||
           (is_counted(session, &size) && maildirsize_has_room(&size, bytes));
}

static enum answer tell_quota(struct imapsession *session)
{
    struct maildirsize size;
    if (!measure(session, &size))
        return answer_from_errno(errno);
    struct str *out = imapsession_line(session);
    str_append_text(out, "QUOTA " QUOTA_ROOT " (STORAGE ");
    str_append_number(out, units(size.bytes));
    str_append_byte(out, ' ');
    str_append_number(out, units(size.limit));
    str_append_byte(out, ')');
    imapsession_send(session);
    return ANSWER_DONE;
}

enum answer imapquota_get(struct imapsession *session, struct parse *arguments)
{
    struct slice root;
    if (!parse_astring(arguments, &root) || !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    if (session->terms.quota == 0 || !slice_equal(root, SLICE(QUOTA_ROOT)))
        return ANSWER_NO_ROOT;
    return tell_quota(session);
}

/* An account without limit has mailboxes without a root (RFC 9208 4.2.2). */
enum answer imapquota_get_root(struct imapsession *session, struct parse *arguments)
{
    struct slice name;
    struct imapfolder folder;
    if (!parse_astring(arguments, &name) || !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    /* It need not be there: what would hold for it? (RFC 9208 4.1.2) */
    if (imapname_take(session, name, &folder) != ANSWER_DONE)
        return ANSWER_NO_MAILBOX;
    struct str *out = imapsession_line(session);
    str_append_text(out, "QUOTAROOT ");
    imapname_append(session, out, slice_text(folder.name));
    if (session->terms.quota > 0)
        str_append_text(out, " " QUOTA_ROOT);
    imapsession_send(session);
    return session->terms.quota > 0 ? tell_quota(session) : ANSWER_DONE;
}

/* The operator sets limits: QUOTASET is not announced (RFC 9208 4.1.3). */
enum answer imapquota_set(struct imapsession *session, struct parse *arguments)
{
    struct slice root;
    (void)session;
    return parse_astring(arguments, &root) && parse_space(arguments) && parse_byte(arguments, '(')
               ? ANSWER_NOT_PERMITTED
               : ANSWER_SYNTAX;
}
