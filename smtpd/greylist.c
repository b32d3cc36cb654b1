/* greylist - see greylist.h */
#include "greylist.h"

#include "encode.h"
#include "number.h"

#include <stdio.h>
#include <string.h>

enum {
    IPV4_BITS = 24,
    IPV6_BITS = 64,
    HASH_SIZE = 8,
    TRIPLET_MAX = 4096,
    /* What is used all the time is recorded anew now and then, not each time. */
    RECORDED_LIFETIME_PART = 20,
};

struct triplet {
    struct recent_entry entry;
    int64_t first;
    int64_t passed; /* 0: not yet */
};

struct client {
    struct recent_entry entry;
    struct ip network;
    uint64_t count;
    int64_t last;
};

static struct triplet *as_triplet(struct recent_entry *entry)
{
    return (struct triplet *)(void *)entry;
}

static struct client *as_client(struct recent_entry *entry)
{
    return (struct client *)(void *)entry;
}

bool greylist_init(struct greylist *list, const unsigned char seed[RECENT_SEED_SIZE],
                   greylist_keep *keep, void *owner)
{
    *list = (struct greylist){.keep = keep, .owner = owner};
    if (recent_init(&list->waiting, sizeof(struct triplet), GREYLIST_WAITING_MAX, NULL, seed) &&
        recent_init(&list->passed, sizeof(struct triplet), GREYLIST_PASSED_MAX, NULL, seed) &&
        recent_init(&list->clients, sizeof(struct client), GREYLIST_CLIENTS_MAX, NULL, seed))
        return true;
    greylist_free(list);
    return false;
}

void greylist_free(struct greylist *list)
{
    recent_free(&list->waiting);
    recent_free(&list->passed);
    recent_free(&list->clients);
}

/* ---- records ----------------------------------------------------------------------------------*/

static void put_seed(const struct greylist *list, struct str *record)
{
    str_append_text(record, "seed ");
    encode_hex(slice_of(list->seed, sizeof list->seed), record);
}

static void put_triplet(const struct recent_key *key, int64_t first, int64_t passed,
                        struct str *record)
{
    str_append_text(record, "triplet ");
    encode_hex(slice_of(key->bytes, HASH_SIZE), record);
    str_format(record, " %lld %lld", (long long)first, (long long)passed);
}

static void put_client(const struct ip *network, uint64_t count, int64_t last, struct str *record)
{
    char text[IP_TEXT_MAX];
    ip_format(network, text);
    str_format(record, "client %s %llu %lld", text, (unsigned long long)count, (long long)last);
}

static bool cut_number(struct slice *words, int64_t *number)
{
    uint64_t value;
    if (!number_parse(slice_cut(words, ' '), INT64_MAX, &value))
        return false;
    *number = (int64_t)value;
    return true;
}

static bool apply_seed(struct greylist *list, struct slice words)
{
    struct str bytes;
    str_init(&bytes, RECENT_SEED_SIZE);
    bool done = encode_from_hex(words, &bytes) && bytes.size == RECENT_SEED_SIZE;
    if (done) {
        memcpy(list->seed, bytes.data, RECENT_SEED_SIZE);
        list->has_seed = true;
    }
    str_free(&bytes);
    return done;
}

static bool cut_key(struct slice *words, struct recent_key *key)
{
    struct str bytes;
    str_init(&bytes, HASH_SIZE);
    *key = (struct recent_key){{0}};
    bool done = encode_from_hex(slice_cut(words, ' '), &bytes) && bytes.size == HASH_SIZE;
    if (done)
        memcpy(key->bytes, bytes.data, HASH_SIZE);
    str_free(&bytes);
    return done;
}

/* A triplet is in one table: it moves when it passes, and back when it was forgotten. */
static bool set_triplet(struct greylist *list, const struct recent_key *key, int64_t first,
                        int64_t passed)
{
    struct recent *table = passed > 0 ? &list->passed : &list->waiting;
    struct recent *other = passed > 0 ? &list->waiting : &list->passed;
    struct recent_entry *old = recent_find(other, key);
    if (old)
        recent_remove(other, old);
    struct triplet *triplet = as_triplet(recent_get(table, key));
    if (!triplet)
        return false;
    triplet->first = first;
    triplet->passed = passed;
    return true;
}

