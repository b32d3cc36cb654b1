/* hostfiles - see hostfiles.h */
#include "hostfiles.h"

#include "access.h"
#include "cdbfile.h"
#include "database.h"
#include "folders.h"
#include "idn.h"
#include "ip.h"
#include "mailaddress.h"
#include "number.h"
#include "rblfile.h"
#include "sendingfiles.h"
#include "settings.h"
#include "tlspolicy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TEXT_MAX = 2048, SMTP_PORT = 25 };

struct hostfiles {
    struct database host, routes, bindroutes, relayauth, access, tlspolicy, rbl;
};

/* ---- control/smtproutes ---- */

bool hostfiles_put_domain(struct slice domain, struct str *key, struct str *reason)
{
    char ascii[IDN_NAME_MAX + 1];
    bool parent = domain.size > 0 && domain.data[0] == '.';
    if (domain.size == 0)
        return true;
    if (parent)
        domain = slice_from(domain, 1);
    if (parent)
        str_append_byte(key, '.');
    if (idn_to_ascii(domain, ascii))
        return str_append_text(key, ascii);
    /* Names inside a network: one label, or a top-level domain behind a dot. */
    if (mailaddress_is_domain(domain, 0)) {
        for (size_t i = 0; i < domain.size; i++)
            str_append_byte(key, slice_lower(domain.data[i]));
        return !key->failed;
    }
    str_format(reason, "\"%.*s\" is no domain (such as example.jp, .example.jp, or nothing)",
               SLICE_PRINTF(slice_part(domain, 0, 80)));
    return false;
}

/* HOST, [ADDRESS] or ADDRESS at the front of *rest. */
static bool route_host(struct slice *rest, struct str *value, struct str *reason)
{
    char ascii[IDN_NAME_MAX + 1], text[IP_TEXT_MAX];
    struct ip ip;
    if (rest->size > 0 && rest->data[0] == '[') {
        size_t end = slice_find(*rest, ']');
        bool closed = end < rest->size;
        struct slice address = slice_from(slice_part(*rest, 0, end), 1);
        *rest = slice_from(*rest, end + 1);
        if (closed && ip_parse(address, &ip) && (rest->size == 0 || rest->data[0] == ':')) {
            ip_format(&ip, text);
            *rest = slice_from(*rest, 1);
            return str_format(value, "[%s]", text);
        }
        str_append_text(reason, "in brackets stands an IP address (such as [192.0.2.1])");
        return false;
    }
    struct slice host = slice_cut(rest, ':');
    if (host.size == 0)
        return true;
    if (ip_parse(host, &ip))
        return str_format(value, "[%.*s]", SLICE_PRINTF(host));
    if (idn_to_ascii(host, ascii))
        return str_append_text(value, ascii);
    if (mailaddress_is_domain(host, 0))
        return str_append(value, host);
    str_format(reason, "\"%.*s\" is no host (such as mail.example.jp or [192.0.2.1])",
               SLICE_PRINTF(slice_part(host, 0, 80)));
    return false;
}

/* HOST, HOST:PORT or nothing. */
static bool put_endpoint(struct slice rest, struct str *value, struct str *reason)
{
    uint64_t port = SMTP_PORT;
    if (!route_host(&rest, value, reason))
        return false;
    if (rest.size > 0 && (!number_parse(rest, 65535, &port) || port == 0)) {
        str_format(reason, "\"%.*s\" is no port (1 to 65535)",
                   SLICE_PRINTF(slice_part(rest, 0, 80)));
        return false;
    }
    return str_format(value, ":%llu", (unsigned long long)port);
}

bool hostfiles_put_endpoint(struct slice text, struct str *value, struct str *reason)
{
    if (text.size > 0 && text.data[0] != ':')
        return put_endpoint(text, value, reason);
    str_append_text(reason, "here stands a host (such as mail.example.jp or [192.0.2.1]:587)");
    return false;
}

