/* userline - see userline.h */
#include "userline.h"

#include "password.h"

#include <stdio.h>
#include <string.h>

void userline_init(struct userline *account)
{
    account->local[0] = '\0';
    account->pair_count = 0;
    str_init(&account->hash, PASSWORD_HASH_MAX + sizeof USERLINE_VOID);
}

void userline_free(struct userline *account)
{
    while (account->pair_count > 0)
        str_free(&account->pairs[--account->pair_count].value);
    str_free(&account->hash);
    account->local[0] = '\0';
}

static bool fail(char error[USERLINE_ERROR_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(char error[USERLINE_ERROR_MAX], const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(error, USERLINE_ERROR_MAX, format, list);
    va_end(list);
    return false;
}

/* ---- names ---- */

static bool is_letter_or_digit(char byte)
{
    return slice_is_letter(byte) || slice_is_digit(byte);
}

bool userline_check_local(struct slice name, char local[USERLINE_LOCAL_MAX + 1],
                          char error[USERLINE_ERROR_MAX])
{
    local[0] = '\0';
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.data[i] >= 0x80)
            return fail(error,
                        "an account's name has half-width letters, digits, - _ and . only; the "
                        "part behind the @ may be international");
    if (name.size < USERLINE_LOCAL_MIN || name.size > USERLINE_LOCAL_MAX)
        return fail(error, "an account's name has %d to %d characters", USERLINE_LOCAL_MIN,
                    USERLINE_LOCAL_MAX);
    for (size_t i = 0; i < name.size; i++)
        if (!is_letter_or_digit(name.data[i]) && !slice_has(SLICE("-_."), name.data[i]))
            return fail(error, "an account's name has letters, digits, - _ and . only");
    if (!is_letter_or_digit(name.data[0]) || !is_letter_or_digit(name.data[name.size - 1]))
        return fail(error, "an account's name begins and ends with a letter or digit");
    for (size_t i = 0; i < name.size; i++)
        local[i] = slice_lower(name.data[i]);
    local[name.size] = '\0';
    return true;
}

bool userline_is_void(struct slice hash)
{
    return slice_starts(hash, SLICE(USERLINE_VOID));
}

/* ---- settings of the account ---- */

static size_t find_pair(const struct userline *account, const char *key)
{
    size_t at = 0;
    while (at < account->pair_count && strcmp(account->pairs[at].key, key) != 0)
        at++;
    return at;
}

const struct str *userline_value(const struct userline *account, const char *key)
{
    size_t at = find_pair(account, key);
    return at < account->pair_count ? &account->pairs[at].value : NULL;
}

bool userline_set(struct userline *account, const char *key, struct slice value)
{
    size_t at = find_pair(account, key);
    if (value.size > USERLINE_VALUE_MAX || at == USERLINE_PAIRS_MAX)
        return false;
    struct userline_pair *pair = &account->pairs[at];
    if (at == account->pair_count) {
        if (!slice_copy_text(slice_text(key), pair->key, sizeof pair->key))
            return false;
        str_init(&pair->value, USERLINE_VALUE_MAX);
        account->pair_count++;
    }
    str_clear(&pair->value);
    return str_append(&pair->value, value);
}

bool userline_unset(struct userline *account, const char *key)
{
    size_t at = find_pair(account, key);
    if (at == account->pair_count)
        return false;
    str_free(&account->pairs[at].value);
    account->pair_count--;
    memmove(&account->pairs[at], &account->pairs[at + 1],
            (account->pair_count - at) * sizeof account->pairs[0]);
    return true;
}

/* ---- reading ---- */

static bool is_plain(char byte)
{
    return is_letter_or_digit(byte) || slice_has(SLICE("-_.,@/+%$"), byte);
}

static bool is_key(struct slice key)
{
    if (key.size == 0 || key.size > USERLINE_KEY_MAX)
        return false;
    for (size_t i = 0; i < key.size; i++)
        if (!is_letter_or_digit(key.data[i]) && key.data[i] != '-')
            return false;
    return true;
}

/* The quoted value at the front of *rest, behind its opening quote. */
static bool cut_quoted(struct slice *rest, struct str *value, char error[USERLINE_ERROR_MAX])
{
    size_t at = 0;
    for (; at < rest->size && rest->data[at] != '"'; at++) {
        if (rest->data[at] == '\\') {
            at++;
            if (at == rest->size || !slice_has(SLICE("\"\\"), rest->data[at]))
                return fail(error, "in quotes a backslash stands only before \" and \\");
        }
        if (!str_append_byte(value, rest->data[at]))
            return fail(error, "a value has at most %d bytes", USERLINE_VALUE_MAX);
    }
    if (at == rest->size)
        return fail(error, "a quote is not closed");
    *rest = slice_from(*rest, at + 1);
    if (rest->size > 0 && rest->data[0] != ' ' && rest->data[0] != '\t')
        return fail(error, "put a space behind the closing quote");
    return true;
}

static bool cut_plain(struct slice *rest, struct str *value, char error[USERLINE_ERROR_MAX])
{
    struct slice word = slice_cut_word(rest);
    for (size_t i = 0; i < word.size; i++)
        if (!is_plain(word.data[i]))
            return fail(error, "put the value \"%.*s\" in double quotes",
                        (int)(word.size > 64 ? 64 : word.size), word.data);
    return str_append(value, word) ||
           fail(error, "a value has at most %d bytes", USERLINE_VALUE_MAX);
}

bool userline_cut_value(struct slice *rest, struct str *value, char error[USERLINE_ERROR_MAX])
{
    if (rest->size == 0 || rest->data[0] != '"')
        return cut_plain(rest, value, error);
    *rest = slice_from(*rest, 1);
    return cut_quoted(rest, value, error);
}

static bool parse_pair(struct userline *account, struct slice *rest, char error[USERLINE_ERROR_MAX])
{
    char name[USERLINE_KEY_MAX + 1];
    size_t equals = slice_find(*rest, '=');
    struct slice key = slice_part(*rest, 0, equals);
    if (equals == rest->size || !is_key(key))
        return fail(error, "settings are KEY=VALUE, divided by spaces (such as quota=100)");
    if (!slice_copy_text(key, name, sizeof name))
        return fail(error, "the name of a setting has at most %d bytes", USERLINE_KEY_MAX);
    if (userline_value(account, name))
        return fail(error, "%s is set twice: keep one", name);
    struct str value;
    str_init(&value, USERLINE_VALUE_MAX);
    *rest = slice_from(*rest, equals + 1);
    bool good = userline_cut_value(rest, &value, error) &&
                (userline_set(account, name, str_slice(&value)) ||
                 fail(error, "more than %d settings", USERLINE_PAIRS_MAX));
    str_free(&value);
    return good;
}

static bool has_control(struct slice line)
{
    for (size_t i = 0; i < line.size; i++)
        if ((unsigned char)line.data[i] < ' ' && line.data[i] != '\t')
            return true;
    return false;
}

bool userline_parse(struct userline *account, struct slice line, char error[USERLINE_ERROR_MAX])
{
    userline_free(account);
    userline_init(account);
    struct slice rest = line;
    struct slice local = slice_cut(&rest, ':');
    if (local.size == line.size)
        return fail(error, "a line is NAME:HASH:SETTINGS; the colons are missing");
    if (has_control(line))
        return fail(error, "control characters: write the line anew");
    if (!userline_check_local(local, account->local, error))
        return false;
    if (!slice_has(rest, ':'))
        return fail(error, "a line is NAME:HASH:SETTINGS; the second colon is missing");
    struct slice hash = slice_cut(&rest, ':');
    struct slice verifiable = userline_is_void(hash) ? slice_from(hash, 1) : hash;
    if ((hash.size > 0 && !password_is_hash(verifiable)) || !str_append(&account->hash, hash))
        return fail(error, "the second field is no password hash of crypt(3); set a password by "
                           "mailctl user passwd, or leave it empty for no log-in");
    for (rest = slice_trim(rest); rest.size > 0; rest = slice_trim(rest))
        if (!parse_pair(account, &rest, error))
            return false;
    return true;
}

/* ---- writing ---- */

void userline_put_quoted(struct str *line, struct slice value)
{
    str_append_byte(line, '"');
    for (size_t i = 0; i < value.size; i++) {
        if (slice_has(SLICE("\"\\"), value.data[i]))
            str_append_byte(line, '\\');
        str_append_byte(line, value.data[i]);
    }
    str_append_byte(line, '"');
}

static void write_value(struct str *line, struct slice value)
{
    bool plain = value.size > 0;
    for (size_t i = 0; plain && i < value.size; i++)
        plain = is_plain(value.data[i]);
    if (plain)
        str_append(line, value);
    else
        userline_put_quoted(line, value);
}

bool userline_format(const struct userline *account, struct str *line)
{
    str_format(line, "%s:", account->local);
    str_append(line, str_slice(&account->hash));
    str_append_byte(line, ':');
    for (size_t i = 0; i < account->pair_count; i++) {
        str_format(line, "%s%s=", i > 0 ? " " : "", account->pairs[i].key);
        write_value(line, str_slice(&account->pairs[i].value));
    }
    return !line->failed;
}
