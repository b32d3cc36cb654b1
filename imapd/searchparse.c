/* searchparse - the keys of SEARCH, see search.h */
#include "search.h"

#include "casefold.h"
#include "charset.h"
#include "flags.h"
#include "maildate.h"
#include "modseq.h"
#include "objectid.h"
#include "pick.h"

enum { SEARCH_TEXT_MAX = 1048576 };

enum cost { COST_LIST, COST_SIZE, COST_HEADER, COST_BODY };

enum argument {
    ARGUMENT_NONE,
    ARGUMENT_TEXT,
    ARGUMENT_DAY,
    ARGUMENT_SIZE,
    ARGUMENT_SECONDS,
    ARGUMENT_OBJECT
};

/* Keys with at most one plain argument. */
static const struct plain_key {
    const char *name;
    enum search_kind kind;
    enum argument argument;
    enum cost cost;
    bool negated;
    unsigned flags;
    const char *field;
} plain_keys[] = {
    {"ALL", SEARCH_ALL, ARGUMENT_NONE, COST_LIST, false, 0, NULL},
    {"ANSWERED", SEARCH_FLAG, ARGUMENT_NONE, COST_LIST, false, MAILDIR_REPLIED, NULL},
    {"BCC", SEARCH_HEADER, ARGUMENT_TEXT, COST_HEADER, false, 0, "Bcc"},
    {"BEFORE", SEARCH_BEFORE, ARGUMENT_DAY, COST_LIST, false, 0, NULL},
    {"BODY", SEARCH_BODY, ARGUMENT_TEXT, COST_BODY, false, 0, NULL},
    {"CC", SEARCH_HEADER, ARGUMENT_TEXT, COST_HEADER, false, 0, "Cc"},
    {"DELETED", SEARCH_FLAG, ARGUMENT_NONE, COST_LIST, false, MAILDIR_TRASHED, NULL},
    {"DRAFT", SEARCH_FLAG, ARGUMENT_NONE, COST_LIST, false, MAILDIR_DRAFT, NULL},
    {"EMAILID", SEARCH_EMAIL, ARGUMENT_OBJECT, COST_LIST, false, 0, NULL},
    {"FLAGGED", SEARCH_FLAG, ARGUMENT_NONE, COST_LIST, false, MAILDIR_FLAGGED, NULL},
    {"FROM", SEARCH_HEADER, ARGUMENT_TEXT, COST_HEADER, false, 0, "From"},
    {"LARGER", SEARCH_LARGER, ARGUMENT_SIZE, COST_SIZE, false, 0, NULL},
    {"OLD", SEARCH_RECENT, ARGUMENT_NONE, COST_LIST, true, 0, NULL},
    {"OLDER", SEARCH_OLDER, ARGUMENT_SECONDS, COST_LIST, false, 0, NULL},
    {"ON", SEARCH_ON, ARGUMENT_DAY, COST_LIST, false, 0, NULL},
    {"RECENT", SEARCH_RECENT, ARGUMENT_NONE, COST_LIST, false, 0, NULL},
    {"SAVEDATESUPPORTED", SEARCH_SAVED_SUPPORTED, ARGUMENT_NONE, COST_LIST, false, 0, NULL},
    {"SAVEDBEFORE", SEARCH_SAVED_BEFORE, ARGUMENT_DAY, COST_LIST, false, 0, NULL},
    {"SAVEDON", SEARCH_SAVED_ON, ARGUMENT_DAY, COST_LIST, false, 0, NULL},
    {"SAVEDSINCE", SEARCH_SAVED_SINCE, ARGUMENT_DAY, COST_LIST, false, 0, NULL},
    {"SEEN", SEARCH_FLAG, ARGUMENT_NONE, COST_LIST, false, MAILDIR_SEEN, NULL},
    {"SENTBEFORE", SEARCH_SENT_BEFORE, ARGUMENT_DAY, COST_HEADER, false, 0, NULL},
    {"SENTON", SEARCH_SENT_ON, ARGUMENT_DAY, COST_HEADER, false, 0, NULL},
    {"SENTSINCE", SEARCH_SENT_SINCE, ARGUMENT_DAY, COST_HEADER, false, 0, NULL},
    {"SINCE", SEARCH_SINCE, ARGUMENT_DAY, COST_LIST, false, 0, NULL},
    {"SMALLER", SEARCH_SMALLER, ARGUMENT_SIZE, COST_SIZE, false, 0, NULL},
    {"SUBJECT", SEARCH_HEADER, ARGUMENT_TEXT, COST_HEADER, false, 0, "Subject"},
    {"TEXT", SEARCH_TEXT, ARGUMENT_TEXT, COST_BODY, false, 0, NULL},
    {"THREADID", SEARCH_THREAD, ARGUMENT_OBJECT, COST_HEADER, false, 0, NULL},
    {"TO", SEARCH_HEADER, ARGUMENT_TEXT, COST_HEADER, false, 0, "To"},
    {"UNANSWERED", SEARCH_FLAG, ARGUMENT_NONE, COST_LIST, true, MAILDIR_REPLIED, NULL},
    {"UNDELETED", SEARCH_FLAG, ARGUMENT_NONE, COST_LIST, true, MAILDIR_TRASHED, NULL},
    {"UNDRAFT", SEARCH_FLAG, ARGUMENT_NONE, COST_LIST, true, MAILDIR_DRAFT, NULL},
    {"UNFLAGGED", SEARCH_FLAG, ARGUMENT_NONE, COST_LIST, true, MAILDIR_FLAGGED, NULL},
    {"UNSEEN", SEARCH_FLAG, ARGUMENT_NONE, COST_LIST, true, MAILDIR_SEEN, NULL},
    {"YOUNGER", SEARCH_YOUNGER, ARGUMENT_SECONDS, COST_LIST, false, 0, NULL},
};
enum { PLAIN_KEY_COUNT = sizeof plain_keys / sizeof *plain_keys };