bool hostfiles_parse_route(struct slice line, struct str *key, struct str *value,
                           struct str *reason)
{
    struct slice rest = line;
    if (!slice_has(line, ':')) {
        str_append_text(reason, "a line is DOMAIN:HOST:PORT, DOMAIN:HOST or DOMAIN:");
        return false;
    }
    return hostfiles_put_domain(slice_cut(&rest, ':'), key, reason) &&
           put_endpoint(rest, value, reason) && !key->failed;
}

/* ---- control/listen ---- */

bool hostfiles_parse_listen(struct slice line, struct slice *service, struct slice *endpoint,
                            bool *proxy, struct str *reason)
{
    struct ip ip;
    uint16_t port;
    *service = slice_cut_word(&line);
    *endpoint = slice_cut_word(&line);
    struct slice option = slice_cut_word(&line);
    *proxy = slice_equal(option, SLICE("proxy"));
    if (!access_is_service(*service) && !slice_equal(*service, SLICE("web"))) {
        str_format(reason,
                   "\"%.*s\" is no service (smtp submission submissions lmtp pop3 pop3s imap imaps "
                   "web)",
                   SLICE_PRINTF(slice_part(*service, 0, 80)));
        return false;
    }
    if (!ip_parse_endpoint(*endpoint, &ip, &port) || port == 0) {
        str_format(reason, "\"%.*s\" is no ADDRESS:PORT (such as 0.0.0.0:25 or [::]:25)",
                   SLICE_PRINTF(slice_part(*endpoint, 0, 80)));
        return false;
    }
    if ((option.size > 0 && !*proxy) || slice_trim(line).size > 0) {
        str_append_text(reason, "behind ADDRESS:PORT stands nothing, or \"proxy\"");
        return false;
    }
    return true;
}

/* ---- reading ---- */

/* A line that is to become a record, or an error. */
typedef bool parse_line(struct slice line, struct str *key, struct str *value, struct str *reason);

static bool parse_listen(struct slice line, struct str *key, struct str *value, struct str *reason)
{
    struct slice service, endpoint;
    bool proxy;
    (void)value;
    return hostfiles_parse_listen(line, &service, &endpoint, &proxy, reason) &&
           str_append(key, endpoint);
}

static bool encode_rule(bool parsed, const struct access_rule *rule, const char *error,
                        struct str *key, struct str *value, struct str *reason)
{
    if (parsed && access_encode(rule, key, value))
        return true;
    str_append_text(reason, parsed ? "too long" : error);
    return false;
}

static bool parse_access(struct slice line, struct str *key, struct str *value, struct str *reason)
{
    struct access_rule rule;
    char error[ACCESS_ERROR_MAX] = "";
    bool parsed = access_parse(line, &rule, error);
    return encode_rule(parsed, &rule, error, key, value, reason);
}

static bool parse_proxy(struct slice line, struct str *key, struct str *value, struct str *reason)
{
    struct access_rule rule;
    char error[ACCESS_ERROR_MAX] = "";
    bool parsed = access_parse_proxy(line, &rule, error);
    return encode_rule(parsed, &rule, error, key, value, reason);
}

static bool parse_xclient(struct slice line, struct str *key, struct str *value, struct str *reason)
{
    struct access_rule rule;
    char error[ACCESS_ERROR_MAX] = "";
    bool parsed = access_parse_xclient(line, &rule, error);
    return encode_rule(parsed, &rule, error, key, value, reason);
}

/* The keys of a file, to find those that are there twice. */
struct seen_key {
    char *key;
    unsigned line;
};

struct seen {
    struct seen_key *of;
    size_t count;
};

static void seen_free(struct seen *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        free(seen->of[i].key);
    free(seen->of);
}

static bool seen_add(struct seen *seen, struct slice key, unsigned line)
{
    if ((seen->count & (seen->count - 1)) == 0) {
        size_t room = seen->count ? seen->count * 2 : 1;
        struct seen_key *grown = reallocarray(seen->of, room, sizeof *grown);
        if (!grown)
            return false;
        seen->of = grown;
    }
    char *copy = strndup(key.data ? key.data : "", key.size);
    if (copy)
        seen->of[seen->count++] = (struct seen_key){copy, line};
    return copy != NULL;
}

