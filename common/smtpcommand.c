/* smtpcommand - see smtpcommand.h */
#include "smtpcommand.h"

#include "number.h"

struct verb {
    const char *name;
    enum smtpcommand_verb verb;
    size_t line_max;
};

static const struct verb verbs[] = {
    {"HELO", SMTPCOMMAND_HELO, SMTPCOMMAND_LINE_MAX},
    {"EHLO", SMTPCOMMAND_EHLO, SMTPCOMMAND_LINE_MAX},
    {"LHLO", SMTPCOMMAND_LHLO, SMTPCOMMAND_LINE_MAX},
    {"MAIL", SMTPCOMMAND_MAIL, SMTPCOMMAND_MAIL_LINE_MAX},
    {"RCPT", SMTPCOMMAND_RCPT, SMTPCOMMAND_RCPT_LINE_MAX},
    {"DATA", SMTPCOMMAND_DATA, SMTPCOMMAND_LINE_MAX},
    {"BDAT", SMTPCOMMAND_BDAT, SMTPCOMMAND_LINE_MAX},
    {"RSET", SMTPCOMMAND_RSET, SMTPCOMMAND_LINE_MAX},
    {"NOOP", SMTPCOMMAND_NOOP, SMTPCOMMAND_LINE_MAX},
    {"QUIT", SMTPCOMMAND_QUIT, SMTPCOMMAND_LINE_MAX},
    {"VRFY", SMTPCOMMAND_VRFY, SMTPCOMMAND_LINE_MAX},
    {"EXPN", SMTPCOMMAND_EXPN, SMTPCOMMAND_LINE_MAX},
    {"HELP", SMTPCOMMAND_HELP, SMTPCOMMAND_LINE_MAX},
    {"STARTTLS", SMTPCOMMAND_STARTTLS, SMTPCOMMAND_LINE_MAX},
    {"AUTH", SMTPCOMMAND_AUTH, SMTPCOMMAND_AUTH_LINE_MAX},
    {"XCLIENT", SMTPCOMMAND_XCLIENT, SMTPCOMMAND_LINE_MAX},
    {"GET", SMTPCOMMAND_FORBIDDEN, SMTPCOMMAND_AUTH_LINE_MAX},
    {"POST", SMTPCOMMAND_FORBIDDEN, SMTPCOMMAND_AUTH_LINE_MAX},
    {"PUT", SMTPCOMMAND_FORBIDDEN, SMTPCOMMAND_AUTH_LINE_MAX},
    {"CONNECT", SMTPCOMMAND_FORBIDDEN, SMTPCOMMAND_AUTH_LINE_MAX},
    {"OPTIONS", SMTPCOMMAND_FORBIDDEN, SMTPCOMMAND_AUTH_LINE_MAX},
};

static const struct verb unknown = {"", SMTPCOMMAND_UNKNOWN, SMTPCOMMAND_LINE_MAX};

static const struct verb *find_verb(struct slice word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (slice_equal_nocase(word, slice_text(verbs[i].name)))
            return &verbs[i];
    return &unknown;
}

enum smtpcommand_line smtpcommand_parse(struct slice line, struct smtpcommand *command)
{
    *command = (struct smtpcommand){.verb = SMTPCOMMAND_UNKNOWN, .argument = SLICE("")};
    if (!slice_ends(line, SLICE("\r\n")))
        return SMTPCOMMAND_LINE_BAD_END;
    struct slice content = slice_part(line, 0, line.size - 2);
    if (slice_has(content, '\r') || slice_has(content, '\n') || slice_has(content, '\0'))
        return SMTPCOMMAND_LINE_BAD_END;
    const struct verb *verb = find_verb(slice_cut_word(&content));
    if (line.size > verb->line_max)
        return SMTPCOMMAND_LINE_TOO_LONG;
    command->verb = verb->verb;
    command->argument = slice_trim(content);
    return SMTPCOMMAND_LINE_OK;
}

