/* rates - see rates.h */
#include "rates.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = RATES_NAME_MAX + 1 };

static const struct {
    const char *name;
    char letter; /* of the key */
} kinds[RATES_KINDS] = {
    [RATES_SENT] = {"sent", 's'},
    [RATES_RECEIVED] = {"received", 'r'},
    [RATES_MESSAGES] = {"messages", 'm'},
    [RATES_RECIPIENTS] = {"recipients", 'n'},
    [RATES_MISUSE] = {"misuse-recipients", 'u'},
    [RATES_REJECTED] = {"misuse-rejected", 'j'},
};

struct rate {
    int64_t window_s;
    int64_t newest;     /* number of the stretch that is being filled */
    int64_t dirty_from; /* the first stretch that was changed and not flushed; -1: none */
    int64_t touched;    /* when it was last used */
    uint64_t limit;     /* as last heard, to show */
    uint64_t alarm;     /* 0: none is set */
    uint32_t slots[RATES_SLOTS];
};

const char *rates_kind_name(enum rates_kind kind)
{
    return kinds[kind].name;
}

bool rates_kind_from(struct slice text, enum rates_kind *kind)
{
    for (int i = 0; i < RATES_KINDS; i++) {
        if (slice_equal(text, slice_text(kinds[i].name))) {
            *kind = (enum rates_kind)i;
            return true;
        }
    }
    return false;
}

int64_t rates_stretch(int64_t window_s)
{
    enum { FULL = RATES_SLOTS - 1 };
    return (window_s + FULL - 1) / FULL;
}

/* So many stretches, the one that is being filled included, hold all of a window. */
static int64_t span_of(int64_t window_s)
{
    int64_t stretch = rates_stretch(window_s);
    return (window_s + stretch - 1) / stretch + 1;
}

bool rates_init(struct rates *rates, uint64_t seed)
{
    *rates = (struct rates){0};
    return tally_init(&rates->table, RATES_MAX, seed);
}

void rates_free(struct rates *rates)
{
    tally_free(&rates->table);
}

/* ---- one counter ------------------------------------------------------------------------------
 */

static uint32_t *slot_of(struct rate *rate, int64_t stretch)
{
    return &rate->slots[stretch % RATES_SLOTS];
}

static void begin_anew(struct rate *rate, int64_t stretch)
{
    memset(rate->slots, 0, sizeof rate->slots);
    rate->newest = stretch;
    rate->dirty_from = -1;
}

/* Makes `stretch` the newest. */
static void advance(struct rate *rate, int64_t stretch)
{
    if (stretch - rate->newest >= RATES_SLOTS || rate->newest - stretch >= RATES_SLOTS) {
        begin_anew(rate, stretch);
        return;
    }
    while (rate->newest < stretch)
        *slot_of(rate, ++rate->newest) = 0;
}

/* Has the slot of `at` (one of the last) left the window at `stretch`? */
static bool is_over(const struct rate *rate, int64_t at, int64_t stretch)
{
    /* A clock that was set back has a stretch before the newest: nothing is over then. */
    int64_t now = stretch > rate->newest ? stretch : rate->newest;
    int64_t span = span_of(rate->window_s);
    return now - at >= span || rate->newest - stretch >= span;
}

static uint64_t sum(const struct rate *rate, int64_t stretch)
{
    uint64_t total = 0;
    for (int64_t at = rate->newest; at > rate->newest - RATES_SLOTS && at >= 0; at--)
        total += is_over(rate, at, stretch) ? 0 : rate->slots[at % RATES_SLOTS];
    return total;
}

static void add_to(uint32_t *slot, uint64_t count)
{
    *slot = count < UINT32_MAX - *slot ? *slot + (uint32_t)count : UINT32_MAX;
}

static void add(struct rates *rates, struct rate *rate, uint64_t count)
{
    add_to(slot_of(rate, rate->newest), count);
    if (rate->dirty_from < 0) {
        rate->dirty_from = rate->newest;
        rates->dirty++;
    }
}

/* The window was changed: what the old one held counts as of now. */
static void reshape(struct rates *rates, struct rate *rate, int64_t window_s, int64_t now)
{
    uint64_t total = sum(rate, now / rates_stretch(rate->window_s));
    rate->window_s = window_s;
    begin_anew(rate, now / rates_stretch(window_s));
    if (total > 0)
        add(rates, rate, total);
}

/* ---- the table --------------------------------------------------------------------------------
 */

static bool put_key(enum rates_kind kind, struct slice name, char key[KEY_MAX], struct slice *whole)
{
    if (name.size == 0 || name.size > RATES_NAME_MAX)
        return false;
    key[0] = kinds[kind].letter;
    memcpy(key + 1, name.data, name.size);
    *whole = slice_of(key, name.size + 1);
    return true;
}

static enum rates_kind kind_of(char letter)
{
    enum rates_kind kind = RATES_SENT;
    while (kind + 1 < RATES_KINDS && kinds[kind].letter != letter)
        kind++;
    return kind;
}

static struct rate *find(const struct rates *rates, enum rates_kind kind, struct slice name)
{
    char key[KEY_MAX];
    struct slice whole;
    struct tally *tally =
        put_key(kind, name, key, &whole) ? tally_find(&rates->table, whole) : NULL;
    return tally ? tally->more : NULL;
}

/* Finds or makes the counter, and marks it as used. NULL without memory. */
static struct rate *get(struct rates *rates, enum rates_kind kind, struct slice name,
                        int64_t window_s, int64_t now)
{
    char key[KEY_MAX];
    struct slice whole;
    struct tally *tally =
        put_key(kind, name, key, &whole) ? tally_get(&rates->table, whole, now) : NULL;
    if (!tally)
        return NULL;
    if (!tally->more) {
        struct rate *rate = calloc(1, sizeof *rate);
        if (!rate) {
            tally_remove(&rates->table, tally);
            return NULL;
        }
        rate->window_s = window_s;
        begin_anew(rate, now / rates_stretch(window_s));
        tally->more = rate;
    }
    return tally->more;
}

