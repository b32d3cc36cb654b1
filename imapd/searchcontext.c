/* searchcontext - see searchcontext.h */
#include "searchcontext.h"

#include "imapcommand.h"
#include "sortcontext.h"

#include <stdlib.h>

/* A message as it was when contexts were told of it last. */
struct known {
    uint32_t uid, keywords;
    unsigned flags;
};

struct searchcontext {
    struct searchcontext *next;
    struct arena arena; /* of the tag and the keys */
    struct slice tag;
    bool uid;
    struct search_key *root;
    uint32_t *uids; /* of the messages that fit, in order */
    size_t count;
    struct sortcontext *sort; /* of a SORT: their order; or NULL */
};

struct searchcontexts {
    struct searchcontext *first;
    size_t count;
    struct known *known; /* of the mailbox, in order of UID */
    size_t known_count;
};

/* ---- what is known ---------------------------------------------------------------------------- */

/* Takes down how all messages are that the client knows of. False without memory. */
static bool take_down(struct imapsession *session)
{
    struct searchcontexts *contexts = session->contexts;
    const struct mailbox_message *messages = session->mailbox->messages;
    struct known *known = reallocarray(contexts->known, session->told_exists + 1, sizeof *known);
    if (!known)
        return false;
    for (size_t i = 0; i < session->told_exists; i++)
        known[i] = (struct known){messages[i].uid, messages[i].keywords, messages[i].flags};
    contexts->known = known;
    contexts->known_count = session->told_exists;
    return true;
}

/* Indexes of messages that are new or other than they were. */
struct touched {
    uint32_t *indexes;
    size_t count;
};

static bool is_as_known(const struct mailbox_message *message, const struct known *known)
{
    return message->flags == known->flags && message->keywords == known->keywords;
}

static bool find_touched(const struct imapsession *session, struct touched *touched)
{
    const struct searchcontexts *contexts = session->contexts;
    size_t at = 0;
    *touched = (struct touched){.indexes = calloc(session->told_exists + 1, sizeof(uint32_t))};
    if (!touched->indexes)
        return false;
    for (size_t i = 0; i < session->told_exists; i++) {
        const struct mailbox_message *message = &session->mailbox->messages[i];
        while (at < contexts->known_count && contexts->known[at].uid < message->uid)
            at++;
        bool known = at < contexts->known_count && contexts->known[at].uid == message->uid &&
                     is_as_known(message, &contexts->known[at]);
        if (!known && !message->gone)
            touched->indexes[touched->count++] = (uint32_t)i;
    }
    return true;
}

enum change { ADDTO, REMOVEFROM };

/* ---- members ---------------------------------------------------------------------------------- */