static bool apply_triplet(struct greylist *list, struct slice words)
{
    struct recent_key key;
    int64_t first, passed;
    return cut_key(&words, &key) && cut_number(&words, &first) && cut_number(&words, &passed) &&
           words.size == 0 && set_triplet(list, &key, first, passed);
}

static bool set_client(struct greylist *list, const struct ip *network, uint64_t count,
                       int64_t last)
{
    struct recent_key key = recent_key_of_ip(network, network->size * 8, 0);
    struct client *client = as_client(recent_get(&list->clients, &key));
    if (!client)
        return false;
    client->network = *network;
    client->count = count;
    client->last = last;
    return true;
}

static bool apply_client(struct greylist *list, struct slice words)
{
    struct ip network;
    int64_t count, last;
    return ip_parse(slice_cut(&words, ' '), &network) && cut_number(&words, &count) &&
           cut_number(&words, &last) && words.size == 0 &&
           set_client(list, &network, (uint64_t)count, last);
}

bool greylist_apply(struct greylist *list, struct slice record)
{
    struct slice name = slice_cut(&record, ' ');
    if (slice_equal(name, SLICE("triplet")))
        return apply_triplet(list, record);
    if (slice_equal(name, SLICE("client")))
        return apply_client(list, record);
    return slice_equal(name, SLICE("seed")) && apply_seed(list, record);
}

static void tell(struct greylist *list, struct str *record)
{
    if (!record->failed && list->keep)
        list->keep(list->owner, str_slice(record));
    str_free(record);
}

void greylist_set_seed(struct greylist *list, const unsigned char seed[RECENT_SEED_SIZE])
{
    struct str record;
    if (list->has_seed)
        return;
    memcpy(list->seed, seed, RECENT_SEED_SIZE);
    list->has_seed = true;
    str_init(&record, GREYLIST_RECORD_MAX);
    put_seed(list, &record);
    tell(list, &record);
}

/* Without memory for it nothing is told, and the next try counts as the first. */
static void change_triplet(struct greylist *list, const struct recent_key *key, int64_t first,
                           int64_t passed)
{
    struct str record;
    if (!set_triplet(list, key, first, passed))
        return;
    str_init(&record, GREYLIST_RECORD_MAX);
    put_triplet(key, first, passed, &record);
    tell(list, &record);
}

static void change_client(struct greylist *list, const struct ip *network, uint64_t count,
                          int64_t last)
{
    struct str record;
    if (!set_client(list, network, count, last))
        return;
    str_init(&record, GREYLIST_RECORD_MAX);
    put_client(network, count, last, &record);
    tell(list, &record);
}

/* ---- judging ----------------------------------------------------------------------------------*/

static struct ip network_of(const struct ip *client)
{
    return ip_network(client, client->size == 4 ? IPV4_BITS : IPV6_BITS);
}

static void put_sender(struct str *text, struct slice sender)
{
    size_t at = slice_find_last(sender, '@');
    struct slice local = slice_part(sender, 0, at);
    bool in_number = false;
    local = slice_part(local, 0, slice_find(local, '+'));
    for (size_t i = 0; i < local.size; i++) {
        bool is_digit = slice_is_digit(local.data[i]);
        if (!is_digit)
            str_append_byte(text, slice_lower(local.data[i]));
        else if (!in_number)
            str_append_byte(text, '#');
        in_number = is_digit;
    }
    for (struct slice rest = slice_from(sender, at); rest.size > 0; rest = slice_from(rest, 1))
        str_append_byte(text, slice_lower(rest.data[0]));
}

static struct recent_key key_of(const struct greylist *list, const struct ip *network,
                                struct slice sender, struct slice recipient)
{
    struct recent_key key = {{0}};
    struct str text;
    str_init(&text, TRIPLET_MAX);
    str_append(&text, slice_of(network->bytes, network->size));
    str_append_byte(&text, '\0');
    put_sender(&text, sender);
    str_append_byte(&text, '\0');
    for (size_t i = 0; i < recipient.size; i++)
        str_append_byte(&text, slice_lower(recipient.data[i]));
    uint64_t hash = recent_hash(list->seed, str_slice(&text));
    memcpy(key.bytes, &hash, HASH_SIZE);
    str_free(&text);
    return key;
}

