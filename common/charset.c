/* charset - see charset.h */
#include "charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>

enum {
    LABEL_MAX = CHARSET_NAME_MAX - 16,
    PIECE_MAX = 4096, /* bytes of UTF-8 converted at a time */
};

enum kind {
    KIND_UTF8,
    KIND_ASCII,
    KIND_LATIN1,
    KIND_JIS, /* ISO-2022-JP: brought into Shift_JIS first */
    KIND_ICONV,
};

/*
 * Only what mail uses is let through to iconv: a stranger's label shall not choose among a thousand
 * converters, some of which have had overflows and endless loops. Labels of Japan go to the
 * converters that know the characters of NEC and IBM, which mail is full of. A '*' at the end of a
 * label stands for up to four more bytes, copied to the converter's name.
 */
struct label {
    const char *label; /* in lower case */
    enum kind kind;
    const char *converter;
};

static const struct label labels[] = {
    {"utf-8", KIND_UTF8, NULL},
    {"utf8", KIND_UTF8, NULL},
    {"unicode-1-1-utf-8", KIND_UTF8, NULL},
    {"us-ascii", KIND_ASCII, NULL},
    {"ascii", KIND_ASCII, NULL},
    {"ansi_x3.4-1968", KIND_ASCII, NULL},
    {"ansi_x3.4-1986", KIND_ASCII, NULL},
    {"iso646-us", KIND_ASCII, NULL},
    {"iso_646.irv:1991", KIND_ASCII, NULL},
    {"646", KIND_ASCII, NULL},
    {"iso-8859-1", KIND_LATIN1, NULL},
    {"iso8859-1", KIND_LATIN1, NULL},
    {"iso_8859-1", KIND_LATIN1, NULL},
    {"latin1", KIND_LATIN1, NULL},
    {"l1", KIND_LATIN1, NULL},
    /* Japanese */
    {"iso-2022-jp", KIND_JIS, NULL},
    {"iso-2022-jp-1", KIND_JIS, NULL},
    {"iso-2022-jp-2", KIND_ICONV, "ISO-2022-JP-2"},
    {"iso-2022-jp-3", KIND_ICONV, "ISO-2022-JP-3"},
    {"iso-2022-jp-2004", KIND_ICONV, "ISO-2022-JP-3"},
    {"iso-2022-jp-ms", KIND_JIS, NULL},
    {"csiso2022jp", KIND_JIS, NULL},
    {"x-iso-2022-jp", KIND_JIS, NULL},
    {"jis", KIND_JIS, NULL},
    {"cp50220", KIND_JIS, NULL},
    {"cp50221", KIND_JIS, NULL},
    {"cp50222", KIND_JIS, NULL},
    {"shift_jis", KIND_ICONV, "CP932"},
    {"shift-jis", KIND_ICONV, "CP932"},
    {"sjis", KIND_ICONV, "CP932"},
    {"x-sjis", KIND_ICONV, "CP932"},
    {"x-shift-jis", KIND_ICONV, "CP932"},
    {"x-shift_jis", KIND_ICONV, "CP932"},
    {"ms_kanji", KIND_ICONV, "CP932"},
    {"csshiftjis", KIND_ICONV, "CP932"},
    {"windows-31j", KIND_ICONV, "CP932"},
    {"cswindows31j", KIND_ICONV, "CP932"},
    {"cp932", KIND_ICONV, "CP932"},
    {"ms932", KIND_ICONV, "CP932"},
    {"shift_jisx0213", KIND_ICONV, "SHIFT_JISX0213"},
    {"euc-jp", KIND_ICONV, "EUC-JP-MS"},
    {"x-euc-jp", KIND_ICONV, "EUC-JP-MS"},
    {"euc_jp", KIND_ICONV, "EUC-JP-MS"},
    {"eucjp", KIND_ICONV, "EUC-JP-MS"},
    {"x-euc", KIND_ICONV, "EUC-JP-MS"},
    {"cseucpkdfmtjapanese", KIND_ICONV, "EUC-JP-MS"},
    /* Korean, Chinese: the supersets that Windows sends under the old names */
    {"euc-kr", KIND_ICONV, "UHC"},
    {"euckr", KIND_ICONV, "UHC"},
    {"cseuckr", KIND_ICONV, "UHC"},
    {"ks_c_5601-1987", KIND_ICONV, "UHC"},
    {"ks_c_5601-1989", KIND_ICONV, "UHC"},
    {"ksc5601", KIND_ICONV, "UHC"},
    {"ksc_5601", KIND_ICONV, "UHC"},
    {"ks_c_5601", KIND_ICONV, "UHC"},
    {"korean", KIND_ICONV, "UHC"},
    {"uhc", KIND_ICONV, "UHC"},
    {"windows-949", KIND_ICONV, "UHC"},
    {"cp949", KIND_ICONV, "UHC"},
    {"johab", KIND_ICONV, "JOHAB"},
    {"iso-2022-kr", KIND_ICONV, "ISO-2022-KR"},
    {"gb2312", KIND_ICONV, "GBK"},
    {"gb_2312-80", KIND_ICONV, "GBK"},
    {"csgb2312", KIND_ICONV, "GBK"},
    {"x-gbk", KIND_ICONV, "GBK"},
    {"gbk", KIND_ICONV, "GBK"},
    {"cp936", KIND_ICONV, "GBK"},
    {"windows-936", KIND_ICONV, "GBK"},
    {"euc-cn", KIND_ICONV, "GBK"},
    {"gb18030", KIND_ICONV, "GB18030"},
    {"big5", KIND_ICONV, "CP950"},
    {"big-5", KIND_ICONV, "CP950"},
    {"csbig5", KIND_ICONV, "CP950"},
    {"x-x-big5", KIND_ICONV, "CP950"},
    {"cp950", KIND_ICONV, "CP950"},
    {"windows-950", KIND_ICONV, "CP950"},
    {"big5-hkscs", KIND_ICONV, "BIG5-HKSCS"},
    {"euc-tw", KIND_ICONV, "EUC-TW"},
    /* Unicode */
    {"utf-7", KIND_ICONV, "UTF-7"},
    {"unicode-1-1-utf-7", KIND_ICONV, "UTF-7"},
    {"utf-16", KIND_ICONV, "UTF-16"},
    {"utf-16le", KIND_ICONV, "UTF-16LE"},
    {"utf-16be", KIND_ICONV, "UTF-16BE"},
    {"utf-32", KIND_ICONV, "UTF-32"},
    {"utf-32le", KIND_ICONV, "UTF-32LE"},
    {"utf-32be", KIND_ICONV, "UTF-32BE"},
    {"iso-10646-ucs-2", KIND_ICONV, "UTF-16BE"},
    /* one byte per character */
    {"iso-8859-8-i", KIND_ICONV, "ISO-8859-8"},
    {"iso-8859-8-e", KIND_ICONV, "ISO-8859-8"},
    {"iso-8859-6-i", KIND_ICONV, "ISO-8859-6"},
    {"iso-8859-6-e", KIND_ICONV, "ISO-8859-6"},
    {"iso-8859-*", KIND_ICONV, "ISO-8859-"},
    {"iso8859-*", KIND_ICONV, "ISO-8859-"},
    {"iso_8859-*", KIND_ICONV, "ISO-8859-"},
    {"latin2", KIND_ICONV, "ISO-8859-2"},
    {"latin-9", KIND_ICONV, "ISO-8859-15"},
    {"latin9", KIND_ICONV, "ISO-8859-15"},
    {"hebrew", KIND_ICONV, "ISO-8859-8"},
    {"greek", KIND_ICONV, "ISO-8859-7"},
    {"cyrillic", KIND_ICONV, "ISO-8859-5"},
    {"arabic", KIND_ICONV, "ISO-8859-6"},
    {"windows-125*", KIND_ICONV, "CP125"},
    {"x-cp125*", KIND_ICONV, "CP125"},
    {"cp125*", KIND_ICONV, "CP125"},
    {"cp-125*", KIND_ICONV, "CP125"},
    {"win-125*", KIND_ICONV, "CP125"},
    {"windows-874", KIND_ICONV, "CP874"},
    {"cp874", KIND_ICONV, "CP874"},
    {"tis-620", KIND_ICONV, "CP874"},
    {"koi8-r", KIND_ICONV, "KOI8-R"},
    {"koi8r", KIND_ICONV, "KOI8-R"},
    {"cskoi8r", KIND_ICONV, "KOI8-R"},
    {"koi8-u", KIND_ICONV, "KOI8-U"},
    {"koi8-ru", KIND_ICONV, "KOI8-RU"},
    {"koi8-t", KIND_ICONV, "KOI8-T"},
    {"cp437", KIND_ICONV, "CP437"},
    {"ibm437", KIND_ICONV, "CP437"},
    {"cp737", KIND_ICONV, "CP737"},
    {"cp775", KIND_ICONV, "CP775"},
    {"cp850", KIND_ICONV, "CP850"},
    {"ibm850", KIND_ICONV, "CP850"},
    {"cp852", KIND_ICONV, "CP852"},
    {"ibm852", KIND_ICONV, "CP852"},
    {"cp855", KIND_ICONV, "CP855"},
    {"cp857", KIND_ICONV, "CP857"},
    {"cp858", KIND_ICONV, "CP858"},
    {"cp862", KIND_ICONV, "CP862"},
    {"cp865", KIND_ICONV, "CP865"},
    {"cp866", KIND_ICONV, "CP866"},
    {"ibm866", KIND_ICONV, "CP866"},
    {"viscii", KIND_ICONV, "VISCII"},
    {"tcvn", KIND_ICONV, "TCVN"},
    {"armscii-8", KIND_ICONV, "ARMSCII-8"},
    {"pt154", KIND_ICONV, "PT154"},
    {"georgian-ps", KIND_ICONV, "GEORGIAN-PS"},
    {"macintosh", KIND_ICONV, "MACINTOSH"},
    {"x-mac-roman", KIND_ICONV, "MACINTOSH"},
    {"x-mac-cyrillic", KIND_ICONV, "MAC-CYRILLIC"},
    {"x-mac-ce", KIND_ICONV, "MAC-CENTRALEUROPE"},
};