static int compare_keys(const void *a, const void *b)
{
    const struct seen_key *left = a, *right = b;
    int order = strcmp(left->key, right->key);
    return order != 0 ? order : (left->line > right->line) - (left->line < right->line);
}

static void seen_check(struct seen *seen, const char *shown, struct findings *findings)
{
    if (seen->count > 1)
        qsort(seen->of, seen->count, sizeof seen->of[0], compare_keys);
    for (size_t i = 1; i < seen->count; i++)
        if (strcmp(seen->of[i].key, seen->of[i - 1].key) == 0)
            findings_error(findings, shown, seen->of[i].line,
                           "the same as line %u already: keep one", seen->of[i - 1].line);
}

/* Reads control/NAME line by line into `database` (may be NULL). Returns the number of lines. */
static size_t read_lines(const struct sources *sources, struct findings *findings, const char *name,
                         parse_line *parse, struct database *database)
{
    struct control_lines lines;
    struct slice line;
    struct str key, value, reason;
    struct seen seen = {0};
    char shown[128];
    snprintf(shown, sizeof shown, "control/%s", name);
    if (!sources_lines(sources, name, findings, &lines, NULL))
        return 0;
    str_init(&key, TEXT_MAX);
    str_init(&value, TEXT_MAX);
    str_init(&reason, TEXT_MAX);
    while (control_next_line(&lines, &line)) {
        str_clear(&key);
        str_clear(&value);
        str_clear(&reason);
        if (!parse(line, &key, &value, &reason)) {
            findings_error(findings, shown, lines.number, "%s",
                           str_text(&reason) ? str_text(&reason) : "wrong");
            continue;
        }
        if (!seen_add(&seen, str_slice(&key), lines.number))
            findings_trouble(findings, shown, "find memory");
        if (database)
            database_add(database, str_slice(&key), str_slice(&value));
    }
    seen_check(&seen, shown, findings);
    size_t count = seen.count;
    seen_free(&seen);
    str_free(&reason);
    str_free(&value);
    str_free(&key);
    control_lines_free(&lines);
    return count;
}

static void check_value(const struct setting *setting, const char *shown, unsigned line,
                        struct slice value, struct database *database, struct findings *findings)
{
    struct str reason;
    str_init(&reason, TEXT_MAX);
    if (settings_check(setting, value, &reason))
        database_add(database, slice_text(setting->name), value);
    else
        findings_error(findings, shown, line, "\"%.*s\" %s", SLICE_PRINTF(slice_part(value, 0, 80)),
                       str_text(&reason) ? str_text(&reason) : "is wrong");
    str_free(&reason);
}

static void read_setting(const struct sources *sources, const struct setting *setting,
                         struct database *database, struct findings *findings)
{
    struct control_lines lines;
    struct slice line = {0}, more;
    char shown[128];
    snprintf(shown, sizeof shown, "control/%s", setting->name);
    if (!sources_lines(sources, setting->name, findings, &lines, NULL))
        return;
    bool said = control_next_line(&lines, &line);
    unsigned number = lines.number;
    if (said && control_next_line(&lines, &more))
        findings_error(findings, shown, lines.number,
                       "only one line may stand here: remove this one");
    if (!said && !setting->otherwise)
        findings_error(findings, shown, 0, "is missing and has no default. It holds: %s",
                       setting->sentence);
    else
        check_value(setting, shown, number, said ? line : slice_text(setting->otherwise), database,
                    findings);
    control_lines_free(&lines);
}

