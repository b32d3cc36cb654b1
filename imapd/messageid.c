/* messageid - see messageid.h */
#include "messageid.h"

#include "hash.h"
#include "mailspace.h"

enum place { OUTSIDE, INSIDE, QUOTED, COMMENT };

/* One pass over the field: no run of '<', quotes or brackets that never close costs more than its
 * bytes. */
struct reader {
    struct str *id;
    enum place place;
    size_t size;  /* bytes since '<' */
    size_t depth; /* of comments */
    bool fresh;   /* a comment may begin here: behind '<', blanks and other comments */
};

static void begin_id(struct reader *reader)
{
    str_clear(reader->id);
    *reader = (struct reader){.id = reader->id, .place = INSIDE, .fresh = true};
}

static bool is_valid(const struct str *id)
{
    size_t at = slice_find(str_slice(id), '@');
    return at > 0 && at + 1 < id->size && !id->failed;
}

static void take_in_comment(struct reader *reader, char byte)
{
    if (byte == '(')
        reader->depth++;
    else if (byte == ')' && --reader->depth == 0)
        reader->place = INSIDE;
    reader->fresh = true;
}

static void take_in_quotes(struct reader *reader, char byte)
{
    if (byte == '"')
        reader->place = INSIDE;
    else if (byte != '\r' && byte != '\n')
        str_append_byte(reader->id, byte);
    reader->fresh = false;
}

static bool is_plain(char byte)
{
    return (unsigned char)byte > ' ' && byte != '<' && byte != '>' && byte != '"' && byte != '(';
}

/* The plain bytes at the front, of which ids are made nearly always. */
static size_t plain_size(struct slice text)
{
    size_t size = 0;
    while (size < text.size && is_plain(text.data[size]))
        size++;
    return size;
}

static void take_plain(struct reader *reader, struct slice *rest, size_t size)
{
    str_append(reader->id, slice_part(*rest, 0, size));
    *rest = slice_from(*rest, size);
    reader->size += size;
    reader->fresh = false;
}

/* True when an id ended here. */
static bool take_in_id(struct reader *reader, char byte)
{
    bool is_space = mailspace_is_space(byte);
    if (byte == '<') {
        begin_id(reader);
        return false;
    }
    if (byte == '>') {
        reader->place = OUTSIDE;
        return is_valid(reader->id);
    }
    if (byte == '"') {
        reader->place = QUOTED;
    } else if (byte == '(' && reader->fresh) {
        reader->place = COMMENT;
        reader->depth = 1;
    } else if (!is_space) {
        str_append_byte(reader->id, byte);
    }
    reader->fresh = is_space;
    return false;
}

/* A backslash and what it quotes, in quotes and comments. */
static bool take_escape(struct reader *reader, struct slice *rest)
{
    bool quotes = reader->place == QUOTED || reader->place == COMMENT;
    if (!quotes || rest->data[0] != '\\' || rest->size < 2)
        return false;
    if (reader->place == QUOTED)
        str_append_byte(reader->id, rest->data[1]);
    *rest = slice_from(*rest, 2);
    return true;
}

/* Takes one byte; true when an id ended there. */
static bool take_byte(struct reader *reader, struct slice *rest)
{
    char byte = rest->data[0];
    *rest = slice_from(*rest, 1);
    switch (reader->place) {
    case COMMENT:
        take_in_comment(reader, byte);
        return false;
    case QUOTED:
        take_in_quotes(reader, byte);
        return false;
    case INSIDE:
        return take_in_id(reader, byte);
    case OUTSIDE:
        break;
    }
    return false;
}

bool messageid_next(struct slice *rest, struct str *id)
{
    struct reader reader = {.id = id};
    while (rest->size > 0) {
        if (reader.place == OUTSIDE) {
            *rest = slice_from(*rest, slice_find(*rest, '<') + 1);
            begin_id(&reader);
            continue;
        }
        size_t plain = reader.place == INSIDE ? plain_size(*rest) : 0;
        if (plain > 0)
            take_plain(&reader, rest, plain);
        else if (!take_escape(&reader, rest) && take_byte(&reader, rest))
            return true;
        else
            reader.size++;
        if (reader.size > MESSAGEID_SIZE_MAX)
            reader.place = OUTSIDE;
    }
    return false;
}

uint64_t messageid_hash(struct slice id)
{
    uint64_t hash = hash_add(HASH_START, id);
    return hash > 0 ? hash : 1;
}
