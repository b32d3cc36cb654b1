/* sendmail -bs: whatever a web form lets through - the dialogue ends, each answer is a line that begins
 * with a code, and no more messages are taken than were said to be. There is no queue behind it. */
#include "io.h"
#include "sendmail_smtp.h"
#include "str.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { INPUT_MAX = 65536, OUTPUT_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_line(struct slice line)
{
    check(slice_ends(line, SLICE("\r")) && line.size >= 5);
    for (size_t i = 0; i < 3; i++)
        check(slice_is_digit(line.data[i]));
    check(line.data[3] == ' ' || line.data[3] == '-');
    check(!slice_has_control(slice_part(line, 0, line.size - 1)));
    check(!slice_starts(line, SLICE("250 2.0.0 queued")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sendmail_options options;
    struct str output;
    int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
    if (size > INPUT_MAX)
        size = INPUT_MAX;
    check(in >= 0 && out >= 0 && io_write_all(in, slice_of(data, size), INT64_MAX));
    check(lseek(in, 0, SEEK_SET) == 0);
    (void)sendmail_smtp(&options, in, out, "/nonexistent");
    str_init(&output, OUTPUT_MAX);
    off_t end = lseek(out, 0, SEEK_END);
    check(end > 0 && end < OUTPUT_MAX && str_reserve(&output, (size_t)end));
    check(io_pread_all(out, str_reserve(&output, (size_t)end), (size_t)end, 0));
    str_added(&output, (size_t)end);
    for (struct slice rest = str_slice(&output); rest.size > 0;)
        check_line(slice_cut(&rest, '\n'));
    str_free(&output);
    io_close(&in);
    io_close(&out);
    return 0;
}
