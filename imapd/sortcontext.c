/* sortcontext - see sortcontext.h */
#include "sortcontext.h"

#include <stdlib.h>
#include <string.h>

struct sortcontext *sortcontext_new(const struct imapsession *session,
                                    const struct sort_program *program,
                                    const struct searchresult *found)
{
    struct sortcontext *context = calloc(1, sizeof *context);
    uint32_t *uids = calloc(found->count + 1, sizeof *uids);
    if (!context || !uids) {
        free(context);
        free(uids);
        return NULL;
    }
    for (size_t i = 0; i < found->count; i++)
        uids[i] = session->mailbox->messages[found->indexes[i]].uid;
    *context = (struct sortcontext){.program = *program, .uids = uids, .count = found->count};
    return context;
}

void sortcontext_free(struct sortcontext **context)
{
    if (*context)
        free((*context)->uids);
    free(*context);
    *context = NULL;
}

/* The place of the message with this UID among those of the list, which is in the order of the
 * mailbox; its size when it is not there. */
static size_t find_uid(const struct imapsession *session, const struct searchresult *list,
                       uint32_t uid)
{
    const struct mailbox_message *messages = session->mailbox->messages;
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (messages[list->indexes[middle]].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < list->count && messages[list->indexes[low]].uid == uid;
    return found ? low : list->count;
}

static void append_change(const struct imapsession *session, bool uid, size_t place, uint32_t index,
                          bool *first, struct str *out)
{
    if (!*first)
        str_append_byte(out, ' ');
    *first = false;
    str_append_number(out, place + 1);
    str_append_byte(out, ' ');
    str_append_number(out, searchresult_number(session, uid, index));
}

bool sortcontext_remove(struct sortcontext *context, const struct imapsession *session, bool uid,
                        const struct searchresult *removed, struct str *out)
{
    bool first = true;
    size_t end = context->count;
    for (size_t i = end; i > 0; i--) {
        size_t at = find_uid(session, removed, context->uids[i - 1]);
        if (at == removed->count)
            continue;
        append_change(session, uid, i - 1, removed->indexes[at], &first, out);
        memmove(&context->uids[i - 1], &context->uids[i], (end - i) * sizeof *context->uids);
        end--;
    }
    context->count = end;
    return !out->failed;
}

static int compare_indexes(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

/* All that is in the context, and `added`, in the order of the mailbox. */
static void collect(const struct sortcontext *context, const struct imapsession *session,
                    const struct searchresult *added, struct searchresult *all)
{
    for (size_t i = 0; i < context->count; i++) {
        const struct mailbox_message *message = mailbox_find(session->mailbox, context->uids[i]);
        if (message)
            all->indexes[all->count++] = (uint32_t)(message - session->mailbox->messages);
    }
    for (size_t i = 0; i < added->count; i++)
        all->indexes[all->count++] = added->indexes[i];
    qsort(all->indexes, all->count, sizeof *all->indexes, compare_indexes);
}

static void take_order(struct sortcontext *context, const struct imapsession *session, bool uid,
                       const struct searchresult *added, struct searchresult *all, struct str *out)
{
    bool first = true;
    for (size_t i = 0; i < all->count; i++) {
        uint32_t index = all->indexes[i];
        all->indexes[i] = session->mailbox->messages[index].uid;
        if (find_uid(session, added, all->indexes[i]) < added->count)
            append_change(session, uid, i, index, &first, out);
    }
    free(context->uids);
    context->uids = all->indexes;
    context->count = all->count;
    all->indexes = NULL;
}

bool sortcontext_add(struct sortcontext *context, struct imapsession *session, bool uid,
                     const struct searchresult *added, struct str *out)
{
    struct searchresult all = {.indexes =
                                   calloc(context->count + added->count + 1, sizeof *all.indexes)};
    if (!all.indexes)
        return false;
    collect(context, session, added, &all);
    bool done = sort_messages(session, &context->program, true, &all);
    if (done)
        take_order(context, session, uid, added, &all, out);
    free(all.indexes);
    return done && !out->failed;
}
