/* flags - see flags.h */
#include "flags.h"

/* $Forwarded has been Maildir's P since long before it was a keyword. */
static const struct flag_name {
    const char *name;
    unsigned flag;
} system_flags[] = {
    {"\\Answered", MAILDIR_REPLIED}, {"\\Flagged", MAILDIR_FLAGGED}, {"\\Deleted", MAILDIR_TRASHED},
    {"\\Seen", MAILDIR_SEEN},        {"\\Draft", MAILDIR_DRAFT},     {"$Forwarded", MAILDIR_PASSED},
};
enum { SYSTEM_FLAG_COUNT = sizeof system_flags / sizeof *system_flags };

static const unsigned all_system_flags = MAILDIR_REPLIED | MAILDIR_FLAGGED | MAILDIR_TRASHED |
                                         MAILDIR_SEEN | MAILDIR_DRAFT | MAILDIR_PASSED;

unsigned flags_system(struct slice name)
{
    for (size_t i = 0; i < SYSTEM_FLAG_COUNT; i++)
        if (slice_equal_nocase(name, slice_text(system_flags[i].name)))
            return system_flags[i].flag;
    return 0;
}

/* Room for every flag that the rest of the command can hold. */
static bool make_room(struct parse *parse, struct flags *flags)
{
    size_t most = (parse->text.size - parse->at) / 2 + 1;
    flags->keywords = arena_take_many(parse->arena, most, sizeof *flags->keywords);
    return flags->keywords != NULL;
}

static bool has_keyword(const struct flags *flags, struct slice name)
{
    for (size_t i = 0; i < flags->keyword_count; i++)
        if (slice_equal_nocase(flags->keywords[i], name))
            return true;
    return false;
}

static enum flags_result take_flag(struct flags *flags, struct slice name)
{
    unsigned system = flags_system(name);
    flags->flags |= system;
    if (system)
        return FLAGS_OK;
    if (name.data[0] == '\\' || name.size > MAILBOX_KEYWORD_MAX)
        return FLAGS_UNKNOWN;
    /* More than a mailbox can have changes nothing but the time it takes. */
    if (flags->keyword_count <= MAILDIR_KEYWORDS && !has_keyword(flags, name))
        flags->keywords[flags->keyword_count++] = name;
    return FLAGS_OK;
}

static enum flags_result parse_names(struct parse *parse, char end, struct flags *flags)
{
    enum flags_result result = FLAGS_OK;
    while (end ? !parse_byte(parse, end) : !parse_at_end(parse)) {
        struct slice name;
        if (!parse_flag(parse, &name))
            return FLAGS_SYNTAX;
        enum flags_result taken = take_flag(flags, name);
        if (taken != FLAGS_OK)
            result = taken;
        parse_space(parse);
    }
    return result;
}

enum flags_result flags_parse(struct parse *parse, bool bare_too, struct flags *flags)
{
    *flags = (struct flags){0};
    if (!make_room(parse, flags))
        return FLAGS_SYNTAX;
    if (parse_byte(parse, '('))
        return parse_names(parse, ')', flags);
    if (!bare_too || parse_at_end(parse))
        return FLAGS_SYNTAX;
    return parse_names(parse, '\0', flags);
}

bool flags_keywords(struct mailbox *mailbox, const struct flags *flags, bool create,
                    uint32_t *keywords)
{
    *keywords = 0;
    for (size_t i = 0; i < flags->keyword_count; i++) {
        uint32_t bit = mailbox_keyword(mailbox, flags->keywords[i], create);
        if (bit == 0 && create)
            return false;
        *keywords |= bit;
    }
    return true;
}

static void append_name(struct str *out, const char *name, bool *first)
{
    if (!*first)
        str_append_byte(out, ' ');
    *first = false;
    str_append_text(out, name);
}

static void append_names(struct str *out, const struct mailbox *mailbox, unsigned flags,
                         uint32_t keywords, bool *first)
{
    for (size_t i = 0; i < SYSTEM_FLAG_COUNT; i++)
        if (flags & system_flags[i].flag)
            append_name(out, system_flags[i].name, first);
    for (unsigned i = 0; i < MAILDIR_KEYWORDS; i++)
        if (((keywords >> i) & 1) && mailbox->keywords[i])
            append_name(out, mailbox->keywords[i], first);
}

void flags_append(struct str *out, const struct mailbox *mailbox, unsigned flags, uint32_t keywords,
                  bool recent)
{
    bool first = true;
    str_append_byte(out, '(');
    append_names(out, mailbox, flags, keywords, &first);
    if (recent)
        append_name(out, "\\Recent", &first);
    str_append_byte(out, ')');
}

void flags_append_all(struct str *out, const struct mailbox *mailbox, bool permanent)
{
    bool first = true;
    str_append_byte(out, '(');
    append_names(out, mailbox, all_system_flags, UINT32_MAX, &first);
    if (permanent && flags_keyword_count(mailbox) < MAILDIR_KEYWORDS)
        append_name(out, "\\*", &first);
    str_append_byte(out, ')');
}

size_t flags_keyword_count(const struct mailbox *mailbox)
{
    size_t count = 0;
    for (size_t i = 0; i < MAILDIR_KEYWORDS; i++)
        count += mailbox->keywords[i] != NULL;
    return count;
}