/* Cuts "FROM:" or "TO:" and the path. Beyond RFC 5321: blanks behind the colon, and an address
 * without <>, as office devices send it. */
static enum smtpcommand_problem cut_path(struct slice *argument, const char *keyword,
                                         unsigned flags, struct mailaddress *address)
{
    struct slice prefix = slice_text(keyword);
    if (!slice_starts_nocase(*argument, prefix))
        return SMTPCOMMAND_SYNTAX;
    struct slice rest = slice_trim(slice_from(*argument, prefix.size));
    if (rest.size == 0)
        return SMTPCOMMAND_SYNTAX;
    if (rest.data[0] != '<') {
        struct slice word = slice_cut_word(&rest);
        *argument = rest;
        return mailaddress_parse(word, flags & ~(unsigned)MAILADDRESS_EMPTY, address)
                   ? SMTPCOMMAND_FINE
                   : SMTPCOMMAND_BAD_ADDRESS;
    }
    if (!mailaddress_parse_path(rest, flags, address) ||
        (address->rest.size > 0 && address->rest.data[0] != ' '))
        return SMTPCOMMAND_BAD_ADDRESS;
    *argument = address->rest;
    return SMTPCOMMAND_FINE;
}

/* ---- parameters -------------------------------------------------------------------------------*/

/* `command` is the struct that the table's command fills. */
typedef bool read_value(struct slice value, void *command);

struct parameter {
    const char *name;
    read_value *read;
};

enum { PARAMETERS_MAX = 32 }; /* of one command: bits of what was seen */

/* RFC 1870: up to 20 digits. */
static bool read_size(struct slice value, void *command)
{
    struct smtpcommand_mail *mail = command;
    mail->has_size = true;
    if (number_parse(value, UINT64_MAX, &mail->size))
        return true;
    for (size_t i = 0; i < value.size; i++)
        if (!slice_is_digit(value.data[i]))
            return false;
    mail->size = UINT64_MAX;
    return value.size > 0;
}

/* RFC 6152, 3030 */
static bool read_body(struct slice value, void *command)
{
    static const struct {
        const char *name;
        enum envelope_body body;
    } bodies[] = {{"7BIT", ENVELOPE_BODY_7BIT},
                  {"8BITMIME", ENVELOPE_BODY_8BIT},
                  {"BINARYMIME", ENVELOPE_BODY_BINARY}};
    struct smtpcommand_mail *mail = command;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        mail->body = bodies[i].body;
        if (slice_equal_nocase(value, slice_text(bodies[i].name)))
            return true;
    }
    return false;
}

/* RFC 6531: no value. */
static bool read_utf8(struct slice value, void *command)
{
    struct smtpcommand_mail *mail = command;
    mail->utf8 = true;
    return value.size == 0;
}

/* RFC 4954 5: who it was at a trusted submission server; we trust none. */
static bool read_auth(struct slice value, void *command)
{
    (void)command;
    return value.size > 0;
}

/* RFC 3461 4.3 */
static bool read_ret(struct slice value, void *command)
{
    struct smtpcommand_mail *mail = command;
    return value.size > 0 && dsn_parse_return(value, &mail->ret);
}

/* RFC 3461 4.4 */
static bool read_envid(struct slice value, void *command)
{
    struct smtpcommand_mail *mail = command;
    mail->envid = value;
    return dsn_is_envid(value);
}

/* RFC 3461 4.1 */
static bool read_notify(struct slice value, void *command)
{
    struct smtpcommand_rcpt *rcpt = command;
    return value.size > 0 && dsn_parse_notify(value, &rcpt->notify);
}

/* RFC 3461 4.2 */
static bool read_orcpt(struct slice value, void *command)
{
    struct smtpcommand_rcpt *rcpt = command;
    rcpt->orcpt = value;
    return dsn_is_orcpt(value);
}

static const struct parameter mail_parameters[] = {
    {"SIZE", read_size}, {"BODY", read_body}, {"SMTPUTF8", read_utf8},
    {"AUTH", read_auth}, {"RET", read_ret},   {"ENVID", read_envid},
    {NULL, NULL},
};

