/*
 * maildirrepeat - was this message from the queue delivered into the mailbox before?
 *
 * A delivery that is repeated meets its own name in new/ by itself (maildir.h), but not where a mail
 * program took the first one to cur/ meanwhile. Reading both folders finds it there; that is done when
 * a repeat is likely: after a restart of the queue manager, or when a worker died over it.
 */
#ifndef COMMON_MAILDIRREPEAT_H
#define COMMON_MAILDIRREPEAT_H

#include <stdbool.h>

/* True: the message `id` (as for maildir_begin, host NULL) is in new/ or cur/ of the Maildir `path`
 * below `directory`, as long as its name says, and by now on disk. False: it is not, or nobody can
 * tell; deliver it. */
bool maildirrepeat_find(int directory, const char *path, const char *id);

#endif
