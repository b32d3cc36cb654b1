/* sendmail_options - see sendmail_options.h */
#include "sendmail_options.h"

#include <string.h>

/* Letters with a value, joined or as the next argument, that mean nothing here. */
static const char ignored_with_value[] = "ACdDLOopXhM";
/* Letters that stand alone and mean nothing here; -e and -q may have a letter joined. */
static const char ignored_alone[] = "GIUvnmsTx";

/* What stands behind the letter, or the next argument. NULL: there is none. */
static const char *take_value(int argc, char **argv, int *at)
{
    if (argv[*at][2] != '\0')
        return argv[*at] + 2;
    if (*at + 1 >= argc)
        return NULL;
    return argv[++*at];
}

static bool set_mode(struct sendmail_options *options, char mode)
{
    switch (mode) {
    case 'm':
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

static bool take_option(struct sendmail_options *options, int argc, char **argv, int *at)
{
    const char *argument = argv[*at];
    char letter = argument[1];
    const char *value;
    switch (letter) {
    case 'b':
        return argument[2] != '\0' && argument[3] == '\0' && set_mode(options, argument[2]);
    case 't':
        options->reads_recipients = true;
        /* "-ti", as PHP and others write it */
        options->ignores_dots = options->ignores_dots || strchr(argument, 'i') != NULL;
        return true;
    case 'i':
        options->ignores_dots = true;
        options->reads_recipients = options->reads_recipients || strchr(argument, 't') != NULL;
        return true;
    case 'f':
    case 'r':
        options->sender = take_value(argc, argv, at);
        return options->sender != NULL;
    case 'F':
        options->name = take_value(argc, argv, at);
        return options->name != NULL;
    case 'B':
        value = take_value(argc, argv, at);
        options->is_7bit = value && slice_equal_nocase(slice_text(value), SLICE("7BIT"));
        return value != NULL;
    case 'N':
    case 'R':
    case 'V':
        return take_report_option(options, letter, take_value(argc, argv, at));
    case 'o':
        value = take_value(argc, argv, at);
        options->ignores_dots = options->ignores_dots || (value && value[0] == 'i');
        return value != NULL;
    case 'e':
        return true;
    case 'q': /* the queue runs all the time */
        options->mode = SENDMAIL_NOTHING;
        return true;
    default:
        break;
    }
    if (letter != '\0' && strchr(ignored_with_value, letter))
        return take_value(argc, argv, at) != NULL;
    return letter != '\0' && strchr(ignored_alone, letter) != NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool sendmail_options_parse(int argc, char **argv, struct sendmail_options *options)
{
    int at = 1;
    *options = (struct sendmail_options){.mode = SENDMAIL_SUBMIT};
    if (argc > 0 && strcmp(base_name(argv[0]), "mailq") == 0)
        options->mode = SENDMAIL_LIST_QUEUE;
    if (argc > 0 && strcmp(base_name(argv[0]), "newaliases") == 0)
        options->mode = SENDMAIL_NOTHING;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        int first = at;
        if (!take_option(options, argc, argv, &at)) {
            options->wrong = argv[first];
            return false;
        }
    }
    options->recipients = argv + (at < argc ? at : argc);
    options->recipient_count = at < argc ? argc - at : 0;
    return true;
}
