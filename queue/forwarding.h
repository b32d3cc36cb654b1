/*
 * forwarding - what local is told about the copies that go on from an account (forwards(5)), and what
 * that and what it sends itself costs the account
 *
 * The sender of a copy is rewritten here (common/srs.h), so that no program of a domain's uid needs
 * the secret. Copies for addresses that are not ours are mail that the account sends: stated is asked
 * whether it may before local hears of them, and told when they leave, each by its way to remote.
 */
#ifndef QUEUE_FORWARDING_H
#define QUEUE_FORWARDING_H

#include "directory.h"
#include "queuefile.h"
#include "wire.h"

struct forwarding {
    struct directory *directory;
    int state_fd;         /* stated; -1: not connected */
    int64_t silent_until; /* clock_ms: it gave no answer, and is not asked before */
    struct wire_message answer;
};

void forwarding_init(struct forwarding *forwarding, struct directory *directory);
void forwarding_free(struct forwarding *forwarding);

/* Appends the field of local (deliver/forward.h) for an account's mail: nothing where it is not
 * forwarded. `recipient` is the index in the file. An account that may not send now forwards to
 * addresses of ours only; where nothing would keep the message then, it has to wait. False: that, or
 * trouble; why is appended to `reason`. */
bool forwarding_put(struct forwarding *forwarding, const struct directory_account *account,
                    const struct queuefile *file, size_t recipient, struct slice sender,
                    struct str *field, struct str *reason);

/* May the account answer the message `id` by an automatic reply (localterms.h)? That counts as mail it
 * sends, too. If not, the log has why. */
bool forwarding_may_answer(struct forwarding *forwarding, const struct directory_account *account,
                           struct slice id);

/* Tells stated of a copy, or a reply, that goes to `outside` recipients elsewhere; what is neither is
 * not counted here. */
void forwarding_count(struct forwarding *forwarding, const struct queuefile *file, size_t outside);

/* Does the status (RFC 3463) say that there is no such recipient? */
bool forwarding_is_unknown(const char *status);
/* Tells stated, for misuse-rejected, that of the recipients to whom an account itself sent so many do
 * not exist, as their servers say. Copies and replies are not what it chose. */
void forwarding_count_rejected(struct forwarding *forwarding, const struct queuefile *file,
                               size_t rejected);

#endif
