/* stateview - see stateview.h */
#include "stateview.h"

#include "idn.h"
#include "io.h"
#include "number.h"
#include "show.h"
#include "state.h"
#include "userline.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_SIZE = USERLINE_LOCAL_MAX + IDN_NAME_MAX + 2 };

/* What ends it, beside its time. */
static const char *cure_of(struct slice state)
{
    static const struct {
        const char *state, *cure;
    } cures[] = {
        {STATE_MISUSE_DETECTED, "set a new password (mailctl user passwd)"},
        {STATE_ACCOUNT_LOCK, "mailctl state unlock"},
        {STATE_SEND_LOCK, "mailctl state unlock"},
        {STATE_OVER_CAPACITY, "remove mail, or raise the quota"},
        {STATE_PASSWORD_FORCED, "set a new password, twice (mailctl user passwd)"},
        {STATE_SEND_PAUSE, "mailctl state unlock"},
        {STATE_RECEIVE_PAUSE, "mailctl state unlock"},
    };
    for (size_t i = 0; i < sizeof cures / sizeof *cures; i++)
        if (slice_equal(state, slice_text(cures[i].state)))
            return cures[i].cure;
    return "";
}

/* The state whose first of four fields is `at`. */
static json_t *show_state(const struct wire_message *answer, size_t at, struct slice of)
{
    uint64_t since = 0, until = 0;
    (void)(wire_number(answer, at + 1, INT64_MAX, &since) &&
           wire_number(answer, at + 2, INT64_MAX, &until));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s}", "of", show_text(of), "state",
                     show_text(wire_field(answer, at)), "since", show_time((int64_t)since), "until",
                     show_time((int64_t)until), "cause", show_text(wire_field(answer, at + 3)),
                     "cure", cure_of(wire_field(answer, at)));
}

void stateview_append(json_t *states, const struct wire_message *answer, const char *name)
{
    for (size_t at = 1; at + STATEVIEW_FIELDS <= answer->count; at += STATEVIEW_FIELDS)
        json_array_append_new(states,
                              show_state(answer, at, slice_text(name[0] == '@' ? name + 1 : name)));
}

/* False: stated does not answer; `rows` has what it said till then. */
static bool append_of_accounts(int *fd, const char *domain, json_t *rows)
{
    enum { FIELDS = 1 + STATEVIEW_FIELDS };
    char name[NAME_MAX_SIZE], cursor[NUMBER_TEXT_SIZE + 1] = "0";
    struct wire_message answer;
    uint64_t next = 1;
    bool answered = true;
    snprintf(name, sizeof name, "@%s", domain);
    wire_init(&answer);
    while (next != 0 && answered) {
        answered = state_ask(fd, &answer, "states-of", name, cursor, (char *)NULL) &&
                   wire_number(&answer, 1, INT32_MAX, &next);
        for (size_t at = 2; answered && at + FIELDS <= answer.count; at += FIELDS)
            json_array_append_new(rows, show_state(&answer, at + 1, wire_field(&answer, at)));
        snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)next);
    }
    wire_free(&answer);
    return answered;
}

json_t *stateview_of_accounts(int *fd, const char *domain)
{
    json_t *rows = json_array();
    (void)append_of_accounts(fd, domain, rows);
    return rows;
}

static bool append_of(int *fd, const char *name, json_t *states)
{
    struct wire_message answer;
    wire_init(&answer);
    bool answered = state_ask(fd, &answer, "get", name, (char *)NULL);
    if (answered)
        stateview_append(states, &answer, name);
    wire_free(&answer);
    return answered;
}

json_t *stateview_of(const char *local, const char *domain)
{
    char name[NAME_MAX_SIZE];
    int fd = -1;
    json_t *states = json_array();
    int size = snprintf(name, sizeof name, "%s@%s", local, domain);
    bool answered =
        size > 0 && append_of(&fd, name + strlen(local), states) && append_of(&fd, name, states);
    io_close(&fd);
    if (answered)
        return states;
    json_decref(states);
    return json_null();
}

json_t *stateview_table(const char *domain)
{
    char name[NAME_MAX_SIZE];
    int fd = -1;
    size_t i;
    json_t *row, *rows = json_array(), *table = json_object();
    snprintf(name, sizeof name, "@%s", domain);
    bool answered = append_of(&fd, name, rows) && append_of_accounts(&fd, domain, rows);
    io_close(&fd);
    json_array_foreach(rows, i, row)
    {
        const char *of = json_string_value(json_object_get(row, "of"));
        if (!json_object_get(table, of))
            json_object_set_new(table, of, json_array());
        json_array_append(json_object_get(table, of), row);
    }
    json_decref(rows);
    if (answered)
        return table;
    json_decref(table);
    return NULL;
}

json_t *stateview_find(const json_t *table, const char *local, const char *domain)
{
    char name[NAME_MAX_SIZE];
    if (!table)
        return json_null();
    json_t *states = json_array();
    snprintf(name, sizeof name, "%s@%s", local, domain);
    /* One that there is not is no array: nothing is appended. */
    (void)json_array_extend(states, json_object_get(table, domain));
    (void)json_array_extend(states, json_object_get(table, name));
    return states;
}
