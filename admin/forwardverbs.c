/* forwardverbs - mailctl forward; see operations.h */
#include "control.h"
#include "forwardline.h"
#include "operations.h"
#include "textfile.h"

#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1024 };

/* The account that a verb works on, and the file with its domain's forwards. */
struct subject {
    char local[USERLINE_LOCAL_MAX + 1];
    char name[IDN_NAME_MAX + 1];
    struct domain domain;
    const struct domain_account *account;
    struct textfile forwards;
};

static void subject_free(struct subject *subject)
{
    domain_free(&subject->domain);
    textfile_free(&subject->forwards);
}

/* False: refused already; free it in any case. */
static bool subject_open(struct subject *subject, struct commandline *command, int *result)
{
    *subject = (struct subject){0};
    *result = EXIT_REFUSED;
    if (!commandline_address(command, command->words[0], subject->local, subject->name) ||
        !commandline_load(command, subject->name, &subject->domain, result))
        return false;
    *result = EXIT_REFUSED;
    subject->account = domain_find(&subject->domain, subject->local);
    if (!subject->account) {
        commandline_refuse(command, "there is no account %s@%s; mailctl user list %s lists them",
                           subject->local, subject->name, subject->name);
        return false;
    }
    *result = EXIT_PASSING;
    return textfile_read(&subject->forwards, command, subject->name, "forwards");
}

/* ---- the text ---- */

/* Is the line one of this account's (and, unless that is NULL, to this target)? */
static bool is_about(struct slice line, const char *local, const char *target)
{
    struct forwardline parsed;
    char error[USERLINE_ERROR_MAX];
    return forwardline_parse(&parsed, line, error) && strcmp(parsed.local, local) == 0 &&
           (!target || strcmp(parsed.target, target) == 0);
}

/* Appends the text without those lines; returns how many they were. */
static size_t copy_others(struct slice text, const char *local, const char *target,
                          struct str *fresh)
{
    size_t left_out = 0;
    while (text.size > 0) {
        size_t end = slice_find(text, '\n');
        struct slice line = slice_part(text, 0, end);
        struct slice whole = slice_part(text, 0, end < text.size ? end + 1 : end);
        text = slice_from(text, whole.size);
        if (is_about(slice_trim(line), local, target))
            left_out++;
        else
            str_append(fresh, whole);
    }
    return left_out;
}

static bool add_line(struct subject *subject, struct commandline *command, const char *target)
{
    struct forwardline forward;
    struct str line;
    str_init(&line, LINE_MAX_BYTES);
    bool done =
        slice_copy_text(slice_text(subject->local), forward.local, sizeof forward.local) &&
        slice_copy_text(slice_text(target), forward.target, sizeof forward.target) &&
        forwardline_format(&forward, &line) &&
        textfile_put(&subject->forwards, command, EDIT_LINE, str_slice(&line), str_slice(&line));
    str_free(&line);
    return done;
}

/* ---- verbs ---- */

static bool has_target(const struct domain_account *account, const char *target)
{
    for (size_t i = 0; i < account->forward_count; i++)
        if (strcmp(account->forwards[i].target, target) == 0)
            return true;
    return false;
}

static int add_target(struct subject *subject, struct commandline *command, const char *word)
{
    char target[FORWARDLINE_TARGET_MAX + 1], error[USERLINE_ERROR_MAX];
    if (!forwardline_check_target(slice_text(word), target, error))
        return commandline_refuse(command, "%s", error);
    if (has_target(subject->account, target))
        return EXIT_DONE;
    return add_line(subject, command, target)
               ? EXIT_DONE
               : commandline_trouble(command, "change", subject->forwards.path);
}

static int del_target(struct subject *subject, struct commandline *command, const char *word)
{
    char target[FORWARDLINE_TARGET_MAX + 1], error[USERLINE_ERROR_MAX];
    struct str fresh;
    if (!forwardline_check_target(slice_text(word), target, error))
        return commandline_refuse(command, "%s", error);
    str_init(&fresh, SOURCES_FILE_MAX);
    if (copy_others(str_slice(&subject->forwards.text), subject->local, target, &fresh) == 0) {
        str_free(&fresh);
        return commandline_refuse(command, "mail for %s@%s is not forwarded to %s", subject->local,
                                  subject->name, target);
    }
    return textfile_replace(&subject->forwards, command, &fresh)
               ? EXIT_DONE
               : commandline_trouble(command, "change", subject->forwards.path);
}

/* Applies `step` to each target of the command line; the compiler knows how many there may be. */
static int change_targets(struct commandline *command,
                          int (*step)(struct subject *subject, struct commandline *command,
                                      const char *word))
{
    struct subject subject;
    int result;
    if (subject_open(&subject, command, &result)) {
        result = EXIT_DONE;
        for (int i = 1; i < command->word_count && result == EXIT_DONE; i++)
            result = step(&subject, command, command->words[i]);
        if (result == EXIT_DONE)
            result = commandline_rebuild(command, subject.name);
    }
    subject_free(&subject);
    return result;
}

int operations_forward_add(struct commandline *command)
{
    return change_targets(command, add_target);
}

int operations_forward_del(struct commandline *command)
{
    return change_targets(command, del_target);
}

int operations_forward_list(struct commandline *command)
{
    struct subject subject;
    int result;
    if (subject_open(&subject, command, &result)) {
        command->result = json_array();
        for (size_t i = 0; i < subject.account->forward_count; i++)
            json_array_append_new(command->result,
                                  json_pack("{s:s, s:s}", "condition", "all", "target",
                                            subject.account->forwards[i].target));
        result = EXIT_DONE;
    }
    subject_free(&subject);
    return result;
}

bool operations_forward_forget(struct commandline *command, const char *name, const char *local,
                               int *result)
{
    struct textfile forwards = {0};
    struct str fresh;
    *result = EXIT_PASSING;
    if (!textfile_read(&forwards, command, name, "forwards"))
        return false;
    str_init(&fresh, SOURCES_FILE_MAX);
    bool done = true;
    if (copy_others(str_slice(&forwards.text), local, NULL, &fresh) > 0)
        done = textfile_replace(&forwards, command, &fresh);
    else
        str_free(&fresh);
    if (!done)
        commandline_trouble(command, "change", forwards.path);
    textfile_free(&forwards);
    return done;
}
