/*
 * program - what spawnd starts, and who may ask for it how (ARCHITECTURE.md, "spawn/1")
 *
 * The one table that says what can ever run because spawnd was asked. Reading a request is a pure
 * function: everything in it is checked again, however much its sender is trusted.
 */
#ifndef AUTHD_PROGRAM_H
#define AUTHD_PROGRAM_H

#include "directory.h"
#include "life.h"
#include "terms.h"
#include "wire.h"

enum { PROGRAM_ARGUMENTS_MAX = 5, PROGRAM_ARGUMENT_SIZE = TERMS_MAX + 1, PROGRAM_TAG_MAX = 64 };

/* Where a program works and as whom. */
enum program_place {
    PROGRAM_IN_ACCOUNT, /* uid of the domain, folder mail/DOMAIN/LOCAL: a session (templates.h) */
    PROGRAM_IN_DOMAIN,  /* uid of the domain, folder mail/DOMAIN */
    PROGRAM_IN_ROOT,    /* uid of a role, folder ROOT */
};

enum program_argument {
    PROGRAM_NO_ARGUMENT,
    PROGRAM_ACCOUNT, /* LOCAL@DOMAIN of this very request */
    PROGRAM_DOMAIN,  /* DOMAIN of this very request */
    PROGRAM_TAG,     /* an IMAP tag */
    PROGRAM_CLIENT,  /* an IP address */
    PROGRAM_TLS,     /* 0 or 1 */
    PROGRAM_TERMS,   /* terms.h */
};

struct program {
    const char *name; /* ROOT/bin/NAME */
    enum role asker;  /* the only uid that may ask for it */
    enum program_place place;
    enum role role; /* PROGRAM_IN_ROOT: whose uid */
    enum program_argument arguments[PROGRAM_ARGUMENTS_MAX];
    const char *domain_limit; /* directory_derived_number of how many a domain may have, or NULL */
    bool is_session;          /* two descriptors: the client, its input; otherwise one */
    struct life_limits limits;
};

struct program_request {
    const struct program *program;
    char domain[DIRECTORY_DOMAIN_MAX + 1];
    char local[DIRECTORY_LOCAL_MAX + 1];
    char arguments[PROGRAM_ARGUMENTS_MAX][PROGRAM_ARGUMENT_SIZE];
    size_t argument_count;
};

/* What a template is told an argument as (mailbox/mailsession.h). */
const char *program_argument_name(enum program_argument kind);

/* How many descriptors come with a request. */
size_t program_descriptors(const struct program *program);

/* NULL, or why it is refused. `asker` is the role whose uid sent it. */
const char *program_read_request(const struct wire_message *message, enum role asker,
                                 struct program_request *request);

/* A name that becomes a folder: not empty, no leading '.', no '/', no upper case, nothing that is
 * not printable. */
bool program_is_folder_name(struct slice name);
/* An IMAP tag of at most PROGRAM_TAG_MAX bytes. */
bool program_is_tag(struct slice tag);

#endif
