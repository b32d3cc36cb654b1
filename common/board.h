/*
 * board - what stated has nothing against, in memory that it shares with smtpd
 *
 * Nearly all mail is for accounts that nothing stops, of domains that are far below their limits.
 * smtpd sees that here, without a question; it asks stated (common/state.h) about all others. The
 * board says two things:
 *
 *   - which accounts and domains are in some state: a bit for each name. Names may share one, so a
 *     bit says "ask", and no bit says "no state".
 *   - which rules have room: those that stated was asked about lately and whose counter was below
 *     half of the limit. It forgets them all when one of these counters comes to half, and once
 *     a minute; a limit below BOARD_LIMIT_LEAST is never among them. So what is on its way, not yet
 *     counted, can't go beyond a limit by more than it could if stated were asked.
 *
 * And it says whose sessions have to end, since another password was set, or the account is gone. Names
 * may share a place; then a session ends that need not have. That stays over a restart of stated.
 *
 * stated alone writes. While it isn't there, the board says nothing, or, after kill -9, what it said
 * last till stated is there again, in the same file.
 */
#ifndef COMMON_BOARD_H
#define COMMON_BOARD_H

#include "slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define BOARD_FILE "run/stated/board"

enum { BOARD_STATE_BYTES = 8192, BOARD_RULES = 8192, BOARD_ENDS = 4096, BOARD_LIMIT_LEAST = 100 };

struct board_memory;

struct board {
    struct board_memory *memory; /* NULL: there is none; nothing is known then */
};

/* A rule of common/state.h, of whom it is asked: a domain's is the same for all its accounts. */
struct board_rule {
    struct slice account; /* "user@domain" */
    struct slice action;  /* "send", "receive" */
    struct slice name;    /* "domain", "messages", "recipients" */
    uint64_t limit;
    uint64_t window_s;
    uint64_t lasts_s;
};

/* ---- smtpd ---- */

/* False with errno; the board knows nothing then, and may be asked all the same. */
bool board_open(struct board *board);
/* May the account, or its domain, be in some state? */
bool board_has_state(const struct board *board, struct slice account);
/* Is the rule known to have room? */
bool board_has_room(const struct board *board, const struct board_rule *rule);
/* A number that is another one when stated has been started anew; 0: there is no board. */
uint64_t board_maker(const struct board *board);
void board_close(struct board *board);

/* Have the account's sessions to end that began at that moment, or before? What it needs is noted before
 * somebody is believed to be the account. */
uint64_t board_moment(const struct board *board);
bool board_has_ended(const struct board *board, struct slice account, uint64_t moment);

/* ---- stated ---- */

/* Makes the file, or takes over what a predecessor left; it says nothing till board_begin. `reader` is
 * the group that may read it. As root. False with errno. */
bool board_make(struct board *board, gid_t reader);
/* From here on the board speaks; the states are noted. */
void board_begin(struct board *board);
void board_note_state(struct board *board, struct slice account);
void board_note_room(struct board *board, const struct board_rule *rule);
/* Ends the account's sessions, "@domain" those of its accounts. */
void board_end_sessions(struct board *board, struct slice account);
void board_forget_rooms(struct board *board);
/* All states that there are, in place of those that were noted. */
struct board_states {
    unsigned char bits[BOARD_STATE_BYTES];
};
void board_add_state(const struct board *board, struct board_states *states, struct slice account);
void board_replace_states(struct board *board, const struct board_states *states);

/* It says nothing from here on. */
void board_end(struct board *board);

#endif
