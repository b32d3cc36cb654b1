/* queueverbs - mailctl queue; see operations.h */
#include "ask.h"
#include "operations.h"
#include "queuefile.h"
#include "queueview.h"
#include "show.h"

#include <errno.h>

int operations_queue_list(struct commandline *command)
{
    static const char *const folders[] = {"message", "hold", "broken"};
    command->result = json_array();
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (!queueview_list(command->root, folders[i], command->result))
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

int operations_queue_show(struct commandline *command)
{
    if (!check_ids(command))
        return EXIT_REFUSED;
    command->result = queueview_show(command->root, command->words[0]);
    if (command->result)
        return EXIT_DONE;
    if (errno == ENOENT)
        return commandline_refuse(command, "there is no message %s in the queue",
                                  command->words[0]);
    return commandline_trouble(command, "read", command->words[0]);
}

static int ask_queued(struct commandline *command, const char *verb)
{
    struct str text;
    if (!check_ids(command))
        return EXIT_REFUSED;
    str_init(&text, ASK_TEXT_MAX);
    enum ask_result result = ask_queue(verb, command->words, (size_t)command->word_count, &text);
    const char *said = str_text(&text) ? str_text(&text) : "";
    int code = EXIT_DONE;
    if (result == ASK_NO)
        code = commandline_refuse(command, "%s", said);
    if (result == ASK_DOWN) {
        commandline_refuse(command,
                           "queued does not answer: is the suite running? (mailctl status)");
        code = EXIT_PASSING;
    }
    if (result == ASK_OK && text.size > 0)
        command->result = json_pack("{s:o}", "messages", show_text(str_slice(&text)));
    str_free(&text);
    return code;
}

int operations_queue_flush(struct commandline *command)
{
    return ask_queued(command, "flush");
}

int operations_queue_hold(struct commandline *command)
{
    return ask_queued(command, "hold");
}

int operations_queue_release(struct commandline *command)
{
    return ask_queued(command, "release");
}

int operations_queue_delete(struct commandline *command)
{
    return ask_queued(command, "delete");
}