static const struct parameter rcpt_parameters[] = {
    {"NOTIFY", read_notify},
    {"ORCPT", read_orcpt},
    {NULL, NULL},
};

static enum smtpcommand_problem
read_parameter(struct slice word, const struct parameter *parameters, uint32_t *seen, void *command)
{
    struct slice value = word;
    struct slice name = slice_cut(&value, '=');
    for (unsigned i = 0; i < PARAMETERS_MAX && parameters[i].name; i++) {
        if (!slice_equal_nocase(name, slice_text(parameters[i].name)))
            continue;
        /* RFC 5321 4.1.1.11 leaves it open what the second one means: nothing. */
        bool is_again = (*seen & 1u << i) != 0;
        *seen |= 1u << i;
        return !is_again && parameters[i].read(value, command) ? SMTPCOMMAND_FINE
                                                               : SMTPCOMMAND_BAD_PARAMETER;
    }
    return SMTPCOMMAND_UNKNOWN_PARAMETER;
}

static enum smtpcommand_problem read_parameters(struct slice words,
                                                const struct parameter *parameters, void *command)
{
    uint32_t seen = 0;
    enum smtpcommand_problem problem = SMTPCOMMAND_FINE;
    for (struct slice word = slice_cut_word(&words); word.size > 0 && problem == SMTPCOMMAND_FINE;
         word = slice_cut_word(&words))
        problem = read_parameter(word, parameters, &seen, command);
    return problem;
}

static bool has_high(const struct mailaddress *address)
{
    return slice_has_high(address->local) || slice_has_high(address->domain);
}

enum smtpcommand_problem smtpcommand_parse_mail(struct slice argument,
                                                struct smtpcommand_mail *mail)
{
    *mail = (struct smtpcommand_mail){.body = ENVELOPE_BODY_7BIT, .envid = SLICE("")};
    enum smtpcommand_problem problem =
        cut_path(&argument, "FROM:", MAILADDRESS_UTF8 | MAILADDRESS_EMPTY, &mail->address);
    if (problem == SMTPCOMMAND_FINE)
        problem = read_parameters(argument, mail_parameters, mail);
    /* SMTPUTF8 stands behind the address that needs it. */
    if (problem == SMTPCOMMAND_FINE && !mail->utf8 && has_high(&mail->address))
        problem = SMTPCOMMAND_NEEDS_UTF8;
    return problem;
}

enum smtpcommand_problem smtpcommand_parse_rcpt(struct slice argument, bool utf8,
                                                struct smtpcommand_rcpt *rcpt)
{
    *rcpt = (struct smtpcommand_rcpt){.orcpt = SLICE("")};
    enum smtpcommand_problem problem =
        cut_path(&argument, "TO:", MAILADDRESS_UTF8 | MAILADDRESS_BARE_POSTMASTER, &rcpt->address);
    if (problem == SMTPCOMMAND_FINE)
        problem = read_parameters(argument, rcpt_parameters, rcpt);
    if (problem == SMTPCOMMAND_FINE && !utf8 &&
        (has_high(&rcpt->address) || slice_has_high(rcpt->orcpt)))
        problem = SMTPCOMMAND_NEEDS_UTF8;
    return problem;
}

bool smtpcommand_parse_bdat(struct slice argument, struct smtpcommand_bdat *bdat)
{
    struct slice size = slice_cut_word(&argument);
    argument = slice_trim(argument);
    bdat->is_last = slice_equal_nocase(argument, SLICE("LAST"));
    return number_parse(size, UINT64_MAX, &bdat->size) && (bdat->is_last || argument.size == 0);
}

bool smtpcommand_parse_auth(struct slice argument, struct slice *mechanism, bool *has_initial,
                            struct slice *initial)
{
    *mechanism = slice_cut_word(&argument);
    *initial = slice_cut_word(&argument);
    *has_initial = initial->size > 0;
    return mechanism->size > 0 && slice_trim(argument).size == 0;
}
