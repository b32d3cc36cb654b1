/* failures - see failures.h */
#include "failures.h"

#include "ip.h"

#include <string.h>

enum { PAIR_KEY_MAX = FAILURES_ACCOUNT_MAX + 1 + FAILURES_CLIENT_MAX, SECONDS_OF_DAY = 86400 };

static const int64_t delays_ms[] = {0, 1000, 2000, 4000, FAILURES_DELAY_MAX_MS};
enum { DELAY_COUNT = sizeof delays_ms / sizeof *delays_ms };

bool failures_init(struct failures *failures, uint64_t seed)
{
    bool pairs = tally_init(&failures->pairs, FAILURES_PAIRS_MAX, seed);
    bool accounts = tally_init(&failures->accounts, FAILURES_SINGLES_MAX, seed);
    bool clients = tally_init(&failures->clients, FAILURES_SINGLES_MAX, seed);
    return pairs && accounts && clients;
}

void failures_free(struct failures *failures)
{
    tally_free(&failures->pairs);
    tally_free(&failures->accounts);
    tally_free(&failures->clients);
}

void failures_client(struct slice address, char client[FAILURES_CLIENT_MAX])
{
    struct ip ip;
    if (!ip_parse(address, &ip)) {
        slice_copy_text(slice_part(address, 0, FAILURES_CLIENT_MAX - 1), client,
                        FAILURES_CLIENT_MAX);
        return;
    }
    if (ip.size == sizeof ip.bytes)
        memset(ip.bytes + 8, 0, 8);
    ip_format(&ip, client);
}

_Static_assert((int)FAILURES_CLIENT_MAX >= (int)IP_TEXT_MAX, "an address fits");

static struct slice pair_key(struct slice account, struct slice client, char key[PAIR_KEY_MAX])
{
    account = slice_part(account, 0, FAILURES_ACCOUNT_MAX);
    client = slice_part(client, 0, FAILURES_CLIENT_MAX);
    memcpy(key, account.data, account.size);
    key[account.size] = '\0';
    memcpy(key + account.size + 1, client.data, client.size);
    return slice_of(key, account.size + 1 + client.size);
}

void failures_split_pair(const struct tally *pair, struct slice *account, struct slice *client)
{
    *client = tally_key(pair);
    *account = slice_cut(client, '\0');
}

static const struct tally *find_pair(const struct failures *failures, struct slice account,
                                     struct slice client)
{
    char key[PAIR_KEY_MAX];
    return tally_find(&failures->pairs, pair_key(account, client, key));
}

struct tally *failures_pair(struct failures *failures, struct slice account, struct slice client,
                            int64_t now)
{
    char key[PAIR_KEY_MAX];
    return tally_get(&failures->pairs, pair_key(account, client, key), now);
}

static bool is_locked(const struct tally *tally, int64_t now)
{
    return tally && tally->locked_until > now;
}

static bool is_good(const struct tally *pair, int64_t now)
{
    return pair && pair->good > 0 && now - pair->good < FAILURES_GOOD_S;
}

enum failures_scope failures_check(const struct failures *failures, struct slice account,
                                   struct slice client, int64_t now, int64_t *until)
{
    const struct tally *pair = find_pair(failures, account, client);
    const struct tally *whole_account = tally_find(&failures->accounts, account);
    const struct tally *whole_client = tally_find(&failures->clients, client);
    enum failures_scope scope = FAILURES_NONE;
    *until = 0;
    if (is_locked(pair, now)) {
        scope = FAILURES_PAIR;
        *until = pair->locked_until;
    } else if (is_good(pair, now)) {
        scope = FAILURES_NONE;
    } else if (is_locked(whole_account, now)) {
        scope = FAILURES_ACCOUNT;
        *until = whole_account->locked_until;
    } else if (is_locked(whole_client, now)) {
        scope = FAILURES_CLIENT;
        *until = whole_client->locked_until;
    }
    return scope;
}

/* Begins a new window when the old one is over, or lies in the future (the clock was set back). */
static void open_window(struct tally *tally, int64_t now, int64_t window_s)
{
    if (tally->failures > 0 && now >= tally->start && now - tally->start < window_s)
        return;
    tally->start = now;
    tally->failures = 0;
    tally->others = 0;
}

static void lock(struct tally *tally, enum failures_scope scope, int64_t now, int64_t lock_s,
                 struct failures_result *result)
{
    tally->counted = now;
    tally->locked_until = now + lock_s;
    result->locked = scope;
    result->until = tally->locked_until;
    result->delay_ms = FAILURES_DELAY_MAX_MS;
}

/* One tally of an account or address as a whole. */
static void note_whole(struct tally *whole, struct tally *pair, enum failures_scope scope,
                       const struct failures_limits *limits, int64_t now,
                       struct failures_result *result)
{
    open_window(whole, now, limits->window_s);
    whole->failures++;
    if (pair->counted < whole->start || whole->others == 0)
        whole->others++;
    if (whole->others < FAILURES_WIDE_SOURCES)
        return;
    result->delay_ms = FAILURES_DELAY_MAX_MS;
    if (whole->failures >= limits->limit * FAILURES_WIDE && whole->locked_until <= now)
        lock(whole, scope, now, limits->lock_s, result);
}