struct search_parser {
    struct parse *parse;
    struct slice charset; /* of the strings; empty: UTF-8 */
    unsigned depth;
};

static struct search_key *parse_key(struct search_parser *parser);

static struct search_key *new_key(struct search_parser *parser, enum search_kind kind,
                                  enum cost cost)
{
    struct search_key *key = arena_take(parser->parse->arena, sizeof *key);
    if (key) {
        key->kind = kind;
        key->cost = cost;
    }
    return key;
}

static struct search_key *negate(struct search_parser *parser, struct search_key *child)
{
    struct search_key *key = child ? new_key(parser, SEARCH_NOT, child->cost) : NULL;
    if (key)
        key->child = child;
    return key;
}

/* Into UTF-8, then folded, into the arena. */
static bool convert_text(struct search_parser *parser, struct slice text, struct textneedle *needle)
{
    struct str utf8, fold;
    str_init(&utf8, SEARCH_TEXT_MAX);
    str_init(&fold, SEARCH_TEXT_MAX * 4);
    struct slice charset = parser->charset.size > 0 ? parser->charset : SLICE("UTF-8");
    struct slice folded;
    bool done = charset_to_utf8(charset, text, &utf8, NULL) &&
                casefold_fold(str_slice(&utf8), &fold) &&
                arena_copy(parser->parse->arena, str_slice(&fold), &folded);
    if (done)
        textneedle_make(needle, folded);
    str_free(&utf8);
    str_free(&fold);
    return done;
}

static bool parse_text(struct search_parser *parser, struct textneedle *needle)
{
    struct slice text;
    return parse_space(parser->parse) && parse_astring(parser->parse, &text) &&
           convert_text(parser, text, needle);
}

static bool parse_day(struct search_parser *parser, int64_t *day)
{
    struct slice text;
    return parse_space(parser->parse) && parse_astring(parser->parse, &text) &&
           maildate_parse_imap_day(text, day);
}

