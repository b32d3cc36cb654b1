/* lookupd's parsers: answers of the DNS of each type, and the records of the greylist's journal */
#include "dnsanswer.h"
#include "greylist.h"
#include "mailaddress.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What goes into replies, headers and logs has nothing in it that ends a line or a comment. */
static void check_answer(const struct dnsanswer *answer)
{
    if (answer->address_count > DNSANSWER_ADDRESSES_MAX || answer->name_count > DNSANSWER_NAMES_MAX)
        abort();
    for (size_t i = 0; i < answer->name_count; i++)
        if (!mailaddress_is_domain(slice_text(answer->names[i]), 0))
            abort();
    for (const char *at = answer->text; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            abort();
    if (strlen(answer->text) > LOOKUP_TEXT_MAX)
        abort();
}

static void check_records(struct slice input)
{
    static const unsigned char seed[RECENT_SEED_SIZE];
    struct greylist list;
    if (!greylist_init(&list, seed, NULL, NULL))
        return;
    while (input.size > 0)
        (void)greylist_apply(&list, slice_cut(&input, '\n'));
    greylist_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dnsanswer_type types[] = {DNSANSWER_A, DNSANSWER_AAAA, DNSANSWER_PTR,
                                                DNSANSWER_TXT};
    struct dnsanswer answer;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (dnsanswer_parse(data, size, types[i], &answer))
            check_answer(&answer);
    if (size > 0 && (data[0] == 's' || data[0] == 't' || data[0] == 'c'))
        check_records(slice_of(data, size));
    return 0;
}
