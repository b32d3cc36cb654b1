/* command - see command.h */
#include "command.h"

#include "number.h"

struct verb {
    const char *name;
    enum command_verb verb;
    size_t line_max;
};

static const struct verb verbs[] = {
    {"HELO", COMMAND_HELO, COMMAND_LINE_MAX},
    {"EHLO", COMMAND_EHLO, COMMAND_LINE_MAX},
    {"MAIL", COMMAND_MAIL, COMMAND_MAIL_LINE_MAX},
    {"RCPT", COMMAND_RCPT, COMMAND_LINE_MAX},
    {"DATA", COMMAND_DATA, COMMAND_LINE_MAX},
    {"RSET", COMMAND_RSET, COMMAND_LINE_MAX},
    {"NOOP", COMMAND_NOOP, COMMAND_LINE_MAX},
    {"QUIT", COMMAND_QUIT, COMMAND_LINE_MAX},
    {"VRFY", COMMAND_VRFY, COMMAND_LINE_MAX},
    {"EXPN", COMMAND_EXPN, COMMAND_LINE_MAX},
    {"HELP", COMMAND_HELP, COMMAND_LINE_MAX},
    {"STARTTLS", COMMAND_STARTTLS, COMMAND_LINE_MAX},
    {"AUTH", COMMAND_AUTH, COMMAND_AUTH_LINE_MAX},
    {"GET", COMMAND_FORBIDDEN, COMMAND_AUTH_LINE_MAX},
    {"POST", COMMAND_FORBIDDEN, COMMAND_AUTH_LINE_MAX},
    {"PUT", COMMAND_FORBIDDEN, COMMAND_AUTH_LINE_MAX},
    {"CONNECT", COMMAND_FORBIDDEN, COMMAND_AUTH_LINE_MAX},
    {"OPTIONS", COMMAND_FORBIDDEN, COMMAND_AUTH_LINE_MAX},
};

static const struct verb unknown = {"", COMMAND_UNKNOWN, COMMAND_LINE_MAX};

static const struct verb *find_verb(struct slice word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (slice_equal_nocase(word, slice_text(verbs[i].name)))
            return &verbs[i];
    return &unknown;
}

enum command_line command_parse(struct slice line, struct command *command)
{
    *command = (struct command){.verb = COMMAND_UNKNOWN, .argument = SLICE("")};
    if (!slice_ends(line, SLICE("\r\n")))
        return COMMAND_LINE_BAD_END;
    struct slice content = slice_part(line, 0, line.size - 2);
    if (slice_has(content, '\r') || slice_has(content, '\n') || slice_has(content, '\0'))
        return COMMAND_LINE_BAD_END;
    const struct verb *verb = find_verb(slice_cut_word(&content));
    if (line.size > verb->line_max)
        return COMMAND_LINE_TOO_LONG;
    command->verb = verb->verb;
    command->argument = slice_trim(content);
    return COMMAND_LINE_OK;
}

/* Cuts "FROM:" or "TO:" and the path. Beyond RFC 5321: blanks behind the colon, and an address
 * without <>, as office devices send it. */
static enum command_problem cut_path(struct slice *argument, const char *keyword, unsigned flags,
                                     struct mailaddress *address)
{
    struct slice prefix = slice_text(keyword);
    if (!slice_starts_nocase(*argument, prefix))
        return COMMAND_SYNTAX;
    struct slice rest = slice_trim(slice_from(*argument, prefix.size));
    if (rest.size == 0)
        return COMMAND_SYNTAX;
    if (rest.data[0] != '<') {
        struct slice word = slice_cut_word(&rest);
        *argument = rest;
        return mailaddress_parse(word, flags & ~(unsigned)MAILADDRESS_EMPTY, address)
                   ? COMMAND_FINE
                   : COMMAND_BAD_ADDRESS;
    }
    if (!mailaddress_parse_path(rest, flags, address) ||
        (address->rest.size > 0 && address->rest.data[0] != ' '))
        return COMMAND_BAD_ADDRESS;
    *argument = address->rest;
    return COMMAND_FINE;
}

