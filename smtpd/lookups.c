/* lookups - see lookups.h */
#include "lookups.h"

#include "clock.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

/* As in the table of settings, should there be no cdb/host.cdb. */
enum {
    GREYLIST_DELAY_S = 300,
    GREYLIST_WINDOW_S = 172800,
    GREYLIST_LIFETIME_S = 3024000,
    GREYLIST_PASSES = 5,
};

/* ---- settings ---------------------------------------------------------------------------------*/

static uint64_t host_number(struct lookups *lookups, const char *name, uint64_t otherwise)
{
    uint64_t value;
    return directory_host_number(&lookups->directory, name, &value) ? value : otherwise;
}

static int64_t host_seconds(struct lookups *lookups, const char *name, uint64_t otherwise)
{
    uint64_t value = host_number(lookups, name, otherwise);
    return value < INT32_MAX ? (int64_t)value : INT32_MAX;
}

static struct greylist_limits read_limits(struct lookups *lookups)
{
    struct greylist_limits limits = {
        .delay_s = host_seconds(lookups, "greylist-delay", GREYLIST_DELAY_S),
        .window_s = host_seconds(lookups, "greylist-window", GREYLIST_WINDOW_S),
        .lifetime_s = host_seconds(lookups, "greylist-lifetime", GREYLIST_LIFETIME_S),
        .passes = host_number(lookups, "greylist-passes", GREYLIST_PASSES),
    };
    /* A window that closes before the delay is over would let nobody in. */
    if (limits.window_s < 2 * limits.delay_s)
        limits.window_s = 2 * limits.delay_s;
    return limits;
}

static void take_lists(struct lookups *lookups)
{
    struct slice record;
    struct blocklist *list = &lookups->clients.context.list;
    switch (cdbfile_find(&lookups->lists, SLICE(BLOCKLIST_KEY), &record)) {
    case CDBFILE_FOUND:
        if (!blocklist_decode(list, record))
            log_trouble("read", BLOCKLIST_FILE, 0, "run cdb rebuild");
        break;
    case CDBFILE_MISSING:
        blocklist_init(list);
        break;
    case CDBFILE_TROUBLE:
        log_trouble("read", BLOCKLIST_FILE, errno, "run cdb rebuild");
        blocklist_init(list);
        break;
    }
    clients_change_list(&lookups->clients);
}

static bool is_same_file(const struct lookups *lookups)
{
    return lookups->has_lists && lookups->lists.inode == lookups->lists_inode &&
           lookups->lists.changed.tv_sec == lookups->lists_changed.tv_sec &&
           lookups->lists.changed.tv_nsec == lookups->lists_changed.tv_nsec;
}

/* What was read once holds on, should the file be gone. */
static void refresh_lists(struct lookups *lookups)
{
    if (!cdbfile_refresh(&lookups->lists, AT_FDCWD, BLOCKLIST_FILE) || is_same_file(lookups))
        return;
    lookups->has_lists = true;
    lookups->lists_inode = lookups->lists.inode;
    lookups->lists_changed = lookups->lists.changed;
    take_lists(lookups);
}

static void refresh_resolver(struct lookups *lookups)
{
    struct str value;
    str_init(&value, LOOKUPS_RESOLVER_MAX);
    bool is_known = directory_host(&lookups->directory, "resolver", &value);
    struct slice server = str_slice(&value);
    if (lookups->resolver.channel &&
        (!is_known || slice_equal(server, slice_text(lookups->server)))) {
        str_free(&value);
        return;
    }
    resolver_close(&lookups->resolver);
    clients_forget(&lookups->clients);
    if (!slice_copy_text(server, lookups->server, sizeof lookups->server) ||
        !resolver_open(&lookups->resolver, lookups->loop, server))
        log_trouble("use the resolver", lookups->server, 0,
                    "set control/resolver to ADDRESS[:PORT]");
    str_free(&value);
}

static void refresh(struct lookups *lookups)
{
    struct clientcheck_context *context = &lookups->clients.context;
    bool wants_names = directory_host_is_on(&lookups->directory, "client-names");
    refresh_resolver(lookups);
    refresh_lists(lookups);
    if (context->wants_names != wants_names)
        clients_forget(&lookups->clients);
    context->wants_names = wants_names;
}

/* ---- the journal ------------------------------------------------------------------------------*/

static bool apply(void *owner, struct slice record)
{
    struct lookups *lookups = owner;
    return greylist_apply(&lookups->greylist, record);
}

/* What can't be kept is known till the next start. */
static void keep(void *owner, struct slice record)
{
    struct lookups *lookups = owner;
    bool is_written = journal_append(&lookups->journal, record);
    if (!is_written && !lookups->is_unwritable)
        log_trouble("write", "state/greylist/journal", errno, NULL);
    lookups->is_unwritable = !is_written;
}

static void put_line(void *owner, struct slice record)
{
    journal_put_line(owner, record);
}

void lookups_sync(struct lookups *lookups)
{
    if (!journal_sync(&lookups->journal))
        log_trouble("sync", "state/greylist/journal", errno, NULL);
}

