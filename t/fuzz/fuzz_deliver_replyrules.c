/*
 * What an automatic reply looks at of a stranger's message: the rules, the header it answers, the
 * subject and references that it takes over. The first line is the envelope's sender, the second the
 * recipient; the first byte of all chooses the text. Whatever comes in, the reply has a header that
 * ends where it should, and none of it is longer or other than we write.
 */
#include "hash.h"
#include "mime.h"
#include "replied.h"
#include "replymessage.h"
#include "replyrules.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE_MAX_BYTES = 998 };

static void check(bool condition)
{
    if (!condition)
        abort();
}

/* The fields that we write, each once; no line is too long for SMTP. */
static void check_message(struct slice message)
{
    static const char *const wanted[] = {"From", "To", "Subject", "Date", "Auto-Submitted"};
    bool is_whole;
    struct slice header = replyrules_header(message, false, &is_whole);
    struct mime_field field;
    size_t seen[sizeof wanted / sizeof *wanted] = {0}, count = 0;
    check(is_whole && !slice_has_high(header));
    for (struct slice rest = header; mime_next_field(&rest, &field); count++)
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            seen[i] += slice_equal(field.name, slice_text(wanted[i]));
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        check(seen[i] == 1);
    check(count <= 12);
    while (message.size > 0) {
        struct slice line = slice_cut(&message, '\n');
        check(slice_ends(line, SLICE("\r")) && line.size <= LINE_MAX_BYTES);
        line.size--;
        check(!slice_has(line, '\r') && !slice_has(line, '\0'));
    }
}

static void compose(struct slice start, struct slice header, bool is_japanese)
{
    struct str message;
    const struct replymessage reply = {
        .local = SLICE("u1"),
        .domain = SLICE("example.jp"),
        .to = SLICE("a@x.example"),
        .utf8 = is_japanese ? SLICE("\xe4\xb8\x8d\xe5\x9c\xa8\r\n") : SLICE("Away\r\n"),
        .seven = is_japanese ? SLICE("\x1b$BIT:_\x1b(B\r\n") : SLICE("Away\r\n"),
        .start = start,
        .header = header,
        .now = 1795300000,
        .unique = "auto.1k0wcyya.0123456789abcdef",
    };
    str_init(&message, REPLYMESSAGE_MAX);
    check(replymessage_compose(&reply, &message));
    check_message(str_slice(&message));
    str_free(&message);
}

/* A file that its owner wrote: never more than it may be, and read again as it was written. */
static void remember(struct slice text)
{
    struct str once, again;
    str_init(&once, REPLIED_FILE_MAX);
    str_init(&again, REPLIED_FILE_MAX);
    struct replied_answer answer = replied_look(text, 1, 1000000, 86400, &once);
    check(once.failed || once.size <= (size_t)REPLIED_MAX * 25 || !answer.is_first);
    if (!once.failed) {
        answer = replied_look(str_slice(&once), 1, 1000000, 86400, &again);
        check(!answer.is_first && !answer.is_changed);
        check(slice_equal(str_slice(&once), str_slice(&again)));
    }
    str_free(&once);
    str_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct replyrules_mail mail = {.mailbox = SLICE("u1"), .domain = SLICE("example.jp")};
    bool is_japanese = size > 0 && data[0] % 2 != 0;
    remember(input);
    mail.sender = slice_cut(&input, '\n');
    mail.recipient = slice_cut(&input, '\n');
    mail.header = replyrules_header(input, is_japanese, &mail.is_whole);
    check(mail.header.size <= input.size);
    check(replyrules_name(replyrules_decide(&mail)) != NULL);
    compose(input, mail.header, is_japanese);
    return 0;
}