static bool is_member(const struct searchcontext *context, uint32_t uid)
{
    size_t low = 0, high = context->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (context->uids[middle] < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < context->count && context->uids[low] == uid;
}

/* RFC 5267 4.3.3: of a SEARCH all have position 0, the order of the mailbox. */
static bool append_changes(struct imapsession *session, struct searchcontext *context,
                           enum change change, const struct touched *messages, struct str *out)
{
    struct searchresult changed = {.indexes = messages->indexes, .count = messages->count};
    if (context->sort && change == ADDTO)
        return sortcontext_add(context->sort, session, context->uid, &changed, out);
    if (context->sort)
        return sortcontext_remove(context->sort, session, context->uid, &changed, out);
    str_append_text(out, "0 ");
    searchresult_append_set(out, session, context->uid, messages->indexes, messages->count);
    return true;
}

static bool tell(struct imapsession *session, struct searchcontext *context, enum change change,
                 const struct touched *messages)
{
    if (messages->count == 0)
        return true;
    struct str *out = imapsession_line(session);
    str_append_text(out, "ESEARCH (TAG \"");
    str_append(out, context->tag);
    str_append_text(out, context->uid ? "\") UID " : "\") ");
    str_append_text(out, change == ADDTO ? "ADDTO (" : "REMOVEFROM (");
    if (!append_changes(session, context, change, messages, out))
        return false;
    str_append_byte(out, ')');
    imapsession_send(session);
    return true;
}

/* Both lists are in order. */
static bool change_members(const struct imapsession *session, struct searchcontext *context,
                           const struct touched *removed, const struct touched *added)
{
    const struct mailbox_message *messages = session->mailbox->messages;
    uint32_t *uids = calloc(context->count + added->count + 1, sizeof *uids);
    size_t count = 0, out = 0, in = 0;
    if (!uids)
        return false;
    for (size_t i = 0; i < context->count; i++) {
        uint32_t uid = context->uids[i];
        for (; in < added->count && messages[added->indexes[in]].uid < uid; in++)
            uids[count++] = messages[added->indexes[in]].uid;
        while (out < removed->count && messages[removed->indexes[out]].uid < uid)
            out++;
        if (out == removed->count || messages[removed->indexes[out]].uid != uid)
            uids[count++] = uid;
    }
    for (; in < added->count; in++)
        uids[count++] = messages[added->indexes[in]].uid;
    free(context->uids);
    context->uids = uids;
    context->count = count;
    return true;
}

/* ---- contexts --------------------------------------------------------------------------------- */

static void context_free(struct searchcontext *context)
{
    arena_free(&context->arena);
    sortcontext_free(&context->sort);
    free(context->uids);
    free(context);
}

void searchcontext_clear(struct imapsession *session)
{
    if (!session->contexts)
        return;
    for (struct searchcontext *context = session->contexts->first, *next; context; context = next) {
        next = context->next;
        context_free(context);
    }
    free(session->contexts->known);
    free(session->contexts);
    session->contexts = NULL;
}

/* What points to the context with this tag; NULL: there is none. */
static struct searchcontext **find(const struct imapsession *session, struct slice tag)
{
    if (!session->contexts)
        return NULL;
    struct searchcontext **at = &session->contexts->first;
    while (*at && !slice_equal((*at)->tag, tag))
        at = &(*at)->next;
    return *at ? at : NULL;
}

bool searchcontext_has(const struct imapsession *session, struct slice tag)
{
    return find(session, tag) != NULL;
}

/* Forgets the context with this tag; false: there is none. */
static bool forget(struct imapsession *session, struct slice tag)
{
    struct searchcontext **at = find(session, tag);
    if (!session->contexts || !at)
        return false;
    struct searchcontext *context = *at;
    *at = context->next;
    context_free(context);
    if (--session->contexts->count == 0)
        searchcontext_clear(session);
    return true;
}

/* Keeping up is over for this one, or was never begun. */
static void tell_no_update(struct imapsession *session, struct slice tag)
{
    struct str *out = imapsession_line(session);
    str_append_text(out, "NO [NOUPDATE \"");
    str_append(out, tag);
    str_append_text(out, "\"] The result is not kept up to date");
    imapsession_send(session);
}

/* "$" means the messages that it stood for: their UIDs, since those don't move. */
static void bind_saved(struct search_key *key)
{
    for (; key; key = key->next) {
        if (key->kind == SEARCH_SET && key->set.is_saved)
            key->kind = SEARCH_UID;
        bind_saved(key->child);
    }
}

static bool parse_keys(struct imapsession *session, struct searchcontext *context,
                       struct slice charset, struct slice keys)
{
    struct slice copy;
    struct parse parse;
    if (!arena_copy(&context->arena, keys, &copy) ||
        !arena_copy(&context->arena, session->tag, &context->tag))
        return false;
    parse_begin(&parse, copy, &context->arena);
    if (search_parse(&parse, charset, &context->root) != SEARCH_OK ||
        search_has_numbers(context->root))
        return false;
    bind_saved(context->root);
    return search_resolve(context->root, session, &context->arena);
}

static int compare_uids(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

static bool copy_members(const struct imapsession *session, struct searchcontext *context,
                         const struct sort_program *program, const struct searchresult *found)
{
    context->uids = calloc(found->count + 1, sizeof *context->uids);
    if (!context->uids)
        return false;
    for (size_t i = 0; i < found->count; i++)
        context->uids[i] = session->mailbox->messages[found->indexes[i]].uid;
    context->count = found->count;
    if (!program)
        return true;
    qsort(context->uids, context->count, sizeof *context->uids, compare_uids);
    context->sort = sortcontext_new(session, program, found);
    return context->sort;
}

static struct searchcontext *context_make(struct imapsession *session, struct slice charset,
                                          struct slice keys, const struct sort_program *program,
                                          const struct searchresult *found)
{
    struct searchcontext *context = calloc(1, sizeof *context);
    if (!context)
        return NULL;
    arena_init(&context->arena, IMAPSESSION_ARENA_MAX);
    context->uid = session->uid;
    if (parse_keys(session, context, charset, keys) &&
        copy_members(session, context, program, found))
        return context;
    context_free(context);
    return NULL;
}

/* Room for one more. What changed since the last look is told first, since all contexts share what is
 * known. */
static bool make_room(struct imapsession *session)
{
    if (session->contexts) {
        searchcontext_tell_news(session);
        return session->contexts && session->contexts->count < SEARCHCONTEXT_MAX;
    }
    session->contexts = calloc(1, sizeof *session->contexts);
    if (!session->contexts)
        return false;
    if (!take_down(session))
        searchcontext_clear(session);
    return session->contexts;
}

void searchcontext_add(struct imapsession *session, struct slice charset, struct slice keys,
                       const struct sort_program *program, const struct searchresult *found)
{
    struct searchcontext *context =
        make_room(session) ? context_make(session, charset, keys, program, found) : NULL;
    if (context) {
        context->next = session->contexts->first;
        session->contexts->first = context;
        session->contexts->count++;
        return;
    }
    if (session->contexts && session->contexts->count == 0)
        searchcontext_clear(session);
    tell_no_update(session, session->tag);
}

/* ---- news ------------------------------------------------------------------------------------- */

/* Out of memory: no context can be kept. */
static void give_up(struct imapsession *session)
{
    for (struct searchcontext *context = session->contexts->first; context; context = context->next)
        tell_no_update(session, context->tag);
    searchcontext_clear(session);
}

/* Which of the messages have come into the result, and which have left it. */
static bool renew(struct imapsession *session, struct searchcontext *context,
                  struct searcher *searcher, const struct touched *touched)
{
    struct touched added = {.indexes = calloc(touched->count + 1, sizeof(uint32_t))};
    struct touched removed = {.indexes = calloc(touched->count + 1, sizeof(uint32_t))};
    bool done = added.indexes && removed.indexes;
    for (size_t i = 0; i < touched->count && done; i++) {
        uint32_t index = touched->indexes[i];
        bool fits = searcher_fits(searcher, context->root, index);
        bool did = is_member(context, session->mailbox->messages[index].uid);
        if (fits && !did)
            added.indexes[added.count++] = index;
        else if (did && !fits)
            removed.indexes[removed.count++] = index;
    }
    if (done && added.count + removed.count > 0) {
        done = tell(session, context, REMOVEFROM, &removed) &&
               tell(session, context, ADDTO, &added) &&
               change_members(session, context, &removed, &added);
    }
    free(added.indexes);
    free(removed.indexes);
    return done;
}

static bool renew_all(struct imapsession *session, const struct touched *touched)
{
    struct searcher searcher;
    bool done = true;
    searcher_begin(&searcher, session->mailbox);
    for (struct searchcontext *context = session->contexts->first; context && done;
         context = context->next)
        done = renew(session, context, &searcher, touched);
    searcher_end(&searcher);
    return done && take_down(session);
}

void searchcontext_tell_news(struct imapsession *session)
{
    struct touched touched;
    if (!session->contexts)
        return;
    bool done = find_touched(session, &touched);
    if (done && touched.count > 0)
        done = renew_all(session, &touched);
    free(touched.indexes);
    if (!done)
        give_up(session);
}

static bool remove_gone(struct imapsession *session, struct searchcontext *context,
                        const struct touched *gone)
{
    struct touched removed = {.indexes = calloc(gone->count + 1, sizeof(uint32_t))}, none = {0};
    if (!removed.indexes)
        return false;
    for (size_t i = 0; i < gone->count; i++)
        if (is_member(context, session->mailbox->messages[gone->indexes[i]].uid))
            removed.indexes[removed.count++] = gone->indexes[i];
    bool done = tell(session, context, REMOVEFROM, &removed) &&
                (removed.count == 0 || change_members(session, context, &removed, &none));
    free(removed.indexes);
    return done;
}

void searchcontext_tell_gone(struct imapsession *session)
{
    if (!session->contexts)
        return;
    struct touched gone = {.indexes = calloc(session->told_exists + 1, sizeof(uint32_t))};
    bool done = gone.indexes;
    for (size_t i = 0; i < session->told_exists && done; i++)
        if (session->mailbox->messages[i].gone)
            gone.indexes[gone.count++] = (uint32_t)i;
    for (struct searchcontext *context = session->contexts->first;
         context && done && gone.count > 0; context = context->next)
        done = remove_gone(session, context, &gone);
    free(gone.indexes);
    if (!done)
        give_up(session);
}

/* ---- CANCELUPDATE ----------------------------------------------------------------------------- */

enum answer searchcontext_cancel(struct imapsession *session, struct parse *arguments)
{
    bool all = true;
    do {
        struct slice tag;
        if (parse_peek(arguments) != '"' || !parse_string(arguments, &tag))
            return ANSWER_SYNTAX;
        all = forget(session, tag) && all;
    } while (parse_space(arguments));
    if (!parse_at_end(arguments))
        return ANSWER_SYNTAX;
    return all ? ANSWER_DONE : ANSWER_NO_CONTEXT;
}
