/* replytext - see replytext.h */
#include "replytext.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <unistr.h>
#include <uniwidth.h>

enum { CHARACTER_MAX = 4, CONVERTED_MAX = 16 };

#define NO_CONVERTER ((iconv_t)-1)

/* SPEC R8.1: to ISO-2022-JP and back, these become their neighbours on some systems. */
static const ucs4_t unfit[] = {
    0x2015, 0xff5e, 0x301c, 0x2225, 0x2016, 0xff0d, 0x2212,
    0xffe0, 0x00a2, 0xffe1, 0x00a3, 0xffe2, 0x00ac,
};

static bool is_unfit(ucs4_t character)
{
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++)
        if (unfit[i] == character)
            return true;
    return false;
}

/* C0 but for the line's end, DEL, C1; and the two that Unicode has for line ends. */
static bool is_control(ucs4_t character)
{
    return (character < 0x20 && character != '\n') || (character >= 0x7f && character < 0xa0) ||
           character == 0x2028 || character == 0x2029;
}

/* Cuts off the first character: the empty slice when it is not UTF-8. */
static struct slice cut_character(struct slice *text, ucs4_t *character)
{
    const uint8_t *bytes = (const uint8_t *)text->data;
    int size = u8_mbtoucr(character, bytes, text->size);
    struct slice cut = slice_part(*text, 0, size < 0 ? 0 : (size_t)size);
    *text = slice_from(*text, cut.size);
    return cut;
}

static struct slice without_last_end(struct slice text)
{
    return slice_ends(text, SLICE("\n")) ? slice_part(text, 0, text.size - 1) : text;
}

/* ---- width --------------------------------------------------------------------------------------
 */

/* Bytes of the character by the converter; 0: it has no such character. */
static size_t converted_size(iconv_t converter, struct slice character)
{
    char in[CHARACTER_MAX], out[CONVERTED_MAX];
    char *from = in, *to = out;
    size_t left = character.size, room = sizeof out;
    memcpy(in, character.data, character.size);
    (void)iconv(converter, NULL, NULL, NULL, NULL);
    return iconv(converter, &from, &left, &to, &room) == (size_t)-1 ? 0 : sizeof out - room;
}

static unsigned width_of(iconv_t shift_jis, struct slice bytes, ucs4_t character)
{
    if (character < 0x80)
        return 1;
    size_t size = converted_size(shift_jis, bytes);
    if (size > 0)
        return size > 1 ? 2 : 1;
    return uc_width(character, "UTF-8") == 2 ? 2 : 1;
}

/* ---- the check ----------------------------------------------------------------------------------
 */

static bool refuse_character(struct slice bytes, ucs4_t character, char error[REPLYTEXT_ERROR_MAX])
{
    if (is_control(character))
        snprintf(error, REPLYTEXT_ERROR_MAX,
                 "the control character U+%04X may not stand in a reply: remove it",
                 (unsigned)character);
    else
        snprintf(
            error, REPLYTEXT_ERROR_MAX,
            "\"%.*s\" (U+%04X) may not stand in a reply: on some systems it arrives as another "
            "character; write something else",
            SLICE_PRINTF(bytes), (unsigned)character);
    return false;
}

static bool check_with(iconv_t shift_jis, struct slice text, unsigned *line,
                       char error[REPLYTEXT_ERROR_MAX])
{
    unsigned width = 0;
    *line = 1;
    while (text.size > 0) {
        ucs4_t character;
        struct slice bytes = cut_character(&text, &character);
        if (bytes.size == 0) {
            snprintf(error, REPLYTEXT_ERROR_MAX, "this is not UTF-8: save the text as UTF-8");
            return false;
        }
        if (is_control(character) || is_unfit(character))
            return refuse_character(bytes, character, error);
        width += width_of(shift_jis, bytes, character);
        if (width > REPLYTEXT_WIDTH_MAX) {
            snprintf(
                error, REPLYTEXT_ERROR_MAX,
                "the text is longer than %d half-width or %d full-width characters: shorten it",
                REPLYTEXT_WIDTH_MAX, REPLYTEXT_WIDTH_MAX / 2);
            return false;
        }
        *line += character == '\n';
    }
    return true;
}

