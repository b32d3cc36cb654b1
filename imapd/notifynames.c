/* notifynames - folders that come, go and get other names, and subscriptions (RFC 5465 5.4, 5.5) */
#include "notifyparts.h"

#include "foldertree.h"
#include "imaplist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Of these a folder is watched for; of its name, because a folder that is deleted may be followed by
 * one with the same inode. */
static const unsigned watched_events =
    NOTIFY_ANY_MESSAGE | NOTIFY_MAILBOX_METADATA | NOTIFY_MAILBOX_NAME;

/* One look at the folders. */
struct look {
    struct imapsession *session;
    struct notify *notify;
    struct subscriptions subscriptions;
    struct notify_mailboxes mailboxes;
    bool tells;
};

static unsigned events_of(const struct look *look, const struct subscriptions *subscriptions,
                          struct slice name)
{
    const struct notify_request *request = &look->notify->request;
    unsigned events = 0;
    for (size_t i = 0; i < request->count; i++)
        if (mailboxfilter_meets(look->session, &request->groups[i].filter, subscriptions, name))
            events |= request->groups[i].events;
    return events;
}

bool notifynames_is_own(const struct notify *notify, const char *name)
{
    struct slice text = slice_text(name);
    return notify->has_own &&
           ((notify->own_from[0] && imapfolder_is_within(text, slice_text(notify->own_from))) ||
            (notify->own_to[0] && imapfolder_is_within(text, slice_text(notify->own_to))));
}

/* ---- reading ----------------------------------------------------------------------------------- */

static void free_mailbox(struct notify_mailbox *mailbox)
{
    free(mailbox->name);
    str_free(&mailbox->annotations);
}

static void free_all(struct notify_mailboxes *mailboxes)
{
    for (size_t i = 0; i < mailboxes->count; i++)
        free_mailbox(&mailboxes->all[i]);
    free(mailboxes->all);
    *mailboxes = (struct notify_mailboxes){0};
}

/* Takes the name over. A folder that has just gone is left out. */
static void add(struct look *look, struct foldertree_entry *entry)
{
    struct imapfolder folder;
    struct stat info;
    if (!imapfolder_named(slice_text(entry->name), &folder) || stat(folder.path, &info) < 0)
        return;
    look->mailboxes.all[look->mailboxes.count++] = (struct notify_mailbox){
        .name = entry->name,
        .device = info.st_dev,
        .inode = info.st_ino,
        .events = events_of(look, &look->subscriptions, slice_text(entry->name)),
    };
    entry->name = NULL;
}

static bool read_folders(struct look *look)
{
    struct foldertree tree;
    size_t count = 0;
    if (!foldertree_read(&tree))
        return false;
    for (size_t i = 0; i < tree.count; i++)
        count += tree.entries[i].exists;
    look->notify->overflow = count > NOTIFY_MAILBOXES_MAX;
    bool done = !look->notify->overflow;
    look->mailboxes.all = done ? calloc(count + 1, sizeof *look->mailboxes.all) : NULL;
    done = look->mailboxes.all;
    for (size_t i = 0; done && i < tree.count; i++)
        if (tree.entries[i].exists)
            add(look, &tree.entries[i]);
    foldertree_free(&tree);
    return done;
}

/* A folder that gets another name between the list and the look at it would be gone, and come back as a
 * new one. */
static bool read_held_folders(struct look *look)
{
    int hold = foldertree_hold();
    bool done = hold >= 0 && read_folders(look);
    int error = errno;
    foldertree_release(&hold);
    errno = error;
    return done;
}

static bool read_subscriptions(struct look *look)
{
    if (!subscribe_load(&look->subscriptions))
        return false;
    look->notify->overflow = look->subscriptions.names.size > NOTIFY_SUBSCRIPTIONS_MAX;
    return !look->notify->overflow;
}

