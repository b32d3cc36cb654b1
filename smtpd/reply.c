/* reply - see reply.h */
#include "reply.h"

static const struct reply_form forms[REPLY_COUNT] = {
    [REPLY_GREETING] = {"220", "", "$ ESMTP", false},
    [REPLY_GREETING_LMTP] = {"220", "", "$ LMTP", false},
    [REPLY_GREETING_TROUBLE] = {"421", "4.3.0", "not ready, please try again later", true},
    /* RFC 7504: the client is not served at all. */
    [REPLY_EARLY] = {"521", "5.5.1", "you spoke before the greeting", true},
    [REPLY_CONNECTIONS_TOO_MANY] = {"421", "4.7.0",
                                    "too many connections within a minute, try again later", true},
    [REPLY_MAIL_TOO_MUCH] = {"450", "4.7.1", "too much mail within a minute, try again later",
                             false},
    [REPLY_BLOCKLISTED] = {"550", "5.7.1", "$", false},
    [REPLY_GREYLISTED] = {"450", "4.7.1", "greylisted, try again in $ seconds", false},
    [REPLY_GREYLISTED_MESSAGE] = {"450", "4.7.1", "greylisted, try again later", false},
    [REPLY_BYE] = {"221", "2.0.0", "$ goodbye", true},
    [REPLY_HELO] = {"250", "", "$", false},
    [REPLY_OK] = {"250", "2.0.0", "ok", false},
    [REPLY_HELP] = {"214", "2.0.0", "see RFC 5321", false},
    /* RFC 5321 3.5.3: says nothing about who lives here. */
    [REPLY_VRFY] = {"252", "2.5.2", "send some mail, i'll try my best", false},
    [REPLY_READY_FOR_TLS] = {"220", "2.0.0", "ready to start TLS", false},
    [REPLY_TLS_ALREADY] = {"503", "5.5.1", "TLS is active already", false},

    [REPLY_AUTH_CHALLENGE] = {"334", "", "$", false},
    [REPLY_AUTH_DONE] = {"235", "2.7.0", "welcome", false},
    [REPLY_AUTH_FAILED] = {"535", "5.7.8", "authentication failed", false},
    [REPLY_AUTH_EXPIRED] = {"535", "5.7.8", "$", false},
    [REPLY_AUTH_LATER] = {"454", "4.7.0", "$", false},
    [REPLY_AUTH_TLS_REQUIRED] = {"538", "5.7.11", "start TLS first", false},
    [REPLY_AUTH_DISABLED] = {"525", "5.7.13", "$", false},
    [REPLY_AUTH_CANCELLED] = {"501", "5.7.0", "authentication cancelled", false},
    [REPLY_AUTH_BAD] = {"501", "5.5.2", "can't decode that response", false},
    [REPLY_AUTH_TOO_LONG] = {"500", "5.5.6", "that response is too long", false},
    [REPLY_AUTH_UNKNOWN_MECHANISM] = {"504", "5.5.4", "unknown mechanism", false},
    [REPLY_AUTH_ALREADY] = {"503", "5.5.1", "authenticated already", false},
    [REPLY_AUTH_NOT_HERE] = {"502", "5.5.1", "AUTH is not offered here", false},
    [REPLY_AUTH_OVER] =
        {"421", "4.7.0",
         "the account's password was changed, or it is locked or gone: log in again", true},
    [REPLY_AUTH_REQUIRED] = {"530", "5.7.0", "authentication required", false},

    [REPLY_SENDER_OK] = {"250", "2.1.0", "ok", false},
    [REPLY_SENDER_BAD] = {"501", "5.1.7", "can't understand that sender address", false},
    [REPLY_SENDER_NOT_YOURS] = {"553", "5.7.1", "sorry, that sender address is not yours", false},
    [REPLY_SENDER_PAUSED] = {"450", "4.7.1", "$", false},
    [REPLY_RECIPIENT_OK] = {"250", "2.1.5", "ok", false},
    [REPLY_RECIPIENT_BAD] = {"501", "5.1.3", "can't understand that recipient address", false},
    [REPLY_RECIPIENT_UNKNOWN] = {"550", "5.1.1", "sorry, no mailbox here by that name", false},
    /* SPEC R4.2: prescribed to the byte. */
    [REPLY_RECIPIENT_FULL] = {"452", "", "sorry, mailbox is full (#4.5.2)", false},
    [REPLY_RECIPIENT_FULL_FOR_GOOD] = {"552", "", "sorry, mailbox is full (#5.2.2)", false},
    [REPLY_RECIPIENT_PAUSED] = {"450", "4.2.1", "$", false},
    [REPLY_RECIPIENT_APART] = {"452", "4.5.3",
                               "its size limit is another one, send it a message of its own",
                               false},
    /* SPEC R5.3: prescribed to the byte. */
    [REPLY_LIMIT_EXCEEDED] = {"423", "", "sorry, that message exceeds my limit", false},
    [REPLY_RECIPIENTS_TOO_MANY] = {"452", "4.5.3", "too many recipients in one message", false},
    [REPLY_RECIPIENTS_NONE] = {"554", "5.5.1", "no valid recipients", false},
    /* RFC 2033 4.2 wants another code. */
    [REPLY_RECIPIENTS_NONE_LMTP] = {"503", "5.5.1", "no valid recipients", false},
    [REPLY_RELAY_REFUSED] = {"554", "5.7.1", "sorry, that domain isn't served here", false},
    [REPLY_UTF8_NOT_ASKED] = {"553", "5.6.7", "that address needs SMTPUTF8", false},

    [REPLY_DATA_GO] = {"354", "", "go ahead, end with CRLF.CRLF", false},
    [REPLY_BINARY_NEEDS_BDAT] = {"503", "5.5.1", "a BINARYMIME message comes by BDAT", false},
    [REPLY_DATA_WITHIN_CHUNKS] = {"503", "5.5.1", "BDAT or RSET, that message comes in chunks",
                                  false},
    [REPLY_CHUNK_OK] = {"250", "2.0.0", "$ octets received", false},
    /* Where it is unknown how many bytes follow, the next line may be anything. */
    [REPLY_CHUNK_BAD] = {"501", "5.5.4", "syntax: BDAT size [LAST]", true},
    [REPLY_ACCEPTED] = {"250", "2.0.0", "ok $", false},
    [REPLY_QUEUE_TROUBLE] = {"451", "", "$", false},
    [REPLY_QUEUE_FULL] = {"452", "", "$", false},
    [REPLY_QUEUE_REFUSED] = {"554", "", "$", false},
    /* SPEC R5.1: prescribed to the byte. */
    [REPLY_TOO_BIG] = {"552", "", "sorry, that message size exceeds my databytes limit (#5.3.4)",
                       false},
    [REPLY_HEADER_TOO_BIG] = {"552", "5.3.4", "sorry, that message's header section is too large",
                              false},
    [REPLY_LINE_OF_DATA_TOO_LONG] = {"554", "5.6.0", "sorry, a line of that message is too long",
                                     false},
    [REPLY_LOOP] = {"554", "5.4.6", "too many Received fields, that message is looping", false},
    [REPLY_BARE_LINE_END] = {"550", "5.6.0", "a CR or LF stands alone in that message", true},
    [REPLY_BARE_IN_CHUNK] = {"550", "5.6.0", "a CR or LF stands alone in the text of that message",
                             false},

    [REPLY_TROUBLE] = {"451", "4.3.0", "passing trouble here, please try again later", false},
    [REPLY_UNKNOWN_COMMAND] = {"500", "5.5.1", "unknown command", false},
    [REPLY_FORBIDDEN_COMMAND] = {"421", "4.7.0", "this is no web server", true},
    [REPLY_COMMAND_TOO_LONG] = {"500", "5.5.2", "line too long", false},
    [REPLY_COMMAND_LINE_END] = {"500", "5.5.2", "lines end in CRLF and hold no CR, LF or NUL",
                                false},
    [REPLY_SYNTAX] = {"501", "5.5.4", "syntax: $", false},
    [REPLY_HELO_FIRST] = {"503", "5.5.1", "HELO or EHLO first", false},
    [REPLY_XCLIENT_NOT_YOURS] = {"550", "5.7.0", "XCLIENT is not for you", false},
    [REPLY_XCLIENT_LOGIN_UNKNOWN] = {"550", "5.7.0", "there is no such LOGIN", false},
    [REPLY_MAIL_FIRST] = {"503", "5.5.1", "MAIL first", false},
    [REPLY_MAIL_ALREADY] = {"503", "5.5.1", "one MAIL per message", false},
    [REPLY_MAIL_PENDING] = {"503", "5.5.1", "not within a mail transaction", false},
    [REPLY_PARAMETER_BAD] = {"501", "5.5.4", "can't understand that parameter", false},
    [REPLY_PARAMETER_UNKNOWN] = {"555", "5.5.4", "unknown parameter", false},
    [REPLY_ERRORS_TOO_MANY] = {"421", "4.7.0", "too many errors", true},
    [REPLY_COMMANDS_TOO_MANY] = {"421", "4.7.0", "too many commands without a message", true},
    [REPLY_TIMEOUT] = {"421", "4.4.2", "timeout", true},
};

const struct reply_form *reply_form(enum reply name)
{
    return &forms[name];
}

bool reply_is_error(enum reply name)
{
    return forms[name].code[0] == '5';
}

bool reply_format(enum reply name, struct slice detail, struct str *line)
{
    const struct reply_form *form = &forms[name];
    str_append_text(line, form->code);
    str_append_byte(line, ' ');
    if (form->status[0] != '\0') {
        str_append_text(line, form->status);
        str_append_byte(line, ' ');
    }
    str_append_filled(line, slice_text(form->text), slice_part(detail, 0, REPLY_DETAIL_MAX));
    return str_append(line, SLICE("\r\n"));
}