static bool parse_argument(struct search_parser *parser, enum argument argument,
                           struct search_key *key)
{
    switch (argument) {
    case ARGUMENT_NONE:
        return true;
    case ARGUMENT_TEXT:
        return parse_text(parser, &key->needle);
    case ARGUMENT_DAY:
        return parse_day(parser, &key->day);
    case ARGUMENT_SIZE: /* number64 of RFC 9051 */
        return parse_space(parser->parse) && parse_number(parser->parse, INT64_MAX, &key->size);
    case ARGUMENT_SECONDS: /* RFC 5032 2: not zero */
        return parse_space(parser->parse) && parse_number(parser->parse, UINT32_MAX, &key->size) &&
               key->size > 0;
    case ARGUMENT_OBJECT:
        return parse_space(parser->parse) && parse_atom(parser->parse, &key->name) &&
               objectid_is_valid(key->name);
    }
    return false;
}

static struct search_key *parse_plain(struct search_parser *parser, const struct plain_key *plain)
{
    struct search_key *key = new_key(parser, plain->kind, plain->cost);
    if (!key || !parse_argument(parser, plain->argument, key))
        return NULL;
    key->flags = plain->flags;
    if (plain->field)
        key->name = slice_text(plain->field);
    return plain->negated ? negate(parser, key) : key;
}

static struct search_key *parse_keyword(struct search_parser *parser, bool negated)
{
    struct search_key *key = new_key(parser, SEARCH_KEYWORD, COST_LIST);
    if (!key || !parse_space(parser->parse) || !parse_atom(parser->parse, &key->name))
        return NULL;
    key->flags = flags_system(key->name);
    if (key->flags)
        key->kind = SEARCH_FLAG;
    return negated ? negate(parser, key) : key;
}

static struct search_key *parse_header(struct search_parser *parser)
{
    struct search_key *key = new_key(parser, SEARCH_HEADER, COST_HEADER);
    if (!key || !parse_space(parser->parse) || !parse_astring(parser->parse, &key->name) ||
        !parse_text(parser, &key->needle))
        return NULL;
    return key;
}

/* "/flags/\\draft" all: of which flag the mod-sequence is meant. Here they have one together (RFC 7162
 * 3.1.5), so this is read and passed over. */
static bool parse_entry(struct parse *parse)
{
    struct slice name;
    if (parse_peek(parse) != '"')
        return true;
    return parse_string(parse, &name) && slice_starts_nocase(name, SLICE("/flags/")) &&
           parse_space(parse) &&
           (parse_word(parse, "all") || parse_word(parse, "priv") || parse_word(parse, "shared")) &&
           parse_space(parse);
}

static struct search_key *parse_modseq(struct search_parser *parser)
{
    struct search_key *key = new_key(parser, SEARCH_MODSEQ, COST_LIST);
    if (!key || !parse_space(parser->parse) || !parse_entry(parser->parse) ||
        !modseq_parse(parser->parse, &key->size))
        return NULL;
    return key;
}

static struct search_key *parse_uid(struct search_parser *parser)
{
    struct search_key *key = new_key(parser, SEARCH_UID, COST_LIST);
    if (!key || !parse_space(parser->parse) || !parse_sequence(parser->parse, &key->set))
        return NULL;
    return key;
}

static struct search_key *parse_not(struct search_parser *parser)
{
    return parse_space(parser->parse) ? negate(parser, parse_key(parser)) : NULL;
}

static struct search_key *parse_or(struct search_parser *parser)
{
    struct search_key *key = new_key(parser, SEARCH_OR, COST_LIST);
    if (!key || !parse_space(parser->parse) || !(key->child = parse_key(parser)) ||
        !parse_space(parser->parse) || !(key->child->next = parse_key(parser)))
        return NULL;
    unsigned second = key->child->next->cost;
    key->cost = key->child->cost > second ? key->child->cost : second;
    return key;
}

/* NEW is RECENT UNSEEN. */
static struct search_key *parse_new(struct search_parser *parser)
{
    struct search_key *key = new_key(parser, SEARCH_AND, COST_LIST);
    struct search_key *recent = new_key(parser, SEARCH_RECENT, COST_LIST);
    struct search_key *seen = new_key(parser, SEARCH_FLAG, COST_LIST);
    if (!key || !recent || !seen)
        return NULL;
    seen->flags = MAILDIR_SEEN;
    key->child = recent;
    recent->next = negate(parser, seen);
    return recent->next ? key : NULL;
}

