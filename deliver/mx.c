/* mx - see mx.h */
#include "mx.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { MX_RETRANS_SECONDS = 5, MX_RETRIES = 2, MX_DNS_PORT = 53 };

/* ---- the resolver -----------------------------------------------------------------------------*/

static bool parse_server(struct slice text, struct ip *ip, uint16_t *port)
{
    *port = MX_DNS_PORT;
    return ip_parse(text, ip) || ip_parse_endpoint(text, ip, port);
}

static void set_server(struct mx_resolver *resolver, const struct ip *ip, uint16_t port)
{
    struct sockaddr_storage address;
    struct __res_state *state = &resolver->state;
    ip_to_socket(ip, port, &address);
    state->nscount = 1;
    if (ip->size == 4) {
        memcpy(&state->nsaddr_list[0], &address, sizeof state->nsaddr_list[0]);
        return;
    }
    /* glibc looks there when the first list's family is 0. */
    memcpy(&resolver->server6, &address, sizeof resolver->server6);
    state->nsaddr_list[0].sin_family = 0;
    state->_u._ext.nsaddrs[0] = &resolver->server6;
    state->_u._ext.nscount = 1;
}

bool mx_open(struct mx_resolver *resolver, struct slice server)
{
    struct ip ip;
    uint16_t port;
    *resolver = (struct mx_resolver){.answer = malloc(MX_ANSWER_MAX)};
    if (!resolver->answer)
        return false;
    if (res_ninit(&resolver->state) < 0) {
        free(resolver->answer);
        resolver->answer = NULL;
        return false;
    }
    resolver->state.retrans = MX_RETRANS_SECONDS;
    resolver->state.retry = MX_RETRIES;
    if (server.size == 0)
        return true;
    if (!parse_server(server, &ip, &port)) {
        mx_close(resolver);
        return false;
    }
    set_server(resolver, &ip, port);
    return true;
}

void mx_close(struct mx_resolver *resolver)
{
    /* Not the resolver's to free. */
    if (resolver->state._u._ext.nsaddrs[0] == &resolver->server6)
        resolver->state._u._ext.nsaddrs[0] = NULL;
    if (resolver->answer)
        res_nclose(&resolver->state);
    free(resolver->answer);
    resolver->answer = NULL;
}

static bool is_loopback(const struct sockaddr *address)
{
    struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
    struct ip ip, v4, v6;
    uint16_t port;
    size_t size =
        address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    memcpy(&storage, address, size);
    return ip_from_socket(&storage, &ip, &port) && ip_parse(SLICE("127.0.0.0"), &v4) &&
           ip_parse(SLICE("::1"), &v6) && (ip_in_network(&ip, &v4, 8) || ip_equal(&ip, &v6));
}

bool mx_trust(struct mx_resolver *resolver)
{
    const struct __res_state *state = &resolver->state;
    bool trusted = state->nscount > 0;
    for (int i = 0; trusted && i < state->nscount; i++) {
        const struct sockaddr_in6 *v6 = state->_u._ext.nsaddrs[i];
        trusted = state->nsaddr_list[i].sin_family == 0 && v6
                      ? is_loopback((const struct sockaddr *)v6)
                      : is_loopback((const struct sockaddr *)&state->nsaddr_list[i]);
    }
    if (trusted)
        resolver->state.options |= RES_USE_EDNS0 | RES_USE_DNSSEC | RES_TRUSTAD;
    resolver->is_trusted = trusted;
    return trusted;
}

/* Also of an answer that there is nothing: res_nquery leaves it where it came. */
static bool is_secure(const struct mx_resolver *resolver)
{
    const HEADER *header = (const HEADER *)(const void *)resolver->answer;
    return resolver->is_trusted && header->ad;
}

static enum mx_result ask(struct mx_resolver *resolver, const char *name, int type, size_t *size)
{
    memset(resolver->answer, 0, sizeof(HEADER));
    int got = res_nquery(&resolver->state, name, ns_c_in, type, resolver->answer, MX_ANSWER_MAX);
    if (got >= 0) {
        *size = got < MX_ANSWER_MAX ? (size_t)got : MX_ANSWER_MAX;
        return MX_FOUND;
    }
    switch (resolver->state.res_h_errno) {
    case HOST_NOT_FOUND:
        return MX_NO_DOMAIN;
    case NO_DATA:
        return MX_NONE;
    default: /* TRY_AGAIN, NO_RECOVERY: the DNS's trouble is nobody's verdict */
        return MX_TROUBLE;
    }
}

/* ---- answers ----------------------------------------------------------------------------------*/

/* Expands a name inside the answer. */
static bool read_name(const ns_msg *message, const unsigned char *at, char name[MX_NAME_MAX + 1])
{
    char expanded[NS_MAXDNAME];
    if (ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), at, expanded,
                           sizeof expanded) < 0 ||
        !slice_copy_text(slice_text(expanded), name, MX_NAME_MAX + 1))
        return false;
    for (size_t i = 0; name[i] != '\0'; i++)
        name[i] = slice_lower(name[i]);
    if (strcmp(name, ".") == 0)
        name[0] = '\0';
    return true;
}

