/* history - see history.h */
#include "history.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[HISTORY_WHATS] = {
    [HISTORY_SET] = "set",
    [HISTORY_CLEARED] = "cleared",
    [HISTORY_ENDED] = "ended",
    [HISTORY_LOCKED] = "locked",
};

const char *history_what_name(enum history_what what)
{
    return names[what];
}

bool history_what_from(struct slice text, enum history_what *what)
{
    for (int i = 0; i < HISTORY_WHATS; i++) {
        if (slice_equal(text, slice_text(names[i]))) {
            *what = (enum history_what)i;
            return true;
        }
    }
    return false;
}

bool history_init(struct history *history)
{
    *history = (struct history){.of = calloc(HISTORY_MAX, sizeof *history->of)};
    return history->of;
}

void history_free(struct history *history)
{
    while (history->count > 0)
        free(history->of[--history->count]);
    free(history->of);
    *history = (struct history){0};
}

static void take_out(struct history *history, size_t at)
{
    history->locked -= history->of[at]->what == HISTORY_LOCKED;
    free(history->of[at]);
    history->count--;
    memmove(&history->of[at], &history->of[at + 1], (history->count - at) * sizeof *history->of);
}

/* The account's oldest goes when it has enough. */
static void make_room_of_account(struct history *history, const char *account)
{
    size_t count = 0, oldest = 0;
    for (size_t i = 0; i < history->count; i++) {
        if (strcmp(history->of[i]->account, account) != 0)
            continue;
        oldest = count == 0 ? i : oldest;
        count++;
    }
    if (count >= HISTORY_ACCOUNT_MAX)
        take_out(history, oldest);
}

static void make_room(struct history *history)
{
    size_t at = 0;
    if (history->locked >= HISTORY_MAX / 2)
        while (history->of[at]->what != HISTORY_LOCKED)
            at++;
    if (history->locked >= HISTORY_MAX / 2 || history->count == HISTORY_MAX)
        take_out(history, at);
}

bool history_add(struct history *history, const struct history_event *event)
{
    struct history_event *copy = malloc(sizeof *copy);
    if (!copy)
        return false;
    *copy = *event;
    make_room_of_account(history, event->account);
    make_room(history);
    history->of[history->count++] = copy;
    history->locked += event->what == HISTORY_LOCKED;
    return true;
}
