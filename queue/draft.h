/*
 * draft - what is found in queue/message under the name of a file that is being written
 *
 * queue-inject may be writing it at this moment; or it died over it; or a power cut came between the
 * syncs of a message and those of its new name, and then it may have been acknowledged. Size and
 * check, which are written last, say whether it is whole.
 */
#ifndef QUEUE_DRAFT_H
#define QUEUE_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

enum { DRAFT_AGE_MAX = 86400 }; /* seconds; nobody writes one for so long */

/* Gives all whole drafts in `folder` their names, once they are surely on disk, and removes those
 * that are not whole and too old to be written still. Called at the start, before the folder is
 * read. */
void draft_adopt_all(int folder, int64_t now);

#endif
