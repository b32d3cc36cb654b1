/* replyverbs - mailctl reply; see operations.h */
#include "clock.h"
#include "io.h"
#include "operations.h"
#include "replytext.h"
#include "show.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The account that a verb works on. */
struct subject {
    struct commandline_account of;
    char path[PATH_MAX]; /* of its text, relative to control/ */
};

/* False: refused already; free the domain in any case. */
static bool subject_open(struct subject *subject, struct commandline *command, int *result)
{
    bool found = commandline_open(command, &subject->of, result);
    if (found)
        snprintf(subject->path, sizeof subject->path, "domains/%s/replies/%s", subject->of.name,
                 subject->of.local);
    return found;
}

/* ---- set ---- */

/* All of a file, to its end. False with errno. */
static bool read_all(int fd, struct str *text)
{
    char bytes[4096];
    for (;;) {
        ssize_t got = io_read(fd, bytes, sizeof bytes, CLOCK_NEVER);
        if (got <= 0)
            return got == 0;
        if (!str_append(text, slice_of(bytes, (size_t)got))) {
            errno = EFBIG;
            return false;
        }
    }
}

static int read_given(struct commandline *command, struct str *text)
{
    const char *name = command->word_count > 1 ? command->words[1] : "-";
    bool is_input = strcmp(name, "-") == 0;
    int fd = is_input ? STDIN_FILENO : openat(command->here, name, O_RDONLY | O_CLOEXEC);
    if (is_input)
        commandline_release(command);
    bool done = fd >= 0 && read_all(fd, text);
    int result = EXIT_DONE;
    if (!done && errno == EFBIG)
        result = commandline_refuse(command, "the text has more than %d bytes", REPLYTEXT_FILE_MAX);
    else if (!done)
        result = commandline_trouble(command, "read", is_input ? "standard input" : name);
    if (!is_input)
        io_close(&fd);
    return is_input && result == EXIT_DONE ? commandline_regain(command) : result;
}

/* As control files are: without a mark in front, lines ended by LF, the last one too. */
static void tidy(struct slice given, struct str *text)
{
    const struct slice mark = SLICE(SOURCES_MARK);
    if (slice_starts(given, mark))
        given = slice_from(given, mark.size);
    while (given.size > 0) {
        struct slice line = slice_cut(&given, '\n');
        if (slice_ends(line, SLICE("\r")))
            line.size--;
        str_append(text, line);
        str_append_byte(text, '\n');
    }
}

/* No text: no file. */
static int put_text(struct commandline *command, const struct subject *subject, struct slice text)
{
    bool done = replytext_is_empty(text) ? sources_remove(&command->sources, subject->path)
                                         : sources_change(&command->sources, subject->path, text);
    return done ? commandline_rebuild(command, subject->of.name)
                : commandline_trouble(command, "change", subject->path);
}

/* Said here as what it is: the compiler would speak of a file that is not there yet. */
static int check_text(struct commandline *command, const struct subject *subject, struct slice text)
{
    char error[REPLYTEXT_ERROR_MAX];
    unsigned line;
    enum settings_layer layer;
    if (replytext_is_empty(text))
        return EXIT_DONE;
    const struct setting *setting = settings_find(SLICE("auto-reply"));
    struct slice value = domain_value(&subject->of.domain, NULL, setting, &layer, NULL);
    if (slice_equal(value, SLICE("off")))
        return commandline_refuse(command, "%s@%s may not answer: the %s says auto-reply off",
                                  subject->of.local, subject->of.name, settings_layer_name(layer));
    if (!replytext_check(text, &line, error))
        return commandline_refuse(command, "line %u: %s", line, error);
    return EXIT_DONE;
}

static int set_text(struct commandline *command, const struct subject *subject)
{
    struct str given, text;
    str_init(&given, REPLYTEXT_FILE_MAX);
    str_init(&text, REPLYTEXT_FILE_MAX + 1);
    int result = read_given(command, &given);
    if (result == EXIT_DONE) {
        tidy(str_slice(&given), &text);
        result = check_text(command, subject, str_slice(&text));
    }
    if (result == EXIT_DONE)
        result = put_text(command, subject, str_slice(&text));
    str_free(&given);
    str_free(&text);
    return result;
}

int operations_reply_set(struct commandline *command)
{
    struct subject subject;
    int result;
    if (subject_open(&subject, command, &result))
        result = set_text(command, &subject);
    domain_free(&subject.of.domain);
    return result;
}

/* ---- show, clear ---- */

int operations_reply_show(struct commandline *command)
{
    struct subject subject;
    int result;
    if (subject_open(&subject, command, &result)) {
        const char *text = subject.of.account->reply;
        bool active = text && domain_is_on(&subject.of.domain, subject.of.account, "auto-reply");
        const struct setting *interval = settings_find(SLICE("auto-reply-interval"));
        command->result = json_pack(
            "{s:o, s:b, s:o, s:o}", "user",
            json_sprintf("%s@%s", subject.of.local, subject.of.name), "active", active, "interval",
            show_value(interval,
                       domain_value_named(&subject.of.domain, subject.of.account, interval->name)),
            "text", show_text(slice_text(text)));
        result = EXIT_DONE;
    }
    domain_free(&subject.of.domain);
    return result;
}

int operations_reply_clear(struct commandline *command)
{
    struct subject subject;
    int result;
    if (subject_open(&subject, command, &result))
        result = put_text(command, &subject, SLICE(""));
    domain_free(&subject.of.domain);
    return result;
}

bool operations_reply_forget(struct commandline *command, const char *name, const char *local)
{
    char path[PATH_MAX];
    struct folders_names names;
    snprintf(path, sizeof path, "domains/%s/replies", name);
    bool done = sources_list(&command->sources, path, &names);
    bool is_there = false;
    for (size_t i = 0; done && i < names.count; i++)
        is_there = is_there || strcmp(names.of[i], local) == 0;
    folders_names_free(&names);
    snprintf(path, sizeof path, "domains/%s/replies/%s", name, local);
    return done && (!is_there || sources_remove(&command->sources, path));
}
