/* engine - see engine.h */
#include "engine.h"

#include "encode.h"
#include "log.h"
#include "str.h"
#include "writewatch.h"

#include <clamav.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef MAIL_SUITE_SANITIZER
/* What libclamav itself never frees is no finding about us. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libclamav\n";
}
#endif

enum { CANARY_MAX = 4096 };

/* A scan that is under way. */
struct scan {
    struct findings *findings;
    unsigned inspections;
    bool has_error;
    bool rar_waits; /* a RAR archive was seen, and nothing out of it yet */
    uint32_t rar_level;
};

/* The message callback is libclamav's only one that gets no context it can be trusted to fill. */
static struct scan *current;

/* ---- what libclamav tells ------------------------------------------------------------------- */

static void keep_reason(struct findings *findings, const char *reason)
{
    struct slice text = slice_trim(slice_text(reason));
    if (findings->reason[0] == '\0')
        slice_copy_text(slice_part(text, 0, REASON_MAX - 1), findings->reason, REASON_MAX);
}

static void hear(enum cl_msg severity, const char *full, const char *message, void *context)
{
    (void)full;
    (void)context;
    /* A warning during a scan is about the message: its sender would write our log. */
    if (severity == CL_MSG_ERROR && current) {
        current->has_error = true;
        keep_reason(current->findings, message);
    } else if (severity != CL_MSG_INFO_VERBOSE && !current) {
        struct log_line line;
        log_begin(&line, "libclamav");
        log_value(&line, "says", slice_trim(slice_text(message)));
        log_end(&line);
    }
}

/* Called for each file that is looked into, the message first, then what comes out of it. */
static cl_error_t inspect(int fd, const char *type, const char **ancestors, size_t parent_size,
                          const char *name, size_t size, const char *content, uint32_t level,
                          uint32_t attributes, void *context)
{
    (void)fd;
    (void)ancestors;
    (void)parent_size;
    (void)name;
    (void)content;
    (void)attributes;
    struct scan *scan = context;
    scan->inspections++;
    /* Level 1 is what stands in the message itself: libclamav may make that a little larger than it
     * came, and the limit of the message is enough for it. */
    if (level > 1 && size >= ENGINE_ATTACHMENT_LIMIT)
        scan->findings->is_beyond_limits = true;
    if (scan->rar_waits && level <= scan->rar_level)
        scan->findings->has_rar = true; /* nothing came out of it: it could not be opened */
    scan->rar_waits = false;
    if (type && slice_starts(slice_text(type), SLICE("CL_TYPE_RAR"))) {
        scan->rar_waits = true;
        scan->rar_level = level;
    }
    return CL_CLEAN;
}

static void found(int fd, const char *name, void *context)
{
    (void)fd;
    struct scan *scan = context;
    struct findings *findings = scan->findings;
    struct slice what = slice_text(name);
    if (slice_starts(what, SLICE("Heuristics.Limits.")))
        findings->is_beyond_limits = true;
    else if (slice_starts(what, SLICE("Heuristics.Encrypted.")))
        findings->is_encrypted = true;
    else if (findings->infection[0] == '\0')
        slice_copy_text(slice_part(what, 0, FINDING_MAX - 1), findings->infection, FINDING_MAX);
}

/* ---- loading -------------------------------------------------------------------------------- */

/* False when the folder is there and can't be read: there may be signatures in it. */
static bool count_files(const char *path, unsigned *count)
{
    struct cl_stat files = {0};
    *count = 0;
    if (access(path, R_OK | X_OK) < 0)
        return errno == ENOENT;
    if (cl_statinidir(path, &files) != CL_SUCCESS)
        return false;
    *count = files.entries;
    cl_statfree(&files);
    return true;
}

