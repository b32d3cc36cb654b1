/* sendmail_session - see sendmail_session.h */
#include "sendmail_session.h"

#include "clock.h"
#include "control.h"
#include "inject.h"
#include "io.h"
#include "smtpdata.h"
#include "submission.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    READ_SIZE = 65536,
    /* So much is held before the envelope goes out: the header, and what tells 8 bits from 7. */
    HEAD_MAX = SUBMISSION_HEADER_MAX + 2 * READ_SIZE,
    NAME_SIZE_MAX = 255,
};

struct session {
    const struct sendmail_options *options;
    int input;
    struct submission_dot dot;
    struct smtpdata_encoder encoder;
    bool is_over; /* all of the input was read */
    int error;    /* errno of reading */
    struct str head;
    bool is_begun; /* bytes go to the queue, not into `head` */
    struct inject inject;
    struct envelope envelope;
    struct submission submission;
    struct str me, sender, reply;
    char unique[64];
};

static void session_init(struct session *session, const struct sendmail_options *options, int input)
{
    *session = (struct session){.options = options, .input = input};
    smtpdata_encoder_init(&session->encoder, false);
    str_init(&session->head, HEAD_MAX);
    str_init(&session->me, NAME_SIZE_MAX);
    str_init(&session->sender, ENVELOPE_ADDRESS_MAX);
    str_init(&session->reply, INJECT_REPLY_MAX);
    inject_init(&session->inject);
    envelope_init(&session->envelope);
    submission_init(&session->submission);
}

static void session_free(struct session *session)
{
    inject_close(&session->inject);
    envelope_free(&session->envelope);
    submission_free(&session->submission);
    str_free(&session->head);
    str_free(&session->me);
    str_free(&session->sender);
    str_free(&session->reply);
}

static int complain(int code, const char *what, const char *detail)
{
    fprintf(stderr, "sendmail: %s%s%s\n", what, detail ? ": " : "", detail ? detail : "");
    return code;
}

/* ---- input -------------------------------------------------------------------------------------- */

static void put(struct session *session, struct slice bytes)
{
    if (session->is_begun)
        inject_data(&session->inject, bytes);
    else
        str_append(&session->head, bytes);
}

static void encode(struct session *session, struct slice bytes)
{
    while (bytes.size > 0) {
        struct slice run;
        bytes = slice_from(bytes, smtpdata_encode(&session->encoder, bytes, &run));
        put(session, run);
    }
}

static void take_bytes(struct session *session, struct slice bytes)
{
    if (session->options->ignores_dots) {
        encode(session, bytes);
        return;
    }
    while (bytes.size > 0 && !session->dot.ended)
        encode(session, submission_undot(&session->dot, &bytes));
}

static void end_input(struct session *session)
{
    session->is_over = true;
    put(session, smtpdata_encode_end(&session->encoder));
}

static void read_some(struct session *session)
{
    char bytes[READ_SIZE];
    ssize_t got = io_read(session->input, bytes, sizeof bytes, CLOCK_NEVER);
    if (got < 0)
        session->error = errno;
    else if (got > 0)
        take_bytes(session, slice_of(bytes, (size_t)got));
    if (got <= 0 || session->dot.ended)
        end_input(session);
}

/* The header whole, and a good part of the body. */
static bool read_head(struct session *session)
{
    while (!session->is_over && session->error == 0 && !session->head.failed &&
           (session->head.size < READ_SIZE ||
            !submission_has_header(str_slice(&session->head), false)))
        read_some(session);
    return session->error == 0 && !session->head.failed;
}

/* ---- who ---------------------------------------------------------------------------------------- */

/* control/me is for everybody to read; cdb/ is not. */
static void read_me(struct session *session, const char *root)
{
    struct control control;
    char host[NAME_SIZE_MAX] = "";
    int folder = control_open_root(root);
    control_init(&control, folder);
    bool found = folder >= 0 && control_text(&control, "me", "", &session->me);
    io_close(&folder);
    if (found && session->me.size > 0)
        return;
    str_clear(&session->me);
    if (gethostname(host, sizeof host - 1) < 0 || host[0] == '\0')
        memcpy(host, "localhost", sizeof "localhost");
    str_append_text(&session->me, host);
}

/* "<a@b>" and "a@b" are the same; "<>" is the null sender. */
static struct slice without_angles(struct slice address)
{
    if (slice_starts(address, SLICE("<")) && slice_ends(address, SLICE(">")))
        return slice_part(slice_from(address, 1), 0, address.size - 2);
    return address;
}

