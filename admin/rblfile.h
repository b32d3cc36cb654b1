/*
 * rblfile - control/rbl into cdb/rbl.cdb (blocklist.h)
 */
#ifndef ADMIN_RBLFILE_H
#define ADMIN_RBLFILE_H

#include "database.h"
#include "findings.h"
#include "sources.h"

/* Reads and checks the file, and adds its record; a missing file has no lines. What is wrong is
 * reported. */
void rblfile_load(const struct sources *sources, struct findings *findings,
                  struct database *database);

#endif
