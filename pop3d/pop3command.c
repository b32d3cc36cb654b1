/* pop3command - see pop3command.h */
#include "pop3command.h"

#include "number.h"

static const struct {
    const char *name;
    enum pop3command_verb verb;
} verbs[] = {
    {"APOP", POP3COMMAND_APOP}, {"AUTH", POP3COMMAND_AUTH}, {"CAPA", POP3COMMAND_CAPA},
    {"DELE", POP3COMMAND_DELE}, {"LANG", POP3COMMAND_LANG}, {"LIST", POP3COMMAND_LIST},
    {"NOOP", POP3COMMAND_NOOP}, {"PASS", POP3COMMAND_PASS}, {"QUIT", POP3COMMAND_QUIT},
    {"RETR", POP3COMMAND_RETR}, {"RSET", POP3COMMAND_RSET}, {"STAT", POP3COMMAND_STAT},
    {"STLS", POP3COMMAND_STLS}, {"TOP", POP3COMMAND_TOP},   {"UIDL", POP3COMMAND_UIDL},
    {"USER", POP3COMMAND_USER}, {"UTF8", POP3COMMAND_UTF8},
};

static enum pop3command_verb find_verb(struct slice word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (slice_equal_nocase(word, slice_text(verbs[i].name)))
            return verbs[i].verb;
    return POP3COMMAND_UNKNOWN;
}

enum pop3command_line pop3command_parse(struct slice line, struct pop3command *command)
{
    struct slice rest = slice_without_line_end(line);
    size_t max = POP3COMMAND_LINE_MAX;
    *command = (struct pop3command){.verb = find_verb(slice_cut(&rest, ' ')), .argument = rest};
    if (command->verb == POP3COMMAND_AUTH)
        max = POP3COMMAND_AUTH_LINE_MAX;
    if (line.size > max)
        return POP3COMMAND_LINE_TOO_LONG;
    struct slice text = slice_without_line_end(line);
    if (slice_has(text, '\0') || slice_has(text, '\r'))
        return POP3COMMAND_LINE_BAD;
    return POP3COMMAND_LINE_OK;
}

bool pop3command_one(struct slice argument, struct slice *word)
{
    *word = slice_cut_word(&argument);
    return word->size > 0 && slice_trim(argument).size == 0;
}

bool pop3command_two(struct slice argument, struct slice *first, struct slice *second)
{
    *first = slice_cut_word(&argument);
    return first->size > 0 && pop3command_one(argument, second);
}

bool pop3command_number(struct slice word, size_t count, size_t *number)
{
    return number_parse_size(word, count, number) && *number > 0;
}
