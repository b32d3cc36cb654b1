/*
 * command - one command line of mailctl: its words and options, what it may touch, its result
 */
#ifndef ADMIN_COMMAND_H
#define ADMIN_COMMAND_H

#include "account.h"
#include "domain.h"
#include "exits.h"
#include "rebuild.h"
#include "report.h"
#include "sources.h"

#include <jansson.h>

enum { COMMAND_WORDS_MAX = 64, COMMAND_OPTIONS_MAX = 8, COMMAND_SECRET_MAX = 511 };

struct command;

struct command_verb {
    const char *group;   /* "user"; the first word */
    const char *name;    /* "add"; the second word, or NULL for verbs of one word */
    int least, most;     /* words that follow */
    const char *options; /* names of options it takes */
    bool changes;        /* takes the lock of the control files */
    enum { COMMAND_ANYBODY, COMMAND_ROOT } who;
    int (*run)(struct command *command);
    const char *synopsis; /* what follows "mailctl" */
    const char *help;     /* sentences */
};

struct command_option {
    const char *name;
    const char *value; /* "" for those without */
};

struct command {
    const struct command_verb *verb;
    const char *words[COMMAND_WORDS_MAX]; /* behind the verb */
    int word_count;
    struct command_option options[COMMAND_OPTIONS_MAX];
    size_t option_count;
    bool json;
    int here;   /* where the caller is, for files that are named */
    int root;   /* ROOT, the current folder */
    int folder; /* ROOT/control */
    struct sources sources;
    struct report report;
    struct plans plans;
    json_t *result; /* printed at the end */
};

/* Runs the command line; the exit code. */
int command_main(int argc, char **argv);

/* "mailctl: ..." on standard error. */
int command_refuse(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same with errno as the cause: EXIT_PASSING. */
int command_trouble(const struct command *command, const char *action, const char *object);
/* Prints what the report holds, and empties it. EXIT_PASSING when it says trouble. */
int command_refuse_report(struct command *command);

/* NULL when it was not given. */
const char *command_option(const struct command *command, const char *name);

/* A domain's name as given, in A-labels. False: refused already. */
bool command_domain_name(const struct command *command, const char *word,
                         char name[IDN_NAME_MAX + 1]);
/* "local@domain". False: refused already. */
bool command_address(const struct command *command, const char *word,
                     char local[ACCOUNT_LOCAL_MAX + 1], char name[IDN_NAME_MAX + 1]);
/* Reads the domain. False: refused already, and *result is the exit code. Free it by domain_free
 * in any case. */
bool command_load(struct command *command, const char *name, struct domain *domain, int *result);

/* Compiles the domain with the collected changes; then writes them. */
int command_rebuild(struct command *command, const char *name);

/* A secret from standard input: its first line. False: refused already. */
bool command_read_secret(const struct command *command, char secret[COMMAND_SECRET_MAX + 1]);

/* The verbs, in the order of the manual; ended by a group NULL. */
extern const struct command_verb command_verbs[];

#endif
