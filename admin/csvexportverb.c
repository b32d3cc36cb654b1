/* csvexportverb - mailctl csv export and sample; see operations.h */
#include "clock.h"
#include "csvexport.h"
#include "csvtext.h"
#include "folders.h"
#include "io.h"
#include "life.h"
#include "mailboxusage.h"
#include "number.h"
#include "operations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MEGABYTE = 1048576 };

/* ---- export ---- */

/* What can't be measured is 0. */
static bool measure_all(const struct commandline *command, const struct domain *domain,
                        uint64_t *used)
{
    struct mailboxusage *usage = calloc(domain->account_count + 1, sizeof *usage);
    bool done = usage && mailboxusage_of_domain(command, domain, usage);
    for (size_t i = 0; done && i < domain->account_count; i++)
        used[i] = usage[i].bytes;
    free(usage);
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
