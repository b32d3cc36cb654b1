/* states - see states.h */
#include "states.h"

#include <stdlib.h>
#include <time.h>

enum { STATES_BUCKETS = 4096, CAUSE_SAID_MAX = 90 };

static const struct states_kind kinds[STATES_NAMES] = {
    [STATES_MISUSE_DETECTED] = {"misuse-detected",
                                "sending is stopped: misuse of this account was detected",
                                "change the password", STATES_SEND, false},
    [STATES_ACCOUNT_LOCK] = {"account-lock", "this account is locked",
                             "try again later or ask the administrator", STATES_LOGIN, false},
    [STATES_SEND_LOCK] = {"send-lock", "sending is stopped for a time: too much mail was sent",
                          "try again later or ask the administrator", STATES_SEND, false},
    [STATES_OVER_CAPACITY] = {"over-capacity", "sorry, mailbox is full (#4.5.2)", NULL,
                              STATES_RECEIVE, false},
    [STATES_PASSWORD_FORCED] = {"password-forced", "the administrator requires a new password",
                                "set one in the control panel", STATES_LOGIN, false},
    /* SPEC R5.3, as are the bounds. */
    [STATES_SEND_PAUSE] = {"send-pause", "sorry, that message exceeds my limit", NULL, STATES_SEND,
                           true},
    [STATES_RECEIVE_PAUSE] = {"receive-pause", "sorry, that message exceeds my limit", NULL,
                              STATES_RECEIVE, true},
};

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < ' ' || text.data[i] > '~')
            return false;
    return text.size > 0;
}

void states_explain(enum states_name name, struct slice cause, int64_t until, struct str *text)
{
    const struct states_kind *kind = &kinds[name];
    char end[40];
    time_t time = (time_t)until;
    struct tm parts;
    str_append_text(text, kind->text);
    if (!kind->cure)
        return;
    if (is_ascii(cause)) {
        str_append_text(text, " (");
        str_append(text, slice_part(cause, 0, CAUSE_SAID_MAX));
        str_append_text(text, ")");
    }
    if (until != 0 && localtime_r(&time, &parts) &&
        strftime(end, sizeof end, "%Y-%m-%d %H:%M %z", &parts) > 0)
        str_append_texts(text, "; it ends at ", end);
    str_append_texts(text, "; ", kind->cure);
}

const struct states_kind *states_kind(enum states_name name)
{
    return &kinds[name];
}

bool states_name_from(struct slice text, enum states_name *name)
{
    for (int i = 0; i < STATES_NAMES; i++) {
        if (slice_equal(text, slice_text(kinds[i].name))) {
            *name = (enum states_name)i;
            return true;
        }
    }
    return false;
}

unsigned states_action_from(struct slice text)
{
    if (slice_equal(text, SLICE("send")))
        return STATES_SEND;
    if (slice_equal(text, SLICE("receive")))
        return STATES_RECEIVE;
    if (slice_equal(text, SLICE("login")))
        return STATES_LOGIN;
    return 0;
}

bool states_init(struct states *states)
{
    *states = (struct states){.buckets = calloc(STATES_BUCKETS, sizeof(struct states_record *))};
    return states->buckets;
}

void states_free(struct states *states)
{
    for (size_t i = 0; states->buckets && i < STATES_BUCKETS; i++) {
        while (states->buckets[i]) {
            struct states_record *record = states->buckets[i];
            states->buckets[i] = record->next;
            free(record);
        }
    }
    free(states->buckets);
    *states = (struct states){0};
}

/* Names come from the operator: no need of a secret seed. FNV-1a. */
static struct states_record **bucket_of(const struct states *states, struct slice account)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < account.size; i++)
        hash = (hash ^ (unsigned char)account.data[i]) * 16777619u;
    return &states->buckets[hash % STATES_BUCKETS];
}

/* Where the record hangs, or the end of its chain. */
static struct states_record **find(const struct states *states, struct slice account,
                                   enum states_name name)
{
    struct states_record **at = bucket_of(states, account);
    while (*at && ((*at)->name != name || !slice_equal(slice_text((*at)->account), account)))
        at = &(*at)->next;
    return at;
}

