/* sendmail_message - see sendmail_message.h */
#include "sendmail_message.h"

#include "clock.h"
#include "control.h"
#include "io.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    /* So much is held before the envelope goes out: the header, and what tells 8 bits from 7. */
    HELD = 65536,
    HEAD_MAX = SUBMISSION_HEADER_MAX + 2 * HELD,
    NAME_SIZE_MAX = 255,
};

/* control/me is for everybody to read; cdb/ is not. */
static void read_me(struct sendmail_message *message)
{
    struct control control;
    char host[NAME_SIZE_MAX] = "";
    int folder = control_open_root(message->root);
    control_init(&control, folder);
    bool found = folder >= 0 && control_text(&control, "me", "", &message->me);
    io_close(&folder);
    if (found && message->me.size > 0)
        return;
    str_clear(&message->me);
    if (gethostname(host, sizeof host - 1) < 0 || host[0] == '\0')
        memcpy(host, "localhost", sizeof "localhost");
    str_append_text(&message->me, host);
}

void sendmail_message_init(struct sendmail_message *message, const struct sendmail_options *options,
                           const char *root)
{
    *message = (struct sendmail_message){.options = options, .root = root, .code = EX_OK};
    str_init(&message->head, HEAD_MAX);
    str_init(&message->me, NAME_SIZE_MAX);
    str_init(&message->sender, ENVELOPE_ADDRESS_MAX);
    str_init(&message->reply, INJECT_REPLY_MAX);
    inject_init(&message->inject);
    envelope_init(&message->envelope);
    submission_init(&message->submission);
    read_me(message);
}

void sendmail_message_free(struct sendmail_message *message)
{
    inject_close(&message->inject);
    envelope_free(&message->envelope);
    submission_free(&message->submission);
    str_free(&message->head);
    str_free(&message->me);
    str_free(&message->sender);
    str_free(&message->reply);
}

void sendmail_message_clear(struct sendmail_message *message)
{
    if (message->is_begun)
        inject_abort(&message->inject);
    envelope_clear(&message->envelope);
    submission_free(&message->submission);
    submission_init(&message->submission);
    str_clear(&message->head);
    str_clear(&message->sender);
    str_clear(&message->reply);
    message->is_begun = false;
    message->looked = 0;
    message->code = EX_OK;
    message->what = message->detail = NULL;
}

bool sendmail_message_fail(struct sendmail_message *message, int code, const char *what,
                           const char *detail)
{
    if (message->code != EX_OK)
        return false;
    message->code = code;
    message->what = what;
    message->detail = detail;
    return false;
}

/* ---- the envelope ------------------------------------------------------------------------------
 */

bool sendmail_message_set_sender(struct sendmail_message *message, struct slice address)
{
    str_clear(&message->sender);
    return address.size == 0 ||
           submission_qualify(address, str_text(&message->me), &message->sender) ||
           sendmail_message_fail(message, EX_USAGE, "the sender is too long", NULL);
}

bool sendmail_message_set_user(struct sendmail_message *message)
{
    const char *me = str_text(&message->me);
    const struct passwd *user = getpwuid(getuid());
    bool done = user ? str_format(&message->sender, "%s@%s", user->pw_name, me)
                     : str_format(&message->sender, "uid%lu@%s", (unsigned long)getuid(), me);
    return done || sendmail_message_fail(message, EX_USAGE, "the sender is too long", NULL);
}

static bool make_unique(struct sendmail_message *message)
{
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return sendmail_message_fail(message, EX_OSERR, "no random number", strerror(errno));
    snprintf(message->unique, sizeof message->unique, "%lld.%016llx",
             (long long)clock_microseconds(), (unsigned long long)random);
    return true;
}

