/* csvexportverb - mailctl csv export and sample; see operations.h */
#include "clock.h"
#include "csvexport.h"
#include "csvtext.h"
#include "folders.h"
#include "io.h"
#include "life.h"
#include "maildirsize.h"
#include "number.h"
#include "operations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MEGABYTE = 1048576 };

/* ---- export ---- */

/* What the account has, 0 without a mailbox; the caller is the domain's uid. */
static uint64_t measure(int folder, const struct domain *domain,
                        const struct domain_account *account)
{
    char path[USERLINE_LOCAL_MAX + sizeof "/Maildir"];
    struct maildirsize size = {0};
    uint64_t quota = 0;
    snprintf(path, sizeof path, "%s/Maildir", account->local);
    int maildir = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (maildir < 0)
        return 0;
    (void)number_parse(domain_value_named(domain, account, "quota"), UINT64_MAX / MEGABYTE, &quota);
    bool done = maildirsize_read(maildir, quota * MEGABYTE, &size);
    io_close(&maildir);
    return done ? size.bytes : 0;
}

static bool measure_all(const struct commandline *command, const struct domain *domain,
                        uint64_t *used)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "mail/%s", domain->name);
    int folder = openat(command->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder < 0)
        return errno == ENOENT;
    bool done = folders_act_as(domain->uid);
    for (size_t i = 0; done && i < domain->account_count; i++)
        used[i] = measure(folder, domain, &domain->accounts[i]);
    done = folders_act_as_root() && done;
    io_close(&folder);
    return done;
}

/* In the characters that were asked for. */
static int print_csv(struct commandline *command, struct slice text)
{
    struct str out;
    unsigned line = 0;
    bool shift_jis = commandline_option(command, "shift-jis");
    int result = EXIT_DONE;
    str_init(&out, CSVEXPORT_MAX);
    if (!shift_jis && !commandline_option(command, "no-bom"))
        str_append_text(&out, CSVTEXT_MARK);
    bool done = shift_jis ? csvtext_to_shift_jis(text, &out, &line) : str_append(&out, text);
    if (line > 0)
        result = commandline_refuse(command,
                                    "line %u would have a character that Shift_JIS has not: "
                                    "export without --shift-jis",
                                    line);
    else if (!done || !io_write_all(STDOUT_FILENO, str_slice(&out), CLOCK_NEVER))
        result = commandline_trouble(command, "write to", "standard output");
    str_free(&out);
    return result;
}

static int export(struct commandline *command, const struct domain *domain)
{
    struct str text;
    uint64_t *used = calloc(domain->account_count + 1, sizeof *used);
    str_init(&text, CSVEXPORT_MAX);
    int result;
    if (!used || !measure_all(command, domain, used) || !csvexport_write(domain, used, &text))
        result = commandline_trouble(command, "export", domain->name);
    else
        result = print_csv(command, str_slice(&text));
    str_free(&text);
    free(used);
    return result;
}

int operations_csv_export(struct commandline *command)
{
    char name[IDN_NAME_MAX + 1];
    struct domain domain = {0};
    int result = EXIT_REFUSED;
    if (commandline_domain_name(command, command->words[0], name) &&
        commandline_load(command, name, &domain, &result))
        result = export(command, &domain);
    domain_free(&domain);
    return result;
}

/* ---- sample ---- */

int operations_csv_sample(struct commandline *command)
{
    static const struct {
        const char *kind, *file;
    } samples[] = {{"register", "mail-accounts-sample.csv"}, {"edit", "mail-password-sample.csv"}};
    char path[PATH_MAX];
    struct str text;
    const char *file = NULL;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        if (strcmp(command->words[0], samples[i].kind) == 0)
            file = samples[i].file;
    if (!file)
        return commandline_refuse(command, "use: mailctl %s", command->verb->synopsis);
    snprintf(path, sizeof path, "%s/etc/csv/%s", life_root(), file);
    str_init(&text, CSVTEXT_FILE_MAX);
    int result = EXIT_DONE;
    if (!io_read_file(AT_FDCWD, path, &text))
        result = commandline_trouble(command, "read", path);
    else if (!io_write_all(STDOUT_FILENO, str_slice(&text), CLOCK_NEVER))
        result = commandline_trouble(command, "write to", "standard output");
    str_free(&text);
    return result;
}
