/* report - see report.h */
#include "report.h"

#include "maildate.h"

enum { QUOTED_LINE_MAX = 76, ASCII_LAST = 0x7e, REFERENCES_MAX = 900, LINE_MAX_7BIT = 998 };

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

static bool fits_7bit(struct slice header)
{
    while (header.size > 0) {
        size_t line = line_size(header);
        if (line > LINE_MAX_7BIT)
            return false;
        for (size_t i = 0; i < line; i++)
            if ((unsigned char)header.data[i] >= 0x80 || header.data[i] == '\0')
                return false;
        header = slice_from(header, line);
    }
    return true;
}

/* ---- the message -------------------------------------------------------------------------------- */

static void put_date(struct str *text, const char *name, int64_t seconds)
{
    str_format(text, "%s: ", name);
    maildate_format(text, seconds);
    str_append_text(text, "\r\n");
}

/* The original's Message-ID, so that mail programs show the report beside it. */
static void put_references(const struct report *report, struct str *text)
{
    struct slice rest = report->header;
    while (rest.size > 0) {
        size_t size = line_size(rest);
        struct slice line = slice_part(rest, 0, size);
        rest = slice_from(rest, size);
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

static void put_head(const struct report *report, struct str *text)
{
    str_append_text(text, "From: Mail Delivery System <");
    str_append_printable(text, report->from);
    str_format(text, "@%s>\r\nTo: <", report->me);
    str_append(text, report->to);
    str_format(text, ">\r\nSubject: %s\r\n",
               report->is_double ? "Undelivered report (double bounce)"
                                 : "Undelivered Mail Returned to Sender");
    put_date(text, "Date", report->now);
    str_format(text, "Message-ID: <%s@%s>\r\n", report->unique, report->me);
    put_references(report, text);
    str_format(text,
               "Auto-Submitted: auto-replied\r\n"
               "MIME-Version: 1.0\r\n"
               "Content-Type: multipart/report; report-type=delivery-status;\r\n"
               "\tboundary=\"%s\"\r\n"
               "\r\n"
               "This is a MIME-encapsulated message.\r\n",
               report->unique);
}

static void put_boundary(const struct report *report, struct str *text, const char *headers)
{
    str_format(text, "\r\n--%s\r\n%s\r\n", report->unique, headers);
}

static const char english[] =
    "This is the mail system at host %s.\r\n"
    "\r\n"
    "%s could not be delivered to one or more recipients.\r\n"
    "It will not be tried again. The reasons and the header of your message follow.\r\n"
    "\r\n";
/* The same in Japanese, in UTF-8. */
static const char japanese[] = "こちらはホスト %s のメールシステムです。\r\n"
                               "\r\n"
                               "%sを次の宛先に配送できませんでした。再送は行いません。\r\n"
                               "理由と元のメッセージのヘッダーを添付します。\r\n"
                               "\r\n";

static void put_reasons(const struct report *report, struct str *words)
{
    for (size_t i = 0; i < report->recipient_count; i++) {
        const struct report_recipient *one = &report->recipients[i];
        str_append_text(words, "<");
        str_append(words, one->address);
        str_append_text(words, ">:\r\n    ");
        str_append(words, one->status);
        str_append_text(words, " ");
        str_append(words, one->text);
        str_append_text(words, "\r\n\r\n");
    }
}

static void put_words(const struct report *report, struct str *text)
{
    struct str words;
    str_init(&words, REPORT_MAX);
    str_format(&words, english, report->me,
               report->is_double ? "A report about a message" : "Your message");
    put_reasons(report, &words);
    str_format(&words, japanese, report->me, report->is_double ? "不達通知" : "あなたのメッセージ");
    put_boundary(report, text,
                 "Content-Type: text/plain; charset=utf-8\r\n"
                 "Content-Description: Notification\r\n"
                 "Content-Transfer-Encoding: quoted-printable\r\n");
    if (words.failed || !report_quote(text, str_slice(&words)))
        text->failed = true;
    str_free(&words);
}

/* "550 no such user": what another server said (RFC 3464 2.3.6). */
static bool is_smtp_reply(struct slice text)
{
    return text.size > 4 && text.data[0] >= '2' && text.data[0] <= '5' &&
           slice_is_digit(text.data[1]) && slice_is_digit(text.data[2]) &&
           (text.data[3] == ' ' || text.data[3] == '-');
}

static void put_status(const struct report *report, struct str *text)
{
    put_boundary(report, text,
                 "Content-Type: message/delivery-status\r\n"
                 "Content-Description: Delivery report\r\n");
    str_format(text, "Reporting-MTA: dns; %s\r\n", report->me);
    str_append_text(text, "X-Queue-ID: ");
    str_append_printable(text, report->id);
    str_append_text(text, "\r\n");
    put_date(text, "Arrival-Date", report->arrived);
    for (size_t i = 0; i < report->recipient_count; i++) {
        const struct report_recipient *one = &report->recipients[i];
        str_append_text(text, "\r\nFinal-Recipient: ");
        report_address(text, one->address);
        str_append_text(text, "\r\nAction: failed\r\nStatus: ");
        str_append_printable(text, one->status);
        str_append_text(text, "\r\nDiagnostic-Code: ");
        str_append_text(text, is_smtp_reply(one->text) ? "smtp; " : "X-Mail-Suite; ");
        str_append_printable(text, one->text);
        str_append_text(text, "\r\n");
    }
}

static void put_original(const struct report *report, struct str *text)
{
    bool is_plain = fits_7bit(report->header);
    put_boundary(report, text,
                 is_plain ? "Content-Type: text/rfc822-headers\r\n"
                            "Content-Description: Header of the undelivered message\r\n"
                          : "Content-Type: text/rfc822-headers\r\n"
                            "Content-Description: Header of the undelivered message\r\n"
                            "Content-Transfer-Encoding: quoted-printable\r\n");
    if (is_plain)
        str_append(text, report->header);
    else
        report_quote(text, report->header);
    str_format(text, "\r\n--%s--\r\n", report->unique);
}

bool report_write(const struct report *report, struct str *text)
{
    put_head(report, text);
    put_words(report, text);
    put_status(report, text);
    put_original(report, text);
    return !text->failed;
}
