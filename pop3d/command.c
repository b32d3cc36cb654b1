/* command - see command.h */
#include "command.h"

#include "number.h"

static const struct {
    const char *name;
    enum command_verb verb;
} verbs[] = {
    {"APOP", COMMAND_APOP}, {"AUTH", COMMAND_AUTH}, {"CAPA", COMMAND_CAPA}, {"DELE", COMMAND_DELE},
    {"LIST", COMMAND_LIST}, {"NOOP", COMMAND_NOOP}, {"PASS", COMMAND_PASS}, {"QUIT", COMMAND_QUIT},
    {"RETR", COMMAND_RETR}, {"RSET", COMMAND_RSET}, {"STAT", COMMAND_STAT}, {"STLS", COMMAND_STLS},
    {"TOP", COMMAND_TOP},   {"UIDL", COMMAND_UIDL}, {"USER", COMMAND_USER},
};

static enum command_verb find_verb(struct slice word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (slice_equal_nocase(word, slice_text(verbs[i].name)))
            return verbs[i].verb;
    return COMMAND_UNKNOWN;
}

struct slice command_without_end(struct slice line)
{
    if (slice_ends(line, SLICE("\n")))
        line.size--;
    if (slice_ends(line, SLICE("\r")))
        line.size--;
    return line;
}

enum command_line command_parse(struct slice line, struct command *command)
{
    struct slice rest = command_without_end(line);
    size_t max = COMMAND_LINE_MAX;
    *command = (struct command){.verb = find_verb(slice_cut(&rest, ' ')), .argument = rest};
    if (command->verb == COMMAND_AUTH)
        max = COMMAND_AUTH_LINE_MAX;
    if (line.size > max)
        return COMMAND_LINE_TOO_LONG;
    struct slice text = command_without_end(line);
    if (slice_has(text, '\0') || slice_has(text, '\r'))
        return COMMAND_LINE_BAD;
    return COMMAND_LINE_OK;
}

bool command_one(struct slice argument, struct slice *word)
{
    *word = slice_cut_word(&argument);
    return word->size > 0 && slice_trim(argument).size == 0;
}

bool command_two(struct slice argument, struct slice *first, struct slice *second)
{
    *first = slice_cut_word(&argument);
    return first->size > 0 && command_one(argument, second);
}

bool command_number(struct slice word, size_t count, size_t *number)
{
    return number_parse_size(word, count, number) && *number > 0;
}
