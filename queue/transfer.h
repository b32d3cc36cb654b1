/*
 * transfer - moving a message from one folder of the queue to another
 *
 * A rename changes two folders, and a sync is of one: where a file system puts them on disk one
 * after the other (POSIX promises no more), a power cut could leave the message in neither, with an
 * innocent sync of the old folder in between. So it gets its second name first.
 */
#ifndef QUEUE_TRANSFER_H
#define QUEUE_TRANSFER_H

#include <stdbool.h>

/* Moves `name`; durable as regards the new place when it returns true. False with errno: it is where
 * it was; EEXIST: another file has the name there. A crash may leave both names (cleanup.h). */
bool transfer_file(int from, const char *name, int to);
/* Are both names there, for one file? */
bool transfer_is_half_done(int from, const char *name, int to);

#endif
