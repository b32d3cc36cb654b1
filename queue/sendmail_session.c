/* sendmail_session - see sendmail_session.h */
#include "sendmail_session.h"

#include "clock.h"
#include "io.h"
#include "sendmail_message.h"
#include "smtpdata.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { READ_SIZE = 65536 };

struct session {
    const struct sendmail_options *options;
    int input;
    struct submission_dot dot;
    struct smtpdata_encoder encoder;
    struct sendmail_message message;
};

/* ---- input -------------------------------------------------------------------------------------- */

static bool encode(struct session *session, struct slice bytes)
{
    bool goes_on = true;
    while (goes_on && bytes.size > 0) {
        struct slice run;
        bytes = slice_from(bytes, smtpdata_encode(&session->encoder, bytes, &run));
        goes_on = sendmail_message_put(&session->message, run);
    }
    return goes_on;
}

static bool take_bytes(struct session *session, struct slice bytes)
{
    if (session->options->ignores_dots)
        return encode(session, bytes);
    bool goes_on = true;
    while (goes_on && bytes.size > 0 && !session->dot.ended)
        goes_on = encode(session, submission_undot(&session->dot, &bytes));
    return goes_on;
}

static bool read_all(struct session *session)
{
    char bytes[READ_SIZE];
    ssize_t got = 1;
    bool goes_on = true;
    while (goes_on && got > 0 && !session->dot.ended) {
        got = io_read(session->input, bytes, sizeof bytes, CLOCK_NEVER);
        if (got < 0)
            return sendmail_message_fail(&session->message, EX_IOERR, "can't read the message",
                                         strerror(errno));
        goes_on = take_bytes(session, slice_of(bytes, (size_t)got));
    }
    return goes_on &&
           sendmail_message_put(&session->message, smtpdata_encode_end(&session->encoder));
}

/* ---- who ---------------------------------------------------------------------------------------- */

/* "<a@b>" and "a@b" are the same; "<>" is the null sender. */
static struct slice without_angles(const char *text)
{
    struct slice address = slice_trim(slice_text(text));
    if (slice_starts(address, SLICE("<")) && slice_ends(address, SLICE(">")))
        return slice_part(slice_from(address, 1), 0, address.size - 2);
    return address;
}

static bool set_sender(struct session *session)
{
    return session->options->sender
               ? sendmail_message_set_sender(&session->message,
                                             without_angles(session->options->sender))
               : sendmail_message_set_user(&session->message);
}

static bool add_argument(struct session *session, const char *argument)
{
    struct sendmail_message *message = &session->message;
    struct str full;
    str_init(&full, ENVELOPE_ADDRESS_MAX);
    bool done = submission_qualify(without_angles(argument), str_text(&message->me), &full) &&
                envelope_add_recipient(&message->envelope, str_slice(&full));
    str_free(&full);
    return done ||
           sendmail_message_fail(message, EX_USAGE, "too many recipients, or one too long", NULL);
}

static bool add_arguments(struct session *session)
{
    bool done = true;
    for (int i = 0; done && i < session->options->recipient_count; i++)
        done = add_argument(session, session->options->recipients[i]);
    return done;
}

int sendmail_submit(const struct sendmail_options *options, int input, const char *root)
{
    struct session session = {.options = options, .input = input};
    struct sendmail_message *message = &session.message;
    smtpdata_encoder_init(&session.encoder, false);
    sendmail_message_init(message, options, root);
    if (set_sender(&session) && add_arguments(&session) && read_all(&session) &&
        sendmail_message_finish(message)) {
        sendmail_message_free(message);
        return EX_OK;
    }
    fprintf(stderr, "sendmail: %s%s%s\n", message->what, message->detail ? ": " : "",
            message->detail ? message->detail : "");
    int code = message->code;
    sendmail_message_free(message);
    return code;
}
