/* manage - CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE */
#include "foldertree.h"
#include "imapcommand.h"
#include "imaplist.h"
#include "imapname.h"
#include "notify.h"
#include "objectid.h"
#include "specialuse.h"
#include "subscribe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* The one argument of CREATE and its like. */
static bool parse_mailbox(struct parse *arguments, struct slice *name)
{
    return parse_astring(arguments, name) && parse_at_end(arguments);
}

/* Clients subscribe to what they have made as "name/", too. */
static struct slice without_separator(struct slice name)
{
    if (name.size > 0 && name.data[name.size - 1] == IMAPFOLDER_SEPARATOR)
        name.size--;
    return name;
}

/* ---- CREATE ------------------------------------------------------------------------------------ */

/* "(\Sent \Drafts)". *answer says when one of them can't be. */
static bool parse_uses(struct parse *arguments, unsigned *bits, enum answer *answer)
{
    struct slice attribute;
    if (!parse_byte(arguments, '('))
        return false;
    if (parse_byte(arguments, ')'))
        return true;
    do {
        if (parse_peek(arguments) != '\\' || !parse_flag(arguments, &attribute))
            return false;
        if (specialuse_bit(attribute) == 0)
            *answer = ANSWER_USE_UNKNOWN;
        *bits |= specialuse_bit(attribute);
    } while (parse_space(arguments));
    return parse_byte(arguments, ')');
}

/* RFC 6154 3 in the form of RFC 4466 2.2: [SP "(" "USE" SP uses ")"] */
static bool parse_create_options(const struct imapsession *session, struct parse *arguments,
                                 unsigned *bits, enum answer *answer)
{
    if (!parse_space(arguments))
        return true;
    return imapsession_has(session, "CREATE-SPECIAL-USE") && parse_byte(arguments, '(') &&
           parse_word(arguments, "USE") && parse_space(arguments) &&
           parse_uses(arguments, bits, answer) && parse_byte(arguments, ')');
}

/* Uses of folders that are not there are nobody's. */
static void forget_missing(struct specialuses *uses)
{
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++) {
        struct imapfolder folder;
        if (uses->names[i][0] &&
            (!imapfolder_named(slice_text(uses->names[i]), &folder) || !foldertree_exists(&folder)))
            uses->names[i][0] = '\0';
    }
}

static unsigned taken_bits(const struct specialuses *uses)
{
    unsigned bits = 0;
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++)
        bits |= uses->names[i][0] ? 1u << i : 0;
    return bits;
}

/* Under the lock. The use is written first: a folder never stands without the use that it was made
 * for, and a use without its folder is nobody's. */
static enum answer create_with_uses(int lock, struct specialuses *uses,
                                    const struct imapfolder *folder, unsigned bits)
{
    if (foldertree_exists(folder))
        return ANSWER_EXISTS;
    forget_missing(uses);
    unsigned taken = taken_bits(uses);
    if (bits & taken)
        return ANSWER_USE_TAKEN;
    /* A mail program that makes a folder of a name like "送信済みアイテム" means it so. */
    if (bits == 0)
        bits = specialuse_customary(slice_text(folder->name)) & ~taken;
    specialuse_set(uses, slice_text(folder->name), bits);
    if (bits != 0 && !specialuse_store(lock, uses))
        return answer_from_errno(errno);
    return foldertree_create(folder) ? ANSWER_DONE : answer_from_errno(errno);
}

static enum answer create(const struct imapfolder *folder, unsigned bits)
{
    struct specialuses uses;
    int lock = specialuse_lock(&uses);
    if (lock < 0)
        return answer_from_errno(errno);
    enum answer answer = create_with_uses(lock, &uses, folder, bits);
    specialuse_unlock(&lock);
    return answer;
}

/* RFC 8474 4.1 */
static void set_mailbox_id(struct imapsession *session, const struct imapfolder *folder)
{
    struct mailbox *mailbox =
        imapsession_has(session, "OBJECTID") ? mailbox_open(AT_FDCWD, folder->path, true) : NULL;
    if (!mailbox)
        return;
    str_append_text(&session->code, "MAILBOXID (");
    objectid_append_mailbox(&session->code, mailbox->id);
    str_append_byte(&session->code, ')');
    mailbox_close(&mailbox);
}