/* A clock that went back makes nothing old. */
static bool is_older(int64_t time, int64_t now, int64_t age_s)
{
    return now > time && now - time > age_s;
}

static bool is_client_known(struct greylist *list, const struct greylist_limits *limits,
                            int64_t now, const struct ip *network)
{
    struct recent_key key = recent_key_of_ip(network, network->size * 8, 0);
    struct client *client = as_client(recent_find(&list->clients, &key));
    if (!client || limits->passes == 0 || client->count < limits->passes ||
        is_older(client->last, now, limits->lifetime_s))
        return false;
    if (is_older(client->last, now, limits->lifetime_s / RECORDED_LIFETIME_PART))
        change_client(list, network, client->count, now);
    else
        recent_touch(&list->clients, &client->entry);
    return true;
}

static void count_client(struct greylist *list, const struct greylist_limits *limits, int64_t now,
                         const struct ip *network)
{
    struct recent_key key = recent_key_of_ip(network, network->size * 8, 0);
    const struct client *client = as_client(recent_find(&list->clients, &key));
    bool goes_on = client && !is_older(client->last, now, limits->lifetime_s);
    change_client(list, network, goes_on ? client->count + 1 : 1, now);
}

static bool has_passed(struct greylist *list, const struct greylist_limits *limits, int64_t now,
                       const struct recent_key *key)
{
    struct triplet *triplet = as_triplet(recent_find(&list->passed, key));
    if (!triplet || is_older(triplet->passed, now, limits->lifetime_s))
        return false;
    if (is_older(triplet->passed, now, limits->lifetime_s / RECORDED_LIFETIME_PART))
        change_triplet(list, key, triplet->first, now);
    else
        recent_touch(&list->passed, &triplet->entry);
    return true;
}

int64_t greylist_judge(struct greylist *list, const struct greylist_limits *limits, int64_t now,
                       const struct ip *client, struct slice sender, struct slice recipient)
{
    struct ip network = network_of(client);
    struct recent_key key = key_of(list, &network, sender, recipient);
    if (is_client_known(list, limits, now, &network) || has_passed(list, limits, now, &key))
        return 0;
    const struct triplet *waiting = as_triplet(recent_find(&list->waiting, &key));
    if (!waiting || waiting->first > now || is_older(waiting->first, now, limits->window_s)) {
        change_triplet(list, &key, now, 0);
        return limits->delay_s;
    }
    int64_t waited = now - waiting->first;
    if (waited < limits->delay_s)
        return limits->delay_s - waited;
    change_triplet(list, &key, waiting->first, now);
    count_client(list, limits, now, &network);
    return 0;
}

/* ---- the whole --------------------------------------------------------------------------------*/

static void give(struct str *record, greylist_keep *each, void *owner)
{
    if (!record->failed)
        each(owner, str_slice(record));
    str_free(record);
}

static void walk_triplets(const struct recent *table, const struct greylist_limits *limits,
                          int64_t now, greylist_keep *each, void *owner)
{
    for (struct recent_entry *entry = table->oldest; entry; entry = entry->newer) {
        const struct triplet *triplet = as_triplet(entry);
        struct str record;
        if (triplet->passed > 0 ? is_older(triplet->passed, now, limits->lifetime_s)
                                : is_older(triplet->first, now, limits->window_s))
            continue;
        str_init(&record, GREYLIST_RECORD_MAX);
        put_triplet(&entry->key, triplet->first, triplet->passed, &record);
        give(&record, each, owner);
    }
}

void greylist_walk(const struct greylist *list, const struct greylist_limits *limits, int64_t now,
                   greylist_keep *each, void *owner)
{
    struct str record;
    str_init(&record, GREYLIST_RECORD_MAX);
    put_seed(list, &record);
    give(&record, each, owner);
    for (struct recent_entry *entry = list->clients.oldest; entry; entry = entry->newer) {
        const struct client *client = as_client(entry);
        if (is_older(client->last, now, limits->lifetime_s))
            continue;
        str_init(&record, GREYLIST_RECORD_MAX);
        put_client(&client->network, client->count, client->last, &record);
        give(&record, each, owner);
    }
    walk_triplets(&list->passed, limits, now, each, owner);
    walk_triplets(&list->waiting, limits, now, each, owner);
}