static bool set_sender(struct session *session)
{
    const char *me = str_text(&session->me);
    if (!me)
        return false;
    if (session->options->sender) {
        struct slice given = without_angles(slice_trim(slice_text(session->options->sender)));
        return given.size == 0 || submission_qualify(given, me, &session->sender);
    }
    const struct passwd *user = getpwuid(getuid());
    if (user)
        return str_format(&session->sender, "%s@%s", user->pw_name, me);
    return str_format(&session->sender, "uid%lu@%s", (unsigned long)getuid(), me);
}

static bool add_arguments(struct session *session)
{
    for (int i = 0; i < session->options->recipient_count; i++) {
        struct str full;
        str_init(&full, ENVELOPE_ADDRESS_MAX);
        struct slice given =
            without_angles(slice_trim(slice_text(session->options->recipients[i])));
        bool done = submission_qualify(given, str_text(&session->me), &full) &&
                    envelope_add_recipient(&session->envelope, str_slice(&full));
        str_free(&full);
        if (!done)
            return false;
    }
    return true;
}

static bool make_unique(struct session *session)
{
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return false;
    snprintf(session->unique, sizeof session->unique, "%lld.%016llx",
             (long long)clock_microseconds(), (unsigned long long)random);
    return true;
}

static bool finish_envelope(struct session *session)
{
    struct envelope *envelope = &session->envelope;
    bool is_8bit = slice_has_high(str_slice(&session->head)) || !session->is_over;
    envelope->body =
        is_8bit && !session->options->is_7bit ? ENVELOPE_BODY_8BIT : ENVELOPE_BODY_7BIT;
    envelope->utf8 = slice_has_high(str_slice(&session->sender));
    for (size_t i = 0; i < envelope->recipient_count; i++) {
        struct envelope_recipient *recipient = &envelope->recipients[i];
        envelope->utf8 = envelope->utf8 || slice_has_high(str_slice(&recipient->address));
        recipient->notify = session->options->notify;
    }
    envelope->ret = session->options->ret;
    return str_append_text(&envelope->origin, "by=sendmail") &&
           str_append(&envelope->envid, slice_text(session->options->envid)) &&
           str_append(&envelope->sender, str_slice(&session->sender));
}

/* ---- the work ----------------------------------------------------------------------------------- */

static int prepare(struct session *session, const char *root)
{
    struct submission *submission = &session->submission;
    read_me(session, root);
    if (!make_unique(session) || !set_sender(session))
        return complain(EX_USAGE, "the sender is too long", NULL);
    if (!add_arguments(session))
        return complain(EX_USAGE, "too many recipients, or one too long", NULL);
    submission->me = str_text(&session->me);
    submission->sender = str_slice(&session->sender);
    submission->name = slice_text(session->options->name);
    submission->reads_recipients = session->options->reads_recipients;
    submission->now = clock_seconds();
    submission->unique = session->unique;
    if (!submission_read(submission, str_slice(&session->head), &session->envelope))
        return complain(EX_DATAERR, "the header is too large, or has too many recipients", NULL);
    if (submission->bad_count > 0)
        return complain(EX_DATAERR, "a recipient in the header is no address; nothing was sent",
                        NULL);
    if (session->envelope.recipient_count == 0)
        return complain(EX_USAGE, "no recipients: name them, or use -t", NULL);
    return finish_envelope(session) ? EX_OK : complain(EX_OSERR, "no memory", NULL);
}

static int send_message(struct session *session)
{
    struct slice body = slice_from(str_slice(&session->head), session->submission.header_size);
    inject_begin(&session->inject, &session->envelope);
    inject_data(&session->inject, str_slice(&session->submission.header));
    inject_data(&session->inject, body);
    session->is_begun = true;
    while (!session->is_over && session->error == 0)
        read_some(session);
    if (session->error != 0) {
        inject_abort(&session->inject);
        return complain(EX_IOERR, "can't read the message", strerror(session->error));
    }
    switch (inject_finish(&session->inject, &session->reply)) {
    case VERDICT_OK:
        return EX_OK;
    case VERDICT_TEMP:
        return complain(EX_TEMPFAIL, "not sent", str_text(&session->reply));
    case VERDICT_PERM:
        break;
    }
    return complain(EX_UNAVAILABLE, "refused", str_text(&session->reply));
}

static int submit(struct session *session, const char *root)
{
    if (!read_head(session))
        return session->error != 0
                   ? complain(EX_IOERR, "can't read the message", strerror(session->error))
                   : complain(EX_DATAERR, "the header is too large", NULL);
    int code = prepare(session, root);
    if (code != EX_OK)
        return code;
    if (chdir(root) < 0)
        return complain(EX_TEMPFAIL, "can't enter the mail system's folder", strerror(errno));
    return send_message(session);
}

int sendmail_submit(const struct sendmail_options *options, int input, const char *root)
{
    struct session session;
    session_init(&session, options, input);
    int code = submit(&session, root);
    session_free(&session);
    return code;
}
