/* appendparse - the arguments of APPEND and REPLACE, see append.h */
#include "append.h"

#include "maildate.h"

static bool parse_replaced(struct parse *parse, uint32_t *replaced)
{
    uint64_t number;
    *replaced = SEQUENCE_STAR;
    if (!parse_byte(parse, '*')) {
        if (!parse_number(parse, UINT32_MAX, &number) || number == 0)
            return false;
        *replaced = (uint32_t)number;
    }
    return parse_space(parse);
}

bool append_parse_head(struct parse *parse, bool replaces, struct append_head *head)
{
    *head = (struct append_head){.replaces = replaces};
    return (!replaces || parse_replaced(parse, &head->replaced)) &&
           parse_astring(parse, &head->mailbox);
}

static bool parse_flags(struct parse *parse, struct append_options *options)
{
    if (parse_peek(parse) != '(')
        return true;
    enum flags_result result = flags_parse(parse, false, &options->flags);
    options->flags_bad = result == FLAGS_UNKNOWN;
    return result != FLAGS_SYNTAX && parse_space(parse);
}

static bool parse_date(struct parse *parse, struct append_options *options)
{
    struct slice text;
    if (parse_peek(parse) != '"')
        return true;
    return parse_string(parse, &text) && maildate_parse_imap(text, &options->date) &&
           parse_space(parse);
}

/* RFC 6855 4: what stands in the parentheses is a literal8. */
static bool parse_data(struct parse *parse, struct append_options *options)
{
    struct literal literal;
    options->is_utf8 = parse_word(parse, "UTF8");
    if (options->is_utf8 && (!parse_space(parse) || !parse_byte(parse, '(')))
        return false;
    struct slice rest = slice_from(parse->text, parse->at);
    return literal_at_end(rest, &literal) && literal.start == 0 &&
           (literal.is_binary || !options->is_utf8);
}

bool append_parse_options(struct parse *parse, const struct append_options *before,
                          struct append_options *options)
{
    *options = (struct append_options){0};
    return (!before || !before->is_utf8 || parse_byte(parse, ')')) && parse_space(parse) &&
           parse_flags(parse, options) && parse_date(parse, options) && parse_data(parse, options);
}

/* "TAG APPEND " or "TAG [UID ]REPLACE ". */
static bool parse_command(struct parse *parse, bool *replaces)
{
    struct slice tag;
    if (!parse_tag(parse, &tag) || !parse_space(parse))
        return false;
    bool uid = parse_word(parse, "UID") && parse_space(parse);
    *replaces = uid || !parse_word(parse, "APPEND");
    return (!*replaces || parse_word(parse, "REPLACE")) && parse_space(parse);
}

bool append_takes(struct imapsession *session, struct slice text)
{
    struct append_head head;
    struct append_options options;
    struct arena arena;
    struct parse parse;
    bool replaces;
    arena_init(&arena, IMAPSESSION_ARENA_MAX);
    parse_begin(&parse, text, &arena);
    bool takes;
    if (session->appended)
        takes = append_parse_options(&parse, session->appended, &options);
    else
        takes = parse_command(&parse, &replaces) && append_parse_head(&parse, replaces, &head) &&
                append_parse_options(&parse, NULL, &options);
    arena_free(&arena);
    return takes;
}