/* ---- labels --------------------------------------------------------------------------------- */

struct converter {
    enum kind kind;
    char name[CHARSET_NAME_MAX]; /* for iconv */
};

static bool is_label_tail(struct slice tail)
{
    for (size_t i = 0; i < tail.size; i++)
        if (!slice_is_digit(tail.data[i]))
            return false;
    return tail.size > 0 && tail.size <= 4;
}

static bool label_matches(const struct label *entry, struct slice label, struct slice *tail)
{
    struct slice pattern = slice_text(entry->label);
    *tail = SLICE("");
    if (!slice_ends(pattern, SLICE("*")))
        return slice_equal_nocase(pattern, label);
    pattern.size--;
    *tail = slice_from(label, pattern.size);
    return slice_starts_nocase(label, pattern) && is_label_tail(*tail);
}

static void converter_name(struct converter *converter, const char *name, struct slice tail)
{
    struct str text;
    str_init(&text, sizeof converter->name - 1);
    bool whole = str_append_text(&text, name) && str_append(&text, tail) &&
                 slice_copy_text(str_slice(&text), converter->name, sizeof converter->name);
    if (!whole)
        converter->name[0] = '\0';
    str_free(&text);
}

static bool find_converter(struct slice label, struct converter *converter)
{
    label = slice_trim(label);
    for (size_t i = 0; i < sizeof labels / sizeof labels[0] && label.size <= LABEL_MAX; i++) {
        struct slice tail;
        if (!label_matches(&labels[i], label, &tail))
            continue;
        converter->kind = labels[i].kind;
        if (labels[i].kind == KIND_ICONV)
            converter_name(converter, labels[i].converter, tail);
        return true;
    }
    *converter = (struct converter){.kind = KIND_LATIN1};
    return false;
}

