/*
 * reporttable - counts sessions of a day, and keeps the counts in a file (tlsreport.h)
 */
#ifndef DELIVER_REPORTTABLE_H
#define DELIVER_REPORTTABLE_H

#include "tlsreport.h"

#include <stddef.h>

enum { REPORTTABLE_DAYS = 30 /* files that are kept */ };

struct reporttable_entry {
    uint64_t count;
    uint64_t hash; /* of the key, so that most are passed over at a glance */
    char *key;     /* tlsreport_put_key */
};

struct reporttable {
    int folder; /* not owned */
    char date[TLSREPORT_DATE_SIZE];
    struct reporttable_entry *entries;
    size_t count;
    bool is_dirty; /* the file does not know all */
    uint64_t lost; /* sessions that did not fit */
};

/* Reads what the file of `now`'s day holds already. */
void reporttable_open(struct reporttable *table, int folder, int64_t now);
/* Counts; a new day begins with the first session of it. False when it does not fit. */
bool reporttable_add(struct reporttable *table, const struct tlsreport_line *line, int64_t now);
/* Writes the file, if there is something new. False with errno. */
bool reporttable_flush(struct reporttable *table);
/* Removes files older than REPORTTABLE_DAYS. */
void reporttable_sweep(int folder, int64_t now);
void reporttable_free(struct reporttable *table);

#endif
