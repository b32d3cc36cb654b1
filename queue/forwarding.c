/* forwarding - see forwarding.h */
#include "forwarding.h"

#include "srs.h"
#include "wire.h"

enum { TARGETS_MAX = 131072, SECONDS_PER_DAY = 86400 };

/* The sender of the copy. What can't be rewritten goes as it is: SPF may fail then, but the mail is
 * not lost by us. */
static bool put_sender(struct directory *directory, const struct directory_account *account,
                       struct slice sender, int64_t now_seconds, struct str *field)
{
    struct slice domain = slice_text(account->domain.name);
    struct str secret, rewritten;
    str_init(&secret, DIRECTORY_VALUE_MAX);
    str_init(&rewritten, ENVELOPE_ADDRESS_MAX);
    bool is_rewritten =
        srs_is_needed(sender, domain) && directory_host(directory, "srs-secret", &secret) &&
        secret.size >= SRS_SECRET_MIN &&
        srs_forward(str_slice(&secret), now_seconds / SECONDS_PER_DAY, sender, domain, &rewritten);
    wire_put(field, is_rewritten ? str_slice(&rewritten) : sender);
    str_free(&secret);
    str_free(&rewritten);
    return !field->failed;
}

bool forwarding_put(struct directory *directory, const struct directory_account *account,
                    const struct queuefile *file, size_t recipient, struct slice sender,
                    int64_t now_seconds, struct str *field)
{
    struct str targets;
    bool is_silent = (file->recipients[recipient].notify & DSN_NOTIFY_NEVER) != 0;
    str_init(&targets, TARGETS_MAX);
    bool done = directory_forwards(directory, account, &targets);
    if (done && targets.size > 0) {
        wire_put_text(field, envelope_body_letter(file->body));
        wire_put_text(field, file->utf8 ? "1" : "0");
        wire_put_text(field, is_silent ? "NEVER" : "");
        done = put_sender(directory, account, sender, now_seconds, field) &&
               str_append(field, str_slice(&targets));
    }
    str_free(&targets);
    return done;
}
