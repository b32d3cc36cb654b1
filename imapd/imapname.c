/* imapname - see imapname.h */
#include "imapname.h"

#include "foldertree.h"
#include "mutf7.h"
#include "quote.h"

#include <stdlib.h>
#include <string.h>
#include <uninorm.h>
#include <unistr.h>

enum { NAME_TEXT_MAX = 4096, PATTERN_MAX = 65536 };

bool imapname_is_utf8(const struct imapsession *session)
{
    return session->enabled & (ENABLED_REV2 | ENABLED_UTF8);
}

static enum answer fault_answer(enum imapfolder_fault fault)
{
    static const enum answer answers[] = {
        [IMAPFOLDER_FINE] = ANSWER_DONE,
        [IMAPFOLDER_EMPTY_LEVEL] = ANSWER_NAME_LEVEL,
        [IMAPFOLDER_CONTROL] = ANSWER_NAME_CONTROL,
        [IMAPFOLDER_ENCODING] = ANSWER_NAME_ENCODING,
        [IMAPFOLDER_LONG] = ANSWER_NAME_LONG,
        [IMAPFOLDER_WILDCARD] = ANSWER_NAME_WILDCARD,
    };
    return answers[fault];
}

static bool is_ascii(struct slice text)
{
    return !slice_has_high(text);
}

/* Appends `utf8` in NFC. False when it is no UTF-8. */
static bool append_nfc(struct slice utf8, struct str *out)
{
    size_t size = 0;
    if (is_ascii(utf8))
        return str_append(out, utf8);
    if (u8_check((const uint8_t *)utf8.data, utf8.size))
        return false;
    uint8_t *nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)utf8.data, utf8.size, NULL, &size);
    bool done = nfc && str_append(out, slice_of(nfc, size));
    free(nfc);
    return done;
}

/* `name` as the client wrote it, in modified UTF-7. */
static bool to_mutf7(const struct imapsession *session, struct slice name, struct str *out)
{
    if (!imapname_is_utf8(session))
        return str_append(out, name);
    return mutf7_from_utf8(name, out);
}

bool imapname_normal(struct slice name, struct str *utf8)
{
    char bytes[NAME_TEXT_MAX];
    struct str text = str_on(bytes, sizeof bytes);
    if (!slice_has(name, '&'))
        return str_append(utf8, name);
    return mutf7_to_utf8(name, &text) && append_nfc(str_slice(&text), utf8);
}

/* A name in modified UTF-7, in NFC. False: it is no modified UTF-7. */
static bool normalise(struct slice name, struct str *out)
{
    struct str nfc;
    if (!slice_has(name, '&'))
        return str_append(out, name);
    str_init(&nfc, NAME_TEXT_MAX);
    bool done = imapname_normal(name, &nfc) && mutf7_from_utf8(str_slice(&nfc), out);
    str_free(&nfc);
    return done;
}

/* The folder by its name in NFC, where that is another and exists. */
static void find_normalised(struct imapfolder *folder)
{
    struct str nfc;
    struct imapfolder normal;
    str_init(&nfc, NAME_TEXT_MAX);
    if (slice_has(slice_text(folder->name), '&') && normalise(slice_text(folder->name), &nfc) &&
        !slice_equal(str_slice(&nfc), slice_text(folder->name)) && !foldertree_exists(folder) &&
        imapfolder_named(str_slice(&nfc), &normal))
        *folder = normal;
    str_free(&nfc);
}

/* What is wrong with bytes that are no name at all. */
static enum answer why_not(struct slice name)
{
    if (slice_has_control(name))
        return ANSWER_NAME_CONTROL;
    return name.size > IMAPFOLDER_UTF8_MAX ? ANSWER_NAME_LONG : ANSWER_NAME_ENCODING;
}

enum answer imapname_take(const struct imapsession *session, struct slice name,
                          struct imapfolder *folder)
{
    struct str text;
    str_init(&text, NAME_TEXT_MAX);
    enum answer answer = to_mutf7(session, name, &text)
                             ? fault_answer(imapfolder_check(str_slice(&text), folder))
                             : why_not(name);
    str_free(&text);
    if (answer == ANSWER_DONE)
        find_normalised(folder);
    return answer;
}

enum answer imapname_take_new(const struct imapsession *session, struct slice name,
                              struct imapfolder *folder, bool *normalised)
{
    struct str text, nfc;
    str_init(&text, NAME_TEXT_MAX);
    str_init(&nfc, NAME_TEXT_MAX);
    enum answer answer;
    *normalised = false;
    if (!to_mutf7(session, name, &text)) {
        answer = why_not(name);
    } else if (imapfolder_named(str_slice(&text), folder) && foldertree_exists(folder)) {
        answer = ANSWER_DONE; /* one of another server may be in any form */
    } else if (normalise(str_slice(&text), &nfc)) {
        *normalised = !slice_equal(str_slice(&text), str_slice(&nfc));
        answer = fault_answer(imapfolder_check_new(str_slice(&nfc), folder));
    } else {
        answer = why_not(name);
    }
    str_free(&text);
    str_free(&nfc);
    return answer;
}

bool imapname_take_pattern(const struct imapsession *session, struct slice pattern,
                           struct str *utf8)
{
    struct str text;
    if (imapname_is_utf8(session))
        return append_nfc(pattern, utf8);
    str_init(&text, PATTERN_MAX);
    bool done = mutf7_to_utf8(pattern, &text) && append_nfc(str_slice(&text), utf8);
    str_free(&text);
    return done;
}

bool imapname_append(const struct imapsession *session, struct str *out, struct slice name)
{
    if (!imapname_is_utf8(session) || !slice_has(name, '&'))
        return quote_string(out, name);
    struct str utf8;
    str_init(&utf8, NAME_TEXT_MAX);
    bool done = mutf7_to_utf8(name, &utf8) && quote_utf8(out, str_slice(&utf8));
    str_free(&utf8);
    return done;
}
