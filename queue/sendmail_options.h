/*
 * sendmail_options - the command line of sendmail, as programs have used it for forty years
 */
#ifndef QUEUE_SENDMAIL_OPTIONS_H
#define QUEUE_SENDMAIL_OPTIONS_H

#include "dsn.h"

#include <stdbool.h>

enum sendmail_mode { SENDMAIL_SUBMIT, SENDMAIL_SMTP, SENDMAIL_LIST_QUEUE, SENDMAIL_NOTHING };

struct sendmail_options {
    enum sendmail_mode mode;
    bool reads_recipients; /* -t */
    bool ignores_dots;     /* -i, -oi */
    bool is_7bit;          /* -B7BIT */
    const char *sender;    /* -f, -r; NULL: the user at me */
    const char *name;      /* -F */
    unsigned notify;       /* -N: bits of dsn.h */
    enum dsn_return ret;   /* -R */
    const char *envid;     /* -V: in xtext; NULL: none was given */
    char **recipients;     /* the rest of argv */
    int recipient_count;
    const char *wrong; /* the argument that is not understood, when parsing failed */
};

/* False: `wrong` says which. */
bool sendmail_options_parse(int argc, char **argv, struct sendmail_options *options);

#endif