void lookups_tidy(struct lookups *lookups)
{
    struct str lines;
    struct greylist_limits limits = read_limits(lookups);
    if (!journal_wants_compaction(&lookups->journal))
        return;
    str_init(&lines, JOURNAL_FILE_MAX);
    greylist_walk(&lookups->greylist, &limits, clock_seconds(), put_line, &lines);
    if (lines.failed || !journal_replace(&lookups->journal, str_slice(&lines)))
        log_trouble("write anew", "state/greylist/journal", errno, NULL);
    str_free(&lines);
}

/* ---- questions --------------------------------------------------------------------------------*/

static void put_verdict(struct str *answer, uint64_t seconds)
{
    wire_put_text(answer, seconds == 0 ? "ok" : "no");
    if (seconds > 0)
        wire_put_number(answer, seconds);
}

static void reply(struct lookups *lookups, struct service_peer *peer)
{
    if (lookups->answer.failed)
        service_close(peer);
    else
        (void)service_answer(peer, str_slice(&lookups->answer), NULL, 0);
}

typedef bool verb(struct lookups *lookups, struct service_peer *peer, const struct ip *client,
                  struct wire_message *message);

static bool answer_client(struct lookups *lookups, struct service_peer *peer,
                          const struct ip *client, struct wire_message *message)
{
    if (message->count != 3 || peer->data) /* one question at a time */
        return false;
    refresh(lookups);
    clients_ask(&lookups->clients, client, peer);
    return true;
}

static bool answer_rate(struct lookups *lookups, struct service_peer *peer, const struct ip *client,
                        struct wire_message *message)
{
    enum rates_kind kind;
    if (message->count != 4 || !rates_find_kind(wire_field(message, 2), &kind))
        return false;
    uint64_t limit = host_number(lookups, rates_setting(kind), 0);
    unsigned seconds = 0;
    if (limit > 0)
        seconds = rates_count(&lookups->rates, kind, client, limit, clock_seconds());
    put_verdict(&lookups->answer, seconds);
    reply(lookups, peer);
    return true;
}

static bool answer_greylist(struct lookups *lookups, struct service_peer *peer,
                            const struct ip *client, struct wire_message *message)
{
    struct greylist_limits limits = read_limits(lookups);
    struct slice sender = wire_field(message, 3), recipient = wire_field(message, 4);
    int64_t seconds = 0;
    if (message->count != 5 || sender.size > LOOKUP_ADDRESS_MAX ||
        recipient.size > LOOKUP_ADDRESS_MAX)
        return false;
    refresh_lists(lookups);
    if (!blocklist_is_allowed(&lookups->clients.context.list, client))
        seconds =
            greylist_judge(&lookups->greylist, &limits, clock_seconds(), client, sender, recipient);
    put_verdict(&lookups->answer, (uint64_t)seconds);
    reply(lookups, peer);
    return true;
}

static const struct {
    const char *name;
    size_t address; /* the field with the client's */
    verb *answer;
} verbs[] = {
    {"client", 2, answer_client},
    {"rate", 3, answer_rate},
    {"greylist", 2, answer_greylist},
};

void lookups_answer(struct lookups *lookups, struct service_peer *peer,
                    struct wire_message *message)
{
    bool is_ours = slice_equal(wire_field(message, 0), SLICE("lookup/1"));
    str_clear(&lookups->answer);
    for (size_t i = 0; is_ours && i < sizeof verbs / sizeof *verbs; i++) {
        struct ip client;
        if (!slice_equal(wire_field(message, 1), slice_text(verbs[i].name)))
            continue;
        if (!ip_parse(wire_field(message, verbs[i].address), &client) ||
            !verbs[i].answer(lookups, peer, &client, message))
            break;
        return;
    }
    service_close(peer);
}

/* ---- opening ----------------------------------------------------------------------------------*/

static bool open_tables(struct lookups *lookups)
{
    unsigned char seed[RECENT_SEED_SIZE];
    return getrandom(seed, sizeof seed, 0) == (ssize_t)sizeof seed &&
           clients_init(&lookups->clients, lookups->loop, seed) &&
           rates_init(&lookups->rates, seed) &&
           greylist_init(&lookups->greylist, seed, keep, lookups);
}

static void ask_dns(void *owner, const char *name, int type, resolver_answer *answer,
                    void *question)
{
    struct lookups *lookups = owner;
    resolver_ask(&lookups->resolver, name, type, answer, question);
}

bool lookups_open(struct lookups *lookups, struct loop *loop, int folder,
                  struct journal_replay *replay)
{
    unsigned char seed[RECENT_SEED_SIZE];
    *lookups = (struct lookups){.loop = loop, .lists.fd = -1, .journal.fd = -1};
    directory_init(&lookups->directory);
    str_init(&lookups->answer, WIRE_MAX_SIZE);
    if (!open_tables(lookups))
        return false;
    lookups->clients.context.ask = ask_dns;
    lookups->clients.context.owner = lookups;
    if (!journal_open(&lookups->journal, folder, "journal", apply, lookups, replay))
        return false;
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return false;
    greylist_set_seed(&lookups->greylist, seed);
    refresh(lookups);
    return true;
}

void lookups_close(struct lookups *lookups)
{
    resolver_close(&lookups->resolver);
    clients_free(&lookups->clients);
    rates_free(&lookups->rates);
    greylist_free(&lookups->greylist);
    lookups_sync(lookups);
    journal_close(&lookups->journal);
    cdbfile_close(&lookups->lists);
    directory_close(&lookups->directory);
    str_free(&lookups->answer);
}
