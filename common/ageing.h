/*
 * ageing - asking the program ageing to age one account's mail, and its side of that
 *
 * "age/1" on a SOCK_SEQPACKET socket that the program has as descriptor 0, one question at a time:
 *
 *     "age/1", local part, archive-days, trash-days, "do" | "look"
 *         -> "ok", archived, their bytes, deleted, their bytes | "trouble", text
 *
 * Who asks is nightly, by spawnd, or mailctl, which starts the program itself. Days of 0 leave that
 * part out. "look" counts what "do" would do, and does nothing. An account whose mail can't be aged
 * costs its own answer only. A program that sees its peer gone ends, between two batches.
 */
#ifndef COMMON_AGEING_H
#define COMMON_AGEING_H

#include "directory.h"
#include "wire.h"

enum { AGEING_DAYS_MAX = 36500, AGEING_TEXT_MAX = 256 };

/* After so many days; 0: never. */
struct ageing_days {
    uint64_t archive, trash;
};

struct ageing_request {
    char local[DIRECTORY_LOCAL_MAX + 1]; /* a folder's name */
    struct ageing_days days;
    bool only_looks;
};

struct ageing_result {
    uint64_t archived, archived_bytes;
    uint64_t deleted, deleted_bytes;
};

/* The account's settings. False: trouble. */
bool ageing_days(struct directory *directory, const struct directory_account *account,
                 struct ageing_days *days);
bool ageing_is_wanted(const struct ageing_days *days);

enum ageing_answer {
    AGEING_DONE,
    AGEING_TROUBLE, /* `text` says what; the next account may go better */
    AGEING_GONE,    /* the program is no more, or does not answer */
};
/* Asks. False: the program is no more. */
bool ageing_ask(int fd, const struct ageing_request *request, int64_t deadline);
/* Waits for the answer; `message` is room for it. */
enum ageing_answer ageing_receive(int fd, struct wire_message *message,
                                  struct ageing_result *result, char text[AGEING_TEXT_MAX],
                                  int64_t deadline);

/* The other side. */
bool ageing_read(const struct wire_message *message, struct ageing_request *request);
void ageing_put_done(struct str *packet, const struct ageing_result *result);
void ageing_put_trouble(struct str *packet, const char *text);

#endif
