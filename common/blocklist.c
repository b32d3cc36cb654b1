/* blocklist - see blocklist.h */
#include "blocklist.h"

#include "mailaddress.h"
#include "number.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

enum { BYTE_MAX = 255, IPV4_BITS = 32, SHOWN_MAX = 64, LINE_MAX_BYTES = 2048 };

__attribute__((format(printf, 2, 3))) static bool fail(char error[BLOCKLIST_ERROR_MAX],
                                                       const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(error, BLOCKLIST_ERROR_MAX, format, list);
    va_end(list);
    return false;
}

static struct slice shown(struct slice word)
{
    return slice_part(word, 0, SHOWN_MAX);
}

void blocklist_init(struct blocklist *list)
{
    list->rule_count = 0;
    list->zone_count = 0;
    list->allowed_count = 0;
}

/* ---- patterns ---------------------------------------------------------------------------------*/

static void set_range(unsigned char set[32], unsigned first, unsigned last)
{
    for (unsigned value = first; value <= last; value++)
        set[value / 8] |= (unsigned char)(1u << value % 8);
}

static bool is_in_set(const unsigned char set[32], unsigned char value)
{
    return set[value / 8] & 1u << value % 8;
}

/* "7", "7..9" */
static bool parse_range(struct slice text, unsigned char set[32])
{
    unsigned first, last;
    size_t dots = slice_find(text, '.');
    if (!number_parse_unsigned(slice_part(text, 0, dots), BYTE_MAX, &first))
        return false;
    last = first;
    if (dots < text.size && (!slice_starts(slice_from(text, dots), SLICE("..")) ||
                             !number_parse_unsigned(slice_from(text, dots + 2), BYTE_MAX, &last)))
        return false;
    set_range(set, first, last);
    return first <= last;
}

/* "7", or "[2;4..6]" as Postfix has it; cut off the front of *rest with the dot behind it. */
static bool cut_byte(struct slice *rest, unsigned char set[32])
{
    if (rest->size == 0 || rest->data[0] != '[')
        return parse_range(slice_cut(rest, '.'), set);
    size_t end = slice_find(*rest, ']');
    if (end == rest->size)
        return false;
    struct slice inside = slice_from(slice_part(*rest, 0, end), 1);
    *rest = slice_from(*rest, end + 1);
    if (rest->size > 0 && slice_cut(rest, '.').size > 0)
        return false;
    do
        if (!parse_range(slice_cut(&inside, ';'), set))
            return false;
    while (inside.size > 0);
    return true;
}

static bool parse_bytes(struct slice text, struct blocklist_pattern *pattern)
{
    for (size_t i = 0; i < 4; i++)
        if (!cut_byte(&text, pattern->bytes[i]))
            return false;
    return text.size == 0;
}

/* A network is a product of sets, too: the byte that the prefix ends in is a range. */
static bool parse_network(struct slice text, struct blocklist_pattern *pattern)
{
    struct ip network;
    unsigned bits;
    if (!ip_parse_network(text, &network, &bits) || network.size != 4)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        unsigned fixed = bits >= (i + 1) * 8 ? 8 : bits > i * 8 ? bits - i * 8 : 0;
        set_range(pattern->bytes[i], network.bytes[i], network.bytes[i] | (0xffu >> fixed));
    }
    return true;
}

static bool parse_patterns(struct slice text, struct blocklist_rule *rule, char *error)
{
    do {
        struct slice word = slice_cut(&text, '|');
        if (rule->pattern_count == BLOCKLIST_PATTERNS_MAX)
            return fail(error, "more than %d patterns", BLOCKLIST_PATTERNS_MAX);
        struct blocklist_pattern *pattern = &rule->patterns[rule->pattern_count++];
        *pattern = (struct blocklist_pattern){0};
        if (parse_network(word, pattern))
            continue;
        *pattern = (struct blocklist_pattern){0};
        if (!parse_bytes(word, pattern))
            return fail(error,
                        "\"%.*s\" is not a pattern of answers (try 127.0.0.2, 127.0.0.0/24 or "
                        "127.0.0.[2..4;10])",
                        SLICE_PRINTF(shown(word)));
    } while (text.size > 0);
    return true;
}

static bool is_usual(const unsigned char answer[4])
{
    bool is_refusal = answer[1] == 255 && answer[2] == 255;
    return answer[0] == 127 && !is_refusal;
}

bool blocklist_matches(const struct blocklist_rule *rule, const unsigned char answer[4])
{
    if (rule->pattern_count == 0)
        return is_usual(answer);
    for (size_t i = 0; i < rule->pattern_count; i++) {
        bool all = true;
        for (size_t byte = 0; all && byte < 4; byte++)
            all = is_in_set(rule->patterns[i].bytes[byte], answer[byte]);
        if (all)
            return true;
    }
    return false;
}

