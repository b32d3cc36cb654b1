/* report - see report.h */
#include "report.h"

#include "dsn.h"
#include "maildate.h"

enum {
    QUOTED_LINE_MAX = 76,
    ASCII_LAST = 0x7e,
    REFERENCES_MAX = 900,
    MAIL_LINE_MAX = 1000, /* with its CRLF: RFC 5321 4.5.3.1.6 */
    DATE_MAX = 64,
};

/* ---- pieces ------------------------------------------------------------------------------------- */

static bool needs_quoting(struct slice rest)
{
    unsigned char byte = (unsigned char)rest.data[0];
    bool is_line_end = rest.size == 1 || slice_starts(slice_from(rest, 1), SLICE("\r\n"));
    return byte > ASCII_LAST || byte == '=' || byte < ' ' || (byte == ' ' && is_line_end);
}

bool report_quote(struct str *text, struct slice bytes)
{
    size_t column = 0;
    while (bytes.size > 0) {
        if (slice_starts(bytes, SLICE("\r\n"))) {
            str_append_text(text, "\r\n");
            bytes = slice_from(bytes, 2);
            column = 0;
            continue;
        }
        bool quoted = needs_quoting(bytes);
        size_t width = quoted ? 3 : 1;
        if (column + width > QUOTED_LINE_MAX - 1) {
            str_append_text(text, "=\r\n");
            column = 0;
        }
        if (quoted)
            str_format(text, "=%02X", (unsigned)(unsigned char)bytes.data[0]);
        else
            str_append_byte(text, bytes.data[0]);
        column += width;
        bytes = slice_from(bytes, 1);
    }
    return !text->failed;
}

/* The code point at the front of *rest, which is cut off; a byte that is no UTF-8 stands for itself. */
static uint32_t cut_code_point(struct slice *rest)
{
    unsigned char first = (unsigned char)rest->data[0];
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    static const unsigned char masks[] = {0, 0xff, 0x1f, 0x0f, 0x07};
    uint32_t code = first & masks[size];
    for (size_t i = 1; i < size; i++) {
        if (i >= rest->size || ((unsigned char)rest->data[i] & 0xc0) != 0x80) {
            *rest = slice_from(*rest, 1);
            return first;
        }
        code = code << 6 | ((unsigned char)rest->data[i] & 0x3f);
    }
    *rest = slice_from(*rest, size);
    return code;
}

bool report_address(struct str *text, struct slice address)
{
    if (!slice_has_high(address)) {
        str_append_text(text, "rfc822; ");
        str_append_printable(text, address);
        return !text->failed;
    }
    str_append_text(text, "utf-8; ");
    while (address.size > 0) {
        uint32_t code = cut_code_point(&address);
        bool is_plain =
            code > ' ' && code <= ASCII_LAST && code != '\\' && code != '+' && code != '=';
        if (is_plain)
            str_append_byte(text, (char)code);
        else
            str_format(text, "\\x{%02X}", (unsigned)code);
    }
    return !text->failed;
}

/* Size of the line at the front, with its line end. */
static size_t line_size(struct slice text)
{
    size_t end = slice_find(text, '\n');
    return end < text.size ? end + 1 : text.size;
}

struct slice report_header(struct slice message)
{
    size_t size = 0;
    for (;;) {
        struct slice rest = slice_from(message, size);
        size_t line = line_size(rest);
        if (line == 0 || size + line > REPORT_HEADER_MAX ||
            slice_trim(slice_part(rest, 0, line)).size == 0)
            return slice_part(message, 0, size);
        size += line;
    }
}

/* Can these bytes stand in a part as they are? */
static bool is_mail_text(struct slice text, bool may_be_8bit)
{
    while (text.size > 0) {
        size_t line = line_size(text);
        if (line > MAIL_LINE_MAX)
            return false;
        for (size_t i = 0; i < line; i++)
            if ((!may_be_8bit && (unsigned char)text.data[i] >= 0x80) || text.data[i] == '\0')
                return false;
        text = slice_from(text, line);
    }
    return true;
}

static const char *const action_names[REPORT_ACTIONS] = {
    [REPORT_ACTION_FAILED] = "failed",       [REPORT_ACTION_DELAYED] = "delayed",
    [REPORT_ACTION_DELIVERED] = "delivered", [REPORT_ACTION_RELAYED] = "relayed",
    [REPORT_ACTION_EXPANDED] = "expanded",
};