/* Keeps the best MX_HOSTS_MAX. */
static void add_host(struct mx_list *list, const struct mx_host *host)
{
    size_t worst = 0;
    if (list->count < MX_HOSTS_MAX) {
        list->hosts[list->count++] = *host;
        return;
    }
    for (size_t i = 1; i < list->count; i++)
        if (list->hosts[i].preference > list->hosts[worst].preference)
            worst = i;
    if (host->preference < list->hosts[worst].preference)
        list->hosts[worst] = *host;
}

typedef void take_record(const ns_msg *message, const ns_rr *record, void *result);

static enum mx_result walk(const unsigned char *answer, size_t size, take_record *take,
                           void *result, char alias[MX_NAME_MAX + 1])
{
    ns_msg message;
    alias[0] = '\0';
    if (size > MX_ANSWER_MAX || ns_initparse(answer, (int)size, &message) < 0)
        return MX_TROUBLE;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
        ns_rr record;
        if (ns_parserr(&message, ns_s_an, i, &record) < 0)
            return MX_TROUBLE;
        if (ns_rr_class(record) != ns_c_in)
            continue;
        if (ns_rr_type(record) == ns_t_cname && !read_name(&message, ns_rr_rdata(record), alias))
            return MX_TROUBLE;
        take(&message, &record, result);
    }
    return MX_FOUND;
}

static void take_mx(const ns_msg *message, const ns_rr *record, void *result)
{
    struct mx_host host;
    if (ns_rr_type(*record) != ns_t_mx || ns_rr_rdlen(*record) < 3)
        return;
    host.preference = ns_get16(ns_rr_rdata(*record));
    if (read_name(message, ns_rr_rdata(*record) + 2, host.name))
        add_host(result, &host);
}

static bool is_null_mx(const struct mx_list *list)
{
    return list->count == 1 && list->hosts[0].name[0] == '\0';
}

/* A root among other hosts means nothing (RFC 7505 3). */
static void remove_unnamed(struct mx_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->hosts[i].name[0] != '\0')
            list->hosts[kept++] = list->hosts[i];
    list->count = kept;
}

enum mx_result mx_parse_hosts(const unsigned char *answer, size_t size, struct mx_list *list,
                              char alias[MX_NAME_MAX + 1])
{
    list->count = 0;
    enum mx_result result = walk(answer, size, take_mx, list, alias);
    if (result != MX_FOUND)
        return result;
    if (is_null_mx(list))
        return MX_REFUSES;
    remove_unnamed(list);
    return list->count > 0 ? MX_FOUND : MX_NONE;
}

static void take_address(const ns_msg *message, const ns_rr *record, void *result)
{
    struct mx_addresses *addresses = result;
    (void)message;
    bool is_ipv4 = ns_rr_type(*record) == ns_t_a && ns_rr_rdlen(*record) == 4;
    bool is_ipv6 = ns_rr_type(*record) == ns_t_aaaa && ns_rr_rdlen(*record) == 16;
    if ((!is_ipv4 && !is_ipv6) || addresses->count == MX_ADDRESSES_MAX)
        return;
    struct ip *ip = &addresses->list[addresses->count++];
    *ip = (struct ip){.size = is_ipv4 ? 4 : 16};
    memcpy(ip->bytes, ns_rr_rdata(*record), ip->size);
}

enum mx_result mx_parse_addresses(const unsigned char *answer, size_t size,
                                  struct mx_addresses *addresses, char alias[MX_NAME_MAX + 1])
{
    size_t before = addresses->count;
    enum mx_result result = walk(answer, size, take_address, addresses, alias);
    if (result != MX_FOUND)
        return result;
    return addresses->count > before || before == MX_ADDRESSES_MAX ? MX_FOUND : MX_NONE;
}

struct data_walk {
    int type;
    mx_take_data *take;
    void *owner;
};

static void take_data(const ns_msg *message, const ns_rr *record, void *result)
{
    const struct data_walk *walk_state = result;
    (void)message;
    if ((int)ns_rr_type(*record) == walk_state->type)
        walk_state->take(slice_of(ns_rr_rdata(*record), ns_rr_rdlen(*record)), walk_state->owner);
}

bool mx_parse_data(struct slice answer, int type, mx_take_data *take, void *owner)
{
    struct data_walk walk_state = {.type = type, .take = take, .owner = owner};
    char alias[MX_NAME_MAX + 1];
    return walk((const unsigned char *)answer.data, answer.size, take_data, &walk_state, alias) ==
           MX_FOUND;
}

/* ---- lists ------------------------------------------------------------------------------------*/

static void swap_hosts(struct mx_host *a, struct mx_host *b)
{
    struct mx_host kept = *a;
    *a = *b;
    *b = kept;
}

