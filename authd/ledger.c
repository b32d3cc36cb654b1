/* ledger - see ledger.h */
#include "ledger.h"

#include "number.h"

/* ---- words ------------------------------------------------------------------------------------
 */

static const char hex_digits[] = "0123456789ABCDEF";

static void put_separator(struct str *record)
{
    if (record->size > 0)
        str_append_byte(record, ' ');
}

static void put_word(struct str *record, struct slice word)
{
    put_separator(record);
    if (word.size == 0)
        str_append_byte(record, '%');
    for (size_t i = 0; i < word.size; i++) {
        unsigned char byte = (unsigned char)word.data[i];
        if (byte > ' ' && byte < 0x7f && byte != '%') {
            str_append_byte(record, word.data[i]);
        } else {
            str_append_byte(record, '%');
            str_append_byte(record, hex_digits[byte >> 4]);
            str_append_byte(record, hex_digits[byte & 15]);
        }
    }
}

static void put_number(struct str *record, int64_t number)
{
    put_separator(record);
    str_append_number(record, number > 0 ? (uint64_t)number : 0);
}

static int hex_value(char byte)
{
    if (slice_is_digit(byte))
        return byte - '0';
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* A record cut into decoded words; `bytes` is where they lie. */
struct words {
    char bytes[LEDGER_RECORD_MAX];
    struct slice word[LEDGER_WORDS_MAX];
    size_t count;
};

/* Decodes one word to `to`, which has room for all of it. False: bad escape. */
static bool decode(struct slice text, char *to, size_t *size)
{
    *size = 0;
    if (slice_equal(text, SLICE("%")))
        return true;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '%') {
            if (text.size - i < 3)
                return false;
            int high = hex_value(text.data[i + 1]);
            int low = hex_value(text.data[i + 2]);
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high * 16 + low);
            i += 2;
        }
        to[(*size)++] = byte;
    }
    return true;
}

static bool split(struct slice record, struct words *words)
{
    size_t used = 0;
    words->count = 0;
    if (record.size == 0 || record.size > sizeof words->bytes)
        return false;
    bool more = true;
    while (more) {
        more = slice_has(record, ' ');
        struct slice text = slice_cut(&record, ' ');
        size_t size;
        if (text.size == 0 || words->count == LEDGER_WORDS_MAX ||
            !decode(text, words->bytes + used, &size))
            return false;
        words->word[words->count++] = slice_of(words->bytes + used, size);
        used += size;
    }
    return true;
}

static bool get_number(const struct words *words, size_t index, int64_t *number)
{
    uint64_t value;
    if (!number_parse(words->word[index], INT64_MAX, &value))
        return false;
    *number = (int64_t)value;
    return true;
}

static bool get_count(const struct words *words, size_t index, unsigned *count)
{
    return number_parse_unsigned(words->word[index], UINT32_MAX / 16, count);
}

/* ---- applying ---------------------------------------------------------------------------------
 */

bool ledger_init(struct ledger *ledger, uint64_t seed, const struct failures_limits *limits)
{
    bool failures = failures_init(&ledger->failures, seed);
    bool states = states_init(&ledger->states);
    bool rates = rates_init(&ledger->rates, seed);
    bool history = history_init(&ledger->history);
    ledger->limits = *limits;
    return failures && states && rates && history;
}

void ledger_free(struct ledger *ledger)
{
    failures_free(&ledger->failures);
    states_free(&ledger->states);
    rates_free(&ledger->rates);
    history_free(&ledger->history);
}

static bool is_account(struct slice account)
{
    return account.size > 0 && account.size <= FAILURES_ACCOUNT_MAX && !slice_has(account, '\0');
}

static bool is_client(struct slice client)
{
    return client.size < FAILURES_CLIENT_MAX && !slice_has(client, '\0');
}