bool report_parse_action(struct slice name, enum report_action *action)
{
    for (unsigned i = 0; i < REPORT_ACTIONS; i++)
        if (slice_equal(name, slice_text(action_names[i]))) {
            *action = (enum report_action)i;
            return true;
        }
    return false;
}

/* ---- the words ---------------------------------------------------------------------------------- */

/* Per kind; a "%s" in the words stands for the date of REPORT_DELAYED. */
static const struct {
    const char *subject, *english, *japanese;
} kinds[] = {
    [REPORT_FAILED] =
        {"Undelivered Mail Returned to Sender",
         "Your message could not be delivered to one or more recipients.\r\n"
         "It will not be tried again. The reasons follow, and your message or its header.\r\n",
         "お送りになったメッセージを次の宛先に配送できませんでした。再送は行われません。\r\n"
         "理由と、元のメッセージまたはそのヘッダーを添付いたします。\r\n"},
    [REPORT_DOUBLE] =
        {"Undelivered report (double bounce)",
         "A report about a message could not be delivered to one or more recipients.\r\n"
         "It will not be tried again. The reasons follow, and the report or its header.\r\n",
         "不達通知を次の宛先に配送できませんでした。再送は行われません。\r\n"
         "理由と、元のメッセージまたはそのヘッダーを添付いたします。\r\n"},
    [REPORT_DELAYED] =
        {"Delayed Mail (still being retried)",
         "Your message could not be delivered yet to one or more recipients.\r\n"
         "This is only a warning: you need not send it again. It is tried on until\r\n"
         "%s. The reasons so far follow, and its header.\r\n",
         "お送りになったメッセージを次の宛先にまだ配送できていません。\r\n"
         "これは途中経過のお知らせです。送信し直していただく必要はありません。\r\n"
         "%s まで配送を試みます。これまでの理由と元のヘッダーを添付いたします。\r\n"},
    [REPORT_SUCCESS] =
        {"Successful Mail Delivery Report",
         "Your message was delivered to the recipients below, or passed on to a server that\r\n"
         "sends no such reports. You asked to be told. Its header follows.\r\n",
         "ご要望により配送結果をお知らせいたします。お送りになったメッセージは次の宛先に配送された"
         "か、\r\n"
         "配送通知に対応していないサーバーに引き渡されました。元のヘッダーを添付いたします。\r\n"},
};

static const struct {
    const char *english, *japanese;
} action_words[REPORT_ACTIONS] = {
    [REPORT_ACTION_FAILED] = {"not delivered", "配送できませんでした"},
    [REPORT_ACTION_DELAYED] = {"not delivered yet", "配送を続けています"},
    [REPORT_ACTION_DELIVERED] = {"delivered to the mailbox", "メールボックスに配送されました"},
    [REPORT_ACTION_RELAYED] = {"relayed; nothing more will be heard of it",
                               "転送先に引き渡されました(以後の通知はありません)"},
    [REPORT_ACTION_EXPANDED] = {"passed on to the members of a list",
                                "リストの参加者に送られました"},
};

static void put_reasons(const struct report *report, struct str *words)
{
    for (size_t i = 0; i < report->recipient_count; i++) {
        const struct report_recipient *one = &report->recipients[i];
        str_append_text(words, "<");
        str_append(words, one->address);
        str_format(words, ">: %s / %s\r\n    ", action_words[one->action].english,
                   action_words[one->action].japanese);
        str_append(words, one->status);
        str_append_text(words, " ");
        str_append(words, one->text);
        str_append_text(words, "\r\n\r\n");
    }
}

static void put_sentences(struct str *words, const char *sentences, struct slice date)
{
    struct slice rest = slice_text(sentences);
    size_t at = slice_find(rest, '%');
    str_append(words, slice_part(rest, 0, at));
    if (at < rest.size) {
        str_append(words, date);
        str_append(words, slice_from(rest, at + 2));
    }
    str_append_text(words, "\r\n");
}

/* ---- the message -------------------------------------------------------------------------------- */

static void put_date(struct str *text, const char *name, int64_t seconds)
{
    str_format(text, "%s: ", name);
    maildate_format(text, seconds);
    str_append_text(text, "\r\n");
}