void mx_sort(struct mx_list *list, unsigned seed)
{
    /* Mixed first; then insertion keeps the mixed order of equals. */
    for (size_t i = list->count; i > 1; i--) {
        seed = seed * 1103515245u + 12345u;
        swap_hosts(&list->hosts[i - 1], &list->hosts[(seed >> 16) % i]);
    }
    for (size_t i = 1; i < list->count; i++)
        for (size_t j = i; j > 0 && list->hosts[j - 1].preference > list->hosts[j].preference; j--)
            swap_hosts(&list->hosts[j - 1], &list->hosts[j]);
}

bool mx_remove_self(struct mx_list *list, const char *me)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!slice_equal_nocase(slice_text(list->hosts[i].name), slice_text(me)))
            continue;
        unsigned preference = list->hosts[i].preference;
        size_t kept = 0;
        for (size_t j = 0; j < list->count; j++)
            if (list->hosts[j].preference < preference)
                list->hosts[kept++] = list->hosts[j];
        list->count = kept;
        return kept > 0;
    }
    return true;
}

/* ---- questions --------------------------------------------------------------------------------*/

static unsigned random_seed(void)
{
    unsigned seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = 1;
    return seed;
}

static void copy_name(char to[MX_NAME_MAX + 1], const char *from)
{
    if (!slice_copy_text(slice_text(from), to, MX_NAME_MAX + 1))
        to[0] = '\0';
}

enum mx_result mx_find_hosts(struct mx_resolver *resolver, const char *domain, struct mx_list *list)
{
    char name[MX_NAME_MAX + 1], alias[MX_NAME_MAX + 1];
    enum mx_result result = MX_NONE;
    copy_name(name, domain);
    list->is_secure = true;
    for (int hop = 0; hop < MX_ALIASES_MAX; hop++) {
        size_t size;
        list->count = 0;
        alias[0] = '\0';
        result = ask(resolver, name, ns_t_mx, &size);
        list->is_secure = list->is_secure && is_secure(resolver);
        if (result == MX_FOUND)
            result = mx_parse_hosts(resolver->answer, size, list, alias);
        if (result != MX_NONE || alias[0] == '\0')
            break;
        copy_name(name, alias);
    }
    if (result == MX_NONE && alias[0] != '\0') /* in circles: no verdict on the domain */
        return MX_TROUBLE;
    if (result == MX_NONE) { /* RFC 5321 5.1: then the domain itself is the host */
        list->count = 1;
        list->hosts[0].preference = 0;
        copy_name(list->hosts[0].name, domain);
        return MX_FOUND;
    }
    mx_sort(list, random_seed());
    return result;
}

static enum mx_result find_one_family(struct mx_resolver *resolver, const char *host, int type,
                                      struct mx_addresses *addresses)
{
    char name[MX_NAME_MAX + 1], alias[MX_NAME_MAX + 1];
    enum mx_result result = MX_NONE;
    bool secure = true;
    copy_name(name, host);
    for (int hop = 0; hop < MX_ALIASES_MAX; hop++) {
        size_t size;
        alias[0] = '\0';
        result = ask(resolver, name, type, &size);
        secure = secure && is_secure(resolver);
        if (result == MX_FOUND)
            result = mx_parse_addresses(resolver->answer, size, addresses, alias);
        if (alias[0] != '\0')
            copy_name(name, alias);
        if (result != MX_NONE || alias[0] == '\0')
            break;
    }
    if (result == MX_NONE && alias[0] != '\0') /* in circles */
        return MX_TROUBLE;
    if (result == MX_FOUND) {
        addresses->is_secure = addresses->is_secure && secure;
        copy_name(addresses->name, name);
    }
    return result;
}

/* RFC 6761 6.3: this name is nobody's but this machine's. */
static bool add_localhost(const char *host, struct mx_addresses *addresses)
{
    if (!slice_equal_nocase(slice_text(host), SLICE("localhost")))
        return false;
    return ip_parse(SLICE("127.0.0.1"), &addresses->list[0]) &&
           ip_parse(SLICE("::1"), &addresses->list[1]) && (addresses->count = 2) > 0;
}

enum mx_result mx_find_addresses(struct mx_resolver *resolver, const char *host,
                                 struct mx_addresses *addresses)
{
    addresses->count = 0;
    addresses->is_secure = false;
    copy_name(addresses->name, host);
    if (add_localhost(host, addresses))
        return MX_FOUND;
    addresses->is_secure = true; /* till one answer is not */
    enum mx_result v4 = find_one_family(resolver, host, ns_t_a, addresses);
    enum mx_result v6 = find_one_family(resolver, host, ns_t_aaaa, addresses);
    if (addresses->count > 0)
        return MX_FOUND;
    if (v4 == MX_TROUBLE || v6 == MX_TROUBLE)
        return MX_TROUBLE;
    return v4 == MX_NO_DOMAIN ? v4 : v6;
}

enum mx_result mx_ask(struct mx_resolver *resolver, const char *name, int type,
                      struct slice *answer, bool *is_answer_secure)
{
    size_t size = 0;
    enum mx_result result = ask(resolver, name, type, &size);
    *is_answer_secure = is_secure(resolver);
    *answer = slice_of(resolver->answer, result == MX_FOUND ? size : 0);
    return result;
}