/* The last two words, the limits of the account's plan, may be missing. */
static bool apply_failed(struct ledger *ledger, const struct words *words,
                         struct failures_result *result)
{
    int64_t now;
    struct failures_own own = {0};
    if (!get_number(words, 1, &now) || !is_account(words->word[2]) || !is_client(words->word[3]) ||
        (words->count > 4 &&
         (!get_count(words, 4, &own.limit) || !get_number(words, 5, &own.lock_s))))
        return false;
    *result = failures_note(&ledger->failures, &ledger->limits, &own, words->word[2],
                            words->word[3], now);
    return true;
}

static bool apply_good(struct ledger *ledger, const struct words *words,
                       struct failures_result *result)
{
    int64_t now;
    (void)result;
    if (!get_number(words, 1, &now) || !is_account(words->word[2]) || !is_client(words->word[3]))
        return false;
    failures_success(&ledger->failures, words->word[2], words->word[3], now);
    return true;
}

static bool apply_set(struct ledger *ledger, const struct words *words,
                      struct failures_result *result)
{
    int64_t since, until;
    enum states_name name;
    (void)result;
    return states_name_from(words->word[2], &name) && get_number(words, 3, &since) &&
           get_number(words, 4, &until) &&
           states_set(&ledger->states, words->word[1], name, since, until, words->word[5]);
}

static bool apply_clear(struct ledger *ledger, const struct words *words,
                        struct failures_result *result)
{
    enum states_name name;
    (void)result;
    return states_name_from(words->word[2], &name) &&
           states_clear(&ledger->states, words->word[1], name);
}

static bool apply_forgive(struct ledger *ledger, const struct words *words,
                          struct failures_result *result)
{
    (void)result;
    return failures_forgive(&ledger->failures, words->word[1]);
}

static bool apply_rate(struct ledger *ledger, const struct words *words,
                       struct failures_result *result)
{
    struct rates_record rate = {.name = words->word[2]};
    (void)result;
    return rates_kind_from(words->word[1], &rate.kind) && is_account(rate.name) &&
           get_number(words, 3, &rate.window_s) &&
           number_parse(words->word[4], UINT64_MAX, &rate.limit) &&
           get_number(words, 5, &rate.stretch) &&
           number_parse(words->word[6], UINT32_MAX, &rate.count) &&
           rates_restore(&ledger->rates, &rate);
}

static bool apply_restart(struct ledger *ledger, const struct words *words,
                          struct failures_result *result)
{
    enum rates_kind kind;
    (void)result;
    if (!rates_kind_from(words->word[1], &kind))
        return false;
    /* There may be none: what it had counted was not written yet. */
    (void)rates_restart(&ledger->rates, kind, words->word[2]);
    return true;
}

static bool apply_event(struct ledger *ledger, const struct words *words,
                        struct failures_result *result)
{
    struct history_event event = {0};
    (void)result;
    return get_number(words, 1, &event.time) && states_name_from(words->word[3], &event.state) &&
           history_what_from(words->word[4], &event.what) && get_number(words, 5, &event.until) &&
           slice_copy_text(words->word[2], event.account, sizeof event.account) &&
           slice_copy_text(words->word[6], event.cause, sizeof event.cause) &&
           history_add(&ledger->history, &event);
}

static bool apply_pair(struct ledger *ledger, const struct words *words,
                       struct failures_result *result)
{
    struct tally read = {0};
    (void)result;
    if (!is_account(words->word[1]) || !is_client(words->word[2]) ||
        !get_number(words, 3, &read.start) || !get_count(words, 4, &read.failures) ||
        !get_number(words, 5, &read.locked_until) || !get_number(words, 6, &read.counted) ||
        !get_number(words, 7, &read.good))
        return false;
    struct tally *pair = failures_pair(&ledger->failures, words->word[1], words->word[2], 0);
    if (!pair)
        return false;
    pair->start = read.start;
    pair->failures = read.failures;
    pair->locked_until = read.locked_until;
    pair->counted = read.counted;
    pair->good = read.good;
    return true;
}

