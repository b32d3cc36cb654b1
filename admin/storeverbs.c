/* storeverbs - see operations.h: checking a mailbox's files, making their indexes anew, emptying it
 *
 * What lies in a Maildir is its owner's: a child does the work, as the domain's uid and for good, and
 * prints the result itself. Nothing comes back but its exit code.
 */
#include "operations.h"

#include "ask.h"
#include "io.h"
#include "life.h"
#include "mailbox.h"
#include "maildirsize.h"
#include "output.h"
#include "purge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FINDINGS_SHOWN = 20, FINDING_MAX = 512, MAILDIRSIZE_MAX = 1048576 };

struct work {
    struct commandline *command;
    int maildir;
    json_t *rows;
    bool differs;
    uint64_t messages, bytes; /* of all folders so far */
};

/* ---- check -------------------------------------------------------------------------------------
 */

static void keep_finding(void *owner, const char *text)
{
    json_t *findings = owner;
    struct str plain;
    if (json_array_size(findings) >= FINDINGS_SHOWN)
        return;
    str_init(&plain, FINDING_MAX);
    str_append_printable(&plain, slice_text(text));
    if (str_text(&plain))
        json_array_append_new(findings, json_string(str_text(&plain)));
    str_free(&plain);
}

static void add_row(struct work *work, const char *folder, const struct mailbox_checked *checked,
                    json_t *findings)
{
    json_t *row = json_pack("{s:s, s:I, s:I, s:s}", "folder", folder, "messages",
                            (json_int_t)checked->messages, "bytes", (json_int_t)checked->bytes,
                            "state", checked->findings > 0 ? "differs" : "good");
    size_t shown = json_array_size(findings);
    if (checked->findings > shown)
        json_array_append_new(
            findings,
            json_sprintf("and %llu more", (unsigned long long)(checked->findings - shown)));
    if (checked->findings > 0)
        work->differs = true;
    json_object_set_new(row, "findings", findings);
    json_array_append_new(work->rows, row);
}

static bool check_folder(struct work *work, const char *name, const char *path)
{
    struct mailbox_checked checked;
    json_t *findings = json_array();
    if (!mailbox_check(work->maildir, path, keep_finding, findings, &checked)) {
        json_decref(findings);
        return false;
    }
    work->messages += checked.messages;
    work->bytes += checked.bytes;
    add_row(work, name, &checked, findings);
    return true;
}

static bool read_maildirsize(struct work *work, struct str *content, struct maildirsize *size)
{
    str_clear(content);
    return io_read_file(work->maildir, "maildirsize", content) &&
           maildirsize_parse(str_slice(content), size);
}

/* A delivery may come between the sum and this: so only what was the same before and after counts. */
static void check_maildirsize(struct work *work, const struct maildirsize *before, bool was_there)
{
    struct maildirsize size;
    struct str content;
    char text[FINDING_MAX];
    str_init(&content, MAILDIRSIZE_MAX);
    bool is_there = read_maildirsize(work, &content, &size);
    str_free(&content);
    if (!is_there || !was_there || size.bytes != before->bytes ||
        size.messages != before->messages ||
        (size.bytes == work->bytes && size.messages == work->messages))
        return;
    snprintf(text, sizeof text, "it says %llu bytes in %llu messages; there are %llu in %llu",
             (unsigned long long)size.bytes, (unsigned long long)size.messages,
             (unsigned long long)work->bytes, (unsigned long long)work->messages);
    json_t *findings = json_array();
    keep_finding(findings, text);
    add_row(
        work, "maildirsize",
        &(struct mailbox_checked){.messages = size.messages, .bytes = size.bytes, .findings = 1},
        findings);
}

/* ---- rebuild -----------------------------------------------------------------------------------
 */

static bool rebuild_folder(struct work *work, const char *name, const char *path)
{
    if (!mailbox_rebuild(work->maildir, path))
        return false;
    json_array_append_new(work->rows, json_pack("{s:s, s:s}", "folder", name, "state", "rebuilt"));
    return true;
}

/* ---- the folders of an account -----------------------------------------------------------------
 */

typedef bool folder_act(struct work *work, const char *name, const char *path);