/* ---- comparing --------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const struct notify_mailbox *const *x = a, *const *y = b;
    if ((*x)->inode != (*y)->inode)
        return (*x)->inode < (*y)->inode ? -1 : 1;
    return (*x)->device < (*y)->device ? -1 : (*x)->device > (*y)->device;
}

/* The mailboxes in order of their folders. NULL without memory. */
static struct notify_mailbox **order(const struct notify_mailboxes *mailboxes)
{
    struct notify_mailbox **ordered = calloc(mailboxes->count + 1, sizeof *ordered);
    for (size_t i = 0; ordered && i < mailboxes->count; i++)
        ordered[i] = &mailboxes->all[i];
    if (ordered)
        qsort(ordered, mailboxes->count, sizeof *ordered, compare);
    return ordered;
}

static void tell_new(const struct look *look, struct notify_mailbox *now)
{
    now->is_quiet = !look->tells || notifynames_is_own(look->notify, now->name);
    now->messages_changed = now->metadata_changed = true;
    if (!now->is_quiet && now->events & NOTIFY_MAILBOX_NAME)
        imaplist_tell_attribute(look->session, slice_text(now->name), "");
}

static void tell_gone(const struct look *look, struct notify_mailbox *before)
{
    watch_remove(look->notify->watch, &before->watched, &look->notify->selected);
    if (before->events & NOTIFY_MAILBOX_NAME && !notifynames_is_own(look->notify, before->name))
        imaplist_tell_attribute(look->session, slice_text(before->name), "\\NonExistent");
}

/* The session's own mailbox keeps being selected under its new name. */
static void follow(const struct look *look, const char *before, const char *now)
{
    struct imapsession *session = look->session;
    if (session->mailbox && strcmp(session->folder.name, before) == 0)
        (void)imapfolder_named(slice_text(now), &session->folder);
}

static void tell_renamed(const struct look *look, const struct notify_mailbox *before,
                         const struct notify_mailbox *now)
{
    struct imapfolder folder;
    if (strcmp(before->name, now->name) == 0)
        return;
    follow(look, before->name, now->name);
    bool wanted = (before->events | now->events) & NOTIFY_MAILBOX_NAME;
    if (wanted && !notifynames_is_own(look->notify, now->name) &&
        imapfolder_named(slice_text(now->name), &folder))
        imaplist_tell_renamed(look->session, &folder, slice_text(before->name));
}

/* It is the folder that it was: what we know of it stays. */
static void keep(const struct look *look, struct notify_mailbox *before, struct notify_mailbox *now)
{
    unsigned new_events = now->events & ~before->events;
    now->watched = before->watched;
    now->told = before->told;
    now->annotations = before->annotations;
    before->annotations = (struct str){0};
    /* A subscription may have made it one that is wanted. */
    now->messages_changed = before->messages_changed || new_events & NOTIFY_ANY_MESSAGE;
    now->metadata_changed = before->metadata_changed || new_events & NOTIFY_MAILBOX_METADATA;
    tell_renamed(look, before, now);
}

/* Finds the pairs: both are in order of their folders. */
static void match(struct notify_mailbox **before, size_t before_count, struct notify_mailbox **now,
                  size_t now_count)
{
    for (size_t i = 0, k = 0; i < before_count && k < now_count;) {
        int which = compare(&before[i], &now[k]);
        if (which == 0) {
            before[i]->other = now[k];
            now[k]->other = before[i];
        }
        i += which <= 0;
        k += which >= 0;
    }
}

/* In order of names. Folders that are no more are told first: another may have taken the name. */
static void tell_all(const struct look *look)
{
    const struct notify_mailboxes *before = &look->notify->mailboxes, *now = &look->mailboxes;
    for (size_t i = 0; i < before->count; i++)
        if (!before->all[i].other)
            tell_gone(look, &before->all[i]);
    for (size_t i = 0; i < now->count; i++) {
        struct notify_mailbox *mailbox = &now->all[i];
        if (mailbox->other)
            keep(look, mailbox->other, mailbox);
        else
            tell_new(look, mailbox);
        mailbox->other = NULL;
    }
}

