/* tlsdemand - see tlsdemand.h */
#include "tlsdemand.h"

#include "io.h"
#include "log.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* Enhanced status codes (RFC 3463 3.8): what is demanded is not offered; what is offered is not
 * right; no word about it is to be had. */
#define STATUS_NOT_OFFERED "4.7.4"
#define STATUS_WRONG       "4.7.5"

static bool refuse(struct tlsdemand *demand, const char *status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(struct tlsdemand *demand, const char *status, const char *format, ...)
{
    va_list list;
    snprintf(demand->status, sizeof demand->status, "%s", status);
    va_start(list, format);
    vsnprintf(demand->text, sizeof demand->text, format, list);
    va_end(list);
    return false;
}

/* ---- the process ------------------------------------------------------------------------------*/

static void read_level(struct tlsdemand *demand, struct directory *directory)
{
    struct str value;
    str_init(&value, DIRECTORY_VALUE_MAX);
    demand->level = TLSPOLICY_MAY;
    if (directory_host(directory, "tls-out", &value))
        (void)tlspolicy_level_named(str_slice(&value), &demand->level);
    str_free(&value);
}

void tlsdemand_init(struct tlsdemand *demand, struct mx_resolver *resolver,
                    struct directory *directory)
{
    demand->resolver = resolver;
    demand->mtastsd = -1;
    demand->table.fd = -1;
    read_level(demand, directory);
    demand->heeds_dane = directory_host_is_on(directory, "dane") && mx_trust(resolver);
    demand->heeds_mta_sts = directory_host_is_on(directory, "mta-sts");
}

void tlsdemand_free(struct tlsdemand *demand)
{
    cdbfile_close(&demand->table);
    io_close(&demand->mtastsd);
}

/* ---- the destination --------------------------------------------------------------------------*/

/* What the operator says. */
static bool read_policy(struct tlsdemand *demand)
{
    demand->policy = (struct tlspolicy){.level = demand->level};
    demand->is_open = demand->level == TLSPOLICY_MAY || demand->level == TLSPOLICY_ENCRYPT;
    if (!cdbfile_refresh(&demand->table, AT_FDCWD, TLSPOLICY_FILE))
        return errno == ENOENT ||
               refuse(demand, "4.3.0", "the table of TLS policies can't be read");
    switch (tlspolicy_find(&demand->table, slice_text(demand->destination), &demand->policy)) {
    case TLSPOLICY_FOUND:
        demand->is_open = false;
        return true;
    case TLSPOLICY_MISSING:
        return true;
    case TLSPOLICY_TROUBLE:
        break;
    }
    return refuse(demand, "4.3.0", "the table of TLS policies can't be read");
}

/* The records of _mta-sts.DOMAIN that are of this kind. */
struct sts_records {
    size_t count;
    char id[STSPOLICY_ID_MAX + 1];
};

static void take_text(struct slice data, void *owner)
{
    struct sts_records *records = owner;
    struct str text;
    char id[STSPOLICY_ID_MAX + 1];
    str_init(&text, STSPOLICY_RECORD_MAX);
    while (data.size > 0) { /* strings, each with its length in front (RFC 1035 3.3.14) */
        size_t size = (unsigned char)data.data[0];
        str_append(&text, slice_part(data, 1, size));
        data = slice_from(data, 1 + size);
    }
    if (!text.failed && stspolicy_parse_record(str_slice(&text), id)) {
        records->count++;
        memcpy(records->id, id, sizeof id);
    }
    str_free(&text);
}

/* "" when there is none, or none that counts; a cached policy may hold all the same. */
static void find_sts_id(struct tlsdemand *demand, char id[STSPOLICY_ID_MAX + 1])
{
    struct sts_records records = {.count = 0};
    char name[sizeof demand->destination + 16];
    struct slice answer;
    bool is_secure;
    id[0] = '\0';
    snprintf(name, sizeof name, "_mta-sts.%s", demand->destination);
    if (mx_ask(demand->resolver, name, ns_t_txt, &answer, &is_secure) == MX_FOUND &&
        mx_parse_data(answer, ns_t_txt, take_text, &records) && records.count == 1)
        memcpy(id, records.id, sizeof records.id);
}

static bool find_sts(struct tlsdemand *demand)
{
    char id[STSPOLICY_ID_MAX + 1];
    find_sts_id(demand, id);
    switch (mtasts_ask(&demand->mtastsd, demand->destination, id, &demand->sts, &demand->sts_result,
                       demand->sts_reason)) {
    case MTASTS_POLICY:
        demand->has_sts = demand->sts.mode != STSPOLICY_NONE;
        return true;
    case MTASTS_NONE:
        return true;
    case MTASTS_SILENT:
        break;
    }
    log_trouble("ask for an MTA-STS policy", MTASTS_SOCKET, 0,
                "is mtastsd running? (mailctl status)");
    return id[0] == '\0' ||
           refuse(demand, STATUS_WRONG, "the MTA-STS policy of %s can't be asked for",
                  demand->destination);
}

bool tlsdemand_begin(struct tlsdemand *demand, const char *destination, bool by_mx, bool is_secure)
{
    snprintf(demand->destination, sizeof demand->destination, "%s", destination);
    demand->by_mx = by_mx;
    demand->is_secure = is_secure;
    demand->has_sts = false;
    demand->sts_result = TLSREPORT_SUCCESS;
    demand->sts_reason[0] = '\0';
    if (!read_policy(demand))
        return false;
    return !demand->is_open || !demand->heeds_mta_sts || !by_mx || find_sts(demand);
}

bool tlsdemand_raise(struct tlsdemand *demand)
{
    enum tlspolicy_level level = demand->policy.level;
    if (demand->is_open) {
        demand->policy = (struct tlspolicy){.level = TLSPOLICY_VERIFY};
        demand->is_open = false;
        return true;
    }
    return (level != TLSPOLICY_NONE && level != TLSPOLICY_MAY && level != TLSPOLICY_DANE) ||
           refuse(demand, STATUS_WRONG,
                  "no password is said to %s: TLS is not demanded there (control/tlspolicy)",
                  demand->destination);
}

/* ---- the host ---------------------------------------------------------------------------------*/

static void add_name(struct tlsdemand *demand, const char *dot, const char *name)
{
    struct tls_check *check = &demand->tls.check;
    if (check->name_count == TLS_NAMES_MAX || name[0] == '\0' || name[0] == '[')
        return;
    char *kept = demand->references[check->name_count];
    snprintf(kept, sizeof demand->references[0], "%s%s", dot, name);
    check->names[check->name_count++] = slice_text(kept);
}

static void add_word(struct tlsdemand *demand, struct slice word)
{
    char name[MX_NAME_MAX + 1];
    if (slice_equal(word, SLICE("hostname")))
        add_name(demand, "", demand->host);
    else if (slice_equal(word, SLICE("nexthop")))
        add_name(demand, "", demand->destination);
    else if (slice_equal(word, SLICE("dot-nexthop")))
        add_name(demand, ".", demand->destination);
    else if (slice_copy_text(word, name, sizeof name))
        add_name(demand, "", name);
}

static bool check_names(struct tlsdemand *demand, const char *words)
{
    struct slice rest = slice_text(words);
    demand->tls.level = SMTP_CLIENT_TLS_MUST;
    demand->tls.check.kind = TLS_CHECK_NAMES;
    while (rest.size > 0)
        add_word(demand, slice_cut(&rest, ':'));
    return demand->tls.check.name_count > 0 ||
           refuse(demand, STATUS_WRONG, "no name to verify the certificate of %s by", demand->host);
}

static const char *names_of(const struct tlspolicy *policy)
{
    if (policy->names[0] != '\0')
        return policy->names;
    return policy->level == TLSPOLICY_VERIFY ? "hostname" : "nexthop:dot-nexthop";
}

/* RFC 7672 3.2.2: with usage 2, which names the certificate may have. */
static void check_records(struct tlsdemand *demand)
{
    struct tls_check *check = &demand->tls.check;
    demand->tls.level = SMTP_CLIENT_TLS_MUST;
    check->kind = TLS_CHECK_DANE;
    check->server_name = demand->dane.base;
    memcpy(check->records, demand->dane.records, sizeof check->records);
    check->record_count = demand->dane.count;
    add_name(demand, "", demand->dane.base);
    add_name(demand, "", demand->host);
    add_name(demand, "", demand->destination);
}

static bool wants_dane(const struct tlsdemand *demand)
{
    enum tlspolicy_level level = demand->policy.level;
    return level == TLSPOLICY_DANE || level == TLSPOLICY_DANE_ONLY ||
           (demand->is_open && demand->heeds_dane);
}

static enum dane_result find_records(struct tlsdemand *demand, unsigned port,
                                     const struct mx_addresses *addresses)
{
    /* An MX that nobody vouches for may lead anywhere, with TLSA records of its own. */
    if (!addresses || (demand->by_mx && !demand->is_secure))
        return DANE_NONE;
    return dane_find(demand->resolver, demand->host, port, addresses, &demand->dane);
}

static void note_finding(struct tlsdemand *demand, enum tlsreport_result finding,
                         const char *reason)
{
    demand->finding = finding;
    demand->finding_reason = reason;
}

/* Without records that count. */
static bool go_without_dane(struct tlsdemand *demand)
{
    if (demand->policy.level != TLSPOLICY_DANE_ONLY)
        return true;
    if (!demand->resolver->is_trusted)
        return refuse(demand, STATUS_WRONG,
                      "DANE is demanded of %s, but the setting dane is off or the resolver is not "
                      "on loopback",
                      demand->destination);
    demand->policy_type = "tlsa";
    note_finding(demand, TLSREPORT_DANE_REQUIRED, "no TLSA records that can be used");
    return refuse(demand, STATUS_WRONG,
                  "%s has no TLSA records that can be used, but DANE is demanded", demand->host);
}

/* True, with *is_settled, when DANE says it all. */
static bool apply_dane(struct tlsdemand *demand, enum dane_result result, bool *is_settled)
{
    *is_settled = false;
    switch (result) {
    case DANE_USABLE:
        demand->policy_type = "tlsa";
        check_records(demand);
        *is_settled = true;
        return true;
    case DANE_UNUSABLE:
        demand->policy_type = "tlsa";
        note_finding(demand, TLSREPORT_TLSA_INVALID,
                     "no TLSA record of a kind that is used for SMTP");
        demand->tls.level = SMTP_CLIENT_TLS_MUST;
        *is_settled = demand->policy.level != TLSPOLICY_DANE_ONLY;
        return *is_settled || go_without_dane(demand);
    case DANE_TROUBLE:
        demand->policy_type = "tlsa";
        note_finding(demand, TLSREPORT_DNSSEC_INVALID, "no valid answer about TLSA records");
        return refuse(demand, STATUS_WRONG,
                      "the DNS gives no valid answer about TLSA records of %s", demand->host);
    case DANE_NONE:
        break;
    }
    return go_without_dane(demand);
}

static bool apply_sts(struct tlsdemand *demand)
{
    if (!demand->has_sts) {
        if (demand->sts_result != TLSREPORT_SUCCESS) {
            demand->policy_type = "sts";
            note_finding(demand, demand->sts_result, demand->sts_reason);
        }
        return true;
    }
    demand->policy_type = "sts";
    bool enforces = demand->sts.mode == STSPOLICY_ENFORCE;
    if (stspolicy_allows(&demand->sts, demand->host)) {
        bool done = check_names(demand, "hostname");
        demand->tls.check.is_lenient = !enforces;
        if (!enforces && demand->policy.level == TLSPOLICY_MAY)
            demand->tls.level = SMTP_CLIENT_TLS_MAY;
        return done;
    }
    note_finding(demand, TLSREPORT_VALIDATION_FAILURE, "the policy does not name the host");
    return !enforces ||
           refuse(demand, STATUS_WRONG, "the MTA-STS policy of %s does not name the host %s",
                  demand->destination, demand->host);
}

/* What the level alone asks for. */
static bool apply_level(struct tlsdemand *demand)
{
    switch (demand->policy.level) {
    case TLSPOLICY_NONE:
        demand->tls.level = SMTP_CLIENT_TLS_NEVER;
        return true;
    case TLSPOLICY_MAY:
    case TLSPOLICY_DANE:
        demand->tls.level = SMTP_CLIENT_TLS_MAY;
        return true;
    case TLSPOLICY_ENCRYPT:
    case TLSPOLICY_DANE_ONLY:
        demand->tls.level = SMTP_CLIENT_TLS_MUST;
        return true;
    case TLSPOLICY_VERIFY:
    case TLSPOLICY_SECURE:
        break;
    }
    return check_names(demand, names_of(&demand->policy));
}

bool tlsdemand_host(struct tlsdemand *demand, const char *host, unsigned port,
                    const struct mx_addresses *addresses)
{
    bool is_settled = false;
    snprintf(demand->host, sizeof demand->host, "%s", host);
    demand->tls = (struct smtp_client_tls){.check = {.server_name = addresses ? demand->host : ""}};
    demand->dane.count = 0;
    demand->policy_type = NULL;
    note_finding(demand, TLSREPORT_SUCCESS, "");
    if (!apply_level(demand))
        return false;
    if (wants_dane(demand) &&
        !apply_dane(demand, find_records(demand, port, addresses), &is_settled))
        return false;
    return is_settled || !demand->is_open || apply_sts(demand);
}

/* ---- reports ----------------------------------------------------------------------------------*/

static void add_policy(const struct tlsdemand *demand, struct str *text,
                       struct tlsreport_line *line)
{
    bool is_sts = slice_equal(line->policy_type, SLICE("sts"));
    if (is_sts && demand->has_sts)
        stspolicy_put(&demand->sts, text);
    for (size_t i = 0; !is_sts && i < demand->dane.count; i++) {
        dane_put_record(demand->dane.records[i], text);
        str_append_byte(text, '\n');
    }
    struct slice rest = str_slice(text);
    while (rest.size > 0 && line->policy_count < TLSREPORT_POLICY_MAX)
        line->policy[line->policy_count++] = slice_cut(&rest, '\n');
}

void tlsdemand_report(struct tlsdemand *demand, enum tlsreport_result result, const char *reason,
                      const char *sending_ip, const char *ip)
{
    struct str policy;
    if (!demand->by_mx || !demand->policy_type)
        return;
    /* What is wrong with the policy itself outweighs how the session went. */
    if (demand->finding != TLSREPORT_SUCCESS) {
        result = demand->finding;
        reason = demand->finding_reason;
    }
    bool failed = result != TLSREPORT_SUCCESS;
    struct tlsreport_line line = {
        .domain = slice_text(demand->destination),
        .policy_type = slice_text(demand->policy_type),
        .result = result,
        .sending_ip = slice_text(failed ? sending_ip : ""),
        .mx = slice_text(failed ? demand->host : ""),
        .mx_ip = slice_text(failed ? ip : ""),
        .reason = slice_text(failed ? reason : ""),
    };
    str_init(&policy, TLSDEMAND_POLICY_SIZE_MAX);
    add_policy(demand, &policy, &line);
    mtasts_report(&demand->mtastsd, &line);
    str_free(&policy);
}