bool replytext_check(struct slice text, unsigned *line, char error[REPLYTEXT_ERROR_MAX])
{
    iconv_t shift_jis = iconv_open("CP932", "UTF-8");
    *line = 1;
    if (shift_jis == NO_CONVERTER) {
        snprintf(error, REPLYTEXT_ERROR_MAX, "iconv knows no CP932: install the C library's gconv");
        return false;
    }
    bool is_right = check_with(shift_jis, without_last_end(text), line, error);
    iconv_close(shift_jis);
    return is_right;
}

bool replytext_is_empty(struct slice text)
{
    return slice_trim(text).size == 0;
}

/* ---- the forms ----------------------------------------------------------------------------------
 */

static bool put_utf8(struct slice text, struct str *utf8)
{
    while (text.size > 0) {
        str_append(utf8, slice_cut(&text, '\n'));
        str_append_text(utf8, "\r\n");
    }
    return !utf8->failed;
}

/* What may not begin a line of Japanese. */
static bool is_closing(ucs4_t character)
{
    static const ucs4_t closing[] = {0x3001, 0x3002, 0x300d, 0x300f, 0x3011, 0x30fc, 0x3005,
                                     0xff01, 0xff09, 0xff0c, 0xff0e, 0xff1f, 0xff3d};
    for (size_t i = 0; i < sizeof closing / sizeof *closing; i++)
        if (closing[i] == character)
            return true;
    return false;
}

/* How much of the line goes on one line of REPLYTEXT_COLUMNS: up to a blank, or to a full-width
 * character that may begin a line; a word that is longer is broken. */
static size_t choose_piece(iconv_t shift_jis, struct slice line)
{
    struct slice rest = line;
    size_t best = 0;
    unsigned columns = 0, before = 0;
    while (rest.size > 0) {
        ucs4_t character;
        size_t at = line.size - rest.size;
        struct slice bytes = cut_character(&rest, &character);
        unsigned width = width_of(shift_jis, bytes, character);
        if (at > 0 && (before == 2 || width == 2) && !is_closing(character))
            best = at;
        columns += width;
        if (columns > REPLYTEXT_COLUMNS)
            return best > 0 ? best : at;
        if (character == ' ')
            best = at + 1;
        before = width;
    }
    return line.size;
}

/* Appends the piece, and what leads back to ASCII. False: it has a character that is not there. */
static bool convert(iconv_t seven_bits, struct slice piece, struct str *seven)
{
    char in[REPLYTEXT_COLUMNS * CHARACTER_MAX + CHARACTER_MAX],
        out[REPLYTEXT_COLUMNS * CONVERTED_MAX];
    char *from = in, *to = out;
    size_t left = piece.size, room = sizeof out;
    if (piece.size > sizeof in)
        return false;
    if (piece.size > 0)
        memcpy(in, piece.data, piece.size);
    if (iconv(seven_bits, &from, &left, &to, &room) != 0 ||
        iconv(seven_bits, NULL, NULL, &to, &room) == (size_t)-1) {
        (void)iconv(seven_bits, NULL, NULL, NULL, NULL);
        return false;
    }
    str_append(seven, slice_of(out, sizeof out - room));
    return str_append_text(seven, "\r\n");
}

static bool put_seven(iconv_t shift_jis, iconv_t seven_bits, struct slice text, struct str *seven)
{
    while (text.size > 0) {
        struct slice line = slice_cut(&text, '\n');
        do {
            size_t size = choose_piece(shift_jis, line);
            if (!convert(seven_bits, slice_part(line, 0, size), seven))
                return false;
            line = slice_from(line, size);
        } while (line.size > 0);
    }
    return true;
}

bool replytext_forms(struct slice text, struct str *utf8, struct str *seven)
{
    iconv_t shift_jis = iconv_open("CP932", "UTF-8");
    iconv_t seven_bits = iconv_open("ISO-2022-JP", "UTF-8");
    bool done = shift_jis != NO_CONVERTER && seven_bits != NO_CONVERTER && put_utf8(text, utf8);
    if (done && !put_seven(shift_jis, seven_bits, text, seven))
        str_clear(seven);
    if (shift_jis != NO_CONVERTER)
        iconv_close(shift_jis);
    if (seven_bits != NO_CONVERTER)
        iconv_close(seven_bits);
    return done;
}
