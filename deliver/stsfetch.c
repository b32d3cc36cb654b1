/* stsfetch - see stsfetch.h */
#include "stsfetch.h"

#include "clock.h"
#include "exits.h"
#include "mtasts.h"
#include "mx.h"
#include "sandbox.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

enum { CONNECT_MS = 20000, ALARM_MARGIN_SECONDS = 5, URL_MAX = 320, HTTPS_PORT = 443 };

/* The part of libcurl that is used. */
struct library {
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *handle, CURLoption option, ...);
    CURLcode (*easy_perform)(CURL *handle);
    CURLcode (*easy_getinfo)(CURL *handle, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
};

struct fetch {
    const struct stsfetch_task *task;
    struct library curl;
    struct mx_resolver resolver;
    struct str body;
    enum tlsreport_result result;
    char reason[MTASTS_REASON_MAX];
};

static bool fail(struct fetch *fetch, enum tlsreport_result result, const char *reason)
{
    fetch->result = result;
    snprintf(fetch->reason, sizeof fetch->reason, "%s", reason);
    return false;
}

/* ---- the library ------------------------------------------------------------------------------*/

static bool load(struct library *curl)
{
    struct {
        const char *name;
        void *function; /* where its address goes */
        size_t size;
    } wanted[] = {
        {"curl_global_init", &curl->global_init, sizeof curl->global_init},
        {"curl_easy_init", &curl->easy_init, sizeof curl->easy_init},
        {"curl_easy_setopt", &curl->easy_setopt, sizeof curl->easy_setopt},
        {"curl_easy_perform", &curl->easy_perform, sizeof curl->easy_perform},
        {"curl_easy_getinfo", &curl->easy_getinfo, sizeof curl->easy_getinfo},
        {"curl_easy_strerror", &curl->easy_strerror, sizeof curl->easy_strerror},
        {"curl_slist_append", &curl->slist_append, sizeof curl->slist_append},
    };
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; library && i < sizeof wanted / sizeof *wanted; i++) {
        void *found = dlsym(library, wanted[i].name);
        if (!found)
            return false;
        memcpy(wanted[i].function, &found, wanted[i].size);
    }
    return library && curl->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* ---- the request ------------------------------------------------------------------------------*/

/* "mta-sts.DOMAIN:443:ADDRESS,ADDRESS": curl asks no DNS itself. */
static bool find_server(struct fetch *fetch, struct str *entry)
{
    struct mx_addresses addresses;
    char host[MX_NAME_MAX + 1], address[IP_TEXT_MAX];
    snprintf(host, sizeof host, "mta-sts.%s", fetch->task->domain);
    if (!mx_open(&fetch->resolver, fetch->task->resolver))
        return fail(fetch, TLSREPORT_STS_POLICY_FETCH_ERROR, "no resolver");
    enum mx_result result = mx_find_addresses(&fetch->resolver, host, &addresses);
    mx_close(&fetch->resolver);
    if (result != MX_FOUND)
        return fail(fetch, TLSREPORT_STS_POLICY_FETCH_ERROR, "the policy's host has no address");
    str_format(entry, "%s:%d:", host, HTTPS_PORT);
    for (size_t i = 0; i < addresses.count; i++) {
        ip_format(&addresses.list[i], address);
        str_append_text(entry, i > 0 ? "," : "");
        str_append_text(entry, address);
    }
    return !entry->failed || fail(fetch, TLSREPORT_STS_POLICY_FETCH_ERROR, "out of memory");
}

static size_t take_body(char *bytes, size_t size, size_t count, void *owner)
{
    struct str *body = owner;
    return str_append(body, slice_of(bytes, size * count)) ? size * count : 0;
}

/* Numbers and texts, as curl_easy_setopt wants them. */
static bool set_options(struct fetch *fetch, CURL *handle, const char *url,
                        struct curl_slist *servers)
{
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_FOLLOWLOCATION, 0}, /* RFC 8461 3.3 */
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_TIMEOUT_MS, MTASTS_FETCH_MS},
        {CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS},
        {CURLOPT_MAXFILESIZE, STSPOLICY_FILE_MAX},
    };
    const struct {
        CURLoption option;
        const void *value;
    } texts[] = {
        {CURLOPT_URL, url},
        {CURLOPT_CAINFO, fetch->task->anchors},
        {CURLOPT_CAPATH, NULL},
        {CURLOPT_PROTOCOLS_STR, "https"},
        {CURLOPT_PROXY, ""},
        {CURLOPT_RESOLVE, servers},
        {CURLOPT_WRITEDATA, &fetch->body},
    };
    bool done = true;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        done = fetch->curl.easy_setopt(handle, numbers[i].option, numbers[i].value) == CURLE_OK &&
               done;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        done = fetch->curl.easy_setopt(handle, texts[i].option, texts[i].value) == CURLE_OK && done;
    return fetch->curl.easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK && done;
}