/* The original's Message-ID, so that mail programs show the report beside it. */
static void put_references(struct slice header, struct str *text)
{
    while (header.size > 0) {
        size_t size = line_size(header);
        struct slice line = slice_part(header, 0, size);
        header = slice_from(header, size);
        if (!slice_starts_nocase(line, SLICE("Message-ID:")))
            continue;
        struct slice id = slice_trim(slice_from(line, sizeof "Message-ID:" - 1));
        bool is_id = id.size > 2 && id.size < REFERENCES_MAX && id.data[0] == '<' &&
                     slice_ends(id, SLICE(">")) && !slice_has_high(id) && !slice_has(id, ' ');
        if (is_id) {
            str_append_text(text, "References: ");
            str_append_printable(text, id);
            str_append_text(text, "\r\n");
        }
        return;
    }
}

static void put_head(const struct report *report, struct slice header, bool is_8bit,
                     struct str *text)
{
    str_append_text(text, "From: Mail Delivery System <");
    str_append_printable(text, report->from);
    str_format(text, "@%s>\r\nTo: <", report->me);
    str_append(text, report->to);
    str_format(text, ">\r\nSubject: %s\r\n", kinds[report->kind].subject);
    put_date(text, "Date", report->now);
    str_format(text, "Message-ID: <%s@%s>\r\n", report->unique, report->me);
    put_references(header, text);
    str_format(text,
               "Auto-Submitted: auto-replied\r\n"
               "MIME-Version: 1.0\r\n"
               "Content-Type: multipart/report; report-type=delivery-status;\r\n"
               "\tboundary=\"%s\"\r\n"
               "%s"
               "\r\n"
               "This is a MIME-encapsulated message.\r\n",
               report->unique, is_8bit ? "Content-Transfer-Encoding: 8bit\r\n" : "");
}

static void put_boundary(const struct report *report, struct str *text, const char *headers)
{
    str_format(text, "\r\n--%s\r\n%s\r\n", report->unique, headers);
}

static void put_words(const struct report *report, struct str *text)
{
    struct str words, date;
    str_init(&words, REPORT_MAX);
    str_init(&date, DATE_MAX);
    maildate_format(&date, report->until);
    str_format(&words, "This is the mail system at host %s.\r\n\r\n", report->me);
    put_sentences(&words, kinds[report->kind].english, str_slice(&date));
    put_reasons(report, &words);
    str_format(&words, "こちらはホスト %s のメールシステムです。\r\n\r\n", report->me);
    put_sentences(&words, kinds[report->kind].japanese, str_slice(&date));
    put_boundary(report, text,
                 "Content-Type: text/plain; charset=utf-8\r\n"
                 "Content-Description: Notification\r\n"
                 "Content-Transfer-Encoding: quoted-printable\r\n");
    if (words.failed || date.failed || !report_quote(text, str_slice(&words)))
        text->failed = true;
    str_free(&date);
    str_free(&words);
}

/* "550 no such user": what another server said (RFC 3464 2.3.6). */
static bool is_smtp_reply(struct slice text)
{
    return text.size > 4 && text.data[0] >= '2' && text.data[0] <= '5' &&
           slice_is_digit(text.data[1]) && slice_is_digit(text.data[2]) &&
           (text.data[3] == ' ' || text.data[3] == '-');
}

/* What came as xtext goes out as text (RFC 3461 6.3); bytes that a field can't hold as '?'. */
static void put_decoded(struct str *text, struct slice xtext)
{
    struct str decoded;
    str_init(&decoded, DSN_ORCPT_MAX);
    bool is_xtext = dsn_decode_xtext(xtext, &decoded);
    str_append_printable(text, is_xtext ? str_slice(&decoded) : xtext);
    str_free(&decoded);
}

static void put_original_recipient(struct str *text, struct slice orcpt)
{
    struct slice address = orcpt;
    struct slice type = slice_cut(&address, ';');
    if (orcpt.size == 0)
        return;
    str_append_text(text, "Original-Recipient: ");
    str_append_printable(text, type);
    str_append_text(text, "; ");
    if (slice_equal_nocase(type, SLICE("utf-8")))
        str_append_printable(text, address); /* it stays encoded (RFC 6533 3) */
    else
        put_decoded(text, address);
    str_append_text(text, "\r\n");
}

