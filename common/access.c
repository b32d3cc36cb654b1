/* access - see access.h */
#include "access.h"

#include "number.h"

#include <stdio.h>
#include <string.h>

static const char *const services[] = {"smtp", "submission", "submissions", "lmtp",
                                       "pop3", "pop3s",      "imap",        "imaps"};

/* tcpd's own, and those by which the C library could be turned against the program. */
static const char *const reserved_names[] = {
    "SERVICE", "CLIENT", "CLIENT_PORT", "SERVER", "SERVER_PORT", "TLS", "XCLIENT", "PATH", "IFS"};
static const char *const reserved_beginnings[] = {"LD_",      "GLIBC_", "MALLOC_", "GCONV_",
                                                  "LOCALDOM", "RES_",   "LC_"};

bool access_is_service(struct slice name)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (slice_equal(name, slice_text(services[i])))
            return true;
    return false;
}

__attribute__((format(printf, 2, 3))) static bool fail(char error[ACCESS_ERROR_MAX],
                                                       const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(error, ACCESS_ERROR_MAX, format, list);
    va_end(list);
    return false;
}

/* A word of the line as it may stand in an error. */
static struct slice shown(struct slice word)
{
    return slice_part(word, 0, 64);
}

static bool is_reserved(struct slice name)
{
    for (size_t i = 0; i < sizeof reserved_names / sizeof *reserved_names; i++)
        if (slice_equal(name, slice_text(reserved_names[i])))
            return true;
    for (size_t i = 0; i < sizeof reserved_beginnings / sizeof *reserved_beginnings; i++)
        if (slice_starts(name, slice_text(reserved_beginnings[i])))
            return true;
    return false;
}

static bool is_variable_name(struct slice name)
{
    if (name.size == 0 || slice_is_digit(name.data[0]))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char byte = name.data[i];
        if (!(byte >= 'A' && byte <= 'Z') && !slice_is_digit(byte) && byte != '_')
            return false;
    }
    return true;
}

static bool is_printable(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return true;
}

static bool parse_network(struct slice word, struct access_rule *rule, char *error)
{
    if (ip_parse_network(word, &rule->network, &rule->bits))
        return true;
    return fail(error,
                "\"%.*s\" is not a network (try 192.0.2.0/24, 2001:db8::/32 or an address; the "
                "bits behind the prefix must be zero)",
                SLICE_PRINTF(shown(word)));
}

static bool parse_verb(struct slice word, struct access_rule *rule, char *error)
{
    rule->allow = slice_equal(word, SLICE("allow"));
    if (rule->allow || slice_equal(word, SLICE("deny")))
        return true;
    return fail(error, "\"%.*s\" should be allow or deny", SLICE_PRINTF(shown(word)));
}

static bool parse_variable(struct slice word, struct access_rule *rule, char *error)
{
    size_t equals = slice_find(word, '=');
    struct slice name = slice_part(word, 0, equals);
    if (!rule->allow)
        return fail(error, "a deny line has no variables (\"%.*s\")", SLICE_PRINTF(shown(word)));
    if (equals == word.size || !is_variable_name(name) || !is_printable(word))
        return fail(error, "\"%.*s\" is not NAME=VALUE (capital letters, digits and _)",
                    SLICE_PRINTF(shown(word)));
    if (is_reserved(name))
        return fail(error, "the variable %.*s may not be set here", SLICE_PRINTF(shown(name)));
    if (rule->variable_count == ACCESS_VARIABLES_MAX)
        return fail(error, "more than %d variables", ACCESS_VARIABLES_MAX);
    rule->variables[rule->variable_count++] = word;
    return true;
}

bool access_parse(struct slice line, struct access_rule *rule, char error[ACCESS_ERROR_MAX])
{
    *rule = (struct access_rule){.service = slice_cut_word(&line)};
    struct slice network = slice_cut_word(&line);
    struct slice verb = slice_cut_word(&line);
    if (verb.size == 0)
        return fail(error, "should be SERVICE ADDRESS[/BITS] allow|deny [NAME=VALUE...]");
    if (!access_is_service(rule->service) && !slice_equal(rule->service, SLICE("*")))
        return fail(error,
                    "\"%.*s\" is not a service (smtp submission submissions lmtp pop3 pop3s imap "
                    "imaps, or * for all)",
                    SLICE_PRINTF(shown(rule->service)));
    if (!parse_network(network, rule, error) || !parse_verb(verb, rule, error))
        return false;
    size_t size = verb.size;
    for (struct slice word = slice_cut_word(&line); word.size > 0; word = slice_cut_word(&line)) {
        size += 1 + word.size;
        if (size > ACCESS_VALUE_MAX)
            return fail(error, "the variables are longer than %d bytes", ACCESS_VALUE_MAX);
        if (!parse_variable(word, rule, error))
            return false;
    }
    return true;
}

/* A line of a file that is a list of networks and nothing else. */
static bool parse_listed(struct slice line, const char *list, struct access_rule *rule, char *error)
{
    *rule = (struct access_rule){.service = slice_text(list), .allow = true};
    struct slice network = slice_cut_word(&line);
    if (network.size == 0 || slice_trim(line).size > 0)
        return fail(error, "should be one ADDRESS[/BITS] per line");
    return parse_network(network, rule, error);
}

