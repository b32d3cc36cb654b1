/* sasl - see sasl.h */
#include "sasl.h"

#include "encode.h"

#include <string.h>

/* The decoded response of PLAIN: two names, a secret and two NULs. */
enum { SASL_RESPONSE_MAX = 2 * SASL_USER_MAX + SASL_SECRET_MAX + 2 };

/* "Username:" and "Password:"; clients compare these with what Microsoft's server sends. */
static const char login_asks_user[] = "VXNlcm5hbWU6";
static const char login_asks_secret[] = "UGFzc3dvcmQ6";

void sasl_init(struct sasl *sasl)
{
    *sasl = (struct sasl){.challenge = ""};
    str_init(&sasl->first, SASL_LINE_MAX);
    str_init(&sasl->second, SASL_LINE_MAX);
}

static void wipe(struct str *str)
{
    if (str->data)
        explicit_bzero(str->data, str->capacity);
    str_free(str);
}

void sasl_free(struct sasl *sasl)
{
    wipe(&sasl->first);
    wipe(&sasl->second);
    sasl_init(sasl);
}

enum sasl_mechanism sasl_mechanism_named(struct slice name)
{
    if (slice_equal_nocase(name, SLICE("PLAIN")))
        return SASL_PLAIN;
    if (slice_equal_nocase(name, SLICE("LOGIN")))
        return SASL_LOGIN;
    return SASL_NONE;
}

static enum sasl_result check(struct slice user, struct slice secret)
{
    if (user.size > SASL_USER_MAX || secret.size > SASL_SECRET_MAX)
        return SASL_TOO_LONG;
    if (user.size == 0 || slice_has(user, '\0') || slice_has(secret, '\0'))
        return SASL_BAD;
    return SASL_DONE;
}

enum sasl_result sasl_split_plain(struct slice response, struct slice *user, struct slice *secret)
{
    *user = SLICE("");
    *secret = SLICE("");
    if (response.size > SASL_RESPONSE_MAX)
        return SASL_TOO_LONG;
    size_t first = slice_find(response, '\0');
    if (first == response.size)
        return SASL_BAD;
    struct slice acts_for = slice_part(response, 0, first);
    struct slice rest = slice_from(response, first + 1);
    size_t second = slice_find(rest, '\0');
    if (second == rest.size)
        return SASL_BAD;
    struct slice name = slice_part(rest, 0, second);
    struct slice word = slice_from(rest, second + 1);
    enum sasl_result result = check(name, word);
    if (result != SASL_DONE)
        return result;
    /* RFC 4616 2: an empty authzid is the user's own identity. Nobody here acts for others. */
    if (acts_for.size > 0 && !slice_equal_nocase(acts_for, name))
        return SASL_DENIED;
    *user = name;
    *secret = word;
    return SASL_DONE;
}

static enum sasl_result take_plain(struct sasl *sasl)
{
    return sasl_split_plain(str_slice(&sasl->first), &sasl->user, &sasl->secret);
}

static enum sasl_result take_login(struct sasl *sasl)
{
    if (!sasl->wants_secret) {
        struct slice user = str_slice(&sasl->first);
        enum sasl_result result = check(user, SLICE(""));
        if (result != SASL_DONE)
            return result;
        sasl->wants_secret = true;
        sasl->challenge = login_asks_secret;
        return SASL_CONTINUE;
    }
    struct slice user = str_slice(&sasl->first);
    struct slice secret = str_slice(&sasl->second);
    enum sasl_result result = check(user, secret);
    if (result == SASL_DONE) {
        sasl->user = user;
        sasl->secret = secret;
    }
    return result;
}

/* `text` is base64 of a response, an initial or a later one. */
static enum sasl_result take(struct sasl *sasl, struct slice text)
{
    struct str *bytes = sasl->wants_secret ? &sasl->second : &sasl->first;
    str_clear(bytes);
    if (text.size > SASL_LINE_MAX)
        return SASL_TOO_LONG;
    if (!encode_from_base64(text, bytes))
        return SASL_BAD;
    return sasl->mechanism == SASL_PLAIN ? take_plain(sasl) : take_login(sasl);
}

enum sasl_result sasl_begin(struct sasl *sasl, struct slice mechanism, const struct slice *initial)
{
    sasl_free(sasl);
    sasl->mechanism = sasl_mechanism_named(mechanism);
    if (sasl->mechanism == SASL_NONE)
        return SASL_UNKNOWN;
    sasl->challenge = sasl->mechanism == SASL_LOGIN ? login_asks_user : "";
    if (!initial)
        return SASL_CONTINUE;
    /* RFC 4954 4: "=" is how an empty initial response is written. */
    return take(sasl, slice_equal(*initial, SLICE("=")) ? SLICE("") : *initial);
}

enum sasl_result sasl_step(struct sasl *sasl, struct slice line)
{
    if (slice_equal(line, SLICE("*")))
        return SASL_CANCELLED;
    if (sasl->mechanism == SASL_NONE)
        return SASL_UNKNOWN;
    return take(sasl, line);
}
