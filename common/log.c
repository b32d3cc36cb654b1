/* log - see log.h */
#include "log.h"

#include "number.h"
#include "visible.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* The one mutable state of common/: the name that every line of this process begins with, and the
 * lines that wait. */
static const char *log_program = "mail-suite";
static struct {
    size_t size;
    char text[LOG_WRITE_MAX];
} waiting;

/* The line end always fits. */
enum { LOG_BODY_MAX = LOG_LINE_MAX - 1 };

void log_init(const char *program)
{
    log_program = program;
    waiting.size = 0;
}

static void add(struct log_line *line, struct slice bytes)
{
    size_t room = LOG_BODY_MAX - line->size;
    bool cut = bytes.size > room;
    if (cut)
        bytes.size = room;
    if (bytes.size > 0)
        memcpy(line->text + line->size, bytes.data, bytes.size);
    line->size += bytes.size;
    if (cut)
        memcpy(line->text + line->size - 3, "...", 3);
}

static void add_text(struct log_line *line, const char *text)
{
    add(line, slice_text(text));
}

void log_begin(struct log_line *line, const char *event)
{
    line->size = 0;
    add_text(line, log_program);
    add_text(line, "[");
    char digits[NUMBER_TEXT_SIZE];
    add(line, number_format((uint64_t)getpid(), digits));
    add_text(line, "]: ");
    add_text(line, event);
}

static bool is_plain(char byte)
{
    return byte > ' ' && byte < 0x7f && byte != '"' && byte != '\\' && byte != '=';
}

static bool needs_quotes(struct slice value)
{
    if (value.size == 0)
        return true;
    for (size_t i = 0; i < value.size; i++)
        if (!is_plain(value.data[i]))
            return true;
    return false;
}

static void add_hex(struct log_line *line, char byte)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char code = (unsigned char)byte;
    add(line, slice_of((const char[]){'\\', 'x', hex[code >> 4], hex[code & 15]}, 4));
}

static void add_quoted_byte(struct log_line *line, char byte)
{
    unsigned char code = (unsigned char)byte;
    if (byte == '"' || byte == '\\')
        add(line, slice_of((const char[]){'\\', byte}, 2));
    else if (byte == '\n')
        add_text(line, "\\n");
    else if (code < ' ' || code == 0x7f)
        add_hex(line, byte);
    else /* bytes of UTF-8 are left as they are */
        add(line, slice_of(&byte, 1));
}

static void add_key(struct log_line *line, const char *key)
{
    add_text(line, " ");
    add_text(line, key);
    add_text(line, "=");
}

void log_value(struct log_line *line, const char *key, struct slice value)
{
    add_key(line, key);
    if (!needs_quotes(value)) {
        add(line, value);
        return;
    }
    add_text(line, "\"");
    for (size_t i = 0, hidden = 0; i < value.size && line->size < LOG_BODY_MAX; i++) {
        if (hidden == 0)
            hidden = visible_hidden_size(slice_from(value, i));
        if (hidden > 0) {
            add_hex(line, value.data[i]);
            hidden--;
        } else {
            add_quoted_byte(line, value.data[i]);
        }
    }
    add_text(line, "\"");
}

void log_text(struct log_line *line, const char *key, const char *value)
{
    log_value(line, key, slice_text(value));
}

void log_number(struct log_line *line, const char *key, int64_t value)
{
    char digits[NUMBER_TEXT_SIZE];
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    add_key(line, key);
    add_text(line, value < 0 ? "-" : "");
    add(line, number_format(size, digits));
}

bool log_is_waiting(void)
{
    return waiting.size > 0;
}

void log_flush(void)
{
    if (waiting.size == 0)
        return;
    /* There is nowhere to say that the log can't be written. */
    ssize_t written = write(STDERR_FILENO, waiting.text, waiting.size);
    (void)written;
    waiting.size = 0;
}

void log_end_later(struct log_line *line)
{
    line->text[line->size++] = '\n';
    if (line->size > sizeof waiting.text - waiting.size)
        log_flush();
    memcpy(waiting.text + waiting.size, line->text, line->size);
    waiting.size += line->size;
    line->size = 0;
}

void log_end(struct log_line *line)
{
    log_end_later(line);
    log_flush();
}

void log_event(const char *event, const char *key, const char *value)
{
    struct log_line line;
    log_begin(&line, event);
    if (key)
        log_text(&line, key, value);
    log_end(&line);
}

void log_trouble(const char *action, const char *object, int error, const char *remedy)
{
    struct log_line line;
    int kept = errno;
    log_begin(&line, "trouble");
    log_text(&line, "action", action);
    if (object)
        log_text(&line, "object", object);
    if (error)
        log_text(&line, "cause", strerror(error));
    if (remedy)
        log_text(&line, "remedy", remedy);
    log_end(&line);
    errno = kept;
}
