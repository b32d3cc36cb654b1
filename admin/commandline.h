/*
 * commandline - one command line of mailctl: its words and options, what it may touch, its result
 */
#ifndef ADMIN_COMMANDLINE_H
#define ADMIN_COMMANDLINE_H

#include "domain.h"
#include "exits.h"
#include "findings.h"
#include "rebuild.h"
#include "rights.h"
#include "sources.h"
#include "userline.h"

#include <jansson.h>

/* All 300 targets that one row of forwards may have (SPEC R7.1) are given by one command. */
enum { COMMANDLINE_WORDS_MAX = 320, COMMANDLINE_OPTIONS_MAX = 8, COMMANDLINE_SECRET_MAX = 511 };

struct commandline;

struct commandline_verb {
    const char *group;   /* "user"; the first word */
    const char *name;    /* "add"; the second word, or NULL for verbs of one word */
    int least, most;     /* words that follow */
    const char *options; /* names of options it takes */
    bool changes;        /* takes the lock of the control files */
    unsigned who;        /* enum rights; for admins and users the first word says whose it is */
    enum { COMMANDLINE_WORDS, COMMANDLINE_SETTING, COMMANDLINE_FILE } takes; /* as second word */
    enum {
        COMMANDLINE_NOTHING,
        COMMANDLINE_RESULT,
        COMMANDLINE_TEXT
    } shows; /* RESULT: JSON, too */
    int (*run)(struct commandline *command);
    const char *synopsis; /* what follows "mailctl" */
    const char *help;     /* sentences */
};

struct commandline_option {
    const char *name;
    const char *value; /* "" for those without */
    unsigned who;      /* enum rights; 0: whoever may use the verb */
};

struct commandline {
    const struct commandline_verb *verb;
    const char *words[COMMANDLINE_WORDS_MAX]; /* behind the verb */
    int word_count;
    struct commandline_option options[COMMANDLINE_OPTIONS_MAX];
    size_t option_count;
    struct rights_actor actor; /* for whom it is done: --as; else the operator */
    bool json;
    bool released; /* the lock is let go till commandline_regain */
    int here;      /* where the caller is, for files that are named */
    int root;      /* ROOT, the current folder */
    int folder;    /* ROOT/control */
    struct sources sources;
    struct findings findings;
    struct plans plans;
    json_t *result; /* printed at the end */
};

/* Runs the command line; the exit code. */
int commandline_main(int argc, char **argv);

/* "mailctl: ..." on standard error. */
int commandline_refuse(const struct commandline *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same with errno as the cause: EXIT_PASSING. */
int commandline_trouble(const struct commandline *command, const char *action, const char *object);
/* Prints the findings, and empties them. EXIT_PASSING when there is trouble among them. */
int commandline_refuse_findings(struct commandline *command);

/* NULL when it was not given. */
const char *commandline_option(const struct commandline *command, const char *name);

/* A domain's name as given, in A-labels. False: refused already. */
bool commandline_domain_name(const struct commandline *command, const char *word,
                             char name[IDN_NAME_MAX + 1]);
/* "local@domain". False: refused already. */
bool commandline_address(const struct commandline *command, const char *word,
                         char local[USERLINE_LOCAL_MAX + 1], char name[IDN_NAME_MAX + 1]);
/* Reads the domain. False: refused already, and *result is the exit code. Free it by domain_free
 * in any case. */
bool commandline_load(struct commandline *command, const char *name, struct domain *domain,
                      int *result);

/* The account that the first word names, in its domain. */
struct commandline_account {
    char local[USERLINE_LOCAL_MAX + 1];
    char name[IDN_NAME_MAX + 1]; /* of the domain */
    struct domain domain;
    const struct domain_account *account;
};
/* False: refused already, and *result is the exit code. Free the domain in any case. */
bool commandline_open(struct commandline *command, struct commandline_account *subject,
                      int *result);
/* "there is no account ..." */
int commandline_refuse_unknown(const struct commandline *command, const char *local,
                               const char *name);

/* Takes the lock of the control files; for verbs that have much to do before they need it. EXIT_DONE
 * or the exit code. */
int commandline_lock(struct commandline *command);

/* Compiles the domain with the collected changes; then writes them. */
int commandline_rebuild(struct commandline *command, const char *name);

/* A secret from standard input: its first line. False: refused already. */
bool commandline_read_secret(const struct commandline *command,
                             char secret[COMMANDLINE_SECRET_MAX + 1]);

/* The same secret once more, from the next line. False: refused already. */
bool commandline_read_secret_again(const struct commandline *command, const char *secret);

/* Nobody waits for the lock of somebody who types: it is let go if standard input is a terminal, or
 * stays silent. regain: EXIT_DONE, or the exit code: what was read is no longer so, which was said. */
void commandline_release(struct commandline *command);
int commandline_regain(struct commandline *command);

/* The verbs, in the order of the manual; ended by a group NULL. */
extern const struct commandline_verb commandline_verbs[];

#endif
