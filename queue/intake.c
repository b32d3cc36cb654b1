/* intake - see intake.h */
#include "intake.h"

#include "clock.h"
#include "inject.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    /* smtpd waits for its client, minutes at most; a peer that is silent for longer is gone. */
    INTAKE_SILENCE_MS = 1200000,
    INTAKE_ANSWER_MS = 60000,
};

static const char too_large[] =
    "D5.3.4 sorry, that message size exceeds my databytes limit (#5.3.4)";
/* The words of SPEC R5.3; a program on the machine has no use for the code of SMTP. */
static const char over_limit[] = "Z4.7.1 sorry, that message exceeds my limit";
static const char is_empty[] = "D5.6.0 the message is empty";
static const char disk_full[] = "Z4.3.1 the queue's disk is full, try again later";
static const char disk_trouble[] = "Z4.3.0 the queue can't be written, try again later";

static bool may_send(struct intake *intake)
{
    const struct localrate *rate = &intake->limits.rate;
    struct localsender *sender = &intake->local;
    localrate_identify(sender, intake->uid, str_slice(&intake->envelope.sender), rate);
    if (sender->message_size < UINT64_MAX - INJECT_FIELDS_ADDED_MAX &&
        sender->message_size + INJECT_FIELDS_ADDED_MAX < intake->limits.databytes)
        intake->limits.databytes = sender->message_size + INJECT_FIELDS_ADDED_MAX;
    return localrate_allows(&intake->state_fd, sender, rate);
}

static bool take_envelope(void *owner, struct slice fields)
{
    struct intake *intake = owner;
    enum admission_result result =
        admission_read(fields, intake->trust, intake->uid, &intake->envelope);
    intake->refusal = result == ADMISSION_OK ? NULL : admission_answer(result);
    if (result == ADMISSION_OK && intake->trust == ADMISSION_STRANGER && !may_send(intake))
        intake->refusal = over_limit;
    if (!intake->refusal)
        store_begin(&intake->store, &intake->envelope);
    return result != ADMISSION_BAD;
}

static void refuse(struct intake *intake, const char *answer)
{
    intake->refusal = answer;
    store_abort(&intake->store);
}

static void take_data(void *owner, struct slice bytes)
{
    struct intake *intake = owner;
    if (intake->refusal)
        return;
    if (bytes.size > intake->limits.databytes - intake->store.size)
        refuse(intake, too_large);
    else
        store_write(&intake->store, bytes);
}

static void log_stored(const struct intake *intake)
{
    struct log_line line;
    log_begin(&line, "new");
    log_text(&line, "id", intake->store.id);
    log_number(&line, "size", (int64_t)intake->store.size);
    log_value(&line, "sender", str_slice(&intake->envelope.sender));
    log_number(&line, "recipients", (int64_t)intake->envelope.recipient_count);
    log_value(&line, "origin", str_slice(&intake->envelope.origin));
    log_end(&line);
}

static void log_refused(const struct intake *intake, const char *answer)
{
    struct log_line line;
    log_begin(&line, "refused");
    log_number(&line, "uid", (int64_t)intake->uid);
    log_number(&line, "size", (int64_t)intake->store.size);
    log_value(&line, "sender", str_slice(&intake->envelope.sender));
    log_value(&line, "origin", str_slice(&intake->envelope.origin));
    log_text(&line, "answer", answer);
    log_end(&line);
}

static const char *answer_for_error(int error)
{
    log_trouble("write a message to", "queue/message", error,
                error == ENOSPC || error == EDQUOT ? "make room on the queue's disk"
                                                   : "look at the disk and at queue/'s owner");
    return error == ENOSPC || error == EDQUOT ? disk_full : disk_trouble;
}

static const char *finish(struct intake *intake)
{
    if (intake->refusal)
        return intake->refusal;
    if (intake->store.size == 0) {
        store_abort(&intake->store);
        return is_empty;
    }
    if (store_commit(&intake->store) != VERDICT_OK)
        return answer_for_error(intake->store.error);
    if (intake->trust == ADMISSION_STRANGER)
        localrate_count(&intake->state_fd, &intake->local, &intake->limits.rate);
    return NULL;
}

static void answer_message(struct intake *intake)
{
    char text[QUEUEFILE_ID_SIZE + 2] = "K";
    const char *refusal = finish(intake);
    str_clear(&intake->answer);
    if (refusal) {
        wire_put_text(&intake->answer, refusal);
    } else {
        for (size_t i = 0; i < QUEUEFILE_ID_SIZE; i++)
            text[i + 1] = intake->store.id[i];
        wire_put_text(&intake->answer, text);
    }
    /* A peer that is gone learns nothing; its message is in the queue all the same. */
    if (!intake->answer.failed)
        (void)io_write_all(intake->peer_fd, str_slice(&intake->answer),
                           clock_deadline(INTAKE_ANSWER_MS));
    /* The log comes after the answer, which somebody waits for. */
    if (refusal)
        log_refused(intake, refusal);
    else if (intake->uid != life_uid(ROLE_SMTPD)) /* which says more than we know */
        log_stored(intake);
}

static const struct inject_stream_hooks hooks = {.envelope = take_envelope, .data = take_data};

void intake_init(struct intake *intake, int folder)
{
    *intake = (struct intake){.peer_fd = -1, .state_fd = -1};
    store_init(&intake->store, folder);
    envelope_init(&intake->envelope);
    str_init(&intake->answer, INJECT_REPLY_MAX);
    str_init(&intake->input, INTAKE_READ_SIZE);
    inject_stream_init(&intake->stream, &hooks, intake);
}

void intake_free(struct intake *intake)
{
    inject_stream_free(&intake->stream);
    store_free(&intake->store);
    envelope_free(&intake->envelope);
    str_free(&intake->answer);
    str_free(&intake->input);
    io_close(&intake->state_fd);
}

void intake_prepare(struct intake *intake, uid_t uid)
{
    if (admission_trust(uid) == ADMISSION_STRANGER)
        intake->state_fd = localrate_connect();
}

/* The descriptor is blocking and has a receive timeout: one call per read. */
static bool set_timeout(int fd)
{
    struct timeval wait = {.tv_sec = INTAKE_SILENCE_MS / 1000};
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0;
}

/* False: it did not come whole. */
static bool read_message(struct intake *intake)
{
    str_clear(&intake->input);
    char *bytes = str_reserve(&intake->input, INTAKE_READ_SIZE);
    if (!bytes)
        log_trouble("read from", INJECT_SOCKET, ENOMEM, NULL);
    while (bytes && intake->stream.state != INJECT_STREAM_DONE) {
        ssize_t got = read(intake->peer_fd, bytes, INTAKE_READ_SIZE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        if (!inject_stream_feed(&intake->stream, slice_of(bytes, (size_t)got))) {
            log_trouble("understand a peer of", INJECT_SOCKET, 0, NULL);
            return false;
        }
    }
    return bytes != NULL;
}

void intake_serve(struct intake *intake, int fd, uid_t uid, const struct inject_limits *limits)
{
    intake->peer_fd = fd;
    intake->uid = uid;
    intake->trust = admission_trust(uid);
    intake->limits = *limits;
    intake->store.spares_folder = limits->spares_folder;
    intake->refusal = NULL;
    inject_stream_free(&intake->stream);
    inject_stream_init(&intake->stream, &hooks, intake);
    if (set_timeout(fd) && read_message(intake))
        answer_message(intake);
    store_abort(&intake->store);
}
