/* sort - SORT and UID SORT (RFC 5256 3, RFC 5957; with RETURN: RFC 5267 3) */
#include "sort.h"

#include "imapcommand.h"
#include "progress.h"
#include "search.h"
#include "searchcontext.h"

static const struct {
    const char *name;
    enum sortorder_key key;
    const char *capability; /* beside SORT; NULL: none */
} key_names[] = {
    {"ARRIVAL", SORTORDER_ARRIVAL, NULL},
    {"CC", SORTORDER_CC, NULL},
    {"DATE", SORTORDER_DATE, NULL},
    {"DISPLAYFROM", SORTORDER_DISPLAY_FROM, "SORT=DISPLAY"},
    {"DISPLAYTO", SORTORDER_DISPLAY_TO, "SORT=DISPLAY"},
    {"FROM", SORTORDER_FROM, NULL},
    {"SIZE", SORTORDER_SIZE, NULL},
    {"SUBJECT", SORTORDER_SUBJECT, NULL},
    {"TO", SORTORDER_TO, NULL},
};
enum { KEY_NAME_COUNT = sizeof key_names / sizeof *key_names };

/* ---- parsing ---------------------------------------------------------------------------------- */

/* A key that stands there already decides nothing any more. */
static void add_criterion(struct sort_program *program, struct sortorder_criterion criterion)
{
    for (size_t i = 0; i < program->count; i++)
        if (program->criteria[i].key == criterion.key)
            return;
    program->criteria[program->count++] = criterion;
}

static bool parse_criterion(const struct imapsession *session, struct parse *parse,
                            struct sort_program *program)
{
    bool reverse = parse_word(parse, "REVERSE");
    if (reverse && !parse_space(parse))
        return false;
    for (size_t i = 0; i < KEY_NAME_COUNT; i++) {
        if (!parse_word(parse, key_names[i].name))
            continue;
        add_criterion(program, (struct sortorder_criterion){key_names[i].key, reverse});
        return !key_names[i].capability || imapsession_has(session, key_names[i].capability);
    }
    return false;
}

static bool parse_program(const struct imapsession *session, struct parse *parse,
                          struct sort_program *program)
{
    if (!parse_byte(parse, '('))
        return false;
    do {
        if (!parse_criterion(session, parse, program))
            return false;
    } while (parse_space(parse));
    return parse_byte(parse, ')');
}

/* ---- sorting ---------------------------------------------------------------------------------- */

/* What the criteria need to know of a message. False when it is gone. */
static bool collect_facts(struct mailbox *mailbox, uint32_t index,
                          const struct sort_program *program, struct messagekeys_reader *reader,
                          struct messagekeys *keys, struct sortorder_facts *facts)
{
    struct mailbox_message *message = &mailbox->messages[index];
    *facts = (struct sortorder_facts){.arrival = message->date, .keys = keys};
    if (sortorder_needs_keys(program->criteria, program->count))
        (void)messagekeys_get(reader, index, keys);
    if (sortorder_needs_size(program->criteria, program->count) &&
        !mailbox_crlf_size(mailbox, message, &facts->size))
        facts->size = 0;
    return !message->gone;
}

/* With `keep`, nothing is said on the way: the caller is in the middle of a line. */
static bool fill(struct sortorder *order, struct imapsession *session,
                 const struct sort_program *program, bool keep, const struct searchresult *found)
{
    struct messagekeys_reader reader;
    struct progress progress;
    bool done = true;
    messagekeys_begin(&reader, session->mailbox);
    progress_begin(&progress, session, found->count);
    for (size_t i = 0; i < found->count && done; i++) {
        struct messagekeys keys;
        struct sortorder_facts facts;
        uint32_t index = found->indexes[i];
        if (collect_facts(session->mailbox, index, program, &reader, &keys, &facts) || keep)
            done = sortorder_add(order, index, &facts);
        if (!keep)
            progress_step(&progress, i);
    }
    messagekeys_end(&reader);
    return done;
}

bool sort_messages(struct imapsession *session, const struct sort_program *program, bool keep,
                   struct searchresult *found)
{
    struct sortorder order;
    if (!sortorder_begin(&order, program->criteria, program->count, found->count))
        return false;
    bool done = fill(&order, session, program, keep, found);
    if (done) {
        sortorder_sort(&order);
        found->count = order.count;
        for (size_t i = 0; i < order.count; i++)
            found->indexes[i] = order.entries[i].number;
    }
    sortorder_end(&order);
    return done;
}

static enum answer run(struct imapsession *session, struct parse *arguments,
                       const struct searchresult_return *wanted)
{
    struct sort_program program = {.count = 0};
    struct slice charset;
    struct search_key *root = NULL;
    struct searchresult found;
    if (!parse_program(session, arguments, &program) || !parse_space(arguments) ||
        !parse_astring(arguments, &charset) || !parse_space(arguments))
        return ANSWER_SYNTAX;
    struct slice keys = slice_from(arguments->text, arguments->at);
    enum answer answer = search_prepare(session, arguments, charset, &root);
    if (answer != ANSWER_DONE)
        return answer;
    if (!search_run(session, root, 0, &found) || !sort_messages(session, &program, false, &found))
        return ANSWER_TROUBLE;
    answer = searchresult_tell(session, wanted, "SORT", &found);
    if (wanted->options & SEARCHRESULT_UPDATE)
        searchcontext_add(session, charset, keys, &program, &found);
    return answer;
}

enum answer sort_sort(struct imapsession *session, struct parse *arguments)
{
    struct searchresult_return wanted;
    if (!searchresult_parse(arguments, &wanted) ||
        !searchresult_has(session, &wanted, "ESORT", "CONTEXT=SORT"))
        return ANSWER_SYNTAX;
    if (wanted.options & SEARCHRESULT_UPDATE && searchcontext_has(session, session->tag))
        return ANSWER_TAG_TAKEN;
    enum answer answer = run(session, arguments, &wanted);
    return answer == ANSWER_DONE ? answer : searchresult_fail(session, &wanted, answer);
}
