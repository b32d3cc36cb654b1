/* uidlist - see uidlist.h */
#include "uidlist.h"

void uidlist_init(struct uidlist *list, size_t max)
{
    *list = (struct uidlist){0};
    str_init(&list->text, max);
}

void uidlist_free(struct uidlist *list)
{
    str_free(&list->text);
}

static void write_range(struct uidlist *list)
{
    if (list->first == 0)
        return;
    if (list->text.size > 0)
        str_append_byte(&list->text, ',');
    str_append_number(&list->text, list->first);
    if (list->last != list->first) {
        str_append_byte(&list->text, ':');
        str_append_number(&list->text, list->last);
    }
}

void uidlist_add_range(struct uidlist *list, uint32_t first, uint32_t last)
{
    if (list->first != 0 && first == list->last + 1) {
        list->last = last;
        return;
    }
    write_range(list);
    list->first = first;
    list->last = last;
}

void uidlist_add(struct uidlist *list, uint32_t uid)
{
    uidlist_add_range(list, uid, uid);
}

struct slice uidlist_end(struct uidlist *list)
{
    write_range(list);
    list->first = 0;
    return str_slice(&list->text);
}
