/* handover - see handover.h */
#include "handover.h"

#include "clock.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A pipe that holds these bytes and then ends: the read end. */
static int pipe_of(struct slice bytes)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    if (!io_write_all(ends[1], bytes, 0))
        io_close(&ends[0]);
    io_close(&ends[1]);
    return ends[0];
}

bool handover_ask(struct auth_request *request, struct slice pending, struct auth_answer *answer)
{
    request->input_fd = pipe_of(pending);
    if (request->input_fd < 0)
        return false;
    auth_ask(request, answer);
    io_close(&request->input_fd);
    return true;
}

void handover_describe(struct log_line *line, struct slice user, const char *mechanism,
                       const char *client, const struct tls_session *tls,
                       const struct auth_answer *answer)
{
    log_text(line, "result", auth_code_name(answer->code));
    log_value(line, "user", user);
    if (answer->code == AUTH_OK)
        log_text(line, "account", answer->account);
    log_text(line, "mechanism", mechanism);
    log_text(line, "client", client);
    log_text(line, "tls", tls_name(tls));
}

static bool read_all(int fd, struct str *pending)
{
    int64_t deadline = clock_deadline(HANDOVER_READ_MS);
    for (;;) {
        char bytes[4096];
        ssize_t got = io_read(fd, bytes, sizeof bytes, deadline);
        if (got <= 0)
            return got == 0;
        if (!str_append(pending, slice_of(bytes, (size_t)got))) {
            errno = EFBIG;
            return false;
        }
    }
}

bool handover_read(int fd, struct str *pending)
{
    bool done = read_all(fd, pending);
    io_close(&fd);
    return done;
}