static bool load_folder(struct engine *engine, const char *path)
{
    unsigned files;
    if (!count_files(path, &files)) {
        log_trouble("read signatures of", path, errno, "make the folder readable for scand");
        return false;
    }
    cl_error_t result =
        files > 0 ? cl_load(path, engine->handle, &engine->signatures, CL_DB_STDOPT) : CL_SUCCESS;
    if (result != CL_SUCCESS)
        log_trouble("load signatures of", path, 0, cl_strerror(result));
    return result == CL_SUCCESS;
}

/* Fixed before the first scan, for ever. No cache: it would answer for files seen before, without
 * an inspection, and let one message change what is said of another. */
static bool set_options(struct cl_engine *handle, unsigned scan_ms)
{
    cl_engine_set_clcb_file_inspection(handle, inspect);
    cl_engine_set_clcb_virus_found(handle, found);
    return cl_engine_set_num(handle, CL_ENGINE_DISABLE_CACHE, 1) == CL_SUCCESS &&
           cl_engine_set_num(handle, CL_ENGINE_MAX_FILESIZE, ENGINE_MESSAGE_MAX) == CL_SUCCESS &&
           cl_engine_set_num(handle, CL_ENGINE_MAX_SCANTIME, scan_ms) == CL_SUCCESS;
}

bool engine_load(struct engine *engine, const char *const folders[], size_t count, unsigned scan_ms)
{
    *engine = (struct engine){0};
    cl_set_clcb_msg(hear);
    if (cl_init(CL_INIT_DEFAULT) != CL_SUCCESS)
        return false;
    engine->handle = cl_engine_new();
    bool done = engine->handle && set_options(engine->handle, scan_ms);
    for (size_t i = 0; i < count && done; i++)
        done = load_folder(engine, folders[i]);
    if (done && engine->signatures == 0) {
        log_trouble("load", "signatures", 0, "run make setup; see control/clamdb");
        done = false;
    }
    done = done && cl_engine_compile(engine->handle) == CL_SUCCESS;
    if (!done)
        engine_free(engine);
    return done;
}

void engine_free(struct engine *engine)
{
    if (engine->handle)
        cl_engine_free(engine->handle);
    *engine = (struct engine){0};
}

bool engine_set_folder(struct engine *engine, const char *folder)
{
    return cl_engine_set_str(engine->handle, CL_ENGINE_TMPDIR, folder) == CL_SUCCESS;
}

/* ---- scanning ------------------------------------------------------------------------------- */

/* All matches are wanted, so that an encrypted archive can't hide that another is too deep. */
static const struct cl_scan_options scan_options = {
    .general = CL_SCAN_GENERAL_HEURISTICS | CL_SCAN_GENERAL_ALLMATCHES,
    .parse = ~0u,
    .heuristic = CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE | CL_SCAN_HEURISTIC_ENCRYPTED_DOC |
                 CL_SCAN_HEURISTIC_EXCEEDS_MAX,
};

static bool is_limit(cl_error_t result)
{
    return result == CL_ETIMEOUT || result == CL_EMAXREC || result == CL_EMAXSIZE ||
           result == CL_EMAXFILES;
}

static void conclude(struct scan *scan, cl_error_t result, const char *name)
{
    struct findings *findings = scan->findings;
    if (scan->rar_waits)
        findings->has_rar = true;
    if (is_limit(result))
        findings->is_beyond_limits = true;
    bool is_answer = result == CL_SUCCESS || result == CL_VIRUS || is_limit(result);
    bool was_named = findings->infection[0] || findings->is_encrypted || findings->is_beyond_limits;
    /* "Virus", but the callback told of none: take the result's word. */
    if (result == CL_VIRUS && !was_named)
        found(-1, name ? name : "unnamed", scan);
    int error = writewatch_error();
    if (error != 0)
        keep_reason(findings, strerror(error));
    else if (!is_answer)
        keep_reason(findings, cl_strerror(result));
    else if (scan->inspections == 0)
        keep_reason(findings, "libclamav has looked at nothing");
    findings->is_complete = is_answer && !scan->has_error && error == 0 && scan->inspections > 0;
    if (findings->is_complete)
        findings->reason[0] = '\0';
}

