/* Whatever a peer sends as DEFLATE, the stream gives lines within its bounds, or an error; and what
 * is written comes out as it went in. */
#include "compression.h"
#include "io.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { INPUT_MAX = 40000, LINE_MAX_SIZE = 1000, TAKEN_MAX = 4 << 20 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void read_as_lines(int in, int out)
{
    struct stream stream;
    struct compression *compression = compression_new();
    size_t taken = 0;
    must(compression && stream_init(&stream, in, out, INPUT_MAX, 100));
    must(stream_set_filter(&stream, compression_filter(compression)) == STREAM_OK);
    for (;;) {
        struct slice line;
        enum stream_result result = stream_line(&stream, LINE_MAX_SIZE, &line);
        if (result == STREAM_TOO_LONG)
            result = stream_skip_line(&stream);
        else if (result == STREAM_OK)
            must(line.size <= LINE_MAX_SIZE);
        must(stream.input.size <= INPUT_MAX);
        taken += LINE_MAX_SIZE;
        if (result != STREAM_OK || taken > TAKEN_MAX)
            break;
        compression_slim(compression);
    }
    stream_free(&stream);
    compression_free(&compression);
}

static void write_and_read_back(int fd, struct slice bytes)
{
    struct stream writer, reader;
    struct compression *there = compression_new(), *back = compression_new();
    must(there && back && stream_init(&writer, fd, fd, INPUT_MAX, 100));
    must(stream_set_filter(&writer, compression_filter(there)) == STREAM_OK);
    stream_write(&writer, slice_part(bytes, 0, bytes.size / 2));
    must(stream_flush(&writer) == STREAM_OK);
    compression_slim(there);
    stream_write(&writer, slice_from(bytes, bytes.size / 2));
    must(stream_flush(&writer) == STREAM_OK && lseek(fd, 0, SEEK_SET) == 0);
    must(stream_init(&reader, fd, fd, INPUT_MAX, 100));
    must(stream_set_filter(&reader, compression_filter(back)) == STREAM_OK);
    while (bytes.size > 0) {
        struct slice got;
        must(stream_bytes(&reader, bytes.size, &got) == STREAM_OK);
        must(memcmp(got.data, bytes.data, got.size) == 0);
        bytes = slice_from(bytes, got.size);
    }
    stream_free(&writer);
    stream_free(&reader);
    compression_free(&there);
    compression_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
    must(in >= 0 && out >= 0 && io_write_all(in, slice_of(bytes, size), INT64_MAX));
    must(lseek(in, 0, SEEK_SET) == 0);
    read_as_lines(in, out);
    write_and_read_back(out, slice_of(bytes, size));
    io_close(&in);
    io_close(&out);
    return 0;
}
