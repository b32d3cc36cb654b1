/*
 * capability - the one table of what imap-login and imapd announce (RFC 3501 7.2.1, 9051 7.2.2)
 *
 * A new extension is a line here: its name, when it is announced, what it brings. The setting
 * imap-capabilities-off, its check and the sessions work from the same lines. Sets of capabilities
 * are bits by their place in the table; they never leave a process, between programs go names.
 */
#ifndef COMMON_CAPABILITY_H
#define COMMON_CAPABILITY_H

#include "str.h"

#include <stdint.h>

enum capability_trait {
    CAPABILITY_BEFORE_LOGIN = 1 << 0, /* announced before login */
    CAPABILITY_AFTER_LOGIN = 1 << 1,  /* announced after login */
    CAPABILITY_ALWAYS = CAPABILITY_BEFORE_LOGIN | CAPABILITY_AFTER_LOGIN,
    CAPABILITY_IN_REV2 = 1 << 2,  /* IMAP4rev2 implies it (RFC 9051 E): without it, no rev2 */
    CAPABILITY_FIXED = 1 << 3,    /* can't be switched off */
    CAPABILITY_HAS_SIZE = 1 << 4, /* announced as NAME=SIZE, the largest message (RFC 7889) */
};

struct capability {
    const char *name;
    unsigned traits;
    const char *commands; /* unknown without it, words; "" none */
};

enum { CAPABILITY_MAX = 64 }; /* of the table: one bit each */

extern const struct capability capability_table[];
extern const size_t capability_count;

/* The bit of the capability of that name, in any case; 0: there is none. */
uint64_t capability_named(struct slice name);
/* The same, of one that may be switched off. */
uint64_t capability_optional(struct slice name);
/* Reads names with blanks between them. False: one of them is none, or can't be off; *wrong (may be
 * NULL) is it then. */
bool capability_read_names(struct slice names, uint64_t *set, struct slice *wrong);
/* Writes names, with `separator` between them. */
void capability_append_names(struct str *out, uint64_t set, char separator);
/* What is off when `off` is switched off: what builds on one of them, too, and IMAP4rev2 when it would
 * promise one. */
uint64_t capability_off(uint64_t off);
/* Are all capabilities that bring this command in `off`? */
bool capability_hides(uint64_t off, struct slice command);

/* Writes what is announced at `when` (BEFORE_LOGIN or AFTER_LOGIN) but for those in `off`, with
 * blanks between. `size_max`: bytes of the largest message. */
void capability_append(struct str *out, enum capability_trait when, uint64_t off,
                       uint64_t size_max);

#endif
