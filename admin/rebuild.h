/*
 * rebuild - all control files, or some domains', checked and compiled
 *
 * First everything is read and checked, and all errors are reported at once; only when there are
 * none is anything written. Domains that are gone are taken out of domains.cdb before their files
 * go, new ones get theirs before they are put in.
 */
#ifndef ADMIN_REBUILD_H
#define ADMIN_REBUILD_H

#include "findings.h"
#include "sources.h"

enum rebuild_result { REBUILD_DONE, REBUILD_REFUSED, REBUILD_TROUBLE };

/* `root` is a descriptor of ROOT; `sources` is locked, and its changes are written when all is
 * right. `names` are domains in A-labels; none: everything. The result says what `findings` holds. */
enum rebuild_result rebuild(int root, struct sources *sources, const char *const *names,
                            size_t count, struct findings *findings);

#endif
