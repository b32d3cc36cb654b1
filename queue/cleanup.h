/*
 * cleanup - what crashes left behind, put in order at the start
 */
#ifndef QUEUE_CLEANUP_H
#define QUEUE_CLEANUP_H

#include "manager.h"

/* Drafts that are whole become messages, others that nobody writes any more go (draft.h); so do the
 * second names of held messages that are in line as well (transfer.h), and failure files without a
 * message. Logs what it did. */
void cleanup_run(const struct manager_folders *folders, int64_t now);

#endif
