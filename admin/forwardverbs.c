/* forwardverbs - mailctl forward; see operations.h */
#include "forwardline.h"
#include "operations.h"
#include "textfile.h"

#include <stdio.h>
#include <string.h>

/* The account that a verb works on, and the file with its domain's forwards. */
struct subject {
    struct commandline_account of;
    struct textfile forwards;
};

static void subject_free(struct subject *subject)
{
    domain_free(&subject->of.domain);
    textfile_free(&subject->forwards);
}

/* False: refused already; free it in any case. */
static bool subject_open(struct subject *subject, struct commandline *command, int *result)
{
    subject->forwards = (struct textfile){0};
    if (!commandline_open(command, &subject->of, result))
        return false;
    *result = EXIT_PASSING;
    return textfile_read(&subject->forwards, command, subject->of.name, "forwards");
}

/* ---- the text ---- */

/* Is the line one of this account's (and, unless that is NULL, this row)? */
static bool is_about(struct forwardline *parsed, struct slice line, const char *local,
                     const struct forwardline *row)
{
    char error[USERLINE_ERROR_MAX];
    return forwardline_parse(parsed, line, error) && strcmp(parsed->local, local) == 0 &&
           (!row || forwardline_compare(parsed, row) == 0);
}

/* Appends the text without those lines, `instead` (a line without its end; empty: nothing) in the
 * place of the first; returns how many they were. */
static size_t copy_changed(struct slice text, const char *local, const struct forwardline *row,
                           struct slice instead, struct str *fresh)
{
    struct forwardline parsed;
    size_t found = 0;
    forwardline_init(&parsed);
    while (text.size > 0) {
        size_t end = slice_find(text, '\n');
        struct slice line = slice_part(text, 0, end);
        struct slice whole = slice_part(text, 0, end < text.size ? end + 1 : end);
        text = slice_from(text, whole.size);
        if (!is_about(&parsed, slice_trim(line), local, row)) {
            str_append(fresh, whole);
        } else if (found++ == 0 && instead.size > 0) {
            str_append(fresh, instead);
            str_append_byte(fresh, '\n');
        }
    }
    forwardline_free(&parsed);
    return found;
}

/* Puts the row in its place or, if it is new, at the end. Without targets it goes out. */
static int write_row(struct subject *subject, struct commandline *command,
                     const struct forwardline *row)
{
    struct str line, fresh;
    struct slice text = str_slice(&subject->forwards.text);
    str_init(&line, SOURCES_FILE_MAX);
    str_init(&fresh, SOURCES_FILE_MAX);
    if (row->target_count > 0 && !forwardline_format(row, &line))
        fresh.failed = true;
    bool is_new =
        copy_changed(text, subject->of.local, row, str_slice(&line), &fresh) == 0 && line.size > 0;
    if (is_new) {
        str_clear(&fresh);
        edit_put(&fresh, text, (struct slice){0}, str_slice(&line));
    }
    str_free(&line);
    return textfile_replace(&subject->forwards, command, &fresh)
               ? EXIT_DONE
               : commandline_trouble(command, "change", subject->forwards.path);
}

/* ---- rows ---- */

/* The row that options and account name, without targets. False: refused already. */
static bool name_row(const struct subject *subject, const struct commandline *command,
                     struct forwardline *row)
{
    const char *from = commandline_option(command, "from");
    const char *about = commandline_option(command, "subject");
    const char *keyword = from ? from : about;
    forwardline_init(row);
    (void)slice_copy_text(slice_text(subject->of.local), row->local, sizeof row->local);
    if (from && about) {
        commandline_refuse(command, "--from or --subject: a row has one condition");
        return false;
    }
    if (!keyword)
        return true;
    row->condition = from ? FORWARDRULE_FROM : FORWARDRULE_SUBJECT;
    if (forwardrule_is_keyword(slice_text(keyword)))
        return str_append_text(&row->keyword, keyword);
    commandline_refuse(command,
                       "a keyword has 1 to %d bytes of UTF-8, no control characters, and is not "
                       "blank",
                       FORWARDRULE_KEYWORD_MAX);
    return false;
}

/* The account's row of the same condition and keyword; NULL: none. */
static const struct forwardline *find_row(const struct domain_account *account,
                                          const struct forwardline *row)
{
    for (size_t i = 0; i < account->forward_count; i++)
        if (forwardline_compare(&account->forwards[i].row, row) == 0)
            return &account->forwards[i].row;
    return NULL;
}

static bool copy_targets(struct forwardline *row, const struct forwardline *from)
{
    bool done = true;
    for (size_t i = 0; from && done && i < from->target_count; i++)
        done = forwardline_add_target(row, from->targets[i]);
    return done;
}

static int refuse_unknown(const struct subject *subject, const struct commandline *command,
                          const char *target)
{
    return commandline_refuse(command, "mail for %s@%s is not forwarded to %s", subject->of.local,
                              subject->of.name, target);
}