static bool is_loopback(struct slice client)
{
    return slice_starts(client, SLICE("127.")) || slice_equal(client, SLICE("::"));
}

static struct failures_limits limits_of(const struct failures_limits *limits,
                                        const struct failures_own *own)
{
    return (struct failures_limits){.limit = own->limit > 0 ? own->limit : limits->limit,
                                    .window_s = limits->window_s,
                                    .lock_s = own->lock_s > 0 ? own->lock_s : limits->lock_s};
}

struct failures_result failures_note(struct failures *failures,
                                     const struct failures_limits *limits,
                                     const struct failures_own *own, struct slice account,
                                     struct slice client, int64_t now)
{
    struct failures_limits accounts = limits_of(limits, own);
    struct failures_result result = {.delay_ms = FAILURES_DELAY_MAX_MS};
    struct tally *pair = failures_pair(failures, account, client, now);
    struct tally *whole_account = tally_get(&failures->accounts, account, now);
    struct tally *whole_client = tally_get(&failures->clients, client, now);
    if (!pair || !whole_account || !whole_client)
        return result; /* no memory: slow is the safe answer */
    open_window(pair, now, limits->window_s);
    pair->failures++;
    size_t step = pair->failures - 1;
    result.delay_ms = delays_ms[step < DELAY_COUNT ? step : DELAY_COUNT - 1];
    note_whole(whole_account, pair, FAILURES_ACCOUNT, &accounts, now, &result);
    if (!is_loopback(client))
        note_whole(whole_client, pair, FAILURES_CLIENT, limits, now, &result);
    pair->counted = now;
    if (pair->failures >= accounts.limit)
        lock(pair, FAILURES_PAIR, now, accounts.lock_s, &result);
    return result;
}

bool failures_success(struct failures *failures, struct slice account, struct slice client,
                      int64_t now)
{
    struct tally *pair = failures_pair(failures, account, client, now);
    if (!pair)
        return false;
    bool news = pair->failures > 0 || now - pair->good >= SECONDS_OF_DAY || now < pair->good;
    pair->failures = 0;
    pair->locked_until = 0;
    if (news)
        pair->good = now;
    return news;
}

bool failures_forgive(struct failures *failures, struct slice account)
{
    bool any = false;
    for (struct tally *pair = failures->pairs.newest, *older; pair; pair = older) {
        struct slice owner, client;
        older = pair->older;
        failures_split_pair(pair, &owner, &client);
        if (!slice_equal(owner, account) || (pair->failures == 0 && pair->locked_until == 0))
            continue;
        pair->failures = 0;
        pair->locked_until = 0;
        any = true;
    }
    struct tally *whole = tally_find(&failures->accounts, account);
    if (whole) {
        tally_remove(&failures->accounts, whole);
        any = true;
    }
    return any;
}

void failures_locks(const struct failures *failures, struct slice account, int64_t now,
                    failures_each_lock *each, void *owner)
{
    const struct tally *whole = tally_find(&failures->accounts, account);
    if (is_locked(whole, now))
        each(owner, SLICE(""), whole);
    for (const struct tally *pair = failures->pairs.newest; pair; pair = pair->older) {
        struct slice name, client;
        failures_split_pair(pair, &name, &client);
        if (is_locked(pair, now) && slice_equal(name, account))
            each(owner, client, pair);
    }
}

/* ---- a clock that was set back -----------------------------------------------------------------
 */

static void move_time(int64_t *time, int64_t seconds)
{
    *time -= seconds < *time ? seconds : *time;
}

static void move_tally(struct tally *tally, int64_t seconds)
{
    move_time(&tally->start, seconds);
    move_time(&tally->counted, seconds);
    move_time(&tally->good, seconds);
    move_time(&tally->locked_until, seconds);
}

/* When it was counted last, as far as is known: an account or address as a whole keeps the beginning, and when it was
 * locked. */
static int64_t last_of(const struct tally *tally)
{
    int64_t last = tally->counted > tally->start ? tally->counted : tally->start;
    return last > tally->good ? last : tally->good;
}

static bool begin_now(struct tally_table *table, int64_t now)
{
    bool moved = false;
    for (struct tally *tally = table->newest; tally; tally = tally->older) {
        if (last_of(tally) <= now)
            continue;
        move_tally(tally, last_of(tally) - now);
        moved = true;
    }
    return moved;
}

bool failures_begin_now(struct failures *failures, int64_t now)
{
    bool pairs = begin_now(&failures->pairs, now);
    bool accounts = begin_now(&failures->accounts, now);
    bool clients = begin_now(&failures->clients, now);
    return pairs || accounts || clients;
}

static void turn_back(struct tally_table *table, int64_t seconds)
{
    for (struct tally *tally = table->newest; tally; tally = tally->older)
        move_tally(tally, seconds);
}

bool failures_turn_back(struct failures *failures, int64_t seconds)
{
    turn_back(&failures->pairs, seconds);
    turn_back(&failures->accounts, seconds);
    turn_back(&failures->clients, seconds);
    return failures->pairs.newest || failures->accounts.newest || failures->clients.newest;
}