static bool finish_envelope(struct sendmail_message *message, bool is_whole)
{
    struct envelope *envelope = &message->envelope;
    const struct sendmail_options *options = message->options;
    bool is_8bit = slice_has_high(str_slice(&message->head)) || !is_whole;
    envelope->body = is_8bit && !options->is_7bit ? ENVELOPE_BODY_8BIT : ENVELOPE_BODY_7BIT;
    envelope->utf8 = envelope->utf8 || slice_has_high(str_slice(&message->sender));
    for (size_t i = 0; i < envelope->recipient_count; i++) {
        struct envelope_recipient *recipient = &envelope->recipients[i];
        envelope->utf8 = envelope->utf8 || slice_has_high(str_slice(&recipient->address));
        if (options->notify)
            recipient->notify = options->notify;
    }
    if (options->ret != DSN_RETURN_DEFAULT)
        envelope->ret = options->ret;
    if (options->envid)
        str_clear(&envelope->envid);
    return (str_append_text(&envelope->origin, "by=sendmail") &&
            str_append(&envelope->envid, slice_text(options->envid)) &&
            str_append(&envelope->sender, str_slice(&message->sender))) ||
           sendmail_message_fail(message, EX_OSERR, "no memory", NULL);
}

/* ---- the bytes ---------------------------------------------------------------------------------
 */

static bool read_header(struct sendmail_message *message)
{
    struct submission *submission = &message->submission;
    submission->me = str_text(&message->me);
    submission->sender = str_slice(&message->sender);
    submission->name = slice_text(message->options->name);
    submission->reads_recipients = message->options->reads_recipients;
    submission->now = clock_seconds();
    submission->unique = message->unique;
    if (!submission_read(submission, str_slice(&message->head), &message->envelope))
        return sendmail_message_fail(message, EX_DATAERR,
                                     "the header is too large, or has too many recipients", NULL);
    if (submission->bad_count > 0)
        return sendmail_message_fail(
            message, EX_DATAERR, "a recipient in the header is no address; nothing was sent", NULL);
    return message->envelope.recipient_count > 0 ||
           sendmail_message_fail(message, EX_USAGE, "no recipients: name them, or use -t", NULL);
}

/* The header is whole, and so is, perhaps, the message. */
static bool begin(struct sendmail_message *message, bool is_whole)
{
    if (!make_unique(message) || !read_header(message) || !finish_envelope(message, is_whole))
        return false;
    if (chdir(message->root) < 0)
        return sendmail_message_fail(message, EX_TEMPFAIL, "can't enter the mail system's folder",
                                     strerror(errno));
    message->is_begun = true;
    inject_begin(&message->inject, &message->envelope);
    inject_data(&message->inject, str_slice(&message->submission.header));
    inject_data(&message->inject,
                slice_from(str_slice(&message->head), message->submission.header_size));
    return true;
}

/* The end of the header is looked for after so many bytes, not after each line. */
static bool is_time_to_begin(struct sendmail_message *message)
{
    if (message->head.size < message->looked + HELD)
        return false;
    message->looked = message->head.size;
    return submission_has_header(str_slice(&message->head), false);
}

bool sendmail_message_put(struct sendmail_message *message, struct slice bytes)
{
    if (message->code != EX_OK)
        return false;
    if (message->is_begun) {
        inject_data(&message->inject, bytes);
        return true;
    }
    if (!str_append(&message->head, bytes))
        return sendmail_message_fail(message, EX_DATAERR, "the header is too large", NULL);
    return !is_time_to_begin(message) || begin(message, false);
}

bool sendmail_message_finish(struct sendmail_message *message)
{
    if (message->code != EX_OK || (!message->is_begun && !begin(message, true)))
        return false;
    enum verdict verdict = inject_finish(&message->inject, &message->reply);
    message->is_begun = false;
    if (verdict == VERDICT_OK)
        return true;
    return sendmail_message_fail(message, verdict == VERDICT_TEMP ? EX_TEMPFAIL : EX_UNAVAILABLE,
                                 verdict == VERDICT_TEMP ? "not sent" : "refused",
                                 str_text(&message->reply));
}
