/* failure - see failure.h */
#include "failure.h"

#include "clock.h"
#include "io.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* `size` bytes of `text` as one line. */
static void put_line(struct str *line, struct slice text, size_t max)
{
    char clean[FAILURE_TEXT_MAX];
    struct slice part = slice_part(text, 0, max);
    for (size_t i = 0; i < part.size; i++)
        clean[i] = (unsigned char)part.data[i] < ' ' || part.data[i] == 0x7f ? ' ' : part.data[i];
    wire_put(line, slice_of(clean, part.size));
}

bool failure_format(struct str *line, const struct failure *failure)
{
    put_line(line, failure->recipient, FAILURE_TEXT_MAX);
    put_line(line, failure->status, FAILURE_STATUS_MAX);
    put_line(line, failure->text, FAILURE_TEXT_MAX);
    put_line(line, failure->server, FAILURE_SERVER_MAX);
    return str_append_byte(line, '\n');
}

bool failure_next(struct slice *rest, struct failure *failure)
{
    struct slice line = *rest;
    if (wire_cut_netstring(&line, FAILURE_TEXT_MAX, &failure->recipient) != 1 ||
        wire_cut_netstring(&line, FAILURE_STATUS_MAX, &failure->status) != 1 ||
        wire_cut_netstring(&line, FAILURE_TEXT_MAX, &failure->text) != 1 ||
        wire_cut_netstring(&line, FAILURE_SERVER_MAX, &failure->server) != 1 || line.size == 0 ||
        line.data[0] != '\n')
        return false;
    *rest = slice_from(line, 1);
    return true;
}

/* What a crash left of a line would hide those behind it. */
static bool cut_torn_line(int folder, const char *id, int fd, off_t size)
{
    struct str content;
    struct failure failure;
    str_init(&content, FAILURE_FILE_MAX);
    bool done = failure_read(folder, id, &content);
    struct slice rest = str_slice(&content);
    while (failure_next(&rest, &failure))
        ;
    if (done && rest.size > 0)
        done = ftruncate(fd, size - (off_t)rest.size) == 0;
    str_free(&content);
    return done;
}

bool failure_append(int folder, const char *id, struct slice lines)
{
    struct stat info;
    int fd = openat(folder, id, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool done = fstat(fd, &info) == 0;
    bool is_new = done && info.st_size == 0;
    done = done && (is_new || cut_torn_line(folder, id, fd, info.st_size)) &&
           io_write_all(fd, lines, CLOCK_NEVER) && fdatasync(fd) == 0 &&
           (!is_new || io_sync_folder(folder));
    io_close(&fd);
    return done;
}

void failure_find(struct slice lines, struct slice recipient, struct failure *failure)
{
    struct failure one;
    while (failure_next(&lines, &one))
        if (slice_equal(one.recipient, recipient))
            *failure = one;
}

bool failure_read(int folder, const char *id, struct str *content)
{
    return io_read_file(folder, id, content) || errno == ENOENT;
}
