/* tlspolicy - see tlspolicy.h */
#include "tlspolicy.h"

#include "idn.h"
#include "ip.h"
#include "mailaddress.h"

enum { SHOWN_MAX = 80 };

static const char *const levels[] = {
    [TLSPOLICY_NONE] = "none",           [TLSPOLICY_MAY] = "may",
    [TLSPOLICY_ENCRYPT] = "encrypt",     [TLSPOLICY_DANE] = "dane",
    [TLSPOLICY_DANE_ONLY] = "dane-only", [TLSPOLICY_VERIFY] = "verify",
    [TLSPOLICY_SECURE] = "secure",
};

bool tlspolicy_level_named(struct slice name, enum tlspolicy_level *level)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (slice_equal(name, slice_text(levels[i]))) {
            *level = (enum tlspolicy_level)i;
            return true;
        }
    }
    return false;
}

/* ---- compiling ---- */

static bool refuse(struct str *reason, const char *format, struct slice word)
{
    str_append_filled(reason, slice_text(format), slice_part(word, 0, SHOWN_MAX));
    return false;
}

/* "[192.0.2.1]" in the form that remote has of it. */
static bool put_literal(struct slice word, struct str *key)
{
    struct ip ip;
    char text[IP_TEXT_MAX];
    if (!slice_ends(word, SLICE("]")) || !ip_parse(slice_part(word, 1, word.size - 2), &ip))
        return false;
    ip_format(&ip, text);
    return str_format(key, "[%s]", text);
}

/* A domain, with a dot in front or not, in A-labels. */
static bool put_domain(struct slice word, struct str *key)
{
    char ascii[IDN_NAME_MAX + 1];
    if (slice_starts(word, SLICE("."))) {
        str_append_byte(key, '.');
        word = slice_from(word, 1);
    }
    if (idn_to_ascii(word, ascii))
        return str_append_text(key, ascii);
    if (!mailaddress_is_domain(word, 0)) /* names inside a network have one label */
        return false;
    for (size_t i = 0; i < word.size; i++)
        str_append_byte(key, slice_lower(word.data[i]));
    return !key->failed;
}

static bool put_destination(struct slice word, struct str *key, struct str *reason)
{
    if (slice_equal(word, SLICE("*")))
        return str_append_byte(key, '*');
    if (slice_starts(word, SLICE("[")) ? put_literal(word, key) : put_domain(word, key))
        return true;
    return refuse(
        reason, "\"$\" is no destination (such as example.jp, .example.jp, [192.0.2.1], *)", word);
}

static bool is_name_word(struct slice word)
{
    return slice_equal(word, SLICE("hostname")) || slice_equal(word, SLICE("nexthop")) ||
           slice_equal(word, SLICE("dot-nexthop"));
}

static bool put_names(struct slice words, struct str *value, struct str *reason)
{
    size_t count = 0, before = value->size;
    while (words.size > 0) {
        struct slice word = slice_cut(&words, ':');
        str_append_byte(value, count == 0 ? ' ' : ':');
        if (++count > TLSPOLICY_NAMES_MAX || value->size - before > TLSPOLICY_NAMES_SIZE - 256)
            return refuse(reason, "too many names: \"$\" is one more than there may be", word);
        if (is_name_word(word) ? !str_append(value, word) : !put_domain(word, value))
            return refuse(reason,
                          "\"$\" is no name to match (such as hostname, nexthop, dot-nexthop, "
                          "mx.example.jp, .example.jp)",
                          word);
    }
    return count > 0 || refuse(reason, "behind match= stand names, divided by ':'", words);
}

/* "match=...", as Postfix has it, or "names=..." */
static bool put_attribute(struct slice word, enum tlspolicy_level level, struct str *value,
                          struct str *reason)
{
    struct slice names = word;
    struct slice attribute = slice_cut(&names, '=');
    if (!slice_equal(attribute, SLICE("match")) && !slice_equal(attribute, SLICE("names")))
        return refuse(reason,
                      "\"$\" is not known here: behind the level stands nothing, or match=NAMES",
                      word);
    if (level != TLSPOLICY_VERIFY && level != TLSPOLICY_SECURE)
        return refuse(reason, "names are looked at with verify and secure only: remove \"$\"",
                      word);
    return put_names(names, value, reason);
}

bool tlspolicy_parse_line(struct slice line, struct str *key, struct str *value, struct str *reason)
{
    enum tlspolicy_level level;
    struct slice destination = slice_cut_word(&line);
    struct slice word = slice_cut_word(&line);
    struct slice attribute = slice_cut_word(&line);
    if (!put_destination(destination, key, reason))
        return false;
    if (!tlspolicy_level_named(word, &level))
        return refuse(reason, "\"$\" is no level: none may encrypt dane dane-only verify secure",
                      word);
    str_append(value, word);
    if (attribute.size > 0 && !put_attribute(attribute, level, value, reason))
        return false;
    if (slice_trim(line).size > 0)
        return refuse(reason, "\"$\" is too much: a line is DESTINATION LEVEL [match=NAMES]",
                      slice_trim(line));
    return !key->failed && !value->failed;
}

/* ---- looking up ---- */

static bool read_value(struct slice value, struct tlspolicy *policy)
{
    return tlspolicy_level_named(slice_cut_word(&value), &policy->level) &&
           slice_copy_text(slice_cut_word(&value), policy->names, sizeof policy->names);
}

enum tlspolicy_result tlspolicy_find(struct cdbfile *file, struct slice destination,
                                     struct tlspolicy *policy)
{
    struct slice key = destination, value;
    bool is_literal = slice_starts(destination, SLICE("["));
    for (;;) {
        enum cdbfile_result result = cdbfile_find(file, key, &value);
        if (result == CDBFILE_FOUND)
            return read_value(value, policy) ? TLSPOLICY_FOUND : TLSPOLICY_TROUBLE;
        if (result == CDBFILE_TROUBLE)
            return TLSPOLICY_TROUBLE;
        if (slice_equal(key, SLICE("*")))
            return TLSPOLICY_MISSING;
        /* The next longest ".parent", then all. */
        key = is_literal ? slice_of(NULL, 0)
                         : slice_from(key, slice_find(slice_from(key, 1), '.') + 1);
        if (key.size == 0)
            key = SLICE("*");
    }
}
