/* Other servers' lists of UIDs, keywords and POP3 names: what is taken is within its bounds. */
#include "adopt.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_list(struct adopt_list *list)
{
    char room[256];
    for (size_t i = 0; i < list->count; i++) {
        struct adopt_entry *entry = &list->entries[i];
        struct str uidl = str_on(room, sizeof room);
        check(entry->uid > 0 && entry->uid < list->uidnext && entry->uid <= ADOPT_UID_MAX);
        check(entry->unique.size > 0 && entry->base.size >= entry->unique.size);
        check(adopt_find(list, entry->base) == entry);
        if (adopt_uidl(entry, &uidl))
            check(uidl.size > 0 && uidl.size <= ADOPT_UIDL_MAX &&
                  !slice_has(str_slice(&uidl), '\n'));
    }
}

/* The first byte says which files there are; they are parted by NULs. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adopt_list list = {0};
    struct slice rest = slice_of(data, size);
    if (size == 0)
        return 0;
    unsigned what = (unsigned char)rest.data[0];
    rest = slice_from(rest, 1);
    struct slice uids = slice_cut(&rest, '\0');
    bool has_uids = !(what & 1) && adopt_parse_uids(uids, &list);
    struct slice pop3 = slice_cut(&rest, '\0');
    if (has_uids || (what & 1))
        (void)adopt_parse_pop3(pop3, &list);
    struct slice keywords = slice_cut(&rest, '\0');
    if (what & 2)
        adopt_parse_dovecot_keywords(keywords, &list);
    else
        adopt_parse_courier_keywords(keywords, &list);
    if (list.count > 0)
        adopt_take_keywords(rest, &list, &list.entries[list.count / 2]);
    check_list(&list);
    adopt_free(&list);
    return 0;
}
