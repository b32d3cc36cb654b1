/* queueverbs - mailctl queue; see operations.h */
#include "ask.h"
#include "operations.h"
#include "queuefile.h"
#include "queueview.h"
#include "show.h"
#include "wire.h"

#include <errno.h>
#include <string.h>

enum { BATCH = 400, FOLDERS_MAX = 3 };

static struct queueview_filter filter_of(const struct commandline *command)
{
    return (struct queueview_filter){.sender = commandline_option(command, "sender"),
                                     .recipient = commandline_option(command, "recipient")};
}

int operations_queue_list(struct commandline *command)
{
    static const char *const folders[] = {"message", "hold", "broken"};
    const struct queueview_filter filter = filter_of(command);
    command->result = json_array();
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (!queueview_list(command->root, folders[i], &filter, command->result))
            return commandline_trouble(command, "list", "queue");
    return EXIT_DONE;
}

static bool check_ids(const struct commandline *command)
{
    for (int i = 0; i < command->word_count; i++) {
        if (queuefile_is_id(slice_text(command->words[i])))
            continue;
        commandline_refuse(command, "\"%s\" is no queue id; mailctl queue list lists them",
                           command->words[i]);
        return false;
    }
    return true;
}

/* ---- one message -------------------------------------------------------------------------------- */

/* What queued knows beside the file: state, attempts, the next one, last scan; then per recipient
 * that was deferred its number and why. */
static void add_progress(json_t *shown, const struct wire_message *answer)
{
    uint64_t attempts = 0, next = 0, scanned = 0, index;
    json_t *recipients = json_object_get(shown, "recipients");
    wire_number(answer, 2, UINT32_MAX, &attempts);
    wire_number(answer, 3, INT64_MAX, &next);
    wire_number(answer, 4, INT64_MAX, &scanned);
    json_object_set_new(shown, "progress", show_text(wire_field(answer, 1)));
    json_object_set_new(shown, "attempts", json_integer((json_int_t)attempts));
    json_object_set_new(shown, "next-attempt", show_time((int64_t)next));
    json_object_set_new(shown, "scanned", show_time((int64_t)scanned));
    for (size_t i = 5; i + 1 < answer->count; i += 2)
        if (wire_number(answer, i, UINT16_MAX, &index))
            json_object_set_new(json_array_get(recipients, (size_t)index), "reason",
                                show_text(wire_field(answer, i + 1)));
}

int operations_queue_show(struct commandline *command)
{
    struct wire_message answer;
    if (!check_ids(command))
        return EXIT_REFUSED;
    command->result = queueview_show(command->root, command->words[0]);
    if (!command->result && errno == ENOENT)
        return commandline_refuse(command, "there is no message %s in the queue",
                                  command->words[0]);
    if (!command->result)
        return commandline_trouble(command, "read", command->words[0]);
    wire_init(&answer);
    if (ask_queue_whole("show", command->words, 1, &answer) == ASK_OK)
        add_progress(command->result, &answer);
    wire_free(&answer);
    return EXIT_DONE;
}

/* ---- something done about messages -------------------------------------------------------------- */

static int refuse_down(const struct commandline *command)
{
    commandline_refuse(command, "queued does not answer: is the suite running? (mailctl status)");
    return EXIT_PASSING;
}

static int ask_by_ids(struct commandline *command, const char *verb)
{
    struct str text;
    if (!check_ids(command))
        return EXIT_REFUSED;
    str_init(&text, ASK_TEXT_MAX);
    enum ask_result result = ask_queue(verb, command->words, (size_t)command->word_count, &text);
    int code = EXIT_DONE;
    if (result == ASK_NO)
        code = commandline_refuse(command, "%s", str_text(&text) ? str_text(&text) : "");
    if (result == ASK_DOWN)
        code = refuse_down(command);
    if (result == ASK_OK && text.size > 0)
        command->result = json_pack("{s:o}", "messages", show_text(str_slice(&text)));
    str_free(&text);
    return code;
}

/* Asks for some of the ids, from `at` on; those that are gone meanwhile are none to complain about.
 * False: queued does not answer. */
static bool ask_batch(const char *verb, const json_t *ids, size_t at, uint64_t *done)
{
    const char *batch[BATCH];
    size_t count = 0;
    uint64_t now = 0;
    struct wire_message answer;
    while (count < BATCH && at + count < json_array_size(ids)) {
        batch[count] = json_string_value(json_array_get(ids, at + count));
        count++;
    }
    wire_init(&answer);
    enum ask_result result = ask_queue_whole(verb, batch, count, &answer);
    if (result != ASK_DOWN && wire_number(&answer, 2, UINT32_MAX, &now))
        *done += now;
    wire_free(&answer);
    return result != ASK_DOWN;
}

static int ask_by_filter(struct commandline *command, const char *verb,
                         const char *const folders[FOLDERS_MAX])
{
    const struct queueview_filter filter = filter_of(command);
    json_t *ids = json_array();
    uint64_t done = 0;
    bool good = true;
    for (size_t i = 0; good && i < FOLDERS_MAX && folders[i]; i++)
        good = queueview_select(command->root, folders[i], &filter, ids);
    int code = good ? EXIT_DONE : commandline_trouble(command, "list", "queue");
    for (size_t at = 0; code == EXIT_DONE && at < json_array_size(ids); at += BATCH)
        if (!ask_batch(verb, ids, at, &done))
            code = refuse_down(command);
    json_decref(ids);
    if (code == EXIT_DONE)
        command->result = json_pack("{s:I}", "messages", (json_int_t)done);
    return code;
}

static bool says_all(const struct commandline *command)
{
    return command->word_count == 1 && strcmp(command->words[0], "all") == 0;
}

/* By ids, by "all", or by a filter; nothing of them is refused, or (flush) means all. */
static int act(struct commandline *command, const char *verb,
               const char *const folders[FOLDERS_MAX])
{
    const struct queueview_filter filter = filter_of(command);
    bool has_filter = filter.sender || filter.recipient;
    if (has_filter && command->word_count > 0 && !says_all(command))
        return commandline_refuse(command, "name ids, or say whose by --sender and --recipient");
    if (has_filter || says_all(command))
        return ask_by_filter(command, verb, folders);
    if (command->word_count == 0 && strcmp(verb, "flush") != 0)
        return commandline_refuse(command, "name ids, or all, or --sender or --recipient");
    return ask_by_ids(command, verb);
}

int operations_queue_flush(struct commandline *command)
{
    if (says_all(command) && !commandline_option(command, "sender") &&
        !commandline_option(command, "recipient"))
        command->word_count = 0; /* queued does that in one go */
    return act(command, "flush", (const char *const[FOLDERS_MAX]){"message"});
}

int operations_queue_hold(struct commandline *command)
{
    return act(command, "hold", (const char *const[FOLDERS_MAX]){"message"});
}

int operations_queue_release(struct commandline *command)
{
    return act(command, "release", (const char *const[FOLDERS_MAX]){"hold"});
}

int operations_queue_delete(struct commandline *command)
{
    return act(command, "delete", (const char *const[FOLDERS_MAX]){"message", "hold"});
}

int operations_queue_requeue(struct commandline *command)
{
    return act(command, "requeue", (const char *const[FOLDERS_MAX]){"message", "hold"});
}