/* What libclamav would answer for without looking: too small for any virus, or larger than its
 * limit for a file. */
static bool is_beside_the_point(size_t size, struct findings *findings)
{
    findings->is_beyond_limits = size > ENGINE_MESSAGE_MAX;
    findings->is_complete = size < ENGINE_LEAST_BYTES || findings->is_beyond_limits;
    return findings->is_complete;
}

void engine_scan(const struct engine *engine, struct slice message, struct findings *findings)
{
    *findings = (struct findings){0};
    if (is_beside_the_point(message.size, findings))
        return;
    struct scan scan = {.findings = findings};
    cl_fmap_t *map = cl_fmap_open_memory(message.data, message.size);
    if (!map) {
        keep_reason(findings, "no memory");
        return;
    }
    const char *name = NULL;
    unsigned long scanned = 0;
    struct cl_scan_options options = scan_options;
    writewatch_begin();
    current = &scan;
    cl_error_t result =
        cl_scanmap_callback(map, NULL, &name, &scanned, engine->handle, &options, &scan);
    current = NULL;
    conclude(&scan, result, name);
    cl_fmap_close(map);
}

/* ---- the canary ------------------------------------------------------------------------------
 * The EICAR test string, disguised, so that no scanner takes this program or its source for it. */

static const unsigned char disguised[] = {
    0x0d, 0x60, 0x1a, 0x74, 0x05, 0x70, 0x15, 0x14, 0x05, 0x0e, 0x61, 0x09, 0x05, 0x0f,
    0x0d, 0x60, 0x61, 0x7d, 0x05, 0x0b, 0x7c, 0x62, 0x16, 0x16, 0x7c, 0x62, 0x28, 0x71,
    0x10, 0x1c, 0x16, 0x14, 0x07, 0x78, 0x06, 0x01, 0x14, 0x1b, 0x11, 0x14, 0x07, 0x11,
    0x78, 0x14, 0x1b, 0x01, 0x1c, 0x03, 0x1c, 0x07, 0x00, 0x06, 0x78, 0x01, 0x10, 0x06,
    0x01, 0x78, 0x13, 0x1c, 0x19, 0x10, 0x74, 0x71, 0x1d, 0x7e, 0x1d, 0x7f,
};

static bool write_canary(struct str *message, bool is_infected)
{
    char content[sizeof disguised];
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = is_infected ? (char)(disguised[i] ^ 0x55) : '.';
    str_append_text(message, "Received: from canary\r\nSubject: canary\r\nMIME-Version: 1.0\r\n"
                             "Content-Type: multipart/mixed; boundary=\"canary\"\r\n\r\n"
                             "--canary\r\nContent-Type: application/octet-stream\r\n"
                             "Content-Transfer-Encoding: base64\r\n\r\n");
    encode_base64(slice_of(content, sizeof content), message);
    return str_append_text(message, "\r\n--canary--\r\n");
}

static bool canary_is(const struct engine *engine, bool is_infected, struct findings *findings)
{
    struct str message;
    str_init(&message, CANARY_MAX);
    bool written = write_canary(&message, is_infected);
    if (written)
        engine_scan(engine, str_slice(&message), findings);
    str_free(&message);
    return written && findings->is_complete && is_infected == (findings->infection[0] != '\0');
}

bool engine_is_sound(const struct engine *engine, char reason[REASON_MAX])
{
    struct findings findings = {0};
    reason[0] = '\0';
    if (!canary_is(engine, true, &findings)) {
        snprintf(reason, REASON_MAX, "the test virus was not found %.100s", findings.reason);
        return false;
    }
    if (!canary_is(engine, false, &findings)) {
        snprintf(reason, REASON_MAX, "a clean message was not clean %.100s",
                 findings.infection[0] ? findings.infection : findings.reason);
        return false;
    }
    return true;
}