/* ---- lines ------------------------------------------------------------------------------------*/

const char *blocklist_zone(const struct blocklist *list, size_t zone_index)
{
    for (size_t i = 0; i < list->rule_count; i++)
        if (list->rules[i].zone_index == zone_index)
            return list->rules[i].zone;
    return "";
}

/* The number of the rule's zone: an old one, or the next. */
static bool number_zone(struct blocklist *list, struct blocklist_rule *rule, char *error)
{
    rule->zone_index = list->zone_count;
    for (size_t i = 0; i < list->rule_count; i++)
        if (strcmp(list->rules[i].zone, rule->zone) == 0)
            rule->zone_index = list->rules[i].zone_index;
    if (rule->zone_index < list->zone_count)
        return true;
    if (list->zone_count == BLOCKLIST_ZONES_MAX)
        return fail(error, "more than %d lists", BLOCKLIST_ZONES_MAX);
    list->zone_count++;
    return true;
}

static bool parse_zone(struct slice word, struct blocklist_rule *rule, char *error)
{
    size_t equals = slice_find(word, '=');
    struct slice zone = slice_part(word, 0, equals);
    if (!mailaddress_is_domain(zone, 0) || !slice_copy_text(zone, rule->zone, sizeof rule->zone))
        return fail(error, "\"%.*s\" is not the zone of a list (such as zen.spamhaus.org)",
                    SLICE_PRINTF(shown(zone)));
    for (char *at = rule->zone; *at != '\0'; at++)
        *at = slice_lower(*at);
    return equals == word.size || parse_patterns(slice_from(word, equals + 1), rule, error);
}

static bool parse_action(struct slice word, struct blocklist_rule *rule, char *error)
{
    rule->action = slice_equal(word, SLICE("tag")) ? LOOKUP_TAG : LOOKUP_REJECT;
    if (word.size == 0 || slice_equal(word, slice_text(lookup_action_name(rule->action))))
        return true;
    return fail(error, "\"%.*s\" should be reject or tag", SLICE_PRINTF(shown(word)));
}

static bool parse_text(struct slice text, struct blocklist_rule *rule, char *error)
{
    if (slice_has_control(text) || slice_has_high(text))
        return fail(error, "the text is not plain ASCII");
    if (!slice_copy_text(text, rule->text, sizeof rule->text))
        return fail(error, "the text is longer than %d bytes", LOOKUP_TEXT_MAX);
    return true;
}

static bool add_allowed(struct blocklist *list, struct slice word, char *error)
{
    struct blocklist_network *allowed = &list->allowed[list->allowed_count];
    if (list->allowed_count == BLOCKLIST_ALLOWED_MAX)
        return fail(error, "more than %d lines with !", BLOCKLIST_ALLOWED_MAX);
    if (!ip_parse_network(word, &allowed->network, &allowed->bits))
        return fail(error,
                    "\"%.*s\" is not a network (try !192.0.2.0/24, !2001:db8::/32 or an address; "
                    "the bits behind the prefix must be zero)",
                    SLICE_PRINTF(shown(word)));
    list->allowed_count++;
    return true;
}

bool blocklist_add(struct blocklist *list, struct slice line, char error[BLOCKLIST_ERROR_MAX])
{
    line = slice_trim(line);
    if (line.size > LINE_MAX_BYTES)
        return fail(error, "the line is too long");
    if (line.size > 0 && line.data[0] == '!')
        return add_allowed(list, slice_trim(slice_from(line, 1)), error);
    if (list->rule_count == BLOCKLIST_RULES_MAX)
        return fail(error, "more than %d lines with lists", BLOCKLIST_RULES_MAX);
    struct blocklist_rule *rule = &list->rules[list->rule_count];
    *rule = (struct blocklist_rule){0};
    struct slice zone = slice_cut_word(&line);
    struct slice action = slice_cut_word(&line);
    if (!parse_zone(zone, rule, error) || !parse_action(action, rule, error) ||
        !parse_text(slice_trim(line), rule, error) || !number_zone(list, rule, error))
        return false;
    list->rule_count++;
    return true;
}

bool blocklist_decode(struct blocklist *list, struct slice record)
{
    char error[BLOCKLIST_ERROR_MAX];
    struct slice line;
    blocklist_init(list);
    while (record.size > 0)
        if (wire_cut_netstring(&record, LINE_MAX_BYTES, &line) != 1 ||
            !blocklist_add(list, line, error)) {
            blocklist_init(list);
            return false;
        }
    return true;
}

bool blocklist_is_allowed(const struct blocklist *list, const struct ip *client)
{
    for (size_t i = 0; i < list->allowed_count; i++)
        if (ip_in_network(client, &list->allowed[i].network, list->allowed[i].bits))
            return true;
    return false;
}