/* Journals of before have no last word. */
static bool apply_whole(struct tally_table *table, const struct words *words)
{
    struct tally read = {0};
    if (words->word[1].size > FAILURES_ACCOUNT_MAX || !get_number(words, 2, &read.start) ||
        !get_count(words, 3, &read.failures) || !get_number(words, 4, &read.locked_until) ||
        !get_count(words, 5, &read.others) ||
        (words->count > 6 && !get_number(words, 6, &read.counted)))
        return false;
    struct tally *whole = tally_get(table, words->word[1], 0);
    if (!whole)
        return false;
    whole->start = read.start;
    whole->failures = read.failures;
    whole->locked_until = read.locked_until;
    whole->others = read.others;
    whole->counted = read.counted;
    return true;
}

static bool apply_account(struct ledger *ledger, const struct words *words,
                          struct failures_result *result)
{
    (void)result;
    return is_account(words->word[1]) && apply_whole(&ledger->failures.accounts, words);
}

static bool apply_client(struct ledger *ledger, const struct words *words,
                         struct failures_result *result)
{
    (void)result;
    return is_client(words->word[1]) && apply_whole(&ledger->failures.clients, words);
}

static const struct record_kind {
    const char *name;
    size_t words;
    bool (*apply)(struct ledger *, const struct words *, struct failures_result *);
} record_kinds[] = {
    {"failed", 4, apply_failed},   {"failed", 6, apply_failed},   {"good", 4, apply_good},
    {"set", 6, apply_set},         {"clear", 3, apply_clear},     {"forgive", 2, apply_forgive},
    {"pair", 8, apply_pair},       {"account", 6, apply_account}, {"client", 6, apply_client},
    {"account", 7, apply_account}, {"client", 7, apply_client},   {"rate", 7, apply_rate},
    {"restart", 3, apply_restart}, {"event", 7, apply_event},
};

bool ledger_apply(struct ledger *ledger, struct slice record, struct failures_result *result)
{
    struct words words;
    struct failures_result ignored;
    if (!split(record, &words))
        return false;
    for (size_t i = 0; i < sizeof record_kinds / sizeof *record_kinds; i++) {
        const struct record_kind *kind = &record_kinds[i];
        if (words.count == kind->words && slice_equal(words.word[0], slice_text(kind->name)))
            return kind->apply(ledger, &words, result ? result : &ignored);
    }
    return false;
}

/* ---- making records ---------------------------------------------------------------------------
 */

void ledger_put_failed(struct str *record, int64_t now, struct slice account, struct slice client,
                       const struct failures_own *own)
{
    put_word(record, SLICE("failed"));
    put_number(record, now);
    put_word(record, account);
    put_word(record, client);
    if (own->limit == 0 && own->lock_s == 0)
        return;
    put_number(record, own->limit);
    put_number(record, own->lock_s);
}

void ledger_put_good(struct str *record, int64_t now, struct slice account, struct slice client)
{
    put_word(record, SLICE("good"));
    put_number(record, now);
    put_word(record, account);
    put_word(record, client);
}

void ledger_put_set(struct str *record, struct slice account, enum states_name name, int64_t since,
                    int64_t until, struct slice cause)
{
    put_word(record, SLICE("set"));
    put_word(record, account);
    put_word(record, slice_text(states_kind(name)->name));
    put_number(record, since);
    put_number(record, until);
    put_word(record, cause);
}

void ledger_put_clear(struct str *record, struct slice account, enum states_name name)
{
    put_word(record, SLICE("clear"));
    put_word(record, account);
    put_word(record, slice_text(states_kind(name)->name));
}

void ledger_put_forgive(struct str *record, struct slice account)
{
    put_word(record, SLICE("forgive"));
    put_word(record, account);
}

void ledger_put_rate(struct str *record, const struct rates_record *rate)
{
    put_word(record, SLICE("rate"));
    put_word(record, slice_text(rates_kind_name(rate->kind)));
    put_word(record, rate->name);
    put_number(record, rate->window_s);
    put_separator(record);
    str_append_number(record, rate->limit);
    put_number(record, rate->stretch);
    put_separator(record);
    str_append_number(record, rate->count);
}

