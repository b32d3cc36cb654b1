/* clientcheck - see clientcheck.h */
#include "clientcheck.h"

#include "clock.h"
#include "log.h"

#include <string.h>

void clientcheck_change_list(struct clientcheck_context *context)
{
    context->generation++;
    memset(context->zones, 0, sizeof context->zones);
}

bool clientcheck_is_current(const struct clientcheck *check)
{
    return check->generation == check->context->generation;
}

static void lower_ttl(struct clientcheck *check, uint32_t ttl_s)
{
    if (ttl_s < check->ttl_s)
        check->ttl_s = ttl_s;
}

/* ---- health -----------------------------------------------------------------------------------*/

static bool rests(const struct clientcheck_health *health)
{
    return health->rests_until > clock_ms();
}

/* Said once when it falls silent and once when it is back, not at each client. */
static void note(struct clientcheck_health *health, const char *source, enum resolver_result result,
                 unsigned limit)
{
    if (result != RESOLVER_TROUBLE) {
        if (health->rests_until != 0)
            log_event("dns-answers", "source", source);
        *health = (struct clientcheck_health){0};
        return;
    }
    if (health->troubles < limit)
        health->troubles++;
    if (health->troubles < limit)
        return;
    if (health->rests_until == 0)
        log_event("dns-silent", "source", source);
    health->rests_until = clock_deadline(CLIENTCHECK_REST_MS);
}

/* ---- questions --------------------------------------------------------------------------------*/

static void finish_one(struct clientcheck *check)
{
    if (--check->pending == 0)
        check->done(check);
}

static void ask(struct clientcheck *check, const char *name, enum dnsanswer_type type,
                resolver_answer *answer, void *question)
{
    check->pending++;
    check->context->ask(check->context->owner, name, dnsanswer_number(type), answer, question);
}

/* An answer that can't be read is no answer. */
static enum resolver_result read_answer(struct clientcheck *check, enum resolver_result result,
                                        const unsigned char *bytes, size_t size,
                                        enum dnsanswer_type type, struct dnsanswer *answer)
{
    *answer = (struct dnsanswer){0};
    if (result == RESOLVER_TROUBLE || !dnsanswer_parse(bytes, size, type, answer)) {
        *answer = (struct dnsanswer){0};
        lower_ttl(check, CLIENTCHECK_TROUBLE_TTL_S);
        return RESOLVER_TROUBLE;
    }
    lower_ttl(check, answer->ttl_s);
    return result;
}

/* ---- the name ---------------------------------------------------------------------------------*/

static enum dnsanswer_type address_type(const struct clientcheck *check)
{
    return check->client.size == 4 ? DNSANSWER_A : DNSANSWER_AAAA;
}

static void take_addresses(void *owner, enum resolver_result result, const unsigned char *bytes,
                           size_t size)
{
    const struct clientcheck_question *question = owner;
    struct clientcheck *check = question->check;
    struct dnsanswer answer;
    if (read_answer(check, result, bytes, size, address_type(check), &answer) == RESOLVER_FOUND)
        check->confirmed[question->index] = dnsanswer_has_address(&answer, &check->client);
    finish_one(check);
}

static void take_names(void *owner, enum resolver_result result, const unsigned char *bytes,
                       size_t size)
{
    struct clientcheck *check = owner;
    result = read_answer(check, result, bytes, size, DNSANSWER_PTR, &check->reverse);
    note(&check->context->names, "reverse names", result, CLIENTCHECK_NAME_TROUBLES);
    for (size_t i = 0; i < check->reverse.name_count; i++) {
        check->name_questions[i] = (struct clientcheck_question){check, i};
        ask(check, check->reverse.names[i], address_type(check), take_addresses,
            &check->name_questions[i]);
    }
    finish_one(check);
}

static void ask_names(struct clientcheck *check)
{
    char name[LOOKUP_NAME_MAX + 1];
    if (!check->context->wants_names)
        return;
    if (rests(&check->context->names)) {
        lower_ttl(check, CLIENTCHECK_TROUBLE_TTL_S);
        return;
    }
    dnsanswer_reverse_name(&check->client, name);
    ask(check, name, DNSANSWER_PTR, take_names, check);
}

/* ---- the lists --------------------------------------------------------------------------------*/

static void take_text(void *owner, enum resolver_result result, const unsigned char *bytes,
                      size_t size)
{
    const struct clientcheck_question *question = owner;
    struct clientcheck *check = question->check;
    struct dnsanswer answer;
    if (read_answer(check, result, bytes, size, DNSANSWER_TXT, &answer) == RESOLVER_FOUND)
        memcpy(check->texts[question->index], answer.text, sizeof answer.text);
    finish_one(check);
}