static bool is_window(int64_t window_s)
{
    return window_s > 0 && window_s <= RATES_WINDOW_MAX;
}

bool rates_is_reached(struct rates *rates, enum rates_kind kind, struct slice name,
                      int64_t window_s, uint64_t limit, int64_t now)
{
    struct rate *rate = is_window(window_s) ? get(rates, kind, name, window_s, now) : NULL;
    if (!rate)
        return false;
    if (rate->window_s != window_s)
        reshape(rates, rate, window_s, now);
    rate->limit = limit;
    rate->touched = now;
    return sum(rate, now / rates_stretch(window_s)) >= limit;
}

bool rates_add(struct rates *rates, enum rates_kind kind, struct slice name, uint64_t count,
               int64_t now)
{
    struct rate *rate = find(rates, kind, name);
    if (!rate)
        return false;
    /* It becomes the most recently used: rates_flush looks for changes among those. */
    rate = get(rates, kind, name, rate->window_s, now);
    if (!rate)
        return false;
    int64_t stretch = now / rates_stretch(rate->window_s);
    advance(rate, stretch);
    rate->touched = now;
    add(rates, rate, count);
    if (rate->alarm == 0 || sum(rate, stretch) < rate->alarm)
        return false;
    rate->alarm = 0;
    return true;
}

bool rates_set_alarm(struct rates *rates, enum rates_kind kind, struct slice name, uint64_t count,
                     int64_t now)
{
    struct rate *rate = find(rates, kind, name);
    if (!rate || sum(rate, now / rates_stretch(rate->window_s)) >= count)
        return false;
    if (rate->alarm == 0 || count < rate->alarm)
        rate->alarm = count;
    return true;
}

bool rates_restart(struct rates *rates, enum rates_kind kind, struct slice name)
{
    struct rate *rate = find(rates, kind, name);
    if (!rate)
        return false;
    begin_anew(rate, rate->newest);
    return true;
}

bool rates_find(const struct rates *rates, enum rates_kind kind, struct slice name, int64_t now,
                struct rates_record *record)
{
    const struct rate *rate = find(rates, kind, name);
    if (!rate)
        return false;
    *record = (struct rates_record){
        .kind = kind,
        .name = name,
        .window_s = rate->window_s,
        .limit = rate->limit,
        .count = sum(rate, now / rates_stretch(rate->window_s)),
    };
    return true;
}

/* ---- records ----------------------------------------------------------------------------------
 */

bool rates_restore(struct rates *rates, const struct rates_record *record)
{
    if (!is_window(record->window_s) || record->stretch < 0 ||
        record->stretch > INT64_MAX / RATES_WINDOW_MAX)
        return false;
    int64_t now = record->stretch * rates_stretch(record->window_s);
    struct rate *rate = get(rates, record->kind, record->name, record->window_s, now);
    if (!rate)
        return false;
    if (rate->window_s != record->window_s)
        reshape(rates, rate, record->window_s, now);
    if (record->stretch > rate->newest || rate->newest - record->stretch >= RATES_SLOTS)
        advance(rate, record->stretch);
    rate->limit = record->limit;
    rate->touched = now;
    rate->dirty_from = -1;
    *slot_of(rate, record->stretch) = 0;
    add_to(slot_of(rate, record->stretch), record->count);
    return true;
}

/* The counter's stretches from `from` on. */
static void tell(const struct tally *tally, int64_t from, rates_each *each, void *owner)
{
    const struct rate *rate = tally->more;
    struct slice key = tally_key(tally);
    struct rates_record record = {
        .kind = kind_of(key.data[0]),
        .name = slice_from(key, 1),
        .window_s = rate->window_s,
        .limit = rate->limit,
    };
    int64_t oldest = rate->newest - RATES_SLOTS + 1;
    for (int64_t at = from > oldest ? from : oldest; at <= rate->newest; at++) {
        record.stretch = at;
        record.count = at >= 0 ? rate->slots[at % RATES_SLOTS] : 0;
        if (record.count > 0)
            each(owner, &record);
    }
}

bool rates_is_dirty(const struct rates *rates)
{
    return rates->dirty > 0;
}

/* What changed was used lately, so it stands in front. */
void rates_flush(struct rates *rates, rates_each *each, void *owner)
{
    struct tally *tally = rates->table.newest;
    for (; tally && rates->dirty > 0; tally = tally->older) {
        struct rate *rate = tally->more;
        if (rate->dirty_from < 0)
            continue;
        tell(tally, rate->dirty_from, each, owner);
        rate->dirty_from = -1;
        rates->dirty--;
    }
    rates->dirty = 0;
}

void rates_walk(const struct rates *rates, int64_t now, rates_each *each, void *owner)
{
    for (const struct tally *tally = rates->table.oldest; tally; tally = tally->newer) {
        const struct rate *rate = tally->more;
        if (sum(rate, now / rates_stretch(rate->window_s)) > 0)
            tell(tally, 0, each, owner);
    }
}

void rates_tidy(struct rates *rates, int64_t now)
{
    for (struct tally *tally = rates->table.oldest, *newer; tally; tally = newer) {
        const struct rate *rate = tally->more;
        newer = tally->newer;
        if (rate->dirty_from >= 0 || now - rate->touched < rate->window_s)
            break;
        if (sum(rate, now / rates_stretch(rate->window_s)) == 0)
            tally_remove(&rates->table, tally);
    }
}