static struct search_key *parse_named(struct search_parser *parser, struct slice name)
{
    for (size_t i = 0; i < PLAIN_KEY_COUNT; i++)
        if (slice_equal_nocase(name, slice_text(plain_keys[i].name)))
            return parse_plain(parser, &plain_keys[i]);
    if (slice_equal_nocase(name, SLICE("HEADER")))
        return parse_header(parser);
    if (slice_equal_nocase(name, SLICE("KEYWORD")))
        return parse_keyword(parser, false);
    if (slice_equal_nocase(name, SLICE("UNKEYWORD")))
        return parse_keyword(parser, true);
    if (slice_equal_nocase(name, SLICE("MODSEQ")))
        return parse_modseq(parser);
    if (slice_equal_nocase(name, SLICE("UID")))
        return parse_uid(parser);
    if (slice_equal_nocase(name, SLICE("NOT")))
        return parse_not(parser);
    if (slice_equal_nocase(name, SLICE("OR")))
        return parse_or(parser);
    if (slice_equal_nocase(name, SLICE("NEW")))
        return parse_new(parser);
    return NULL;
}

/* Puts a key among its neighbours, behind those that cost no more: what is cheap to look at keeps
 * files from being opened. */
static void insert(struct search_key *list, struct search_key *key)
{
    struct search_key **at = &list->child;
    while (*at && (*at)->cost <= key->cost)
        at = &(*at)->next;
    key->next = *at;
    *at = key;
    if (key->cost > list->cost)
        list->cost = key->cost;
}

/* Keys with spaces between, all of which must fit. */
static struct search_key *parse_list(struct search_parser *parser)
{
    struct search_key *list = new_key(parser, SEARCH_AND, COST_LIST);
    if (!list)
        return NULL;
    do {
        struct search_key *key = parse_key(parser);
        if (!key)
            return NULL;
        insert(list, key);
    } while (parse_space(parser->parse));
    return list;
}

static struct search_key *parse_one(struct search_parser *parser)
{
    struct parse *parse = parser->parse;
    struct slice name;
    if (parse_byte(parse, '(')) {
        struct search_key *list = parse_list(parser);
        return list && parse_byte(parse, ')') ? list : NULL;
    }
    if (slice_is_digit(parse_peek(parse)) || parse_peek(parse) == '*' || parse_peek(parse) == '$') {
        struct search_key *key = new_key(parser, SEARCH_SET, COST_LIST);
        return key && parse_sequence(parse, &key->set) ? key : NULL;
    }
    return parse_atom(parse, &name) ? parse_named(parser, name) : NULL;
}

static struct search_key *parse_key(struct search_parser *parser)
{
    if (parser->depth == SEARCH_DEPTH_MAX)
        return NULL;
    parser->depth++;
    struct search_key *key = parse_one(parser);
    parser->depth--;
    return key;
}

bool search_parse_charset(struct parse *parse, struct slice *charset)
{
    *charset = SLICE("");
    return !parse_word(parse, "CHARSET") ||
           (parse_space(parse) && parse_astring(parse, charset) && parse_space(parse));
}

enum search_result search_parse(struct parse *parse, struct slice charset, struct search_key **root)
{
    struct search_parser parser = {.parse = parse, .charset = charset};
    *root = parse_list(&parser);
    if (!*root || !parse_at_end(parse))
        return SEARCH_SYNTAX;
    return charset.size == 0 || charset_is_known(charset) ? SEARCH_OK : SEARCH_BAD_CHARSET;
}

bool search_resolve(struct search_key *key, const struct imapsession *session, struct arena *arena)
{
    for (; key; key = key->next) {
        bool uid = key->kind == SEARCH_UID;
        if ((uid || key->kind == SEARCH_SET) && !pick_resolve(session, &key->set, uid, arena))
            return false;
        if (!search_resolve(key->child, session, arena))
            return false;
    }
    return true;
}
