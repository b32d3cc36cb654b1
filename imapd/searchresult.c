/* searchresult - see searchresult.h */
#include "searchresult.h"

#include "imapname.h"

/* ---- RETURN (...) ----------------------------------------------------------------------------- */

static const struct option {
    const char *name;
    enum searchresult_option option;
} options[] = {
    {"ALL", SEARCHRESULT_ALL},     {"CONTEXT", SEARCHRESULT_CONTEXT},
    {"COUNT", SEARCHRESULT_COUNT}, {"MAX", SEARCHRESULT_MAX},
    {"MIN", SEARCHRESULT_MIN},     {"PARTIAL", SEARCHRESULT_PARTIAL},
    {"SAVE", SEARCHRESULT_SAVE},   {"UPDATE", SEARCHRESULT_UPDATE},
};
enum { OPTION_COUNT = sizeof options / sizeof *options };

static bool parse_option(struct parse *parse, struct searchresult_return *wanted)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (!parse_word(parse, options[i].name))
            continue;
        bool again = wanted->options & options[i].option;
        wanted->options |= options[i].option;
        if (options[i].option != SEARCHRESULT_PARTIAL)
            return true;
        /* RFC 9394 3.1: once only */
        return !again && parse_space(parse) && partial_parse(parse, &wanted->partial);
    }
    return false;
}

static bool parse_options(struct parse *parse, struct searchresult_return *wanted)
{
    if (!parse_byte(parse, '('))
        return false;
    if (parse_byte(parse, ')'))
        return true;
    do {
        if (!parse_option(parse, wanted))
            return false;
    } while (parse_space(parse));
    return parse_byte(parse, ')');
}

bool searchresult_parse(struct parse *parse, struct searchresult_return *wanted)
{
    *wanted = (struct searchresult_return){0};
    if (!parse_word(parse, "RETURN"))
        return true;
    wanted->extended = true;
    if (!parse_space(parse) || !parse_options(parse, wanted) || !parse_space(parse))
        return false;
    /* RFC 4731 3.1: "()" is ALL; and so is what asks for nothing else (RFC 5267). RFC 9394 3.1: ALL and PARTIAL exclude each other. */
    unsigned hints = SEARCHRESULT_UPDATE | SEARCHRESULT_CONTEXT;
    if ((wanted->options | hints) == hints)
        wanted->options |= SEARCHRESULT_ALL;
    return !(wanted->options & SEARCHRESULT_ALL) || !(wanted->options & SEARCHRESULT_PARTIAL);
}

bool searchresult_has(const struct imapsession *session, const struct searchresult_return *wanted,
                      const char *extended, const char *context)
{
    if (!wanted->extended)
        return true;
    bool has_context = imapsession_has(session, context);
    unsigned kept = SEARCHRESULT_UPDATE | SEARCHRESULT_CONTEXT;
    if (wanted->options & SEARCHRESULT_SAVE && !imapsession_has(session, "SEARCHRES"))
        return false;
    if (wanted->options & kept && !has_context)
        return false;
    /* RFC 5267 4.4 has PARTIAL, too. */
    if (wanted->options & SEARCHRESULT_PARTIAL && !has_context &&
        !imapsession_has(session, "PARTIAL"))
        return false;
    return imapsession_has(session, extended);
}

/* ---- numbers ---------------------------------------------------------------------------------- */

uint32_t searchresult_number(const struct imapsession *session, bool uid, uint32_t index)
{
    return uid ? session->mailbox->messages[index].uid : index + 1;
}

void searchresult_append_set(struct str *out, const struct imapsession *session, bool uid,
                             const uint32_t *indexes, size_t count)
{
    for (size_t i = 0; i < count;) {
        uint32_t first = searchresult_number(session, uid, indexes[i]), last = first;
        if (i > 0)
            str_append_byte(out, ',');
        for (i++; i < count && searchresult_number(session, uid, indexes[i]) == last + 1; i++)
            last++;
        str_append_number(out, first);
        if (last == first)
            continue;
        str_append_byte(out, ':');
        str_append_number(out, last);
    }
}

static void append_number(struct imapsession *session, struct str *out, const char *label,
                          uint32_t index)
{
    str_append_text(out, label);
    str_append_number(out, searchresult_number(session, session->uid, index));
}

/* ---- answers ---------------------------------------------------------------------------------- */

static void tell_plain(struct imapsession *session, const char *name,
                       const struct searchresult *found)
{
    struct str *out = imapsession_line(session);
    str_append_text(out, name);
    for (size_t i = 0; i < found->count; i++)
        append_number(session, out, " ", found->indexes[i]);
    /* RFC 7162 3.1.5: not where nothing was found */
    if (found->modseq > 0 && found->count > 0)
        str_format(out, " (MODSEQ %llu)", (unsigned long long)found->modseq);
    imapsession_send(session);
}

