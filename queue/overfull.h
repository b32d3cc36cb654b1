/*
 * overfull - the state over-capacity (SPEC R4.4, R10): begun when local says that a mailbox or a
 * domain has no room for an ordinary message, ended when it has
 *
 * stated keeps the states, nothing is remembered here, and nobody waits for it: while it is stopped all
 * else goes on. Once a minute, and when an operator's tool made
 * room, those that are in it are measured, domain by domain, by a worker of their own: it answers
 * usage/1 and leaves. Rounds take at most a twentieth of the time, so that who is full for long costs
 * little, however many they are.
 */
#ifndef QUEUE_OVERFULL_H
#define QUEUE_OVERFULL_H

#include "directory.h"
#include "loop.h"
#include "spawner.h"
#include "state.h"
#include "statequery.h"

enum {
    OVERFULL_TOLD_MAX = 64,
    OVERFULL_NOTES_MAX = 64, /* that wait for stated; more are noted at the next attempt */
    OVERFULL_NAME_MAX = 321,
};

enum overfull_todo { OVERFULL_LOOK, OVERFULL_CLEAR, OVERFULL_DONE };

struct overfull_name {
    char name[OVERFULL_NAME_MAX]; /* "local@domain", "@domain" */
    enum overfull_todo todo;
};

struct overfull_full {
    char name[OVERFULL_NAME_MAX];
    char cause[STATE_CAUSE_MAX + 1];
};

struct overfull {
    struct loop *loop;
    struct spawner *spawner;
    struct directory *directory;
    struct loop_timer timer;
    struct statequery noting, query;                /* of deliveries; of the round */
    int64_t state_down_until;                       /* clock_ms: stated did not answer */
    struct overfull_full notes[OVERFULL_NOTES_MAX]; /* a ring; the first is under way */
    size_t first_note, note_count;
    struct {
        uint64_t name; /* hash */
        int64_t at;
    } told[OVERFULL_TOLD_MAX]; /* to stated, lately */
    size_t next_told;

    /* The round under way. */
    bool is_running, is_again;
    int64_t began_ms;
    size_t skip;                                /* of stated's list */
    struct overfull_name names[STATE_LIST_MAX]; /* the part of it that is looked at */
    size_t asked[STATE_LIST_MAX], asked_count;  /* of them, of the worker, in this order */
    size_t count;
    size_t clearing; /* of names: stated is asked to */

    /* The worker. */
    char domain[DIRECTORY_DOMAIN_MAX + 1];
    struct spawner_ask ask;
    struct str question;
    struct wire_message answer;
    int fd, their_fd;
    struct loop_watch watch;
    struct loop_timer limit;
};

void overfull_init(struct overfull *overfull, struct loop *loop, struct spawner *spawner,
                   struct directory *directory);
void overfull_free(struct overfull *overfull);

/* A worker says that this mailbox or domain is full. */
void overfull_note(struct overfull *overfull, struct slice name, const char *cause);
/* The next round comes in a moment. */
void overfull_hurry(struct overfull *overfull);

#endif
