/* replymessage - see replymessage.h */
#include "replymessage.h"

#include "charset.h"
#include "encode.h"
#include "maildate.h"
#include "mime.h"

enum {
    SUBJECT_MAX = 600,    /* bytes of the subject that is answered */
    LINE_MAX = 76,        /* of header lines, where words allow */
    WORD_BYTES = 45,      /* of UTF-8 in an encoded word, which has 75 at most (RFC 2047 2) */
    BASE64_LINE = 57,     /* bytes that make a line of 76 */
    MESSAGE_ID_MAX = 250, /* a longer one is nobody's */
    REFERENCES_MAX = 10,
    FIELD_MAX = 65536,
};

#define CRLF    "\r\n"
#define ESCAPED "=?ISO-2022-JP?B?"

/* ---- what is answered ---------------------------------------------------------------------------
 */

/* Does one of `marks`, in lower case, stand here? */
static bool is_mark(struct slice text)
{
    static const char *const marks[] = {"charset=iso-2022-jp", "charset=\"iso-2022-jp",
                                        "=?iso-2022-jp"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (slice_starts_nocase(text, slice_text(marks[i])))
            return true;
    return false;
}

bool replymessage_is_jis(struct slice start)
{
    for (size_t at = 0; at < start.size; at++) {
        char byte = slice_lower(start.data[at]);
        if ((byte == 'c' || byte == '=') && is_mark(slice_from(start, at)))
            return true;
    }
    return false;
}

/* Kana or kanji: a three-byte character from U+3040 to U+9FFF. */
static bool is_japanese(struct slice utf8)
{
    for (size_t i = 0; i + 1 < utf8.size; i++) {
        unsigned char first = (unsigned char)utf8.data[i], second = (unsigned char)utf8.data[i + 1];
        if ((first == 0xe3 && second >= 0x81) || (first >= 0xe4 && first <= 0xe9))
            return true;
    }
    return false;
}

static bool is_printable_ascii(struct slice text)
{
    return !slice_has_control(text) && !slice_has_high(text);
}

/* A field's value on one line; empty: there is none. */
static void find_field(const struct replymessage *reply, const char *name, struct str *line)
{
    struct slice value;
    if (!mime_find_field(reply->header, name, &value) || !mime_unfold(value, line))
        str_clear(line);
}

/* ---- the subject --------------------------------------------------------------------------------
 */

struct subject {
    struct str *message;
    size_t column;
};

static void put_word(struct subject *subject, struct slice word)
{
    bool is_long = subject->column + 1 + word.size > LINE_MAX;
    str_append_text(subject->message, is_long ? CRLF " " : " ");
    str_append(subject->message, word);
    subject->column = (is_long ? 0 : subject->column) + 1 + word.size;
}

static void put_ascii(struct subject *subject, struct slice text)
{
    while (text.size > 0) {
        struct slice word = slice_cut_word(&text);
        if (word.size > 0)
            put_word(subject, word);
    }
}

/* As many whole characters as `size` bytes hold. */
static struct slice cut_utf8(struct slice text, size_t size)
{
    if (text.size <= size)
        return text;
    while (size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    return slice_part(text, 0, size);
}

static void put_encoded(struct subject *subject, struct slice text)
{
    char bytes[2 * LINE_MAX];
    while (text.size > 0) {
        struct str word = str_on(bytes, sizeof bytes);
        struct slice piece = cut_utf8(text, WORD_BYTES);
        str_append_text(&word, "=?UTF-8?B?");
        encode_base64(piece, &word);
        str_append_text(&word, "?=");
        put_word(subject, str_slice(&word));
        text = slice_from(text, piece.size);
    }
}

/* As much of the old subject as goes on. Encoded words, which are ASCII, stay as they are; what can't be
 * told (raw ISO-2022-JP, a word without end) is left out. */
static struct slice fit_subject(struct slice old)
{
    if (is_printable_ascii(old)) {
        struct slice part = slice_part(old, 0, SUBJECT_MAX);
        if (part.size == old.size)
            return part;
        size_t end = slice_find_last(part, ' ');
        return slice_part(part, 0, end < part.size ? end : 0);
    }
    bool is_text = !slice_has_control(old) && charset_is_utf8(old);
    return is_text ? cut_utf8(old, SUBJECT_MAX / 2) : SLICE("");
}

/* On one line, with blanks for tabs. */
static void find_subject(const struct replymessage *reply, struct str *line)
{
    find_field(reply, "Subject", line);
    for (size_t i = 0; i < line->size; i++)
        if (line->data[i] == '\t')
            line->data[i] = ' ';
}

/* RFC 3834 3.1.5 */
static void put_subject(const struct replymessage *reply, bool is_jis, struct str *message)
{
    /* "Auto:", and the same word in Japanese; before another encoded word with a blank within, since
     * one between two is not shown (RFC 2047 6.2). */
    static const char *const marks[][2] = {
        {"Auto:", "Auto:"},
        {"=?UTF-8?B?6Ieq5YuV6L+U5L+hOg==?=", "=?UTF-8?B?6Ieq5YuV6L+U5L+hOiA=?="},
        {ESCAPED "GyRCPCtGMEpWPy4bKEI6?=", ESCAPED "GyRCPCtGMEpWPy4bKEI6IA==?="},
    };
    /* Without a subject to go on. */
    static const char *const alone[] = {
        "Automatic reply", "=?UTF-8?B?6Ieq5YuV6L+U5L+h?=", ESCAPED "GyRCPCtGMEpWPy4bKEI=?="};
    struct subject subject = {.message = message, .column = sizeof "Subject:" - 1};
    struct str line;
    unsigned kind = !is_japanese(reply->utf8) ? 0 : is_jis ? 2 : 1;
    str_init(&line, FIELD_MAX);
    find_subject(reply, &line);
    struct slice old = fit_subject(slice_trim(str_slice(&line)));
    str_append_text(message, "Subject:");
    bool is_ascii = is_printable_ascii(old);
    bool is_encoded = !is_ascii || slice_starts(old, SLICE("=?"));
    put_ascii(&subject, slice_text(old.size > 0 ? marks[kind][is_encoded] : alone[kind]));
    if (is_ascii)
        put_ascii(&subject, old);
    else
        put_encoded(&subject, old);
    str_append_text(message, CRLF);
    str_free(&line);
}

/* ---- In-Reply-To, References (RFC 5322 3.6.4) ---------------------------------------------------
 */

struct ids {
    struct slice of[REFERENCES_MAX]; /* the last ones */
    size_t count;
};

static void add_id(struct ids *ids, struct slice id)
{
    if (ids->count == REFERENCES_MAX) {
        memmove(&ids->of[0], &ids->of[1], (REFERENCES_MAX - 1) * sizeof ids->of[0]);
        ids->count--;
    }
    ids->of[ids->count++] = id;
}

static void find_ids(struct slice line, struct ids *ids)
{
    while (line.size > 0) {
        struct slice word = slice_cut_word(&line);
        if (word.size > 2 && word.size <= MESSAGE_ID_MAX && slice_starts(word, SLICE("<")) &&
            slice_find(word, '>') == word.size - 1 && slice_has(word, '@') &&
            is_printable_ascii(word))
            add_id(ids, word);
    }
}

static void put_references(const struct replymessage *reply, struct str *message)
{
    struct str id_line, line;
    struct ids own = {.count = 0}, ids = {.count = 0};
    str_init(&id_line, FIELD_MAX);
    str_init(&line, FIELD_MAX);
    find_field(reply, "Message-ID", &id_line);
    find_ids(str_slice(&id_line), &own);
    if (own.count == 1) {
        find_field(reply, "References", &line);
        if (line.size == 0)
            find_field(reply, "In-Reply-To", &line);
        find_ids(str_slice(&line), &ids);
        add_id(&ids, own.of[0]);
        str_append_text(message, "In-Reply-To: ");
        str_append(message, own.of[0]);
        str_append_text(message, CRLF "References:");
        for (size_t i = 0; i < ids.count; i++) {
            str_append_text(message, i == 0 ? " " : CRLF " ");
            str_append(message, ids.of[i]);
        }
        str_append_text(message, CRLF);
    }
    str_free(&id_line);
    str_free(&line);
}

/* ---- the message -------------------------------------------------------------------------------- */

static void put_address(const char *field, struct slice local, const char *at, struct slice domain,
                        struct str *message)
{
    str_append_texts(message, field, ": <");
    str_append(message, local);
    str_append_text(message, at);
    str_append(message, domain);
    str_append_text(message, ">" CRLF);
}

static void put_head(const struct replymessage *reply, bool is_jis, struct str *message)
{
    put_address("From", reply->local, "@", reply->domain, message);
    put_address("To", reply->to, "", SLICE(""), message);
    put_subject(reply, is_jis, message);
    str_append_text(message, "Date: ");
    maildate_format(message, reply->now);
    str_append_text(message, CRLF);
    put_address("Message-ID", slice_text(reply->unique), "@", reply->domain, message);
    put_references(reply, message);
    /* RFC 3834 3.1.7, and what Exchange reads. */
    str_append_text(message,
                    "Auto-Submitted: auto-replied" CRLF "X-Auto-Response-Suppress: All" CRLF
                    "MIME-Version: 1.0" CRLF "Content-Type: text/plain; charset=");
}

static void put_base64(struct slice text, struct str *message)
{
    while (text.size > 0) {
        struct slice part = slice_part(text, 0, BASE64_LINE);
        encode_base64(part, message);
        str_append_text(message, CRLF);
        text = slice_from(text, part.size);
    }
}

bool replymessage_compose(const struct replymessage *reply, struct str *message)
{
    bool is_ascii = !slice_has_high(reply->utf8);
    bool is_jis = !is_ascii && reply->seven.size > 0 && replymessage_is_jis(reply->start);
    put_head(reply, is_jis, message);
    if (is_ascii || is_jis) {
        str_append_texts(message, is_ascii ? "us-ascii" : "ISO-2022-JP",
                         CRLF "Content-Transfer-Encoding: 7bit" CRLF CRLF);
        str_append(message, reply->seven.size > 0 ? reply->seven : reply->utf8);
    } else {
        str_append_text(message, "UTF-8" CRLF "Content-Transfer-Encoding: base64" CRLF CRLF);
        put_base64(reply->utf8, message);
    }
    return !message->failed;
}
