/* smtp_reply - see smtp_reply.h */
#include "smtp_reply.h"

#include "number.h"

#include <string.h>

enum { CODE_DIGITS = 3, STATUS_NUMBER_MAX = 999 };

void smtp_reply_init(struct smtp_reply *reply)
{
    *reply = (struct smtp_reply){0};
}

static bool read_code(struct slice digits, unsigned *code)
{
    return digits.size == CODE_DIGITS && number_parse_unsigned(digits, 599, code) && *code >= 200;
}

/* "5.1.1 " at the front of a line (RFC 2034); its class is the code's. */
static void read_status(struct smtp_reply *reply, struct slice text)
{
    struct slice word = slice_cut_word(&text), rest = word;
    unsigned class, subject, detail;
    if (word.size >= sizeof reply->status ||
        !number_parse_unsigned(slice_cut(&rest, '.'), 5, &class) || class != reply->code / 100 ||
        !number_parse_unsigned(slice_cut(&rest, '.'), STATUS_NUMBER_MAX, &subject) ||
        !number_parse_unsigned(rest, STATUS_NUMBER_MAX, &detail))
        return;
    if (!slice_copy_text(word, reply->status, sizeof reply->status))
        reply->status[0] = '\0';
}

static void add_text(struct smtp_reply *reply, struct slice text)
{
    if (reply->text_size > 0 && reply->text_size < sizeof reply->text - 1)
        reply->text[reply->text_size++] = ' ';
    for (size_t i = 0; i < text.size && reply->text_size < sizeof reply->text - 1; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        reply->text[reply->text_size++] = byte < ' ' || byte >= 0x7f ? '?' : text.data[i];
    }
    reply->text[reply->text_size] = '\0';
}

enum smtp_reply_result smtp_reply_line(struct smtp_reply *reply, struct slice line,
                                       struct slice *text)
{
    unsigned code;
    *text = SLICE("");
    /* A lone LF ends a line here too: nothing can be smuggled into a reply that is for us. */
    if (!slice_ends(line, SLICE("\n")))
        return SMTP_REPLY_BAD;
    line.size -= slice_ends(line, SLICE("\r\n")) ? 2 : 1;
    if (!read_code(slice_part(line, 0, CODE_DIGITS), &code) ||
        (reply->lines > 0 && code != reply->code) || ++reply->lines > SMTP_REPLY_LINES_MAX)
        return SMTP_REPLY_BAD;
    char separator = line.size > CODE_DIGITS ? line.data[CODE_DIGITS] : ' ';
    if (separator != ' ' && separator != '-')
        return SMTP_REPLY_BAD;
    *text = slice_from(line, CODE_DIGITS + 1);
    reply->code = code;
    if (reply->lines == 1)
        read_status(reply, *text);
    /* Each line repeats the code; a report needs it once. */
    add_text(reply, slice_trim(reply->lines == 1 ? line : *text));
    if (reply->text_size > CODE_DIGITS)
        reply->text[CODE_DIGITS] = ' ';
    return separator == '-' ? SMTP_REPLY_MORE : SMTP_REPLY_DONE;
}

enum verdict smtp_reply_verdict(const struct smtp_reply *reply)
{
    if (reply->code >= 200 && reply->code < 400)
        return VERDICT_OK;
    return reply->code >= 500 ? VERDICT_PERM : VERDICT_TEMP;
}

const char *smtp_reply_status(const struct smtp_reply *reply)
{
    static const char *const general[] = {
        [VERDICT_OK] = "2.0.0", [VERDICT_TEMP] = "4.0.0", [VERDICT_PERM] = "5.0.0"};
    /* A 354 that is taken for a success has status 3.x.y in no list. */
    if (reply->status[0] != '\0' && reply->code >= 200 && reply->code < 600 &&
        reply->code / 100 != 3)
        return reply->status;
    return general[smtp_reply_verdict(reply)];
}
