/* imapstore - STORE and UID STORE: changing flags and keywords */
#include "flags.h"
#include "imapcommand.h"
#include "modseq.h"
#include "pick.h"
#include "uidlist.h"
#include "update.h"

#include <errno.h>

struct store_request {
    enum mailbox_change change;
    bool silent;
    struct flags flags;
    uint32_t keywords;
    bool is_conditional;
    uint64_t unchanged_since; /* messages that were changed since then stay as they are */
    struct uidlist modified;  /* those: UIDs or message numbers */
};

static bool parse_item(struct parse *parse, struct store_request *request)
{
    static const struct {
        const char *name;
        enum mailbox_change change;
        bool silent;
    } items[] = {
        {"FLAGS", MAILBOX_REPLACE, false},    {"+FLAGS", MAILBOX_ADD, false},
        {"-FLAGS", MAILBOX_REMOVE, false},    {"FLAGS.SILENT", MAILBOX_REPLACE, true},
        {"+FLAGS.SILENT", MAILBOX_ADD, true}, {"-FLAGS.SILENT", MAILBOX_REMOVE, true},
    };
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        if (!parse_word(parse, items[i].name))
            continue;
        request->change = items[i].change;
        request->silent = items[i].silent;
        return true;
    }
    return false;
}

/* "(UNCHANGEDSINCE 17) " (RFC 7162 3.1.3) */
static bool parse_condition(struct imapsession *session, struct parse *parse,
                            struct store_request *request)
{
    if (!parse_byte(parse, '('))
        return true;
    request->is_conditional = true;
    return parse_word(parse, "UNCHANGEDSINCE") && parse_space(parse) &&
           modseq_parse(parse, &request->unchanged_since) && parse_byte(parse, ')') &&
           parse_space(parse) && modseq_enable(session);
}

static enum answer parse_request(struct imapsession *session, struct parse *parse,
                                 struct store_request *request)
{
    *request = (struct store_request){0};
    if (!parse_space(parse) || !parse_condition(session, parse, request) ||
        !parse_item(parse, request) || !parse_space(parse))
        return ANSWER_SYNTAX;
    enum flags_result result = flags_parse(parse, true, &request->flags);
    if (result == FLAGS_SYNTAX || !parse_at_end(parse))
        return ANSWER_SYNTAX;
    return result == FLAGS_OK ? ANSWER_DONE : ANSWER_BAD_FLAG;
}

static enum answer change_one(struct imapsession *session, struct pick *pick, size_t index,
                              struct store_request *request)
{
    struct mailbox *mailbox = session->mailbox;
    const struct mailbox_message *message = &mailbox->messages[index];
    if (request->is_conditional && mailbox_modseq(mailbox, message) > request->unchanged_since) {
        uidlist_add(&request->modified, session->uid ? message->uid : (uint32_t)index + 1);
        return ANSWER_DONE;
    }
    if (mailbox_set_flags(mailbox, &mailbox->messages[index], request->change, request->flags.flags,
                          request->keywords))
        return ANSWER_DONE;
    if (errno != ENOENT)
        return answer_from_errno(errno);
    pick->gone = true;
    return ANSWER_DONE;
}

/* All changes are made under one lock, on what is there now; the client is told afterwards, since
 * it may be slow. */
static enum answer change_all(struct imapsession *session, struct pick *pick,
                              struct store_request *request)
{
    enum answer answer = ANSWER_DONE;
    size_t index;
    if (!mailbox_lock(session->mailbox))
        return answer_from_errno(errno);
    /* A keyword that is taken away need not exist; whether one does, the last look tells. */
    bool create = request->change != MAILBOX_REMOVE;
    if (!mailbox_sync(session->mailbox))
        answer = answer_from_errno(errno);
    else if (!flags_keywords(session->mailbox, &request->flags, create, &request->keywords))
        answer = ANSWER_NO_KEYWORD;
    while (answer == ANSWER_DONE && pick_next(pick, session, &index))
        answer = change_one(session, pick, index, request);
    return mailbox_unlock(session->mailbox) ? answer : answer_from_errno(errno);
}

/* Who knows mod-sequences is told the new ones of a silent STORE, too (RFC 7162 3.1.3). */
static void tell_all(struct imapsession *session, struct pick pick,
                     const struct store_request *request)
{
    size_t index;
    if (request->silent && !(session->enabled & ENABLED_CONDSTORE))
        return;
    pick.next = 0;
    /* Where some were left as they are, the client needs to know how that is. */
    while (pick_next(&pick, session, &index))
        update_tell_message(session, index,
                            !request->silent || request->modified.first != 0 ||
                                session->mailbox->messages[index].changed);
}

/* The answer to a STORE that left some as they were (RFC 7162 3.1.3). */
static void set_modified(struct imapsession *session, struct store_request *request)
{
    struct slice modified = uidlist_end(&request->modified);
    if (modified.size == 0)
        return;
    str_append_text(&session->code, "MODIFIED ");
    str_append(&session->code, modified);
}

static enum answer store(struct imapsession *session, struct pick *pick,
                         struct store_request *request)
{
    enum answer answer = change_all(session, pick, request);
    if (flags_keyword_count(session->mailbox) != session->told_keywords)
        update_tell_flags(session);
    tell_all(session, *pick, request);
    set_modified(session, request);
    return answer == ANSWER_DONE ? pick_end(pick) : answer;
}

enum answer imapstore_store(struct imapsession *session, struct parse *arguments)
{
    struct pick pick;
    struct store_request request;
    enum answer set = pick_begin(&pick, session, arguments);
    if (set == ANSWER_SYNTAX)
        return set;
    enum answer answer = parse_request(session, arguments, &request);
    if (answer != ANSWER_DONE || set != ANSWER_DONE)
        return answer != ANSWER_DONE ? answer : set;
    if (session->read_only)
        return ANSWER_REFUSED_READ_ONLY;
    uidlist_init(&request.modified, IMAPSESSION_OUT_MAX);
    answer = store(session, &pick, &request);
    uidlist_free(&request.modified);
    return answer;
}
