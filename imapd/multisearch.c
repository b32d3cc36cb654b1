/* multisearch - ESEARCH: one search in several mailboxes (MULTISEARCH, RFC 7377) */
#include "imapcommand.h"
#include "imapname.h"
#include "mailboxfilter.h"
#include "search.h"
#include "searchresult.h"

#include <errno.h>

struct multisearch {
    struct mailboxfilters where;
    struct searchresult_return wanted;
    struct slice charset;
    struct parse program; /* the keys, read anew for each mailbox: '*' is another number there */
};

/* What of a session is about the selected mailbox, for a search. */
struct view {
    struct mailbox *mailbox;
    size_t told_exists;
    struct savedsearch saved;
    struct arena arena;
};

static bool parse_source(struct imapsession *session, struct parse *parse,
                         struct multisearch *search)
{
    if (!parse_word(parse, "IN")) {
        search->where.count = 1;
        search->where.all[0] = (struct mailboxfilter){.kind = MAILBOXFILTER_SELECTED};
        return true;
    }
    /* Scope options: none is defined yet. */
    return parse_space(parse) && parse_byte(parse, '(') &&
           mailboxfilter_parse(session, parse, &search->where) && parse_byte(parse, ')') &&
           parse_space(parse);
}

static bool has_message_numbers(const struct search_key *key)
{
    for (; key; key = key->next)
        if (key->kind == SEARCH_SET || has_message_numbers(key->child))
            return true;
    return false;
}

static bool names_selected(const struct mailboxfilters *filters)
{
    for (size_t i = 0; i < filters->count; i++)
        if (filters->all[i].kind == MAILBOXFILTER_SELECTED)
            return true;
    return false;
}

/* RFC 7377 2.1, 2.2: message numbers, "$" and SAVE are of the selected mailbox alone. */
static enum answer check(struct imapsession *session, struct multisearch *search)
{
    struct search_key *root = NULL;
    struct parse program = search->program;
    enum answer answer = search_read(&program, search->charset, &root);
    if (answer != ANSWER_DONE)
        return answer;
    if (names_selected(&search->where) && !session->mailbox)
        return ANSWER_NOT_SELECTED;
    if (!search_enable(session, root) ||
        !searchresult_has(session, &search->wanted, "MULTISEARCH", "CONTEXT=SEARCH"))
        return ANSWER_SYNTAX;
    bool is_of_one = has_message_numbers(root) || (search->wanted.options & SEARCHRESULT_SAVE);
    return is_of_one && !mailboxfilter_is_selected_alone(&search->where) ? ANSWER_SYNTAX
                                                                         : ANSWER_DONE;
}

static enum answer search_one(struct imapsession *session, const struct multisearch *search,
                              struct slice name)
{
    struct search_key *root = NULL;
    struct searchresult found;
    struct parse program = search->program;
    enum answer answer = search_prepare(session, &program, search->charset, &root);
    if (answer != ANSWER_DONE)
        return answer;
    if (!search_run(session, root, 0, &found))
        return ANSWER_TROUBLE;
    found.mailbox = name;
    /* RFC 7377 2.1: one without a match is not named; but "$" is emptied by it. */
    if (found.count == 0 && !(search->wanted.options & SEARCHRESULT_SAVE))
        return ANSWER_DONE;
    return searchresult_tell(session, &search->wanted, "SEARCH", &found);
}

/* The session looks at another mailbox meanwhile, with memory of its own. */
static enum answer search_other(struct imapsession *session, const struct multisearch *search,
                                struct mailbox *mailbox, struct slice name)
{
    struct view own = {session->mailbox, session->told_exists, session->saved, session->arena};
    session->mailbox = mailbox;
    session->told_exists = mailbox->count;
    session->saved = (struct savedsearch){0};
    arena_init(&session->arena, own.arena.max);
    enum answer answer = search_one(session, search, name);
    arena_free(&session->arena);
    session->arena = own.arena;
    session->saved = own.saved;
    session->told_exists = own.told_exists;
    session->mailbox = own.mailbox;
    return answer;
}

static enum answer search_named(struct imapsession *session, const struct multisearch *search,
                                struct slice name)
{
    struct imapfolder folder;
    enum answer answer = ANSWER_DONE;
    if (!imapfolder_named(name, &folder))
        return ANSWER_DONE;
    struct mailbox *mailbox = imapsession_open_to_read(session, &folder, &answer);
    if (!mailbox) /* it may have gone since it was listed */
        return answer == ANSWER_NO_MAILBOX ? ANSWER_DONE : answer;
    answer = mailbox == session->mailbox ? search_one(session, search, name)
                                         : search_other(session, search, mailbox, name);
    imapsession_close_other(session, mailbox);
    return answer;
}

static enum answer search_all(struct imapsession *session, const struct multisearch *search)
{
    struct foldertree tree;
    if (!mailboxfilter_choose(session, &search->where, &tree))
        return answer_from_errno(errno);
    enum answer answer = ANSWER_DONE;
    for (size_t i = 0; answer == ANSWER_DONE && !session->ended && i < tree.count; i++)
        if (tree.entries[i].meets)
            answer = search_named(session, search, slice_text(tree.entries[i].name));
    foldertree_free(&tree);
    return answer;
}

enum answer multisearch_esearch(struct imapsession *session, struct parse *arguments)
{
    struct multisearch search = {.where = {.count = 0}};
    if (!parse_source(session, arguments, &search) ||
        !searchresult_parse(arguments, &search.wanted) ||
        !search_take_charset(session, arguments, &search.charset))
        return ANSWER_SYNTAX;
    if (!search.wanted.extended)
        search.wanted = (struct searchresult_return){.extended = true, .options = SEARCHRESULT_ALL};
    search.program = *arguments;
    enum answer answer = check(session, &search);
    if (answer != ANSWER_DONE)
        return answer;
    session->uid = true; /* numbers in the answers are UIDs */
    return mailboxfilter_is_selected_alone(&search.where)
               ? search_one(session, &search, slice_text(session->folder.name))
               : search_all(session, &search);
}