static bool compare_all(struct look *look)
{
    const struct notify_mailboxes *before = &look->notify->mailboxes, *now = &look->mailboxes;
    struct notify_mailbox **was = order(before), **is = order(now);
    bool done = was && is;
    if (done) {
        match(was, before->count, is, now->count);
        tell_all(look);
    }
    free(was);
    free(is);
    return done;
}

/* ---- subscriptions ----------------------------------------------------------------------------- */

static bool exists(const struct look *look, struct slice name)
{
    for (size_t i = 0; i < look->mailboxes.count; i++)
        if (slice_equal(slice_text(look->mailboxes.all[i].name), name))
            return true;
    return false;
}

static void tell_subscription(const struct look *look, struct slice name, bool is_now)
{
    char text[IMAPFOLDER_NAME_MAX + 1];
    unsigned events = events_of(look, &look->subscriptions, name) |
                      events_of(look, &look->notify->subscriptions, name);
    if (!(events & NOTIFY_SUBSCRIPTION) || !slice_copy_text(name, text, sizeof text) ||
        notifynames_is_own(look->notify, text))
        return;
    const char *attribute = is_now ? "\\Subscribed" : "";
    if (!exists(look, name))
        attribute = is_now ? "\\Subscribed \\NonExistent" : "\\NonExistent";
    imaplist_tell_attribute(look->session, name, attribute);
}

static void tell_missing(const struct look *look, const struct subscriptions *from,
                         const struct subscriptions *in, bool is_now)
{
    struct slice rest = str_slice(&from->names), name;
    while (subscribe_next(&rest, &name))
        if (!subscribe_has(in, name))
            tell_subscription(look, name, is_now);
}

static void tell_subscriptions(const struct look *look)
{
    const struct subscriptions *before = &look->notify->subscriptions;
    if (!look->tells || !(look->notify->request.events & NOTIFY_SUBSCRIPTION) ||
        slice_equal(str_slice(&before->names), str_slice(&look->subscriptions.names)))
        return;
    tell_missing(look, before, &look->subscriptions, false);
    tell_missing(look, &look->subscriptions, before, true);
}

/* ---- watching ---------------------------------------------------------------------------------- */

/* INBOX is Maildir, where names and subscriptions are. */
static bool watch(struct notify *notify, struct notify_mailbox *mailbox)
{
    struct imapfolder folder;
    if (!(mailbox->events & watched_events) && strcmp(mailbox->name, IMAPFOLDER_INBOX) != 0) {
        watch_remove(notify->watch, &mailbox->watched, &notify->selected);
        return true;
    }
    if (mailbox->watched.ids[WATCH_NEW] > 0)
        return true;
    /* What came between the last look and the watch. */
    mailbox->messages_changed = mailbox->metadata_changed = true;
    if (imapfolder_named(slice_text(mailbox->name), &folder) &&
        watch_add(notify->watch, &folder, false, &mailbox->watched))
        return true;
    /* One that is not complete yet is told again; one that has gone, too. */
    return errno == ENOENT || errno == ENOTDIR;
}

static bool watch_all(struct notify *notify)
{
    for (size_t i = 0; i < notify->mailboxes.count && !notify->overflow; i++)
        if (!watch(notify, &notify->mailboxes.all[i]))
            notify->overflow = true;
    return !notify->overflow;
}

/* ---- all together ------------------------------------------------------------------------------ */

static void take_over(struct look *look)
{
    struct notify *notify = look->notify;
    free_all(&notify->mailboxes);
    subscribe_free(&notify->subscriptions);
    notify->mailboxes = look->mailboxes;
    notify->subscriptions = look->subscriptions;
}

bool notifynames_refresh(struct imapsession *session, bool tells)
{
    struct look look = {.session = session, .notify = session->notify, .tells = tells};
    if (!read_subscriptions(&look) || !read_held_folders(&look) || !compare_all(&look)) {
        free_all(&look.mailboxes);
        subscribe_free(&look.subscriptions);
        return false;
    }
    tell_subscriptions(&look);
    take_over(&look);
    return watch_all(look.notify);
}

void notifynames_free(struct notify *notify)
{
    free_all(&notify->mailboxes);
    subscribe_free(&notify->subscriptions);
}