static bool in_force(const struct states_record *record, int64_t now)
{
    if (!record || (record->until != 0 && record->until <= now))
        return false;
    /* One that begins later was set before a restart and a clock that was set back. */
    return !kinds[record->name].is_pause || record->since <= now;
}

bool states_set(struct states *states, struct slice account, enum states_name name, int64_t since,
                int64_t until, struct slice cause)
{
    struct states_record **at = find(states, account, name);
    if (account.size == 0 || account.size > STATES_ACCOUNT_MAX || cause.size > STATES_CAUSE_MAX ||
        slice_has(account, '\0') || slice_has(cause, '\0'))
        return false;
    if (!*at) {
        if (states->count >= STATES_MAX)
            return false;
        struct states_record *record = calloc(1, sizeof *record);
        if (!record)
            return false;
        record->name = name;
        record->since = since;
        slice_copy_text(account, record->account, sizeof record->account);
        *at = record;
        states->count++;
    } else if (!in_force(*at, since)) {
        (*at)->since = since;
    }
    (*at)->until = until;
    slice_copy_text(cause, (*at)->cause, sizeof(*at)->cause);
    return true;
}

bool states_clear(struct states *states, struct slice account, enum states_name name)
{
    struct states_record **at = find(states, account, name);
    struct states_record *record = *at;
    if (!record)
        return false;
    *at = record->next;
    states->count--;
    free(record);
    return true;
}

const struct states_record *states_find(const struct states *states, struct slice account,
                                        enum states_name name, int64_t now)
{
    const struct states_record *record = *find(states, account, name);
    return in_force(record, now) ? record : NULL;
}

static const struct states_record *stopping(const struct states *states, struct slice account,
                                            unsigned action, int64_t now)
{
    for (int i = 0; i < STATES_NAMES; i++) {
        const struct states_record *record =
            kinds[i].stops & action ? states_find(states, account, (enum states_name)i, now) : NULL;
        if (record)
            return record;
    }
    return NULL;
}

const struct states_record *states_stopping(const struct states *states, struct slice account,
                                            unsigned action, int64_t now)
{
    size_t at = slice_find_last(account, '@');
    const struct states_record *record = stopping(states, account, action, now);
    if (!record && at > 0 && at < account.size)
        record = stopping(states, slice_from(account, at), action, now);
    return record;
}

static void move_back(struct states_record *record, int64_t seconds)
{
    record->since -= seconds < record->since ? seconds : record->since;
    record->until -= seconds < record->until ? seconds : record->until - 1;
}

void states_turn_back(struct states *states, int64_t seconds, states_each *each, void *owner)
{
    for (size_t i = 0; i < STATES_BUCKETS; i++) {
        for (struct states_record *record = states->buckets[i]; record; record = record->next) {
            if (record->until == 0)
                continue;
            move_back(record, seconds);
            each(owner, record);
        }
    }
}

void states_begin_now(struct states *states, int64_t now, states_each *each, void *owner)
{
    for (size_t i = 0; i < STATES_BUCKETS; i++) {
        for (struct states_record *record = states->buckets[i]; record; record = record->next) {
            if (record->until == 0 || record->since <= now || kinds[record->name].is_pause)
                continue;
            move_back(record, record->since - now);
            each(owner, record);
        }
    }
}

void states_walk(const struct states *states, states_each *each, void *owner)
{
    for (size_t i = 0; i < STATES_BUCKETS; i++)
        for (const struct states_record *record = states->buckets[i]; record; record = record->next)
            each(owner, record);
}

bool states_walk_part(const struct states *states, size_t *cursor, states_each *each, void *owner)
{
    if (*cursor >= STATES_BUCKETS)
        return false;
    for (const struct states_record *record = states->buckets[*cursor]; record;
         record = record->next)
        each(owner, record);
    return ++*cursor < STATES_BUCKETS;
}

void states_end(struct states *states, int64_t ended_at, states_each *each, void *owner)
{
    for (size_t i = 0; i < STATES_BUCKETS; i++) {
        struct states_record **at = &states->buckets[i];
        while (*at) {
            struct states_record *record = *at;
            if (in_force(record, ended_at)) {
                at = &record->next;
                continue;
            }
            each(owner, record);
            *at = record->next;
            states->count--;
            free(record);
        }
    }
}
