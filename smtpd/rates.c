/* rates - see rates.h */
#include "rates.h"

enum { IPV4_BITS = 32, IPV6_BITS = 64 };

struct tally {
    struct recent_entry entry;
    int64_t began;
    uint64_t count;
};

static const struct {
    const char *name;
    const char *setting;
} kinds[RATES_KINDS] = {
    [RATES_CONNECTION] = {"connection", "connection-rate"},
    [RATES_MESSAGE] = {"message", "message-rate"},
    [RATES_RECIPIENT] = {"recipient", "recipient-rate"},
};

bool rates_find_kind(struct slice name, enum rates_kind *kind)
{
    for (unsigned i = 0; i < RATES_KINDS; i++)
        if (slice_equal(name, slice_text(kinds[i].name))) {
            *kind = (enum rates_kind)i;
            return true;
        }
    return false;
}

const char *rates_setting(enum rates_kind kind)
{
    return kinds[kind].setting;
}

bool rates_init(struct rates *rates, const unsigned char seed[RECENT_SEED_SIZE])
{
    return recent_init(&rates->table, sizeof(struct tally), RATES_CLIENTS_MAX, NULL, seed);
}

void rates_free(struct rates *rates)
{
    recent_free(&rates->table);
}

unsigned rates_count(struct rates *rates, enum rates_kind kind, const struct ip *client,
                     uint64_t limit, int64_t now)
{
    unsigned bits = client->size == 4 ? IPV4_BITS : IPV6_BITS;
    struct recent_key key = recent_key_of_ip(client, bits, (unsigned char)kind);
    struct tally *tally = (struct tally *)(void *)recent_get(&rates->table, &key);
    if (!tally)
        return 0;
    int64_t age = now - tally->began;
    if (tally->count == 0 || age < 0 || age >= RATES_WINDOW_S) {
        tally->began = now;
        tally->count = 0;
        age = 0;
    }
    tally->count++;
    return tally->count > limit ? (unsigned)(RATES_WINDOW_S - age) : 0;
}
