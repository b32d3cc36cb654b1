/* manage - CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE */
#include "foldertree.h"
#include "imapcommand.h"
#include "subscribe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* The one argument of CREATE and its like. */
static bool parse_mailbox(struct parse *arguments, struct slice *name)
{
    return parse_astring(arguments, name) && parse_at_end(arguments);
}

/* The same, as a folder that need not be there. ANSWER_DONE, or what is wrong with it. */
static enum answer parse_new(struct parse *arguments, enum answer bad_name,
                             struct imapfolder *folder)
{
    struct slice name;
    if (!parse_mailbox(arguments, &name))
        return ANSWER_SYNTAX;
    return imapfolder_named_new(name, folder) ? ANSWER_DONE : bad_name;
}

enum answer manage_create(struct imapsession *session, struct parse *arguments)
{
    (void)session;
    struct imapfolder folder;
    enum answer answer = parse_new(arguments, ANSWER_BAD_NAME, &folder);
    if (answer != ANSWER_DONE)
        return answer;
    return foldertree_create(&folder) ? ANSWER_DONE : answer_from_errno(errno);
}

/* Why a folder that does not exist can't be deleted. */
static enum answer missing_answer(const struct imapfolder *folder)
{
    struct foldertree tree;
    if (!foldertree_read(&tree))
        return answer_from_errno(errno);
    bool has_children = foldertree_find(&tree, slice_text(folder->name)) != NULL;
    foldertree_free(&tree);
    return has_children ? ANSWER_HAS_CHILDREN : ANSWER_NO_MAILBOX;
}

enum answer manage_delete(struct imapsession *session, struct parse *arguments)
{
    struct slice name;
    struct imapfolder folder;
    if (!parse_mailbox(arguments, &name))
        return ANSWER_SYNTAX;
    if (!imapfolder_named(name, &folder))
        return ANSWER_NO_MAILBOX;
    if (imapfolder_is_inbox(&folder))
        return ANSWER_INBOX;
    if (!foldertree_exists(&folder))
        return missing_answer(&folder);
    if (session->mailbox && strcmp(session->folder.path, folder.path) == 0)
        imapsession_unselect(session);
    return foldertree_remove(&folder) ? ANSWER_DONE : answer_from_errno(errno);
}

static enum answer move_all(struct mailbox *from, struct mailbox *to)
{
    enum answer answer = ANSWER_DONE;
    if (!mailbox_lock_both(from, to))
        return answer_from_errno(errno);
    for (size_t i = 0; i < from->count && answer == ANSWER_DONE; i++) {
        uint32_t uid;
        if (!from->messages[i].gone && !mailbox_copy(from, &from->messages[i], to, true, &uid) &&
            errno != ENOENT)
            answer = answer_from_errno(errno);
    }
    return mailbox_unlock_both(from, to) ? answer : ANSWER_TROUBLE;
}

/* RFC 3501 6.3.5: the messages of INBOX move, INBOX stays. */
static enum answer rename_inbox(struct imapsession *session, const struct imapfolder *to)
{
    struct imapfolder inbox;
    enum answer answer = ANSWER_DONE;
    if (!imapfolder_named(SLICE(IMAPFOLDER_INBOX), &inbox) || !foldertree_create(to))
        return answer_from_errno(errno);
    struct mailbox *from = imapsession_open_to_fill(session, &inbox, &answer);
    if (!from)
        return answer;
    struct mailbox *target = mailbox_open_to_fill(AT_FDCWD, to->path);
    answer = target ? move_all(from, target) : answer_from_errno(errno);
    mailbox_close(&target);
    imapsession_close_other(session, from);
    return answer;
}

/* The selected mailbox may be among what was renamed. */
static void follow_rename(struct imapsession *session, const struct imapfolder *from,
                          const struct imapfolder *to)
{
    if (!session->mailbox ||
        !imapfolder_is_within(slice_text(session->folder.name), slice_text(from->name)))
        return;
    struct str name;
    str_init(&name, IMAPFOLDER_NAME_MAX);
    str_append_text(&name, to->name);
    str_append_text(&name, session->folder.name + strlen(from->name));
    if (!imapfolder_named(str_slice(&name), &session->folder))
        imapsession_unselect(session);
    str_free(&name);
}

enum answer manage_rename(struct imapsession *session, struct parse *arguments)
{
    struct slice from_name, to_name;
    struct imapfolder from, to;
    if (!parse_astring(arguments, &from_name) || !parse_space(arguments) ||
        !parse_mailbox(arguments, &to_name))
        return ANSWER_SYNTAX;
    if (!imapfolder_named(from_name, &from))
        return ANSWER_NO_MAILBOX;
    if (!imapfolder_named_new(to_name, &to))
        return ANSWER_BAD_NAME;
    if (imapfolder_is_inbox(&to) || foldertree_exists(&to))
        return ANSWER_EXISTS;
    if (imapfolder_is_inbox(&from))
        return rename_inbox(session, &to);
    if (imapfolder_is_within(slice_text(to.name), slice_text(from.name)))
        return ANSWER_WITHIN_ITSELF;
    if (!foldertree_rename(&from, &to))
        return answer_from_errno(errno);
    follow_rename(session, &from, &to);
    return ANSWER_DONE;
}

enum answer manage_subscribe(struct imapsession *session, struct parse *arguments)
{
    (void)session;
    struct imapfolder folder;
    enum answer answer = parse_new(arguments, ANSWER_BAD_NAME, &folder);
    if (answer != ANSWER_DONE)
        return answer;
    if (!foldertree_exists(&folder))
        return ANSWER_NO_MAILBOX;
    return subscribe_change(slice_text(folder.name), true) ? ANSWER_DONE : answer_from_errno(errno);
}

enum answer manage_unsubscribe(struct imapsession *session, struct parse *arguments)
{
    (void)session;
    struct imapfolder folder;
    enum answer answer = parse_new(arguments, ANSWER_NOT_SUBSCRIBED, &folder);
    if (answer != ANSWER_DONE)
        return answer;
    return subscribe_change(slice_text(folder.name), false) ? ANSWER_DONE
                                                            : answer_from_errno(errno);
}