static const struct blocklist_rule *find_rule(const struct blocklist *list, size_t zone,
                                              const struct dnsanswer *answer)
{
    for (size_t i = 0; i < list->rule_count; i++)
        if (list->rules[i].zone_index == zone)
            for (size_t j = 0; j < answer->address_count; j++)
                if (blocklist_matches(&list->rules[i], answer->addresses[j].bytes))
                    return &list->rules[i];
    return NULL;
}

/* rblsmtpd's %IP% */
static void write_text(const struct clientcheck *check, const char *text, char *filled)
{
    char ip[IP_TEXT_MAX];
    struct str result;
    struct slice rest = slice_text(text);
    ip_format(&check->client, ip);
    str_init(&result, (size_t)LOOKUP_TEXT_MAX * IP_TEXT_MAX);
    while (rest.size > 0) {
        bool is_place = slice_starts(rest, SLICE("%IP%"));
        str_append(&result, is_place ? slice_text(ip) : slice_part(rest, 0, 1));
        rest = slice_from(rest, is_place ? SLICE("%IP%").size : 1);
    }
    (void)slice_copy_text(slice_part(str_slice(&result), 0, LOOKUP_TEXT_MAX), filled,
                          LOOKUP_TEXT_MAX + 1);
    str_free(&result);
}

static void take_zone(void *owner, enum resolver_result result, const unsigned char *bytes,
                      size_t size)
{
    struct clientcheck_question *question = owner;
    struct clientcheck *check = question->check;
    struct clientcheck_context *context = check->context;
    size_t zone = question->index;
    struct dnsanswer answer;
    char name[LOOKUP_NAME_MAX + 1];
    result = read_answer(check, result, bytes, size, DNSANSWER_A, &answer);
    if (clientcheck_is_current(check)) {
        note(&context->zones[zone], blocklist_zone(&context->list, zone), result,
             CLIENTCHECK_ZONE_TROUBLES);
        check->listed[zone] = find_rule(&context->list, zone, &answer);
    }
    const struct blocklist_rule *rule = check->listed[zone];
    if (rule && rule->text[0] != '\0')
        write_text(check, rule->text, check->texts[zone]);
    else if (rule && dnsanswer_listed_name(&check->client, rule->zone, name))
        ask(check, name, DNSANSWER_TXT, take_text, question);
    finish_one(check);
}

static void ask_zone(struct clientcheck *check, size_t zone)
{
    struct clientcheck_context *context = check->context;
    char name[LOOKUP_NAME_MAX + 1];
    if (rests(&context->zones[zone])) {
        lower_ttl(check, CLIENTCHECK_TROUBLE_TTL_S);
        return;
    }
    if (!dnsanswer_listed_name(&check->client, blocklist_zone(&context->list, zone), name))
        return;
    check->zone_questions[zone] = (struct clientcheck_question){check, zone};
    ask(check, name, DNSANSWER_A, take_zone, &check->zone_questions[zone]);
}

/* ---- the whole --------------------------------------------------------------------------------*/

void clientcheck_start(struct clientcheck *check, struct clientcheck_context *context,
                       const struct ip *client, clientcheck_done *done)
{
    *check = (struct clientcheck){.context = context,
                                  .client = *client,
                                  .generation = context->generation,
                                  .done = done,
                                  .pending = 1, /* till all are asked */
                                  .ttl_s = UINT32_MAX};
    ask_names(check);
    if (!blocklist_is_allowed(&context->list, client))
        for (size_t zone = 0; zone < context->list.zone_count; zone++)
            ask_zone(check, zone);
    finish_one(check);
}

void clientcheck_result(const struct clientcheck *check, struct lookup_client *result)
{
    *result = (struct lookup_client){.listing_count = 0};
    for (size_t i = 0; i < check->reverse.name_count && result->name[0] == '\0'; i++)
        if (check->confirmed[i])
            memcpy(result->name, check->reverse.names[i], sizeof result->name);
    if (!clientcheck_is_current(check)) /* the rules are gone */
        return;
    for (size_t zone = 0; zone < BLOCKLIST_ZONES_MAX; zone++) {
        const struct blocklist_rule *rule = check->listed[zone];
        if (!rule)
            continue;
        struct lookup_listing *listing = &result->listings[result->listing_count++];
        listing->action = rule->action;
        memcpy(listing->zone, rule->zone, sizeof rule->zone);
        memcpy(listing->text, check->texts[zone], sizeof listing->text);
    }
}
