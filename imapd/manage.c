/* manage - CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE */
#include "command.h"
#include "foldertree.h"
#include "subscribe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* The one argument of CREATE and its like. */
static bool parse_mailbox(struct parse *arguments, struct slice *name)
{
    return parse_astring(arguments, name) && parse_at_end(arguments);
}

enum answer manage_create(struct session *session, struct parse *arguments)
{
    (void)session;
    struct slice name;
    struct folder folder;
    if (!parse_mailbox(arguments, &name))
        return ANSWER_SYNTAX;
    if (!folder_named_new(name, &folder))
        return ANSWER_BAD_NAME;
    return foldertree_create(&folder) ? ANSWER_DONE : answer_from_errno(errno);
}

/* Why a folder that does not exist can't be deleted. */
static enum answer missing_answer(const struct folder *folder)
{
    struct foldertree tree;
    if (!foldertree_read(&tree))
        return answer_from_errno(errno);
    bool has_children = foldertree_find(&tree, slice_text(folder->name)) != NULL;
    foldertree_free(&tree);
    return has_children ? ANSWER_HAS_CHILDREN : ANSWER_NO_MAILBOX;
}

enum answer manage_delete(struct session *session, struct parse *arguments)
{
    struct slice name;
    struct folder folder;
    if (!parse_mailbox(arguments, &name))
        return ANSWER_SYNTAX;
    if (!folder_named(name, &folder))
        return ANSWER_NO_MAILBOX;
    if (folder_is_inbox(&folder))
        return ANSWER_INBOX;
    if (!foldertree_exists(&folder))
        return missing_answer(&folder);
    if (session->mailbox && strcmp(session->folder.path, folder.path) == 0)
        session_unselect(session);
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
static enum answer rename_inbox(struct session *session, const struct folder *to)
{
    struct folder inbox;
    enum answer answer = ANSWER_DONE;
    if (!folder_named(SLICE(FOLDER_INBOX), &inbox) || !foldertree_create(to))
        return answer_from_errno(errno);
    struct mailbox *from = session_open_to_fill(session, &inbox, &answer);
    if (!from)
        return answer;
    struct mailbox *target = mailbox_open(AT_FDCWD, to->path, false);
    answer = target ? move_all(from, target) : answer_from_errno(errno);
    mailbox_close(&target);
    session_close_other(session, from);
    return answer;
}

/* The selected mailbox may be among what was renamed. */
static void follow_rename(struct session *session, const struct folder *from,
                          const struct folder *to)
{
    if (!session->mailbox ||
        !folder_is_within(slice_text(session->folder.name), slice_text(from->name)))
        return;
    struct str name;
    str_init(&name, FOLDER_NAME_MAX);
    str_append_text(&name, to->name);
    str_append_text(&name, session->folder.name + strlen(from->name));
    if (!folder_named(str_slice(&name), &session->folder))
        session_unselect(session);
    str_free(&name);
}

enum answer manage_rename(struct session *session, struct parse *arguments)
{
    struct slice from_name, to_name;
    struct folder from, to;
    if (!parse_astring(arguments, &from_name) || !parse_space(arguments) ||
        !parse_mailbox(arguments, &to_name))
        return ANSWER_SYNTAX;
    if (!folder_named(from_name, &from))
        return ANSWER_NO_MAILBOX;
    if (!folder_named_new(to_name, &to))
        return ANSWER_BAD_NAME;
    if (folder_is_inbox(&to) || foldertree_exists(&to))
        return ANSWER_EXISTS;
    if (folder_is_inbox(&from))
        return rename_inbox(session, &to);
    if (folder_is_within(slice_text(to.name), slice_text(from.name)))
        return ANSWER_WITHIN_ITSELF;
    if (!foldertree_rename(&from, &to))
        return answer_from_errno(errno);
    follow_rename(session, &from, &to);
    return ANSWER_DONE;
}

enum answer manage_subscribe(struct session *session, struct parse *arguments)
{
    (void)session;
    struct slice name;
    struct folder folder;
    if (!parse_mailbox(arguments, &name))
        return ANSWER_SYNTAX;
    if (!folder_named_new(name, &folder))
        return ANSWER_BAD_NAME;
    if (!foldertree_exists(&folder))
        return ANSWER_NO_MAILBOX;
    return subscribe_change(slice_text(folder.name), true) ? ANSWER_DONE : answer_from_errno(errno);
}

enum answer manage_unsubscribe(struct session *session, struct parse *arguments)
{
    (void)session;
    struct slice name;
    struct folder folder;
    if (!parse_mailbox(arguments, &name))
        return ANSWER_SYNTAX;
    if (!folder_named_new(name, &folder))
        return ANSWER_NOT_SUBSCRIBED;
    return subscribe_change(slice_text(folder.name), false) ? ANSWER_DONE
                                                            : answer_from_errno(errno);
}