enum answer manage_create(struct imapsession *session, struct parse *arguments)
{
    struct slice name;
    struct imapfolder folder;
    unsigned bits = 0;
    bool normalised;
    enum answer answer = ANSWER_DONE;
    if (!parse_astring(arguments, &name) ||
        !parse_create_options(session, arguments, &bits, &answer) || !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    if (answer == ANSWER_DONE)
        answer = imapname_take_new(session, name, &folder, &normalised);
    if (answer == ANSWER_DONE)
        answer = create(&folder, bits);
    if (answer == ANSWER_DONE) {
        notify_expect(session, "", folder.name);
        set_mailbox_id(session, &folder);
    }
    /* RFC 9051 6.3.4 */
    if (answer == ANSWER_DONE && normalised && (session->enabled & ENABLED_REV2))
        imaplist_tell_name(session, &folder, name);
    return answer;
}

/* ---- DELETE ------------------------------------------------------------------------------------ */

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

/* Under the lock. */
static enum answer remove_folder(int lock, struct specialuses *uses,
                                 const struct imapfolder *folder)
{
    if (!foldertree_exists(folder))
        return missing_answer(folder);
    if (!foldertree_remove(folder))
        return answer_from_errno(errno);
    if (specialuse_of(uses, slice_text(folder->name)) == 0)
        return ANSWER_DONE;
    specialuse_set(uses, slice_text(folder->name), 0);
    return specialuse_store(lock, uses) ? ANSWER_DONE : answer_from_errno(errno);
}

enum answer manage_delete(struct imapsession *session, struct parse *arguments)
{
    struct slice name;
    struct imapfolder folder;
    struct specialuses uses;
    if (!parse_mailbox(arguments, &name))
        return ANSWER_SYNTAX;
    if (imapname_take(session, name, &folder) != ANSWER_DONE)
        return ANSWER_NO_MAILBOX;
    if (imapfolder_is_inbox(&folder))
        return ANSWER_INBOX;
    int lock = specialuse_lock(&uses);
    if (lock < 0)
        return answer_from_errno(errno);
    bool selected = imapsession_is_selected(session, &folder);
    enum answer answer = remove_folder(lock, &uses, &folder);
    specialuse_unlock(&lock);
    if (answer == ANSWER_DONE)
        notify_expect(session, folder.name, "");
    if (selected && answer == ANSWER_DONE)
        imapsession_unselect(session);
    return answer;
}

/* ---- RENAME ------------------------------------------------------------------------------------ */

static enum answer move_all(struct mailbox *from, struct mailbox *to)
{
    enum answer answer = ANSWER_DONE;
    if (!mailbox_lock_both(from, to))
        return answer_from_errno(errno);
    /* What this session has not seen yet moves too. */
    if (!mailbox_sync(from))
        answer = answer_from_errno(errno);
    for (size_t i = 0; i < from->count && answer == ANSWER_DONE; i++) {
        uint32_t uid;
        if (!from->messages[i].gone && !mailbox_copy(from, &from->messages[i], to, true, &uid) &&
            errno != ENOENT)
            answer = answer_from_errno(errno);
    }
    return mailbox_unlock_both(from, to) ? answer : ANSWER_TROUBLE;
}

/* RFC 9051 6.3.6: the messages of INBOX move, INBOX stays. */
static enum answer rename_inbox(struct imapsession *session, const struct imapfolder *to)
{
    struct imapfolder inbox;
    enum answer answer = ANSWER_DONE;
    if (!imapfolder_named(SLICE(IMAPFOLDER_INBOX), &inbox) || !foldertree_create(to))
        return answer_from_errno(errno);
    struct mailbox *from = imapsession_open_to_empty(session, &inbox, &answer);
    if (!from)
        return answer;
    struct mailbox *target = mailbox_open_to_fill(AT_FDCWD, to->path);
    answer = target ? move_all(from, target) : answer_from_errno(errno);
    mailbox_close(&target);
    imapsession_close_other(session, from);
    return answer;
}

/* Is the selected mailbox among what will be renamed? */
static bool is_concerned(const struct imapsession *session, const struct imapfolder *from)
{
    return session->mailbox &&
           imapfolder_is_within(slice_text(session->folder.name), slice_text(from->name)) &&
           imapsession_is_selected(session, &session->folder);
}

static void follow_rename(struct imapsession *session, const struct imapfolder *from,
                          const struct imapfolder *to)
{
    struct str name;
    str_init(&name, IMAPFOLDER_NAME_MAX);
    str_append_text(&name, to->name);
    str_append_text(&name, session->folder.name + strlen(from->name));
    if (!imapfolder_named(str_slice(&name), &session->folder))
        imapsession_unselect(session);
    str_free(&name);
}

/* Under the lock. The uses are written first, as with CREATE: what is interrupted behind that leaves a
 * folder of the old name, and the same command finishes it. */
static enum answer rename_with_uses(int lock, struct specialuses *uses,
                                    const struct imapfolder *from, const struct imapfolder *to)
{
    struct specialuses before = *uses;
    if (foldertree_exists(to))
        return ANSWER_EXISTS;
    bool moves_uses = specialuse_renamed(uses, slice_text(from->name), slice_text(to->name));
    if (moves_uses && !specialuse_store(lock, uses))
        return answer_from_errno(errno);
    if (foldertree_rename(from, to))
        return ANSWER_DONE;
    enum answer answer = answer_from_errno(errno);
    if (moves_uses && !foldertree_exists(to))
        (void)specialuse_store(lock, &before);
    return answer;
}

static enum answer rename_folder(const struct imapfolder *from, const struct imapfolder *to)
{
    struct specialuses uses;
    int lock = specialuse_lock(&uses);
    if (lock < 0)
        return answer_from_errno(errno);
    enum answer answer = rename_with_uses(lock, &uses, from, to);
    specialuse_unlock(&lock);
    return answer;
}

static enum answer rename_any(struct imapsession *session, const struct imapfolder *from,
                              const struct imapfolder *to)
{
    if (imapfolder_is_inbox(to))
        return ANSWER_EXISTS;
    if (imapfolder_is_inbox(from)) {
        notify_expect(session, "", to->name);
        return rename_inbox(session, to);
    }
    if (imapfolder_is_within(slice_text(to->name), slice_text(from->name)))
        return foldertree_exists(to) ? ANSWER_EXISTS : ANSWER_WITHIN_ITSELF;
    bool follows = is_concerned(session, from);
    enum answer answer = rename_folder(from, to);
    if (answer == ANSWER_DONE)
        notify_expect(session, from->name, to->name);
    if (answer == ANSWER_DONE && follows)
        follow_rename(session, from, to);
    /* RFC 9051 6.3.6 */
    if (answer == ANSWER_DONE && (session->enabled & ENABLED_REV2))
        imaplist_tell_renamed(session, to, slice_text(from->name));
    return answer;
}

enum answer manage_rename(struct imapsession *session, struct parse *arguments)
{
    struct slice from_name, to_name;
    struct imapfolder from, to;
    bool normalised;
    if (!parse_astring(arguments, &from_name) || !parse_space(arguments) ||
        !parse_mailbox(arguments, &to_name))
        return ANSWER_SYNTAX;
    if (imapname_take(session, from_name, &from) != ANSWER_DONE)
        return ANSWER_NO_MAILBOX;
    enum answer answer = imapname_take_new(session, to_name, &to, &normalised);
    return answer == ANSWER_DONE ? rename_any(session, &from, &to) : answer;
}

/* ---- subscriptions ----------------------------------------------------------------------------- */

static enum answer change_subscription(struct imapsession *session, const struct imapfolder *folder,
                                       bool subscribed)
{
    if (!subscribe_change(slice_text(folder->name), subscribed))
        return answer_from_errno(errno);
    notify_expect(session, "", folder->name);
    return ANSWER_DONE;
}

/* A folder that has to be there. */
enum answer manage_subscribe(struct imapsession *session, struct parse *arguments)
{
    struct slice name;
    struct imapfolder folder;
    if (!parse_mailbox(arguments, &name))
        return ANSWER_SYNTAX;
    enum answer answer = imapname_take(session, without_separator(name), &folder);
    if (answer != ANSWER_DONE)
        return answer;
    if (!foldertree_exists(&folder))
        return ANSWER_NO_MAILBOX;
    return change_subscription(session, &folder, true);
}

enum answer manage_unsubscribe(struct imapsession *session, struct parse *arguments)
{
    struct slice name;
    struct imapfolder folder;
    if (!parse_mailbox(arguments, &name))
        return ANSWER_SYNTAX;
    if (imapname_take(session, without_separator(name), &folder) != ANSWER_DONE)
        return ANSWER_NOT_SUBSCRIBED;
    return change_subscription(session, &folder, false);
}