/* ---- UTF-8 ---------------------------------------------------------------------------------- */

static const struct slice replacement = {"\xEF\xBF\xBD", 3}; /* U+FFFD */

static bool is_tail(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The size of the valid character (RFC 3629 4) at the front of `text`, which is not empty;
 * 0 when there is none. */
static size_t character_size(struct slice text)
{
    const unsigned char *byte = (const unsigned char *)text.data;
    if (byte[0] < 0x80)
        return 1;
    if (byte[0] < 0xC2 || byte[0] > 0xF4 || text.size < 2)
        return 0;
    if (byte[0] < 0xE0)
        return is_tail(byte[1]) ? 2 : 0;
    if (text.size < 3 || !is_tail(byte[2]))
        return 0;
    if (byte[0] < 0xF0) {
        unsigned char least = byte[0] == 0xE0 ? 0xA0 : 0x80;
        unsigned char most = byte[0] == 0xED ? 0x9F : 0xBF; /* no surrogates */
        return byte[1] >= least && byte[1] <= most ? 3 : 0;
    }
    unsigned char least = byte[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char most = byte[0] == 0xF4 ? 0x8F : 0xBF;
    return text.size >= 4 && byte[1] >= least && byte[1] <= most && is_tail(byte[3]) ? 4 : 0;
}

/* How many bytes at the front are ASCII; eight at a time. */
static size_t ascii_size(struct slice text)
{
    size_t size = 0;
    while (text.size - size >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text.data + size, sizeof word);
        if (word & 0x8080808080808080)
            break;
        size += sizeof word;
    }
    while (size < text.size && !((unsigned char)text.data[size] & 0x80))
        size++;
    return size;
}

/* How many bytes at the front are valid UTF-8. */
static size_t valid_size(struct slice text)
{
    size_t size = 0;
    while (size < text.size) {
        size += ascii_size(slice_from(text, size));
        size_t step = size < text.size ? character_size(slice_from(text, size)) : 0;
        if (step == 0)
            break;
        size += step;
    }
    return size;
}

bool charset_is_utf8(struct slice text)
{
    return valid_size(text) == text.size;
}

static bool copy_utf8(struct slice text, struct str *utf8)
{
    while (text.size > 0) {
        size_t size = valid_size(text);
        if (!str_append(utf8, slice_part(text, 0, size)))
            return false;
        if (size == text.size)
            break;
        if (!str_append(utf8, replacement))
            return false;
        text = slice_from(text, size + 1);
    }
    return !utf8->failed;
}

static bool copy_latin1(struct slice text, struct str *utf8)
{
    while (text.size > 0) {
        size_t size = ascii_size(text);
        if (!str_append(utf8, slice_part(text, 0, size)))
            return false;
        text = slice_from(text, size);
        if (text.size == 0)
            break;
        unsigned char byte = (unsigned char)text.data[0];
        char two[2] = {(char)(0xC0 | byte >> 6), (char)(0x80 | (byte & 0x3F))};
        if (!str_append(utf8, slice_of(two, sizeof two)))
            return false;
        text = slice_from(text, 1);
    }
    return !utf8->failed;
}

/* ASCII with other bytes in it is UTF-8 if it can be, else Latin-1: somebody forgot the label. */
static bool copy_ascii(struct slice text, struct str *utf8)
{
    return charset_is_utf8(text) ? str_append(utf8, text) : copy_latin1(text, utf8);
}

/* ---- iconv ---------------------------------------------------------------------------------- */

/* What can't be read is marked once and skipped, one byte at a time. */
static bool skip_bad(char **in, size_t *in_left, struct str *utf8)
{
    if (*in_left > 0) {
        (*in)++;
        (*in_left)--;
    }
    return str_append(utf8, replacement);
}

static bool run_iconv(iconv_t handle, struct slice text, struct str *utf8)
{
    /* iconv does not write to its input. */
    char *in = (char *)(uintptr_t)text.data;
    size_t in_left = text.size;
    for (;;) {
        char piece[PIECE_MAX];
        char *out = piece;
        size_t out_left = sizeof piece;
        bool at_end = in_left == 0;
        size_t result = at_end ? iconv(handle, NULL, NULL, &out, &out_left)
                               : iconv(handle, &in, &in_left, &out, &out_left);
        int error = result == (size_t)-1 ? errno : 0;
        if (!str_append(utf8, slice_of(piece, sizeof piece - out_left)))
            return false;
        if (error == E2BIG && out_left < sizeof piece)
            continue;
        if (error == EINVAL && !at_end)
            return str_append(utf8, replacement); /* the text ends inside a character */
        if (error != 0 && !at_end && !skip_bad(&in, &in_left, utf8))
            return false;
        if (at_end)
            return true;
    }
}

static const iconv_t no_converter = (iconv_t)-1;

/* From the cache, where it is reset for a new text; else opened, and put there. */
static iconv_t open_converter(struct charset_cache *cache, const char *name)
{
    for (size_t i = 0; cache && i < cache->used; i++) {
        if (strcmp(cache->slots[i].name, name) != 0)
            continue;
        iconv(cache->slots[i].handle, NULL, NULL, NULL, NULL);
        return cache->slots[i].handle;
    }
    iconv_t handle = name[0] ? iconv_open("UTF-8", name) : no_converter;
    if (!cache || handle == no_converter)
        return handle;
    size_t at = cache->used < CHARSET_CACHE_SIZE ? cache->used++ : cache->next;
    cache->next = (at + 1) % CHARSET_CACHE_SIZE;
    if (cache->slots[at].handle)
        iconv_close(cache->slots[at].handle);
    cache->slots[at].handle = handle;
    snprintf(cache->slots[at].name, sizeof cache->slots[at].name, "%s", name);
    return handle;
}

void charset_cache_free(struct charset_cache *cache)
{
    for (size_t i = 0; i < cache->used; i++)
        iconv_close(cache->slots[i].handle);
    *cache = (struct charset_cache){0};
}

/* False in *known when this machine has no such converter. */
static bool convert(struct charset_cache *cache, const char *name, struct slice text,
                    struct str *utf8, bool *known)
{
    iconv_t handle = open_converter(cache, name);
    *known = handle != no_converter;
    if (!*known)
        return copy_ascii(text, utf8);
    bool done = run_iconv(handle, text, utf8);
    if (!cache)
        iconv_close(handle);
    return done && !utf8->failed;
}

/* ---- ISO-2022-JP ------------------------------------------------------------------------------
 * glibc's converter refuses the characters of NEC and IBM, half-width katakana and the slips of
 * old mailers. Brought into Shift_JIS byte by byte, all of them have their place in CP932. Only
 * the supplementary kanji (JIS X 0212) have not: a text with those goes by way of EUC-JP. */

enum jis_set { JIS_ASCII, JIS_KATAKANA, JIS_KANJI, JIS_SUPPLEMENT };

static const struct {
    struct slice escape;
    enum jis_set set;
} jis_escapes[] = {
    {{"\x1b$B", 3}, JIS_KANJI},  {{"\x1b$@", 3}, JIS_KANJI},    {{"\x1b$(B", 4}, JIS_KANJI},
    {{"\x1b$(@", 4}, JIS_KANJI}, {{"\x1b(B", 3}, JIS_ASCII},    {{"\x1b(J", 3}, JIS_ASCII},
    {{"\x1b(H", 3}, JIS_ASCII},  {{"\x1b(I", 3}, JIS_KATAKANA}, {{"\x1b$(D", 4}, JIS_SUPPLEMENT},
};

struct jis {
    enum jis_set set;
    bool by_euc;
    struct str out;
};

/* The size of the escape sequence at the front, 0 when there is none that we know. */
static size_t jis_escape(struct slice text, enum jis_set *set)
{
    for (size_t i = 0; i < sizeof jis_escapes / sizeof jis_escapes[0]; i++) {
        if (slice_starts(text, jis_escapes[i].escape)) {
            *set = jis_escapes[i].set;
            return jis_escapes[i].escape.size;
        }
    }
    return 0;
}

static void jis_put_katakana(struct jis *jis, unsigned byte)
{
    if (jis->by_euc)
        str_append_byte(&jis->out, '\x8E');
    str_append_byte(&jis->out, (char)(byte | 0x80));
}

static void jis_put_kanji(struct jis *jis, unsigned row, unsigned cell)
{
    if (jis->set == JIS_SUPPLEMENT)
        str_append_byte(&jis->out, '\x8F');
    if (jis->by_euc) {
        row |= 0x80;
        cell |= 0x80;
    } else {
        /* Two rows of 94 share a first byte; 0x7F is left out among the second ones. */
        cell += row % 2 == 0 ? 0x7E : cell < 0x60 ? 0x1F : 0x20;
        row = (row + 1) / 2 + (row < 0x5F ? 0x70 : 0xB0);
    }
    str_append_byte(&jis->out, (char)row);
    str_append_byte(&jis->out, (char)cell);
}

static bool is_jis_byte(unsigned char byte)
{
    return byte > 0x20 && byte < 0x7F;
}

/* Appends the character at the front of `text`, which is not empty; returns its size. */
static size_t jis_character(struct slice text, struct jis *jis)
{
    unsigned char first = (unsigned char)text.data[0];
    unsigned char second = text.size > 1 ? (unsigned char)text.data[1] : 0;
    /* Eight bits where seven were promised: half-width katakana as in Shift_JIS. */
    bool eight_bits = first >= 0xA1 && first <= 0xDF;
    if (eight_bits || (jis->set == JIS_KATAKANA && first > 0x20 && first < 0x60)) {
        jis_put_katakana(jis, first);
        return 1;
    }
    bool two = jis->set == JIS_KANJI || jis->set == JIS_SUPPLEMENT;
    if (two && is_jis_byte(first) && is_jis_byte(second)) {
        jis_put_kanji(jis, first, second);
        return 2;
    }
    /* Lines begin in ASCII (RFC 1468), whatever was left open. */
    if (first == '\n' || first == '\r')
        jis->set = JIS_ASCII;
    str_append_byte(&jis->out, text.data[0]);
    return 1;
}

static bool convert_jis(struct charset_cache *cache, struct slice text, struct str *utf8,
                        bool *known)
{
    struct jis jis = {.by_euc = text.size > 0 && memmem(text.data, text.size, "\x1b$(D", 4)};
    str_init(&jis.out, SIZE_MAX / 4);
    while (text.size > 0) {
        size_t size = text.data[0] == '\x1b' ? jis_escape(text, &jis.set) : 0;
        if (size == 0)
            size = jis_character(text, &jis);
        text = slice_from(text, size);
    }
    const char *name = jis.by_euc ? "EUC-JP-MS" : "CP932";
    bool done = !jis.out.failed && convert(cache, name, str_slice(&jis.out), utf8, known);
    str_free(&jis.out);
    return done;
}

/* ---- public --------------------------------------------------------------------------------- */

bool charset_to_utf8(struct slice charset, struct slice text, struct str *utf8, bool *known)
{
    return charset_to_utf8_with(NULL, charset, text, utf8, known);
}

bool charset_to_utf8_with(struct charset_cache *cache, struct slice charset, struct slice text,
                          struct str *utf8, bool *known)
{
    struct converter converter;
    bool found = find_converter(charset, &converter);
    bool done = false;
    switch (converter.kind) {
    case KIND_UTF8:
        done = copy_utf8(text, utf8);
        break;
    case KIND_ASCII:
        done = copy_ascii(text, utf8);
        break;
    case KIND_LATIN1:
        done = copy_latin1(text, utf8);
        break;
    case KIND_JIS:
        done = convert_jis(cache, text, utf8, &found);
        break;
    case KIND_ICONV:
        done = convert(cache, converter.name, text, utf8, &found);
        break;
    }
    if (known)
        *known = found;
    return done;
}

static bool has_jis_escape(struct slice text)
{
    for (size_t at = slice_find(text, '\x1b'); at + 1 < text.size;
         at += 1 + slice_find(slice_from(text, at + 1), '\x1b'))
        if (text.data[at + 1] == '$' || text.data[at + 1] == '(')
            return true;
    return false;
}

struct slice charset_of(struct slice label, struct slice text)
{
    struct converter converter;
    label = slice_trim(label);
    if (label.size > 0 && (!find_converter(label, &converter) || converter.kind != KIND_ASCII))
        return label;
    if (has_jis_escape(text))
        return SLICE("iso-2022-jp");
    return label.size > 0 ? label : SLICE("utf-8");
}

bool charset_is_known(struct slice charset)
{
    struct converter converter;
    if (!find_converter(charset, &converter))
        return false;
    if (converter.kind != KIND_ICONV)
        return true;
    iconv_t handle = iconv_open("UTF-8", converter.name);
    if (handle == (iconv_t)-1)
        return false;
    iconv_close(handle);
    return true;
}

/* Of iconv's converters. */
static enum charset_family family_of_converter(struct slice name)
{
    static const struct {
        struct slice prefix;
        enum charset_family family;
    } families[] = {
        {SLICE_INIT("CP932"), CHARSET_MULTI},     {SLICE_INIT("CP950"), CHARSET_MULTI},
        {SLICE_INIT("BIG5"), CHARSET_MULTI},      {SLICE_INIT("GB"), CHARSET_MULTI},
        {SLICE_INIT("UHC"), CHARSET_MULTI},       {SLICE_INIT("EUC-"), CHARSET_ASCII},
        {SLICE_INIT("ISO-8859-"), CHARSET_ASCII}, {SLICE_INIT("CP"), CHARSET_ASCII},
        {SLICE_INIT("KOI8-"), CHARSET_ASCII},
    };
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (slice_starts(name, families[i].prefix))
            return families[i].family;
    return CHARSET_FOREIGN;
}

enum charset_family charset_family(struct slice charset)
{
    struct converter converter;
    find_converter(charset, &converter);
    switch (converter.kind) {
    case KIND_UTF8:
    case KIND_ASCII:
        return CHARSET_UTF8;
    case KIND_LATIN1:
        return CHARSET_ASCII;
    case KIND_JIS:
        return CHARSET_MULTI;
    case KIND_ICONV:
        break;
    }
    return family_of_converter(slice_text(converter.name));
}