/* RFC 1870: up to 20 digits. */
static bool read_size(struct slice value, struct command_mail *mail)
{
    mail->has_size = true;
    if (number_parse(value, UINT64_MAX, &mail->size))
        return true;
    for (size_t i = 0; i < value.size; i++)
        if (!slice_is_digit(value.data[i]))
            return false;
    mail->size = UINT64_MAX;
    return value.size > 0;
}

/* RFC 6152 */
static bool read_body(struct slice value, struct command_mail *mail)
{
    bool is_8bit = slice_equal_nocase(value, SLICE("8BITMIME"));
    mail->body = is_8bit ? ENVELOPE_BODY_8BIT : ENVELOPE_BODY_7BIT;
    return is_8bit || slice_equal_nocase(value, SLICE("7BIT"));
}

/* RFC 6531: no value. */
static bool read_utf8(struct slice value, struct command_mail *mail)
{
    mail->utf8 = true;
    return value.size == 0;
}

/* RFC 4954 5: who it was at a trusted submission server; we trust none. */
static bool read_auth(struct slice value, struct command_mail *mail)
{
    (void)mail;
    return value.size > 0;
}

struct parameter {
    const char *name;
    bool (*read)(struct slice value, struct command_mail *mail);
};

static const struct parameter mail_parameters[] = {
    {"SIZE", read_size},
    {"BODY", read_body},
    {"SMTPUTF8", read_utf8},
    {"AUTH", read_auth},
};

static enum command_problem read_parameter(struct slice word, struct command_mail *mail)
{
    struct slice value = word;
    struct slice name = slice_cut(&value, '=');
    for (size_t i = 0; i < sizeof mail_parameters / sizeof *mail_parameters; i++)
        if (slice_equal_nocase(name, slice_text(mail_parameters[i].name)))
            return mail_parameters[i].read(value, mail) ? COMMAND_FINE : COMMAND_BAD_PARAMETER;
    return COMMAND_UNKNOWN_PARAMETER;
}

enum command_problem command_parse_mail(struct slice argument, struct command_mail *mail)
{
    *mail = (struct command_mail){.body = ENVELOPE_BODY_7BIT};
    enum command_problem problem =
        cut_path(&argument, "FROM:", MAILADDRESS_UTF8 | MAILADDRESS_EMPTY, &mail->address);
    while (problem == COMMAND_FINE) {
        struct slice word = slice_cut_word(&argument);
        if (word.size == 0)
            break;
        problem = read_parameter(word, mail);
    }
    /* SMTPUTF8 stands behind the address that needs it. */
    if (problem == COMMAND_FINE && !mail->utf8 &&
        (slice_has_high(mail->address.local) || slice_has_high(mail->address.domain)))
        problem = COMMAND_NEEDS_UTF8;
    return problem;
}

enum command_problem command_parse_rcpt(struct slice argument, bool utf8,
                                        struct mailaddress *address)
{
    enum command_problem problem =
        cut_path(&argument, "TO:", MAILADDRESS_UTF8 | MAILADDRESS_BARE_POSTMASTER, address);
    if (problem != COMMAND_FINE)
        return problem;
    if (slice_trim(argument).size > 0)
        return COMMAND_UNKNOWN_PARAMETER;
    if (!utf8 && (slice_has_high(address->local) || slice_has_high(address->domain)))
        return COMMAND_NEEDS_UTF8;
    return COMMAND_FINE;
}

bool command_parse_auth(struct slice argument, struct slice *mechanism, bool *has_initial,
                        struct slice *initial)
{
    *mechanism = slice_cut_word(&argument);
    *initial = slice_cut_word(&argument);
    *has_initial = initial->size > 0;
    return mechanism->size > 0 && slice_trim(argument).size == 0;
}
