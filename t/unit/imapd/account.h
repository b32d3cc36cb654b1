/*
 * account - an empty account in a temporary folder, and sessions on it without a network
 */
#ifndef T_IMAPD_ACCOUNT_H
#define T_IMAPD_ACCOUNT_H

#include "accountfolder.h"

#include "imapsession.h"

#include <string.h>
#include <sys/mman.h>

/* Runs a whole session over files: what the client sends is there from the start. */
static inline void account_talk(struct slice input, struct str *output)
{
    struct imapsession session = {.account = "u1@example.jp", .client = "192.0.2.1", .tls = "0"};
    int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
    assert_true(in >= 0 && out >= 0 && io_write_all(in, input, INT64_MAX));
    assert_true(lseek(in, 0, SEEK_SET) == 0);
    assert_true(imapsession_begin(&session, in, out, SLICE("")));
    imapsession_run(&session);
    imapsession_end(&session);
    assert_true(lseek(out, 0, SEEK_SET) == 0);
    char bytes[65536];
    for (ssize_t got = read(out, bytes, sizeof bytes); got > 0;
         got = read(out, bytes, sizeof bytes))
        assert_true(str_append(output, slice_of(bytes, (size_t)got)));
    io_close(&in);
    io_close(&out);
}

/* In an expected line '#' stands for a number, '~' for any rest of the line. */
static inline bool account_line_fits(struct slice line, struct slice wanted)
{
    size_t at = 0;
    for (size_t i = 0; i < wanted.size; i++) {
        if (wanted.data[i] == '~')
            return true;
        if (wanted.data[i] == '#') {
            size_t start = at;
            while (at < line.size && slice_is_digit(line.data[at]))
                at++;
            if (at == start)
                return false;
            continue;
        }
        if (at >= line.size || line.data[at] != wanted.data[i])
            return false;
        at++;
    }
    return at == line.size;
}

static inline void account_compare(const char *name, struct slice output, const char *expected)
{
    struct slice wanted = slice_text(expected), got = output;
    while (wanted.size > 0 || got.size > 0) {
        struct slice want_line = slice_cut(&wanted, '\n'), line = slice_cut(&got, '\n');
        if (line.size > 0 && line.data[line.size - 1] == '\r')
            line.size--;
        if (!account_line_fits(line, want_line))
            fail_msg("%s: expected \"%.*s\", got \"%.*s\"", name, SLICE_PRINTF(want_line),
                     SLICE_PRINTF(line));
    }
}

#endif
