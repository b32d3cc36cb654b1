/*
 * The parsers of control files: lines of users, smtproutes, listen; values of settings; domain names.
 * The first byte chooses the parser. What a parser takes must survive being written and read again.
 */
#include "edit.h"
#include "hostfiles.h"
#include "idn.h"
#include "settings.h"
#include "userline.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 262144 };

static void check(bool condition)
{
    if (!condition)
        abort();
}

static void try_users(struct slice line)
{
    struct userline one, other;
    struct str first, second;
    char error[USERLINE_ERROR_MAX] = "";
    userline_init(&one);
    userline_init(&other);
    str_init(&first, TEXT_MAX);
    str_init(&second, TEXT_MAX);
    if (userline_parse(&one, line, error)) {
        check(userline_format(&one, &first));
        check(userline_parse(&other, str_slice(&first), error));
        check(userline_format(&other, &second));
        check(slice_equal(str_slice(&first), str_slice(&second)));
    } else {
        check(error[0] != '\0' && strlen(error) < sizeof error);
    }
    str_free(&first);
    str_free(&second);
    userline_free(&one);
    userline_free(&other);
}

static void try_routes(struct slice line)
{
    struct str key, value, reason;
    str_init(&key, TEXT_MAX);
    str_init(&value, TEXT_MAX);
    str_init(&reason, TEXT_MAX);
    bool good = hostfiles_parse_route(line, &key, &value, &reason);
    check(good == (reason.size == 0));
    str_free(&key);
    str_free(&value);
    str_free(&reason);
}

static void try_listen(struct slice line)
{
    struct slice service, endpoint;
    struct str reason;
    bool proxy;
    str_init(&reason, TEXT_MAX);
    check(hostfiles_parse_listen(line, &service, &endpoint, &proxy, &reason) == (reason.size == 0));
    str_free(&reason);
}

static void try_settings(struct slice value)
{
    struct str reason;
    str_init(&reason, TEXT_MAX);
    for (size_t i = 0; i < settings_count; i++) {
        str_clear(&reason);
        check(settings_check(&settings_table[i], value, &reason) == (reason.size == 0));
    }
    str_free(&reason);
}

static void try_names(struct slice name)
{
    char ascii[IDN_NAME_MAX + 1], again[IDN_NAME_MAX + 1], unicode[1024];
    if (!idn_to_ascii(name, ascii))
        return;
    check(idn_to_ascii(slice_text(ascii), again) && strcmp(ascii, again) == 0);
    (void)!idn_to_unicode(ascii, unicode, sizeof unicode);
}

/* The first line is the key, the rest the text. */
static void try_edit(struct slice input)
{
    struct str out;
    struct slice text = input, line;
    struct slice key = slice_cut(&text, '\n');
    str_init(&out, TEXT_MAX);
    for (enum edit_key kind = EDIT_LINE; kind <= EDIT_FIRST_FIELD; kind++) {
        if (!edit_find(text, kind, key, &line))
            continue;
        str_clear(&out);
        check(edit_remove(&out, text, line) || input.size > TEXT_MAX / 2);
        check(out.size <= text.size);
    }
    str_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parsers[])(struct slice) = {try_users,    try_routes, try_listen,
                                                    try_settings, try_names,  try_edit};
    if (size > 0)
        parsers[data[0] % (sizeof parsers / sizeof parsers[0])](slice_of(data + 1, size - 1));
    return 0;
}
