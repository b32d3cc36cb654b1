/* sendmail_options - see sendmail_options.h */
#include "sendmail_options.h"

#include <string.h>

/* Letters with a value, joined or as the next argument, that mean nothing here. */
static const char ignored_with_value[] = "ACDLOpXhM";
/* Letters that stand alone and mean nothing here. */
static const char ignored_alone[] = "GUvcnmsTx";

/* The argument that is read, and the place of the letter in it. */
struct place {
    int argc;
    char **argv;
    int at;
    const char *letter;
};

/* What stands behind the letter, or the next argument. NULL: there is none. */
static const char *take_value(struct place *place)
{
    const char *rest = place->letter + 1;
    place->letter = "";
    if (*rest != '\0')
        return rest;
    return place->at + 1 < place->argc ? place->argv[++place->at] : NULL;
}

static bool set_mode(struct sendmail_options *options, char mode)
{
    switch (mode) {
    case 'm':
        options->mode = SENDMAIL_SUBMIT;
        return true;
    case 'p':
        options->mode = SENDMAIL_LIST_QUEUE;
        return true;
    case 's':
        options->mode = SENDMAIL_SMTP;
        return true;
    case 'i': /* newaliases: there is no alias file */
        options->mode = SENDMAIL_NOTHING;
        return true;
    default:
        return false;
    }
}

/* What the sender wants to hear (RFC 3461). An option with a value that is none is wrong. */
static bool take_report_option(struct sendmail_options *options, char letter, const char *value)
{
    struct slice text = slice_text(value);
    if (text.size == 0)
        return false;
    if (letter == 'N')
        return dsn_parse_notify(text, &options->notify);
    if (letter == 'R')
        return dsn_parse_return(text, &options->ret);
    options->envid = value;
    return dsn_is_envid(text);
}

static bool take_with_value(struct sendmail_options *options, char letter, const char *value)
{
    if (!value)
        return false;
    switch (letter) {
    case 'b':
        return value[0] != '\0' && value[1] == '\0' && set_mode(options, value[0]);
    case 'f':
    case 'r':
        options->sender = value;
        return true;
    case 'F':
        options->name = value;
        return true;
    case 'B':
        options->is_7bit = slice_equal_nocase(slice_text(value), SLICE("7BIT"));
        return true;
    case 'N':
    case 'R':
    case 'V':
        return take_report_option(options, letter, value);
    case 'o':
        options->ignores_dots = options->ignores_dots || value[0] == 'i';
        return true;
    default:
        return true; /* one of ignored_with_value */
    }
}

/* A letter, and its value if it has one. Those without may stand together: "-ti", as PHP and others
 * write it. */
static bool take_option(struct sendmail_options *options, struct place *place)
{
    char letter = *place->letter;
    if (strchr("bfrFBNRVo", letter) || strchr(ignored_with_value, letter))
        return take_with_value(options, letter, take_value(place));
    switch (letter) {
    case 't':
        options->reads_recipients = true;
        break;
    case 'i':
        options->ignores_dots = true;
        break;
    case 'I': /* newaliases */
        options->mode = SENDMAIL_NOTHING;
        break;
    case 'q': /* the queue runs all the time */
        options->mode = SENDMAIL_NOTHING;
        place->letter = "";
        return true;
    case 'e': /* what is to be done about errors */
    case 'd': /* what to log */
        place->letter = "";
        return true;
    default:
        if (!strchr(ignored_alone, letter))
            return false;
        break;
    }
    place->letter++;
    return true;
}

static bool take_argument(struct sendmail_options *options, struct place *place)
{
    bool taken = *place->letter != '\0';
    while (taken && *place->letter != '\0')
        taken = take_option(options, place);
    return taken;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Who hands over a message that nobody would read is told so, by the argument that says it is one. */
static bool is_meant(struct sendmail_options *options)
{
    bool reads_nothing = options->mode == SENDMAIL_NOTHING || options->mode == SENDMAIL_LIST_QUEUE;
    if (options->mode != SENDMAIL_SUBMIT && options->recipient_count > 0)
        options->wrong = options->recipients[0];
    else if (reads_nothing && options->reads_recipients)
        options->wrong = "-t";
    return !options->wrong;
}

bool sendmail_options_parse(int argc, char **argv, struct sendmail_options *options)
{
    struct place place = {.argc = argc, .argv = argv, .at = 1};
    *options = (struct sendmail_options){.mode = SENDMAIL_SUBMIT};
    if (argc > 0 && strcmp(base_name(argv[0]), "mailq") == 0)
        options->mode = SENDMAIL_LIST_QUEUE;
    if (argc > 0 && strcmp(base_name(argv[0]), "newaliases") == 0)
        options->mode = SENDMAIL_NOTHING;
    for (; place.at < argc && argv[place.at][0] == '-'; place.at++) {
        int first = place.at;
        if (strcmp(argv[first], "--") == 0) {
            place.at++;
            break;
        }
        place.letter = argv[first] + 1;
        if (!take_argument(options, &place)) {
            options->wrong = argv[first];
            return false;
        }
    }
    options->recipients = argv + (place.at < argc ? place.at : argc);
    options->recipient_count = place.at < argc ? argc - place.at : 0;
    return is_meant(options);
}