/* What may stand in control/ beside settings. */
static bool is_known_name(const char *name)
{
    static const char *const known[] = {
        "domains", "plans",      "tls",       "listen",  "access",     "proxies",  "xclient",
        "rbl",     "smtproutes", "tlspolicy", "uidbase", "bindroutes", "relayauth"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return settings_find_host(slice_text(name)) != NULL;
}

static void check_names(const struct sources *sources, struct findings *findings)
{
    struct folders_names names;
    if (!folders_list(sources->folder, ".", &names)) {
        findings_trouble(findings, "control", "list it");
        return;
    }
    for (size_t i = 0; i < names.count; i++) {
        char shown[PATH_MAX];
        snprintf(shown, sizeof shown, "control/%s", names.of[i]);
        if (!is_known_name(names.of[i]))
            findings_error(findings, shown, 0,
                           "there is no control file of this name (see control(5)): rename or "
                           "remove it");
    }
    folders_names_free(&names);
}

static void check_certificate(const struct sources *sources, struct findings *findings)
{
    struct folders_names names;
    if (folders_list(sources->folder, "tls/default", &names) && names.count == 0)
        findings_warning(findings, "control/tls/default", 0,
                         "no certificate, so no TLS: mailctl cert default CERTFILE KEYFILE");
    folders_names_free(&names);
}

/* A file with passwords is root's alone. */
static void check_secrecy(const struct sources *sources, const char *name,
                          struct findings *findings)
{
    struct stat file;
    char shown[128];
    snprintf(shown, sizeof shown, "control/%s", name);
    if (fstatat(sources->folder, name, &file, 0) == 0 && (file.st_mode & (S_IRWXG | S_IRWXO)))
        findings_error(findings, shown, 0,
                       "others may read the passwords in it: chmod 600 control/%s", name);
}

struct hostfiles *hostfiles_load(const struct sources *sources, struct findings *findings)
{
    struct hostfiles *files = calloc(1, sizeof *files);
    if (!files)
        return NULL;
    database_begin(&files->host);
    database_begin(&files->routes);
    database_begin(&files->bindroutes);
    database_begin(&files->relayauth);
    database_begin(&files->access);
    database_begin(&files->tlspolicy);
    database_begin(&files->rbl);
    for (size_t i = 0; i < settings_count; i++)
        if (settings_table[i].scope == SETTINGS_HOST)
            read_setting(sources, &settings_table[i], &files->host, findings);
    read_lines(sources, findings, "smtproutes", hostfiles_parse_route, &files->routes);
    read_lines(sources, findings, "bindroutes", sendingfiles_parse_bindroute, &files->bindroutes);
    read_lines(sources, findings, "relayauth", sendingfiles_parse_relayauth, &files->relayauth);
    check_secrecy(sources, "relayauth", findings);
    read_lines(sources, findings, "tlspolicy", tlspolicy_parse_line, &files->tlspolicy);
    read_lines(sources, findings, "access", parse_access, &files->access);
    read_lines(sources, findings, "proxies", parse_proxy, &files->access);
    read_lines(sources, findings, "xclient", parse_xclient, &files->access);
    rblfile_load(sources, findings, &files->rbl);
    if (read_lines(sources, findings, "listen", parse_listen, NULL) == 0)
        findings_warning(findings, "control/listen", 0,
                         "no lines: nothing listens (such as: smtp 0.0.0.0:25)");
    check_certificate(sources, findings);
    check_names(sources, findings);
    return files;
}

bool hostfiles_write(struct hostfiles *files, const struct hostfiles_place *place,
                     struct replacements *replacements, struct findings *findings)
{
    const struct {
        struct database *database;
        const char *name;
        bool is_relay;
    } all[] = {{&files->host, "host.cdb", false},
               {&files->routes, "routes.cdb", false},
               {&files->bindroutes, "bindroutes.cdb", false},
               {&files->relayauth, "relayauth.cdb", true},
               {&files->access, "access.cdb", false},
               {&files->tlspolicy, "tlspolicy.cdb", false},
               {&files->rbl, "rbl.cdb", false}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int folder = all[i].is_relay ? place->relay : place->folder;
        gid_t group = all[i].is_relay ? place->relay_group : place->group;
        if (!database_commit(all[i].database, replacements, folder, all[i].name, 0640, (uid_t)-1,
                             group)) {
            findings_trouble(findings, all[i].name, "write it");
            return false;
        }
    }
    return true;
}

void hostfiles_free(struct hostfiles *files)
{
    if (!files)
        return;
    database_drop(&files->host);
    database_drop(&files->routes);
    database_drop(&files->bindroutes);
    database_drop(&files->relayauth);
    database_drop(&files->access);
    database_drop(&files->tlspolicy);
    database_drop(&files->rbl);
    free(files);
}