/* Whose fault it is (RFC 8460 4.3.2.2). */
static bool judge(struct fetch *fetch, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return true;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return fail(fetch, TLSREPORT_STS_WEBPKI_INVALID, fetch->curl.easy_strerror(code));
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
        return fail(fetch, TLSREPORT_STS_POLICY_INVALID, "the policy is too large");
    default:
        return fail(fetch, TLSREPORT_STS_POLICY_FETCH_ERROR, fetch->curl.easy_strerror(code));
    }
}

/* RFC 8461 3.3: 200 and nothing else; 3.2: text/plain, since others may let strangers upload. */
static bool judge_answer(struct fetch *fetch, CURL *handle)
{
    long status = 0;
    char *type = NULL;
    char text[64];
    if (fetch->curl.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
        status != 200) {
        snprintf(text, sizeof text, "HTTP status %ld", status);
        return fail(fetch, TLSREPORT_STS_POLICY_FETCH_ERROR, text);
    }
    if (fetch->curl.easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type) != CURLE_OK || !type ||
        !slice_starts_nocase(slice_text(type), SLICE("text/plain")))
        return fail(fetch, TLSREPORT_STS_POLICY_INVALID, "the policy is not text/plain");
    return true;
}

static bool request(struct fetch *fetch, struct str *server)
{
    char url[URL_MAX];
    CURL *handle = fetch->curl.easy_init();
    struct curl_slist *servers = fetch->curl.slist_append(NULL, str_text(server));
    snprintf(url, sizeof url, "https://mta-sts.%s/.well-known/mta-sts.txt", fetch->task->domain);
    if (!handle || !servers || !set_options(fetch, handle, url, servers))
        return fail(fetch, TLSREPORT_STS_POLICY_FETCH_ERROR, "libcurl can't be set up");
    return judge(fetch, fetch->curl.easy_perform(handle)) && judge_answer(fetch, handle);
}

static bool run(struct fetch *fetch)
{
    struct str server;
    str_init(&server, URL_MAX + MX_ADDRESSES_MAX * IP_TEXT_MAX);
    bool done = find_server(fetch, &server) && request(fetch, &server);
    str_free(&server);
    return done;
}

/* ---- the answer -------------------------------------------------------------------------------*/

/* The policy goes on in our own form, parsed where it can do least. */
static bool put_policy(struct fetch *fetch, struct str *packet)
{
    static struct stspolicy policy;
    struct str text;
    const char *reason;
    if (!stspolicy_parse(str_slice(&fetch->body), &policy, &reason))
        return fail(fetch, TLSREPORT_STS_POLICY_INVALID, reason);
    str_init(&text, STSPOLICY_TEXT_MAX);
    bool done = stspolicy_put(&policy, &text);
    wire_put_text(packet, "policy");
    wire_put(packet, str_slice(&text));
    str_free(&text);
    return done || fail(fetch, TLSREPORT_STS_POLICY_INVALID, "out of memory");
}

static void answer(struct fetch *fetch, bool done)
{
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    if (!done || !put_policy(fetch, &packet)) {
        str_clear(&packet);
        wire_put_text(&packet, "none");
        wire_put_text(&packet, tlsreport_result_name(fetch->result));
        wire_put_text(&packet, fetch->reason);
    }
    (void)wire_send(fetch->task->answer, str_slice(&packet), NULL, 0, clock_deadline(0));
    str_free(&packet);
}

int stsfetch_run(const struct stsfetch_task *task)
{
    static struct fetch fetch;
    struct itimerval alarm = {.it_value.tv_sec = MTASTS_FETCH_MS / 1000 + ALARM_MARGIN_SECONDS};
    fetch.task = task;
    (void)setitimer(ITIMER_REAL, &alarm, NULL);
    str_init(&fetch.body, STSPOLICY_FILE_MAX);
    bool loaded = load(&fetch.curl) ||
                  fail(&fetch, TLSREPORT_STS_POLICY_FETCH_ERROR, "libcurl can't be loaded");
    sandbox_enter(&(struct sandbox){.grants = SANDBOX_READ_FILES | SANDBOX_NETWORK,
                                    .read_paths = {"/etc/resolv.conf", task->anchors}});
    answer(&fetch, loaded && run(&fetch));
    str_free(&fetch.body);
    return EXIT_DONE;
}
