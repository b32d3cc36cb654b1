/* Lines of control/rbl: what is accepted keeps its bounds, and stands in the record as it was read */
#include "blocklist.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rules(const struct blocklist *list)
{
    static const unsigned char answer[4] = {127, 0, 0, 2};
    if (list->rule_count > BLOCKLIST_RULES_MAX || list->zone_count > BLOCKLIST_ZONES_MAX ||
        list->allowed_count > BLOCKLIST_ALLOWED_MAX)
        abort();
    for (size_t i = 0; i < list->rule_count; i++) {
        if (list->rules[i].zone_index >= list->zone_count ||
            strcmp(blocklist_zone(list, list->rules[i].zone_index), list->rules[i].zone) != 0)
            abort();
        (void)blocklist_matches(&list->rules[i], answer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct blocklist list, again;
    struct slice rest = slice_of(data, size);
    struct str record;
    char error[BLOCKLIST_ERROR_MAX];
    blocklist_init(&list);
    str_init(&record, BLOCKLIST_RECORD_MAX);
    while (rest.size > 0) {
        struct slice line = slice_cut(&rest, '\n');
        if (blocklist_add(&list, line, error))
            wire_put(&record, slice_trim(line));
    }
    check_rules(&list);
    if (!record.failed &&
        (!blocklist_decode(&again, str_slice(&record)) || again.rule_count != list.rule_count ||
         again.zone_count != list.zone_count))
        abort();
    str_free(&record);
    (void)blocklist_decode(&again, slice_of(data, size));
    return 0;
}
