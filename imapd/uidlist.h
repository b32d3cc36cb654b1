/*
 * uidlist - UIDs in the order in which they come, as a set: "3:5,9" (RFC 4315 3, COPYUID, APPENDUID)
 */
#ifndef IMAPD_UIDLIST_H
#define IMAPD_UIDLIST_H

#include "str.h"

#include <stdint.h>

struct uidlist {
    struct str text;
    uint32_t first, last; /* of the range that is not in `text` yet; 0: none */
};

void uidlist_init(struct uidlist *list, size_t max);
void uidlist_free(struct uidlist *list);
void uidlist_add(struct uidlist *list, uint32_t uid);
void uidlist_add_range(struct uidlist *list, uint32_t first, uint32_t last);
/* The whole set; nothing is added afterwards. */
struct slice uidlist_end(struct uidlist *list);

#endif
