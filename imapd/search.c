/* search - SEARCH and UID SEARCH */
#include "search.h"

#include "imapcommand.h"
#include "modseq.h"
#include "progress.h"
#include "searchcontext.h"
#include "searchresult.h"

static bool asks_for(const struct search_key *key, enum search_kind kind)
{
    for (; key; key = key->next)
        if (key->kind == kind || asks_for(key->child, kind))
            return true;
    return false;
}

/* RFC 7162 3.1.5: a search for mod-sequences tells the highest one of what it found. */
static bool asks_for_modseq(const struct search_key *key)
{
    return asks_for(key, SEARCH_MODSEQ);
}

static uint64_t highest_modseq(const struct mailbox *mailbox, const struct searchresult *found)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < found->count; i++) {
        uint64_t modseq = mailbox_modseq(mailbox, &mailbox->messages[found->indexes[i]]);
        if (modseq > highest)
            highest = modseq;
    }
    return highest;
}

enum answer search_read(struct parse *parse, struct slice charset, struct search_key **root)
{
    switch (search_parse(parse, charset, root)) {
    case SEARCH_OK:
        return ANSWER_DONE;
    case SEARCH_BAD_CHARSET:
        return ANSWER_BAD_CHARSET;
    case SEARCH_SYNTAX:
        break;
    }
    return ANSWER_SYNTAX;
}

bool search_take_charset(const struct imapsession *session, struct parse *parse,
                         struct slice *charset)
{
    return search_parse_charset(parse, charset) &&
           (charset->size == 0 || !(session->enabled & ENABLED_UTF8));
}

bool search_has_numbers(const struct search_key *key)
{
    for (; key; key = key->next)
        if ((key->kind == SEARCH_SET && !key->set.is_saved) || search_has_numbers(key->child))
            return true;
    return false;
}

/* The capability without which there is no such key; NULL: none. */
static const char *capability_of(const struct search_key *key)
{
    switch (key->kind) {
    case SEARCH_EMAIL:
    case SEARCH_THREAD:
        return "OBJECTID";
    case SEARCH_OLDER:
    case SEARCH_YOUNGER:
        return "WITHIN";
    case SEARCH_SAVED_SUPPORTED:
    case SEARCH_SAVED_BEFORE:
    case SEARCH_SAVED_ON:
    case SEARCH_SAVED_SINCE:
        return "SAVEDATE";
    default:
        return key->set.is_saved ? "SEARCHRES" : NULL;
    }
}

static bool has_keys(const struct imapsession *session, const struct search_key *key)
{
    for (; key; key = key->next) {
        const char *capability = capability_of(key);
        if ((capability && !imapsession_has(session, capability)) || !has_keys(session, key->child))
            return false;
    }
    return true;
}

bool search_enable(struct imapsession *session, const struct search_key *root)
{
    return has_keys(session, root) && (!asks_for_modseq(root) || modseq_enable(session));
}

enum answer search_prepare(struct imapsession *session, struct parse *parse, struct slice charset,
                           struct search_key **root)
{
    enum answer answer = search_read(parse, charset, root);
    if (answer != ANSWER_DONE)
        return answer;
    if (!search_enable(session, *root))
        return ANSWER_SYNTAX;
    session->has_numbers = search_has_numbers(*root);
    return search_resolve(*root, session, &session->arena) ? ANSWER_DONE : ANSWER_TROUBLE;
}

/* A search at work. */
struct hunt {
    struct searcher searcher;
    struct progress progress;
    const struct search_key *root;
    size_t exists;
    uint64_t looked_at;
};

/* The client has gone: telling it of the progress shows that. */
static bool is_deserted(const struct hunt *hunt)
{
    return hunt->progress.session->stream.broken != STREAM_OK;
}

static bool fits_at(struct hunt *hunt, size_t index)
{
    struct searcher *searcher = &hunt->searcher;
    progress_step(&hunt->progress, hunt->looked_at++);
    return !searcher->mailbox->messages[index].gone && searcher_fits(searcher, hunt->root, index);
}

static void find_all(struct hunt *hunt, bool only_first, struct searchresult *found)
{
    for (size_t i = 0; i < hunt->exists && !is_deserted(hunt); i++) {
        if (!fits_at(hunt, i))
            continue;
        found->indexes[found->count++] = (uint32_t)i;
        if (only_first)
            return;
    }
}

/* The last one; the first was found already, if it counts. */
static void find_last(struct hunt *hunt, struct searchresult *found)
{
    size_t least = found->count > 0 ? found->indexes[0] + 1 : 0;
    for (size_t i = hunt->exists; i > least && !is_deserted(hunt); i--) {
        if (!fits_at(hunt, i - 1))
            continue;
        found->indexes[found->count++] = (uint32_t)(i - 1);
        return;
    }
}

bool search_run(struct imapsession *session, const struct search_key *root, unsigned ends,
                struct searchresult *found)
{
    uint32_t *indexes =
        arena_take_many(&session->arena, session->told_exists + 1, sizeof *found->indexes);
    *found = (struct searchresult){.indexes = indexes};
    if (!indexes)
        return false;
    struct hunt hunt = {.root = root, .exists = session->told_exists};
    searcher_begin(&hunt.searcher, session->mailbox);
    progress_begin(&hunt.progress, session, hunt.exists);
    if (ends != SEARCHRESULT_MAX)
        find_all(&hunt, ends != 0, found);
    if ((ends & SEARCHRESULT_MAX) && (ends == SEARCHRESULT_MAX || found->count > 0))
        find_last(&hunt, found);
    searcher_end(&hunt.searcher);
    if (asks_for_modseq(root))
        found->modseq = highest_modseq(session->mailbox, found);
    return true;
}

static enum answer run(struct imapsession *session, struct parse *arguments,
                       const struct searchresult_return *wanted)
{
    struct slice charset;
    struct search_key *root = NULL;
    struct searchresult found;
    if (!search_take_charset(session, arguments, &charset))
        return ANSWER_SYNTAX;
    struct slice keys = slice_from(arguments->text, arguments->at);
    enum answer answer = search_prepare(session, arguments, charset, &root);
    if (answer != ANSWER_DONE)
        return answer;
    unsigned both = SEARCHRESULT_MIN | SEARCHRESULT_MAX;
    bool only_ends = (wanted->options | both | SEARCHRESULT_SAVE) == (both | SEARCHRESULT_SAVE);
    if (!search_run(session, root, only_ends ? wanted->options & both : 0, &found))
        return ANSWER_TROUBLE;
    answer = searchresult_tell(session, wanted, "SEARCH", &found);
    if (wanted->options & SEARCHRESULT_UPDATE)
        searchcontext_add(session, charset, keys, NULL, &found);
    return answer;
}

enum answer search_search(struct imapsession *session, struct parse *arguments)
{
    struct searchresult_return wanted;
    if (!searchresult_parse(arguments, &wanted) ||
        !searchresult_has(session, &wanted, "ESEARCH", "CONTEXT=SEARCH"))
        return ANSWER_SYNTAX;
    if (wanted.options & SEARCHRESULT_UPDATE && searchcontext_has(session, session->tag))
        return ANSWER_TAG_TAKEN;
    if (!wanted.extended && (session->enabled & ENABLED_REV2))
        wanted = (struct searchresult_return){.extended = true, .options = SEARCHRESULT_ALL};
    enum answer answer = run(session, arguments, &wanted);
    return answer == ANSWER_DONE ? answer : searchresult_fail(session, &wanted, answer);
}