/* ".Work" is a folder; "..removed-1" is one on its way out. One that was removed meanwhile is none. */
static bool act_on_entry(struct work *work, folder_act *act, const char *name)
{
    char cur[NAME_MAX + sizeof "/cur"];
    struct stat info;
    snprintf(cur, sizeof cur, "%s/cur", name);
    if (name[0] != '.' || name[1] == '\0' || name[1] == '.' ||
        fstatat(work->maildir, cur, &info, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(info.st_mode))
        return true;
    return act(work, name + 1, name) || errno == ENOENT;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool act_on_all(struct work *work, folder_act *act)
{
    struct dirent **entries;
    bool done = act(work, "INBOX", ".");
    int count = done ? scandirat(work->maildir, ".", &entries, NULL, compare_names) : 0;
    if (count < 0)
        return false;
    for (int i = 0; i < count; i++) {
        done = done && act_on_entry(work, act, entries[i]->d_name);
        free(entries[i]);
    }
    if (count > 0)
        free(entries);
    return done;
}

static bool act_on_one(struct work *work, folder_act *act, const char *name)
{
    char path[NAME_MAX + 1];
    if (strcasecmp(name, "INBOX") == 0)
        return act(work, "INBOX", ".");
    errno = ENOENT;
    int size = snprintf(path, sizeof path, "%s%s", name[0] == '.' ? "" : ".", name);
    return size > 1 && (size_t)size < sizeof path && path[1] != '.' && !strchr(path, '/') &&
           act(work, path + 1, path);
}

/* ---- the child ---------------------------------------------------------------------------------
 */

static int check(struct work *work)
{
    struct maildirsize size;
    struct str content;
    const char *folder = work->command->word_count > 1 ? work->command->words[1] : NULL;
    if (folder)
        return act_on_one(work, check_folder, folder) ? EXIT_DONE : EXIT_PASSING;
    str_init(&content, MAILDIRSIZE_MAX);
    bool has_size = read_maildirsize(work, &content, &size);
    str_free(&content);
    if (!act_on_all(work, check_folder))
        return EXIT_PASSING;
    check_maildirsize(work, &size, has_size);
    return EXIT_DONE;
}

static int rebuild_indexes(struct work *work)
{
    const char *folder = work->command->word_count > 1 ? work->command->words[1] : NULL;
    bool done =
        folder ? act_on_one(work, rebuild_folder, folder) : act_on_all(work, rebuild_folder);
    return done ? EXIT_DONE : EXIT_PASSING;
}

static int purge_account(struct work *work)
{
    struct purge purge = {.only_looks = commandline_option(work->command, "dry-run") != NULL};
    if (work->maildir >= 0 && !purge_maildir(&purge, work->maildir))
        return EXIT_PASSING;
    json_decref(work->rows);
    work->rows = json_pack("{s:I, s:I}", purge.only_looks ? "messages" : "removed",
                           (json_int_t)purge.messages, "bytes", (json_int_t)purge.bytes);
    return EXIT_DONE;
}

typedef int work_act(struct work *work);

static int run_work(struct commandline *command, const char *path, work_act *act)
{
    struct work work = {.command = command, .rows = json_array()};
    work.maildir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (work.maildir < 0 && errno != ENOENT)
        return commandline_trouble(command, "open", path);
    /* An account that never got mail has nothing to be wrong. */
    int result = work.maildir < 0 && act != purge_account ? EXIT_DONE : act(&work);
    if (result == EXIT_PASSING)
        result = errno == ENOENT && command->word_count > 1
                     ? commandline_refuse(command, "there is no folder %s", command->words[1])
                     : commandline_trouble(command, "read a folder of", path);
    bool is_empty = json_is_array(work.rows) && json_array_size(work.rows) == 0;
    if ((!is_empty || command->json) && !output_print(work.rows, command->json))
        result = commandline_trouble(command, "write to", "standard output");
    json_decref(work.rows);
    io_close(&work.maildir);
    return result == EXIT_DONE && work.differs ? EXIT_REFUSED : result;
}

static int wait_for(struct commandline *command, pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return commandline_trouble(command, "wait for", "the child");
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_PASSING;
}

static int work_as_owner(struct commandline *command, uid_t uid, const char *path, work_act *act)
{
    pid_t child = fork();
    if (child < 0)
        return commandline_trouble(command, "fork for", path);
    if (child == 0) {
        life_drop_to_uid(uid);
        umask(077);
        _exit(run_work(command, path, act));
    }
    return wait_for(command, child);
}

static int run(struct commandline *command, work_act *act)
{
    struct commandline_account subject;
    char path[PATH_MAX];
    int result;
    if (commandline_open(command, &subject, &result)) {
        snprintf(path, sizeof path, "mail/%s/%s/Maildir", subject.name, subject.local);
        result = work_as_owner(command, subject.domain.uid, path, act);
    }
    domain_free(&subject.domain);
    return result;
}

int operations_user_purge(struct commandline *command)
{
    int result = run(command, purge_account);
    if (result == EXIT_DONE && !commandline_option(command, "dry-run"))
        ask_to_measure();
    return result;
}

int operations_store_check(struct commandline *command)
{
    return run(command, check);
}

int operations_store_rebuild(struct commandline *command)
{
    return run(command, rebuild_indexes);
}
