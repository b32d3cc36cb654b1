/*
 * cleanup - what crashes left behind, removed at the start
 */
#ifndef QUEUE_CLEANUP_H
#define QUEUE_CLEANUP_H

#include "manager.h"

enum { CLEANUP_TMP_AGE = 86400 };

/* Files in queue/tmp that nobody writes any more (a day old), the second names of held messages that
 * are in line as well (transfer.h), and failure files without a message. Logs what it removed. */
void cleanup_run(const struct manager_folders *folders, int64_t now);

#endif
