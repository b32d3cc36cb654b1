/* imapstore - STORE and UID STORE: changing flags and keywords */
#include "flags.h"
#include "imapcommand.h"
#include "pick.h"
#include "update.h"

#include <errno.h>

struct store_request {
    enum mailbox_change change;
    bool silent;
    struct flags flags;
    uint32_t keywords;
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

static enum answer parse_request(struct parse *parse, struct store_request *request)
{
    *request = (struct store_request){0};
    if (!parse_space(parse) || !parse_item(parse, request) || !parse_space(parse))
        return ANSWER_SYNTAX;
    enum flags_result result = flags_parse(parse, true, &request->flags);
    if (result == FLAGS_SYNTAX || !parse_at_end(parse))
        return ANSWER_SYNTAX;
    return result == FLAGS_OK ? ANSWER_DONE : ANSWER_BAD_FLAG;
}

static enum answer change_one(struct imapsession *session, struct pick *pick, size_t index,
                              const struct store_request *request)
{
    struct mailbox *mailbox = session->mailbox;
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
                              const struct store_request *request)
{
    enum answer answer = ANSWER_DONE;
    size_t index;
    if (!mailbox_lock(session->mailbox))
        return answer_from_errno(errno);
    if (!mailbox_sync(session->mailbox))
        answer = answer_from_errno(errno);
    while (answer == ANSWER_DONE && pick_next(pick, session, &index))
        answer = change_one(session, pick, index, request);
    return mailbox_unlock(session->mailbox) ? answer : answer_from_errno(errno);
}

static void tell_all(struct imapsession *session, struct pick pick)
{
    size_t index;
    pick.next = 0;
    while (pick_next(&pick, session, &index))
        update_tell_message(session, index);
}

enum answer imapstore_store(struct imapsession *session, struct parse *arguments)
{
    struct pick pick;
    struct store_request request;
    enum answer set = pick_begin(&pick, session, arguments);
    if (set == ANSWER_SYNTAX)
        return set;
    enum answer answer = parse_request(arguments, &request);
    if (answer != ANSWER_DONE || set != ANSWER_DONE)
        return answer != ANSWER_DONE ? answer : set;
    if (session->read_only)
        return ANSWER_REFUSED_READ_ONLY;
    /* A keyword that is taken away need not exist. */
    bool create = request.change != MAILBOX_REMOVE;
    if (!flags_keywords(session->mailbox, &request.flags, create, &request.keywords))
        return ANSWER_NO_KEYWORD;
    answer = change_all(session, &pick, &request);
    if (flags_keyword_count(session->mailbox) != session->told_keywords)
        update_tell_flags(session);
    if (!request.silent)
        tell_all(session, pick);
    return answer == ANSWER_DONE ? pick_end(&pick) : answer;
}