static void append_partial(struct imapsession *session, struct str *out,
                           const struct partial *partial, const struct searchresult *found)
{
    size_t start, size;
    partial_clip(partial, found->count, &start, &size);
    str_append_text(out, " PARTIAL (");
    str_append(out, partial->text);
    str_append_byte(out, ' ');
    if (size > 0)
        searchresult_append_set(out, session, session->uid, found->indexes + start, size);
    else
        str_append_text(out, "NIL");
    str_append_byte(out, ')');
}

/* RFC 4466 2.6.2, RFC 7377 2.1: which command, which mailbox. */
static void append_correlator(struct imapsession *session, struct str *out,
                              const struct searchresult *found)
{
    str_append_text(out, "ESEARCH (TAG \"");
    str_append(out, session->tag);
    str_append_byte(out, '"');
    if (found->mailbox.size > 0) {
        str_append_text(out, " MAILBOX ");
        imapname_append(session, out, found->mailbox);
        str_append_text(out, " UIDVALIDITY ");
        str_append_number(out, session->mailbox->uidvalidity);
    }
    str_append_text(out, session->uid ? ") UID" : ")");
}

static void tell_extended(struct imapsession *session, const struct searchresult_return *wanted,
                          const struct searchresult *found)
{
    unsigned asked = wanted->options;
    struct str *out = imapsession_line(session);
    append_correlator(session, out, found);
    if (found->count > 0 && (asked & SEARCHRESULT_MIN))
        append_number(session, out, " MIN ", found->indexes[0]);
    if (found->count > 0 && (asked & SEARCHRESULT_MAX))
        append_number(session, out, " MAX ", found->indexes[found->count - 1]);
    if (asked & SEARCHRESULT_COUNT)
        str_format(out, " COUNT %zu", found->count);
    if (found->count > 0 && (asked & SEARCHRESULT_ALL)) {
        str_append_text(out, " ALL ");
        searchresult_append_set(out, session, session->uid, found->indexes, found->count);
    }
    if (asked & SEARCHRESULT_PARTIAL)
        append_partial(session, out, &wanted->partial, found);
    if (found->modseq > 0 && found->count > 0)
        str_format(out, " MODSEQ %llu", (unsigned long long)found->modseq);
    imapsession_send(session);
}

/* ---- SAVE ------------------------------------------------------------------------------------- */

/* RFC 5182 2.4, RFC 9394 3.2: where the answer told no more than ends and a page, "$" is these. */
static size_t collect(const struct imapsession *session, const struct searchresult_return *wanted,
                      const struct searchresult *found, uint32_t *uids)
{
    const struct mailbox_message *messages = session->mailbox->messages;
    unsigned some = wanted->options & (SEARCHRESULT_MIN | SEARCHRESULT_MAX | SEARCHRESULT_PARTIAL);
    bool all = some == 0 || (wanted->options & (SEARCHRESULT_ALL | SEARCHRESULT_COUNT));
    size_t start = 0, size = all ? found->count : 0, count = 0;
    if (!all && (some & SEARCHRESULT_PARTIAL))
        partial_clip(&wanted->partial, found->count, &start, &size);
    for (size_t i = 0; i < found->count; i++) {
        bool is_min = i == 0 && (some & SEARCHRESULT_MIN);
        bool is_max = i + 1 == found->count && (some & SEARCHRESULT_MAX);
        if (is_min || is_max || (i >= start && i - start < size))
            uids[count++] = messages[found->indexes[i]].uid;
    }
    return count;
}

static enum answer save(struct imapsession *session, const struct searchresult_return *wanted,
                        const struct searchresult *found)
{
    uint32_t *uids = arena_take_many(&session->arena, found->count + 1, sizeof *uids);
    if (uids && savedsearch_set(&session->saved, uids, collect(session, wanted, found, uids)))
        return ANSWER_DONE;
    savedsearch_clear(&session->saved);
    return ANSWER_NOT_SAVED;
}

enum answer searchresult_fail(struct imapsession *session, const struct searchresult_return *wanted,
                              enum answer answer)
{
    if (answer != ANSWER_SYNTAX && (wanted->options & SEARCHRESULT_SAVE))
        savedsearch_clear(&session->saved);
    return answer;
}

enum answer searchresult_tell(struct imapsession *session, const struct searchresult_return *wanted,
                              const char *name, const struct searchresult *found)
{
    /* RFC 5182 2.1: who only saves is told nothing. */
    if (!wanted->extended)
        tell_plain(session, name, found);
    else if (wanted->options != SEARCHRESULT_SAVE)
        tell_extended(session, wanted, found);
    return wanted->options & SEARCHRESULT_SAVE ? save(session, wanted, found) : ANSWER_DONE;
}