static void put_recipient(const struct report *report, const struct report_recipient *one,
                          struct str *text)
{
    str_append_text(text, "\r\n");
    put_original_recipient(text, one->orcpt);
    str_append_text(text, "Final-Recipient: ");
    report_address(text, one->address);
    str_format(text, "\r\nAction: %s\r\nStatus: ", action_names[one->action]);
    str_append_printable(text, one->status);
    if (one->server.size > 0) {
        str_append_text(text, "\r\nRemote-MTA: dns; ");
        str_append_printable(text, one->server);
    }
    str_append_text(text, "\r\nDiagnostic-Code: ");
    str_append_text(text, is_smtp_reply(one->text) ? "smtp; " : "X-Mail-Suite; ");
    str_append_printable(text, one->text);
    str_append_text(text, "\r\n");
    if (one->action == REPORT_ACTION_DELAYED)
        put_date(text, "Will-Retry-Until", report->until);
}

static void put_status(const struct report *report, struct str *text)
{
    put_boundary(report, text,
                 "Content-Type: message/delivery-status\r\n"
                 "Content-Description: Delivery report\r\n");
    if (report->envid.size > 0) {
        str_append_text(text, "Original-Envelope-Id: ");
        put_decoded(text, report->envid);
        str_append_text(text, "\r\n");
    }
    str_format(text, "Reporting-MTA: dns; %s\r\n", report->me);
    str_append_text(text, "X-Queue-ID: ");
    str_append_printable(text, report->id);
    str_append_text(text, "\r\n");
    put_date(text, "Arrival-Date", report->arrived);
    for (size_t i = 0; i < report->recipient_count; i++)
        put_recipient(report, &report->recipients[i], text);
}

/* How the original goes back. message/rfc822 may not be encoded (RFC 2046 5.2.1); message/global
 * may, and then passes servers that know no UTF-8 (RFC 6532 3.7, 6533 6.3). */
enum original { ORIGINAL_PLAIN, ORIGINAL_GLOBAL, ORIGINAL_HEADERS, ORIGINAL_HEADERS_QUOTED };

static const struct {
    const char *headers;
    bool is_quoted;
} originals[] = {
    [ORIGINAL_PLAIN] = {"Content-Type: message/rfc822\r\n"
                        "Content-Description: The message\r\n",
                        false},
    [ORIGINAL_GLOBAL] = {"Content-Type: message/global\r\n"
                         "Content-Description: The message\r\n"
                         "Content-Transfer-Encoding: quoted-printable\r\n",
                         true},
    [ORIGINAL_HEADERS] = {"Content-Type: text/rfc822-headers\r\n"
                          "Content-Description: Header of the message\r\n",
                          false},
    [ORIGINAL_HEADERS_QUOTED] = {"Content-Type: text/rfc822-headers\r\n"
                                 "Content-Description: Header of the message\r\n"
                                 "Content-Transfer-Encoding: quoted-printable\r\n",
                                 true},
};

static enum original choose_original(const struct report *report, struct slice header)
{
    if (report->is_whole && report->is_utf8)
        return ORIGINAL_GLOBAL;
    if (report->is_whole && is_mail_text(report->message, true))
        return ORIGINAL_PLAIN;
    return is_mail_text(header, false) ? ORIGINAL_HEADERS : ORIGINAL_HEADERS_QUOTED;
}

static void put_original(const struct report *report, struct slice header, enum original how,
                         bool is_8bit, struct str *text)
{
    bool is_whole = how == ORIGINAL_PLAIN || how == ORIGINAL_GLOBAL;
    struct slice bytes = is_whole ? report->message : header;
    str_format(text, "\r\n--%s\r\n%s%s\r\n", report->unique, originals[how].headers,
               is_8bit ? "Content-Transfer-Encoding: 8bit\r\n" : "");
    if (originals[how].is_quoted)
        report_quote(text, bytes);
    else
        str_append(text, bytes);
    str_format(text, "\r\n--%s--\r\n", report->unique);
}

bool report_write(const struct report *report, struct str *text)
{
    struct slice header = report_header(report->message);
    enum original how = choose_original(report, header);
    bool is_8bit = how == ORIGINAL_PLAIN && slice_has_high(report->message);
    put_head(report, header, is_8bit, text);
    put_words(report, text);
    put_status(report, text);
    put_original(report, header, how, is_8bit, text);
    return !text->failed;
}
