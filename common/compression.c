/* compression - see compression.h */
#include "compression.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    LEVEL = 4,
    /* The usual size, 256 KB, which is held only while something is sent. With 22 KB (-12 and 1) a
     * thousand real messages shrink to 91 % rather than to 70 %, and in three times the time. */
    SENT_WINDOW = -15,
    SENT_MEMORY = 8,
    READ_WINDOW = -15, /* negative: raw */
    PAST_MAX = 32768,
};

struct compression {
    struct stream_filter filter;
    z_stream sent, read;
    bool sends, reads; /* the state above exists */
    bool fresh;        /* something was sent since the last flush */
    struct str past;   /* what the reader had decoded, while its state does not exist */
};

/* At most what zlib can count. */
static uInt clip(size_t size)
{
    return size < UINT_MAX ? (uInt)size : UINT_MAX;
}

/* zlib's interface takes bytes that it does not change as if it did. */
static void set_input(z_stream *state, struct slice bytes)
{
    state->next_in = (z_const Bytef *)(uintptr_t)bytes.data;
    state->avail_in = clip(bytes.size);
}

static void set_output(z_stream *state, char *bytes, size_t size)
{
    state->next_out = (Bytef *)bytes;
    state->avail_out = clip(size);
}

static bool begin_sending(struct compression *compression)
{
    if (!compression->sends)
        compression->sends = deflateInit2(&compression->sent, LEVEL, Z_DEFLATED, SENT_WINDOW,
                                          SENT_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
    return compression->sends;
}

/* A block that is stored as it is (RFC 1951 3.2.4), which needs no memory. */
static size_t store(struct slice *plain, char *wire, size_t room)
{
    enum { HEAD = 5, BLOCK_MAX = 65535 };
    size_t size = plain->size < BLOCK_MAX ? plain->size : BLOCK_MAX;
    if (size > room - HEAD)
        size = room - HEAD;
    uint16_t length = (uint16_t)size, inverse = (uint16_t)~length;
    wire[0] = 0;
    memcpy(wire + 1, &length, sizeof length); /* little-endian, as our machines are */
    memcpy(wire + 3, &inverse, sizeof inverse);
    if (size > 0)
        memcpy(wire + HEAD, plain->data, size);
    *plain = slice_from(*plain, size);
    return HEAD + size;
}

static size_t encode(struct stream_filter *filter, struct slice *plain, bool flush, char *wire,
                     size_t room, bool *done)
{
    struct compression *compression = (struct compression *)(void *)filter;
    z_stream *state = &compression->sent;
    if (!begin_sending(compression)) {
        size_t made = plain->size > 0 ? store(plain, wire, room) : 0;
        *done = plain->size == 0;
        return made;
    }
    struct slice all = *plain;
    set_input(state, all);
    set_output(state, wire, room);
    deflate(state, flush && all.size <= UINT_MAX ? Z_SYNC_FLUSH : Z_NO_FLUSH);
    *plain = slice_from(all, clip(all.size) - state->avail_in);
    /* With room left there is nothing more to be had. */
    *done = plain->size == 0 && state->avail_out > 0;
    return room - state->avail_out;
}

/* The reader's state, with the past that it had. */
static bool begin_reading(struct compression *compression)
{
    if (compression->reads)
        return true;
    struct slice past = str_slice(&compression->past);
    compression->reads = inflateInit2(&compression->read, READ_WINDOW) == Z_OK;
    if (compression->reads && past.size > 0)
        inflateSetDictionary(&compression->read, (const Bytef *)past.data, (uInt)past.size);
    str_free(&compression->past);
    return compression->reads;
}

static bool decode(struct stream_filter *filter, struct slice *wire, char *plain, size_t room,
                   size_t *made)
{
    struct compression *compression = (struct compression *)(void *)filter;
    z_stream *state = &compression->read;
    *made = 0;
    if (wire->size == 0 && !compression->reads)
        return true;
    errno = ENOMEM;
    if (!begin_reading(compression))
        return false;
    struct slice all = *wire;
    set_input(state, all);
    set_output(state, plain, room);
    int result = inflate(state, Z_SYNC_FLUSH);
    *wire = slice_from(all, clip(all.size) - state->avail_in);
    *made = clip(room) - state->avail_out;
    /* A peer that ends its DEFLATE has nothing more to say: what follows makes no sense. */
    errno = result == Z_MEM_ERROR ? ENOMEM : EPROTO;
    return result == Z_OK || result == Z_BUF_ERROR || (result == Z_STREAM_END && *made > 0);
}

struct compression *compression_new(void)
{
    struct compression *compression = calloc(1, sizeof *compression);
    if (!compression)
        return NULL;
    compression->filter = (struct stream_filter){.encode = encode, .decode = decode};
    str_init(&compression->past, PAST_MAX);
    return compression;
}

static void end_sending(struct compression *compression)
{
    if (compression->sends)
        deflateEnd(&compression->sent);
    compression->sends = false;
}

static void end_reading(struct compression *compression)
{
    if (compression->reads)
        inflateEnd(&compression->read);
    compression->reads = false;
}

void compression_free(struct compression **compression)
{
    if (!*compression)
        return;
    end_sending(*compression);
    end_reading(*compression);
    str_free(&(*compression)->past);
    free(*compression);
    *compression = NULL;
}

struct stream_filter *compression_filter(struct compression *compression)
{
    return &compression->filter;
}

/* Is the reader between two blocks, at a whole byte? Only there is the past all it has to know. */
static bool is_between_blocks(const z_stream *state)
{
    enum { BLOCK_ENDED = 128, BITS = 63 };
    return (state->data_type & BLOCK_ENDED) && (state->data_type & BITS) == 0;
}

void compression_slim(struct compression *compression)
{
    /* What follows a flush is a DEFLATE of its own to a reader that has the past and does not need
     * it. */
    end_sending(compression);
    if (!compression->reads || !is_between_blocks(&compression->read))
        return;
    uInt size = 0;
    if (inflateGetDictionary(&compression->read, NULL, &size) != Z_OK)
        return;
    str_clear(&compression->past);
    char *room = size > 0 ? str_reserve(&compression->past, size) : NULL;
    if (size > 0 && !room)
        return;
    if (room)
        inflateGetDictionary(&compression->read, (Bytef *)room, &size);
    str_added(&compression->past, size);
    end_reading(compression);
}