void ledger_put_event(struct str *record, const struct history_event *event)
{
    put_word(record, SLICE("event"));
    put_number(record, event->time);
    put_word(record, slice_text(event->account));
    put_word(record, slice_text(states_kind(event->state)->name));
    put_word(record, slice_text(history_what_name(event->what)));
    put_number(record, event->until);
    put_word(record, slice_text(event->cause));
}

void ledger_put_restart(struct str *record, enum rates_kind kind, struct slice name)
{
    put_word(record, SLICE("restart"));
    put_word(record, slice_text(rates_kind_name(kind)));
    put_word(record, name);
}

/* ---- the whole ledger as records --------------------------------------------------------------
 */

struct walk {
    const struct ledger *ledger;
    int64_t now;
    ledger_each *each;
    void *owner;
    struct str record;
};

static void end_record(struct walk *walk)
{
    if (!walk->record.failed)
        walk->each(walk->owner, str_slice(&walk->record));
    str_clear(&walk->record);
}

static bool counts(const struct walk *walk, const struct tally *tally)
{
    return tally->locked_until > walk->now ||
           (tally->failures > 0 && walk->now - tally->start < walk->ledger->limits.window_s);
}

static void walk_pairs(struct walk *walk)
{
    const struct tally *pair = walk->ledger->failures.pairs.oldest;
    for (; pair; pair = pair->newer) {
        struct slice account, client;
        if (!counts(walk, pair) && (pair->good == 0 || walk->now - pair->good >= FAILURES_GOOD_S))
            continue;
        failures_split_pair(pair, &account, &client);
        put_word(&walk->record, SLICE("pair"));
        put_word(&walk->record, account);
        put_word(&walk->record, client);
        put_number(&walk->record, pair->start);
        put_number(&walk->record, pair->failures);
        put_number(&walk->record, pair->locked_until);
        put_number(&walk->record, pair->counted);
        put_number(&walk->record, pair->good);
        end_record(walk);
    }
}

static void walk_wholes(struct walk *walk, const struct tally_table *table, struct slice kind)
{
    for (const struct tally *whole = table->oldest; whole; whole = whole->newer) {
        if (!counts(walk, whole))
            continue;
        put_word(&walk->record, kind);
        put_word(&walk->record, tally_key(whole));
        put_number(&walk->record, whole->start);
        put_number(&walk->record, whole->failures);
        put_number(&walk->record, whole->locked_until);
        put_number(&walk->record, whole->others);
        put_number(&walk->record, whole->counted);
        end_record(walk);
    }
}

static void walk_state(void *owner, const struct states_record *state)
{
    struct walk *walk = owner;
    if (state->until != 0 && state->until <= walk->now)
        return;
    ledger_put_set(&walk->record, slice_text(state->account), state->name, state->since,
                   state->until, slice_text(state->cause));
    end_record(walk);
}

static void walk_rate(void *owner, const struct rates_record *rate)
{
    struct walk *walk = owner;
    ledger_put_rate(&walk->record, rate);
    end_record(walk);
}

void ledger_walk(const struct ledger *ledger, int64_t now, ledger_each *each, void *owner)
{
    struct walk walk = {.ledger = ledger, .now = now, .each = each, .owner = owner};
    str_init(&walk.record, LEDGER_RECORD_MAX);
    walk_pairs(&walk);
    walk_wholes(&walk, &ledger->failures.accounts, SLICE("account"));
    walk_wholes(&walk, &ledger->failures.clients, SLICE("client"));
    states_walk(&ledger->states, walk_state, &walk);
    rates_walk(&ledger->rates, now, walk_rate, &walk);
    for (size_t i = 0; i < ledger->history.count; i++) {
        ledger_put_event(&walk.record, ledger->history.of[i]);
        end_record(&walk);
    }
    str_free(&walk.record);
}
