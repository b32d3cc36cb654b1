/* sendmail_session - see sendmail_session.h */
#include "sendmail_session.h"

#include "addresslist.h"
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

/* -f: an address as a header has it, "Name <a@b>" as well as "a@b"; "" and "<>" are nobody. */
static bool set_given_sender(struct session *session)
{
    struct sendmail_message *message = &session->message;
    struct slice text = slice_trim(slice_text(session->options->sender));
    struct str address;
    str_init(&address, ADDRESSLIST_ADDRESS_MAX);
    bool is_nobody = text.size == 0 || slice_equal(text, SLICE("<>"));
    bool done = is_nobody || addresslist_next(&text, &address) == ADDRESSLIST_ONE;
    done = done ? sendmail_message_set_sender(message, str_slice(&address))
                : sendmail_message_fail(message, EX_USAGE, "the sender is no address", NULL);
    str_free(&address);
    return done;
}

static bool set_sender(struct session *session)
{
    return session->options->sender ? set_given_sender(session)
                                    : sendmail_message_set_user(&session->message);
}

static bool add_recipient(struct sendmail_message *message, struct slice address)
{
    struct str full;
    str_init(&full, ENVELOPE_ADDRESS_MAX);
    bool done = submission_qualify(address, str_text(&message->me), &full) &&
                envelope_add_recipient(&message->envelope, str_slice(&full));
    str_free(&full);
    return done ||
           sendmail_message_fail(message, EX_USAGE, "too many recipients, or one too long", NULL);
}

/* A list as in a header: cron hands over MAILTO, commas and all, as one argument. */
static bool add_argument(struct session *session, const char *argument)
{
    struct slice rest = slice_text(argument);
    enum addresslist_result result = ADDRESSLIST_ONE;
    struct str address;
    bool done = true;
    str_init(&address, ADDRESSLIST_ADDRESS_MAX);
    while (done && (result = addresslist_next(&rest, &address)) == ADDRESSLIST_ONE)
        done = add_recipient(&session->message, str_slice(&address));
    str_free(&address);
    if (done && result == ADDRESSLIST_BAD)
        done = sendmail_message_fail(&session->message, EX_DATAERR,
                                     "a recipient is no address; nothing was sent", argument);
    return done;
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