bool access_parse_proxy(struct slice line, struct access_rule *rule, char error[ACCESS_ERROR_MAX])
{
    return parse_listed(line, "proxy", rule, error);
}

bool access_parse_xclient(struct slice line, struct access_rule *rule, char error[ACCESS_ERROR_MAX])
{
    return parse_listed(line, "xclient", rule, error);
}

static bool put_key(struct str *key, struct slice service, const struct ip *network, unsigned bits)
{
    char text[IP_TEXT_MAX];
    ip_format(network, text);
    str_append(key, service);
    str_append_byte(key, ' ');
    str_append_text(key, text);
    str_append_byte(key, '/');
    return str_append_number(key, bits);
}

bool access_encode(const struct access_rule *rule, struct str *key, struct str *value)
{
    bool done = put_key(key, rule->service, &rule->network, rule->bits) &&
                str_append_text(value, rule->allow ? "allow" : "deny");
    for (size_t i = 0; done && i < rule->variable_count; i++)
        done = str_append_byte(value, ' ') && str_append(value, rule->variables[i]);
    return done;
}

/* ---- looking up ----------------------------------------------------------------------------- */

/* "SERVICE ADDRESS/BITS" */
static bool note_length(struct access *access, struct slice key)
{
    size_t slash = slice_find_last(key, '/');
    unsigned bits;
    if (!number_parse_unsigned(slice_from(key, slash + 1), ACCESS_BITS_MAX, &bits))
        return false;
    access->has_length[slice_has(key, ':') ? ACCESS_IPV6 : ACCESS_IPV4][bits] = true;
    return true;
}

static bool read_lengths(struct access *access)
{
    struct cdb *cdb = &access->file.cdb;
    unsigned position;
    int more;
    memset(access->has_length, 0, sizeof access->has_length);
    cdb_seqinit(&position, cdb);
    while ((more = cdb_seqnext(&position, cdb)) > 0) {
        const void *key = cdb_getkey(cdb);
        if (!key || !note_length(access, slice_of(key, cdb_keylen(cdb))))
            return false;
    }
    return more == 0;
}

bool access_refresh(struct access *access, int directory, const char *path)
{
    if (!cdbfile_refresh(&access->file, directory, path))
        return false;
    if (access->read != access->file.opened) {
        access->is_broken = !read_lengths(access);
        access->read = access->file.opened;
    }
    return true;
}

void access_close(struct access *access)
{
    cdbfile_close(&access->file);
    access->read = 0;
}

static enum access_result decode(struct slice value, struct slice *variables)
{
    struct slice verb = slice_cut(&value, ' ');
    *variables = value;
    if (slice_equal(verb, SLICE("allow")))
        return ACCESS_ALLOW;
    return slice_equal(verb, SLICE("deny")) ? ACCESS_DENY : ACCESS_TROUBLE;
}

/* The record of just this network. */
static enum access_result find_network(struct cdbfile *file, struct slice service,
                                       const struct ip *network, unsigned bits,
                                       struct slice *variables)
{
    struct str key;
    struct slice value;
    str_init(&key, ACCESS_KEY_MAX);
    enum access_result result = ACCESS_TROUBLE;
    if (put_key(&key, service, network, bits)) {
        enum cdbfile_result found = cdbfile_find(file, str_slice(&key), &value);
        if (found == CDBFILE_FOUND)
            result = decode(value, variables);
        else if (found == CDBFILE_MISSING)
            result = ACCESS_NONE;
    }
    str_free(&key);
    return result;
}

/* Which lines of "*" hold for `service`: none for what only has a list of its own; for LMTP, which
 * asks nobody who he is, only those that shut others out. */
static enum access_result judge_general(struct slice service, enum access_result result)
{
    if (slice_equal(service, SLICE("proxy")) || slice_equal(service, SLICE("xclient")))
        return ACCESS_NONE;
    if (slice_equal(service, SLICE("lmtp")) && result == ACCESS_ALLOW)
        return ACCESS_NONE;
    return result;
}

static enum access_result find_prefix(struct cdbfile *file, struct slice service,
                                      const struct ip *ip, unsigned bits, struct slice *variables)
{
    struct ip network = ip_network(ip, bits);
    enum access_result result = find_network(file, service, &network, bits, variables);
    if (result == ACCESS_NONE)
        result = judge_general(service, find_network(file, SLICE("*"), &network, bits, variables));
    return result;
}

enum access_result access_find(struct access *access, struct slice service, const struct ip *ip,
                               struct slice *variables)
{
    const bool *has_length = access->has_length[ip->size == 4 ? ACCESS_IPV4 : ACCESS_IPV6];
    *variables = slice_text(NULL);
    if (access->file.fd < 0)
        return ACCESS_NONE;
    if (access->is_broken)
        return ACCESS_TROUBLE;
    for (unsigned bits = ip->size * 8 + 1; bits-- > 0;) {
        if (!has_length[bits])
            continue;
        enum access_result result = find_prefix(&access->file, service, ip, bits, variables);
        if (result != ACCESS_NONE)
            return result;
    }
    *variables = slice_text(NULL);
    return ACCESS_NONE;
}
