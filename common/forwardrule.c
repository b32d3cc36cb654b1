/* forwardrule - see forwardrule.h */
#include "forwardrule.h"

#include "charset.h"
#include "wire.h"

static const char *const names[] = {
    [FORWARDRULE_ALL] = "all",
    [FORWARDRULE_FROM] = "from",
    [FORWARDRULE_SUBJECT] = "subject",
};
enum { CONDITIONS = sizeof names / sizeof *names };

const char *forwardrule_name(enum forwardrule_condition condition)
{
    return names[condition];
}

bool forwardrule_find(struct slice name, enum forwardrule_condition *condition)
{
    unsigned at = 0;
    while (at < CONDITIONS && !slice_equal(name, slice_text(names[at])))
        at++;
    if (at < CONDITIONS)
        *condition = (enum forwardrule_condition)at;
    return at < CONDITIONS;
}

bool forwardrule_is_keyword(struct slice text)
{
    return text.size <= FORWARDRULE_KEYWORD_MAX && slice_trim(text).size > 0 &&
           !slice_has_control(text) && charset_is_utf8(text);
}

int forwardrule_cut(struct slice *record, struct forwardrule *rule)
{
    struct slice fields, name;
    if (record->size == 0)
        return 0;
    if (wire_cut_netstring(record, record->size, &fields) != 1 ||
        wire_cut_netstring(&fields, fields.size, &name) != 1 ||
        !forwardrule_find(name, &rule->condition) ||
        wire_cut_netstring(&fields, FORWARDRULE_KEYWORD_MAX, &rule->keyword) != 1)
        return -1;
    bool is_all = rule->condition == FORWARDRULE_ALL;
    rule->targets = fields;
    return fields.size > 0 &&
                   (is_all ? rule->keyword.size == 0 : forwardrule_is_keyword(rule->keyword))
               ? 1
               : -1;
}

int forwardrule_cut_target(struct slice *targets, struct slice *target)
{
    if (targets->size == 0)
        return 0;
    return wire_cut_netstring(targets, FORWARDRULE_TARGET_MAX, target) == 1 ? 1 : -1;
}

bool forwardrule_put(struct str *record, const struct forwardrule *rule)
{
    struct str fields;
    str_init(&fields, record->max);
    wire_put_text(&fields, forwardrule_name(rule->condition));
    wire_put(&fields, rule->keyword);
    str_append(&fields, rule->targets);
    if (fields.failed)
        record->failed = true;
    else
        wire_put(record, str_slice(&fields));
    str_free(&fields);
    return !record->failed;
}
