/* tlsengine - see tlsengine.h */
#include "tlsengine.h"

#include "clock.h"
#include "ip.h"

#include <string.h>
#include <sys/random.h>

enum {
    SUITE_KEY_EXCHANGE_SHIFT = 12, /* in BearSSL's translated suites */
    HASHES_ECDSA_SHIFT = 8,        /* in its mask of the client's signature algorithms */
    ENTROPY_SIZE = 32,
    ALERT_PROTOCOL_VERSION = 70,
};

struct suite {
    uint16_t code;
    const char *name;
};

/* In our order of preference; the server's holds. ECDSA first, since its signature costs a third
 * of RSA's; AES-128-GCM before AES-256, which gains nothing here. */
static const struct suite suites[] = {
    {BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256"},
    {BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305"},
    {BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384"},
};
enum { SUITE_COUNT = sizeof suites / sizeof *suites };

/* SHA-256 first; never SHA-1. */
static const unsigned signature_hashes[] = {br_sha256_ID, br_sha384_ID, br_sha512_ID};
enum { HASH_COUNT = sizeof signature_hashes / sizeof *signature_hashes };

/* ---- what the client can --------------------------------------------------------------------- */

/* The first hash that the client verifies with this kind of key; 0 when there is none. */
static unsigned find_hash(const br_ssl_server_context *server, bool rsa)
{
    uint32_t hashes = br_ssl_server_get_client_hashes(server);
    for (size_t i = 0; i < HASH_COUNT; i++)
        if (hashes >> (signature_hashes[i] + (rsa ? 0 : HASHES_ECDSA_SHIFT)) & 1)
            return signature_hashes[i];
    return 0;
}

/* The first suite, in the server's order, with this kind of key; 0 when there is none. */
static uint16_t find_suite(const br_ssl_server_context *server, bool rsa)
{
    size_t count;
    const br_suite_translated *list = br_ssl_server_get_client_suites(server, &count);
    unsigned wanted = rsa ? BR_SSLKEYX_ECDHE_RSA : BR_SSLKEYX_ECDHE_ECDSA;
    for (size_t i = 0; i < count; i++)
        if ((unsigned)list[i][1] >> SUITE_KEY_EXCHANGE_SHIFT == wanted)
            return list[i][0];
    return 0;
}

/* A client that does not list the certificate's curve would abort (RFC 8422 5.3). */
static size_t usable_kinds(const br_ssl_server_context *server, enum key_kind kinds[KEY_KINDS])
{
    static const int curves[] = {
        [KEY_P256] = BR_EC_secp256r1, [KEY_P384] = BR_EC_secp384r1, [KEY_P521] = BR_EC_secp521r1};
    size_t count = 0;
    if (find_hash(server, false) && find_suite(server, false))
        for (size_t kind = KEY_P256; kind <= KEY_P521; kind++)
            if (br_ssl_server_get_client_curves(server) >> curves[kind] & 1)
                kinds[count++] = (enum key_kind)kind;
    if (find_hash(server, true) && find_suite(server, true))
        kinds[count++] = KEY_RSA;
    return count;
}

/* ---- policy: certificate and signature from keyd --------------------------------------------- */

/* BearSSL's certificates are not const, though nothing writes to them. */
static br_x509_certificate certificate_of(struct slice der)
{
    return (br_x509_certificate){.data = (unsigned char *)(uintptr_t)der.data,
                                 .data_len = der.size};
}

static int choose(const br_ssl_server_policy_class **context, const br_ssl_server_context *server,
                  br_ssl_server_choices *choices)
{
    struct tlsengine_policy *policy = (struct tlsengine_policy *)(void *)context;
    enum key_kind kinds[KEY_KINDS];
    enum key_kind kind;
    struct slice chain[KEY_CHAIN_MAX];
    size_t count = usable_kinds(server, kinds);
    if (count == 0)
        return 0;
    const char *name = br_ssl_engine_get_server_name(&server->eng);
    size_t length = tlskeys_chain(policy->keys, name, kinds, count, &kind, chain);
    if (length == 0)
        return 0;
    for (size_t i = 0; i < length; i++)
        policy->chain[i] = certificate_of(chain[i]);
    bool rsa = kind == KEY_RSA;
    unsigned signature = rsa ? KEY_RSA_SHA256 & 0xff : KEY_ECDSA_SHA256 & 0xff;
    choices->cipher_suite = find_suite(server, rsa);
    /* Below 0xFF00 BearSSL gives us the message instead of its hash, and sends this number as the
     * signature algorithm: so keyd sees what it signs. */
    choices->algo_id = find_hash(server, rsa) << 8 | signature;
    choices->chain = policy->chain;
    choices->chain_len = length;
    return choices->cipher_suite != 0 && choices->algo_id >= 0x0400;
}

/* Only ECDHE suites are offered: nothing is ever decrypted with a key. */
static uint32_t do_keyx(const br_ssl_server_policy_class **context, unsigned char *data,
                        size_t *length)
{
    (void)context;
    (void)data;
    (void)length;
    return 0;
}

static size_t do_sign(const br_ssl_server_policy_class **context, unsigned algorithm,
                      unsigned char *data, size_t size, size_t room)
{
    struct tlsengine_policy *policy = (struct tlsengine_policy *)(void *)context;
    return tlskeys_sign(policy->keys, algorithm, slice_of(data, size), data, room);
}

static const br_ssl_server_policy_class policy_class = {
    .context_size = sizeof(struct tlsengine_policy),
    .choose = choose,
    .do_keyx = do_keyx,
    .do_sign = do_sign,
};

/* ---- sessions -------------------------------------------------------------------------------- */

static void save_session(const br_ssl_session_cache_class **context, br_ssl_server_context *server,
                         const br_ssl_session_parameters *parameters)
{
    struct tlsengine_cache *cache = (struct tlsengine_cache *)(void *)context;
    struct key_session session = {.version = parameters->version,
                                  .suite = parameters->cipher_suite};
    (void)server;
    if (parameters->session_id_len != KEY_SESSION_ID_SIZE)
        return;
    memcpy(session.id, parameters->session_id, sizeof session.id);
    memcpy(session.secret, parameters->master_secret, sizeof session.secret);
    tlskeys_save(cache->keys, &session);
    explicit_bzero(&session, sizeof session);
}

static int load_session(const br_ssl_session_cache_class **context, br_ssl_server_context *server,
                        br_ssl_session_parameters *parameters)
{
    struct tlsengine_cache *cache = (struct tlsengine_cache *)(void *)context;
    struct key_session session;
    (void)server;
    memcpy(session.id, parameters->session_id, sizeof session.id);
    bool found = tlskeys_load(cache->keys, &session);
    if (found) {
        parameters->session_id_len = KEY_SESSION_ID_SIZE;
        parameters->version = session.version;
        parameters->cipher_suite = session.suite;
        memcpy(parameters->master_secret, session.secret, sizeof session.secret);
    }
    explicit_bzero(&session, sizeof session);
    return found;
}

static const br_ssl_session_cache_class cache_class = {
    .context_size = sizeof(struct tlsengine_cache),
    .save = save_session,
    .load = load_session,
};

/* ---- both ends ------------------------------------------------------------------------------- */

/* Record buffers. Pages that no record has needed yet cost nothing; the input must hold a whole
 * record, since most peers can't be told to send smaller ones. */
static unsigned char input[BR_SSL_BUFSIZE_INPUT];
static unsigned char output[BR_SSL_BUFSIZE_OUTPUT];

static bool prepare(br_ssl_engine_context *engine)
{
    uint16_t codes[SUITE_COUNT];
    unsigned char entropy[ENTROPY_SIZE];
    for (size_t i = 0; i < SUITE_COUNT; i++)
        codes[i] = suites[i].code;
    br_ssl_engine_set_versions(engine, BR_TLS12, BR_TLS12);
    br_ssl_engine_set_suites(engine, codes, SUITE_COUNT);
    br_ssl_engine_set_hash(engine, br_sha256_ID, &br_sha256_vtable);
    br_ssl_engine_set_hash(engine, br_sha384_ID, &br_sha384_vtable);
    br_ssl_engine_set_hash(engine, br_sha512_ID, &br_sha512_vtable);
    br_ssl_engine_set_prf_sha256(engine, &br_tls12_sha256_prf);
    br_ssl_engine_set_prf_sha384(engine, &br_tls12_sha384_prf);
    br_ssl_engine_set_default_ec(engine);
    br_ssl_engine_set_default_aes_gcm(engine);
    br_ssl_engine_set_default_chapol(engine);
    br_ssl_engine_set_buffers_bidi(engine, input, sizeof input, output, sizeof output);
    /* A chroot has no /dev/urandom for BearSSL to find. */
    if (getrandom(entropy, sizeof entropy, 0) != sizeof entropy)
        return false;
    br_ssl_engine_inject_entropy(engine, entropy, sizeof entropy);
    explicit_bzero(entropy, sizeof entropy);
    return true;
}

bool tlsengine_serve(struct tlsengine *tls, struct tlskeys *keys)
{
    br_ssl_server_context *server = &tls->context.server;
    /* Not all of it: a session with a client never touches the pages of the room for chains. */
    tls->policy = (struct tlsengine_policy){.vtable = &policy_class, .keys = keys};
    tls->cache = (struct tlsengine_cache){.vtable = &cache_class, .keys = keys};
    tls->verify.result = TLSREPORT_SUCCESS;
    tls->verify.reason = "";
    tls->engine = &server->eng;
    br_ssl_server_zero(server);
    if (!prepare(tls->engine))
        return false;
    br_ssl_engine_add_flags(tls->engine,
                            BR_OPT_NO_RENEGOTIATION | BR_OPT_ENFORCE_SERVER_PREFERENCES);
    br_ssl_server_set_policy(server, &tls->policy.vtable);
    br_ssl_server_set_cache(server, &tls->cache.vtable);
    return br_ssl_server_reset(server) == 1;
}

/* RFC 6066 3: neither an address nor a trailing dot goes into SNI. NULL: send none. */
static const char *sni_name(const char *name, char copy[256])
{
    struct ip ip;
    struct slice slice = slice_text(name);
    if (slice_ends(slice, SLICE(".")))
        slice.size--;
    if (slice.size == 0 || ip_parse(slice, &ip) || !slice_copy_text(slice, copy, 256))
        return NULL;
    return copy;
}

bool tlsengine_connect(struct tlsengine *tls, const struct tls_check *check,
                       const struct tlsanchors *anchors)
{
    br_ssl_client_context *client = &tls->context.client;
    char name[256];
    *tls = (struct tlsengine){.policy = {.keys = NULL}};
    tls->engine = &client->eng;
    br_ssl_client_zero(client);
    if (!prepare(tls->engine))
        return false;
    br_ssl_engine_add_flags(tls->engine, BR_OPT_NO_RENEGOTIATION);
    br_ssl_engine_set_default_rsavrfy(tls->engine);
    br_ssl_engine_set_default_ecdsa(tls->engine);
    tlsverify_init(&tls->verify, check, anchors, clock_seconds());
    br_ssl_engine_set_x509(tls->engine, &tls->verify.vtable);
    return br_ssl_client_reset(client, sni_name(check->server_name, name), 0) == 1;
}

const char *tlsengine_version(const struct tlsengine *tls)
{
    return br_ssl_engine_get_version(tls->engine) == BR_TLS12 ? "TLSv1.2" : "unknown";
}

const char *tlsengine_cipher(const struct tlsengine *tls)
{
    for (size_t i = 0; i < SUITE_COUNT; i++)
        if (suites[i].code == tls->engine->session.cipher_suite)
            return suites[i].name;
    return "unknown";
}

const char *tlsengine_name(const struct tlsengine *tls)
{
    return br_ssl_engine_get_server_name(tls->engine);
}

/* ---- what went wrong ------------------------------------------------------------------------- */

struct sentence {
    int error;
    const char *text;
};

static const struct sentence sentences[] = {
    {BR_ERR_OK, "the peer closed the connection"},
    {BR_ERR_UNSUPPORTED_VERSION, "the peer does not speak TLS 1.2"},
    {BR_ERR_BAD_VERSION, "not TLS, or another version in the midst of it"},
    {BR_ERR_BAD_LENGTH, "a record of wrong length"},
    {BR_ERR_TOO_LARGE, "a record that is too large"},
    {BR_ERR_BAD_MAC, "a record that was changed on its way"},
    {BR_ERR_NO_RANDOM, "no randomness"},
    {BR_ERR_UNKNOWN_TYPE, "not TLS"},
    {BR_ERR_UNEXPECTED, "a message out of order"},
    {BR_ERR_BAD_ALERT, "a broken alert"},
    {BR_ERR_BAD_HANDSHAKE, "no protocol version, cipher suite or algorithm in common"},
    {BR_ERR_BAD_CIPHER_SUITE, "no cipher suite in common"},
    {BR_ERR_BAD_FINISHED, "the peer's Finished is wrong"},
    {BR_ERR_INVALID_ALGORITHM, "an algorithm that is not supported"},
    {BR_ERR_BAD_SIGNATURE, "the peer's signature is wrong"},
    {BR_ERR_IO, "the connection broke"},
    {BR_ERR_X509_EMPTY_CHAIN, "the server sent no certificate"},
    {BR_ERR_X509_UNSUPPORTED, "the server's certificate has an unknown kind of key"},
};

/* RFC 5246 7.2 and RFC 8446 6.2: what peers really send. */
static const struct sentence alerts[] = {
    {10, "unexpected message"},
    {20, "bad record"},
    {40, "handshake failure"},
    {42, "bad certificate"},
    {43, "unsupported certificate"},
    {44, "certificate revoked"},
    {45, "certificate expired"},
    {46, "certificate unknown"},
    {47, "illegal parameter"},
    {48, "unknown CA"},
    {50, "decode error"},
    {51, "decrypt error"},
    {70, "protocol version"},
    {71, "insufficient security"},
    {80, "internal error"},
    {86, "inappropriate fallback"},
    {90, "user canceled"},
    {112, "unrecognized name"},
    {120, "no application protocol"},
};

static const char *find_sentence(const struct sentence list[], size_t count, int error)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].error == error)
            return list[i].text;
    return NULL;
}