/* Under all each target is a row; `row` gets it for the time. */
static int change_single(struct subject *subject, struct commandline *command,
                         struct forwardline *row, const char *target, bool adds)
{
    if (!forwardline_add_target(row, target))
        return commandline_trouble(command, "add", target);
    bool is_there = find_row(subject->of.account, row) != NULL;
    int result = EXIT_DONE;
    if (!adds && !is_there)
        return refuse_unknown(subject, command, target);
    if (adds && !is_there)
        return write_row(subject, command, row);
    if (!adds) {
        struct str fresh;
        str_init(&fresh, SOURCES_FILE_MAX);
        (void)copy_changed(str_slice(&subject->forwards.text), subject->of.local, row, SLICE(""),
                           &fresh);
        if (!textfile_replace(&subject->forwards, command, &fresh))
            result = commandline_trouble(command, "change", subject->forwards.path);
    }
    return result;
}

static int change_all(struct subject *subject, struct commandline *command, struct forwardline *row,
                      bool adds)
{
    int result = EXIT_DONE;
    for (int i = 1; i < command->word_count && result == EXIT_DONE; i++) {
        char target[FORWARDLINE_TARGET_MAX + 1], error[USERLINE_ERROR_MAX];
        if (!forwardline_check_target(slice_text(command->words[i]), target, error))
            return commandline_refuse(command, "%s", error);
        result = change_single(subject, command, row, target, adds);
        (void)forwardline_del_target(row, target);
    }
    return result;
}

/* Adds targets to the row that is there, or takes them out of it; taking none takes all. */
static int change_conditional(struct subject *subject, struct commandline *command,
                              struct forwardline *row, bool adds)
{
    const struct forwardline *old = find_row(subject->of.account, row);
    bool takes_all = !adds && command->word_count == 1;
    if (!adds && !old)
        return commandline_refuse(command, "%s@%s has no such row; mailctl forward list %s@%s",
                                  subject->of.local, subject->of.name, subject->of.local,
                                  subject->of.name);
    if (!takes_all && !copy_targets(row, old))
        return commandline_trouble(command, "copy", "the row");
    for (int i = 1; i < command->word_count; i++) {
        char target[FORWARDLINE_TARGET_MAX + 1], error[USERLINE_ERROR_MAX];
        if (!forwardline_check_target(slice_text(command->words[i]), target, error))
            return commandline_refuse(command, "%s", error);
        if (!adds && !forwardline_del_target(row, target))
            return refuse_unknown(subject, command, target);
        if (adds && !forwardline_add_target(row, target))
            return commandline_refuse(command, "more than %d targets", FORWARDLINE_TARGETS_MAX);
    }
    return write_row(subject, command, row);
}

/* ---- verbs ---- */

/* What the domain says counts: the compiler knows how many targets there may be, and of what kind. */
static int change_forwards(struct commandline *command, bool adds)
{
    struct subject subject;
    struct forwardline row;
    int result;
    forwardline_init(&row);
    if (subject_open(&subject, command, &result)) {
        result = EXIT_REFUSED;
        if (name_row(&subject, command, &row))
            result = row.condition == FORWARDRULE_ALL
                         ? change_all(&subject, command, &row, adds)
                         : change_conditional(&subject, command, &row, adds);
        if (result == EXIT_DONE)
            result = commandline_rebuild(command, subject.of.name);
    }
    forwardline_free(&row);
    subject_free(&subject);
    return result;
}

int operations_forward_add(struct commandline *command)
{
    return change_forwards(command, true);
}

int operations_forward_del(struct commandline *command)
{
    bool has_condition =
        commandline_option(command, "from") || commandline_option(command, "subject");
    if (command->word_count == 1 && !has_condition)
        return commandline_refuse(command, "name the targets, or a row by --from or --subject");
    return change_forwards(command, false);
}

static json_t *describe_row(const struct forwardline *row)
{
    json_t *targets = json_array();
    bool is_all = row->condition == FORWARDRULE_ALL;
    for (size_t i = 0; i < row->target_count; i++)
        json_array_append_new(targets, json_string(row->targets[i]));
    return json_pack("{s:s, s:o, s:o}", "condition", forwardrule_name(row->condition), "keyword",
                     is_all ? json_null() : json_stringn(row->keyword.data, row->keyword.size),
                     "targets", targets);
}

int operations_forward_list(struct commandline *command)
{
    struct subject subject;
    int result;
    if (subject_open(&subject, command, &result)) {
        command->result = json_array();
        for (size_t i = 0; i < subject.of.account->forward_count; i++)
            json_array_append_new(command->result,
                                  describe_row(&subject.of.account->forwards[i].row));
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
    if (copy_changed(str_slice(&forwards.text), local, NULL, SLICE(""), &fresh) > 0)
        done = textfile_replace(&forwards, command, &fresh);
    else
        str_free(&fresh);
    if (!done)
        commandline_trouble(command, "change", forwards.path);
    textfile_free(&forwards);
    return done;
}