const char *tlsengine_error_text(int error)
{
    const char *text;
    if (error >= BR_ERR_RECV_FATAL_ALERT && error < BR_ERR_SEND_FATAL_ALERT) {
        text =
            find_sentence(alerts, sizeof alerts / sizeof *alerts, error - BR_ERR_RECV_FATAL_ALERT);
        return text ? text : "the peer refused";
    }
    if (error >= BR_ERR_SEND_FATAL_ALERT)
        return error == BR_ERR_SEND_FATAL_ALERT + ALERT_PROTOCOL_VERSION
                   ? "the peer does not speak TLS 1.2"
                   : "no protocol version, cipher suite or signature algorithm in common";
    text = find_sentence(sentences, sizeof sentences / sizeof *sentences, error);
    return text ? text : "broken TLS";
}

const char *tlsengine_reason(const struct tlsengine *tls)
{
    const char *trouble = tls->policy.keys     ? tls->policy.keys->trouble
                          : tls->verify.reason ? tls->verify.reason
                                               : "";
    return trouble[0] != '\0' ? trouble
                              : tlsengine_error_text(br_ssl_engine_last_error(tls->engine));
}

enum tlsreport_result tlsengine_result(const struct tlsengine *tls)
{
    return tls->verify.result != TLSREPORT_SUCCESS ? tls->verify.result
                                                   : TLSREPORT_VALIDATION_FAILURE;
}
