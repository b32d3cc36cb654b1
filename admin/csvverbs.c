/* csvverbs - mailctl csv; see operations.h */
#include "accountmail.h"
#include "accountrules.h"
#include "clock.h"
#include "csvchange.h"
#include "csvexport.h"
#include "csvtext.h"
#include "folders.h"
#include "io.h"
#include "life.h"
#include "maildirsize.h"
#include "newpassword.h"
#include "number.h"
#include "operations.h"
#include "passwordpool.h"
#include "state.h"
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MEGABYTE = 1048576, VOID_MAX = 100 };

/* A file on its way into a domain. */
struct bulk {
    struct commandline *command;
    char name[IDN_NAME_MAX + 1]; /* of the domain */
    const char *shown;           /* of the file */
    struct csvtable table;
    struct csvaccounts accounts;
    struct csvproblems problems;
    struct domain domain;
    struct csvchange_counts counts;
};

static void bulk_free(struct bulk *bulk)
{
    if (bulk->accounts.of)
        explicit_bzero(bulk->accounts.of, bulk->accounts.count * sizeof *bulk->accounts.of);
    csvaccounts_free(&bulk->accounts);
    csvtable_free(&bulk->table);
    csvproblems_free(&bulk->problems);
    domain_free(&bulk->domain);
}

/* ---- the file ---- */

static bool read_input(struct str *bytes)
{
    for (;;) {
        char *room = str_reserve(bytes, 65536 - 1);
        if (!room) {
            errno = EFBIG;
            return false;
        }
        ssize_t got = io_read(STDIN_FILENO, room, 65536 - 1, CLOCK_NEVER);
        if (got <= 0)
            return got == 0;
        str_added(bytes, (size_t)got);
    }
}

static int read_file(struct bulk *bulk, struct str *bytes)
{
    const char *file = bulk->command->words[1];
    bool input = strcmp(file, "-") == 0;
    bulk->shown = input ? "standard input" : file;
    if (input ? read_input(bytes) : io_read_file(bulk->command->here, file, bytes))
        return EXIT_DONE;
    if (errno == EFBIG)
        return commandline_refuse(bulk->command, "%s has more than %d bytes: divide it",
                                  bulk->shown, CSVTEXT_FILE_MAX);
    if (errno == ENOENT)
        return commandline_refuse(bulk->command, "there is no file %s", bulk->shown);
    return commandline_trouble(bulk->command, "read", bulk->shown);
}

static void wipe(struct str *str)
{
    if (str->data)
        explicit_bzero(str->data, str->capacity);
    str_free(str);
}

/* All that can be said of the file alone. */
static int parse(struct bulk *bulk, struct slice bytes, enum csvaccounts_kind kind)
{
    struct str text;
    str_init(&text, CSVTEXT_UTF8_MAX);
    bool done = csvtext_decode(bytes, &text, &bulk->problems) &&
                (bulk->problems.count > 0 ||
                 (csvtable_parse(&bulk->table, str_slice(&text), &bulk->problems) &&
                  csvaccounts_read(&bulk->accounts, kind, &bulk->table, &bulk->problems)));
    wipe(&text);
    if (done)
        return EXIT_DONE;
    errno = ENOMEM;
    return commandline_trouble(bulk->command, "read", bulk->shown);
}

static int bulk_read(struct bulk *bulk, enum csvaccounts_kind kind)
{
    struct str bytes;
    str_init(&bytes, CSVTEXT_FILE_MAX);
    int result = read_file(bulk, &bytes);
    if (result == EXIT_DONE)
        result = parse(bulk, str_slice(&bytes), kind);
    wipe(&bytes);
    return result;
}

/* ---- checking ---- */

static int refuse_problems(struct bulk *bulk)
{
    struct commandline *command = bulk->command;
    csvproblems_sort(&bulk->problems);
    if (command->json)
        command->result = json_pack("{s:I, s:o}", "error_count", (json_int_t)bulk->problems.count,
                                    "errors", csvproblems_json(&bulk->problems));
    csvproblems_print(&bulk->problems, bulk->shown, STDERR_FILENO);
    return commandline_refuse(command, "%s: %zu error%s, nothing was changed", bulk->shown,
                              bulk->problems.count, bulk->problems.count == 1 ? "" : "s");
}

/* Against the domain as it is now. */
static int bulk_check(struct bulk *bulk)
{
    int result = EXIT_DONE;
    domain_free(&bulk->domain);
    if (!commandline_load(bulk->command, bulk->name, &bulk->domain, &result))
        return result;
    csvaccounts_check(&bulk->accounts, &bulk->domain, &bulk->problems);
    return bulk->problems.count > 0 ? refuse_problems(bulk) : EXIT_DONE;
}

/* ---- passwords ---- */

static bool wants_hash(const struct csvaccounts *accounts, const struct csvaccount *account)
{
    return account->password.size > 0 &&
           (account->exists || accounts->kind == CSVACCOUNTS_REGISTER);
}

static struct slice old_hash(const struct bulk *bulk, const struct csvaccount *account)
{
    const struct domain_account *old = domain_find(&bulk->domain, account->local);
    return slice_text(old ? old->hash : "");
}

/* Comparing with a password that was made void takes as long as a hundred hashes and more. */
static void check_void(struct bulk *bulk, const struct passwordpool_job *jobs, size_t count)
{
    size_t seen = 0;
    for (size_t i = 0; i < count; i++)
        if (userline_is_void(jobs[i].old) && ++seen == VOID_MAX + 1)
            csvproblems_add(&bulk->problems, jobs[i].line, "password",
                            "more than %d new passwords in the place of such as were made void: "
                            "divide the file",
                            VOID_MAX);
}

static void check_like(struct bulk *bulk, const struct passwordpool_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (jobs[i].is_like_old)
            csvproblems_add(&bulk->problems, jobs[i].line, "password", "%s", NEWPASSWORD_LIKE_VOID);
}

static int hash_all(struct bulk *bulk, struct passwordpool_job *jobs, size_t count)
{
    check_void(bulk, jobs, count);
    if (bulk->problems.count == 0 && !passwordpool_hash(jobs, count))
        return commandline_trouble(bulk->command, "hash", "the passwords");
    check_like(bulk, jobs, count);
    return bulk->problems.count > 0 ? refuse_problems(bulk) : EXIT_DONE;
}

static int bulk_hash(struct bulk *bulk)
{
    struct csvaccounts *accounts = &bulk->accounts;
    struct passwordpool_job *jobs = calloc(accounts->count + 1, sizeof *jobs);
    size_t count = 0;
    if (!jobs)
        return commandline_trouble(bulk->command, "hash", "the passwords");
    for (size_t i = 0; i < accounts->count; i++) {
        struct csvaccount *account = &accounts->of[i];
        if (wants_hash(accounts, account))
            jobs[count++] = (struct passwordpool_job){.secret = account->password,
                                                      .old = old_hash(bulk, account),
                                                      .hash = account->hash,
                                                      .line = account->line};
    }
    int result = hash_all(bulk, jobs, count);
    free(jobs);
    return result;
}

/* Is the account's misuse on record, and did it get the password that it had? Then that stays. */
static bool stays_misused(int *connection, const struct bulk *bulk,
                          const struct csvaccount *account)
{
    char address[USERLINE_LOCAL_MAX + IDN_NAME_MAX + 2];
    struct wire_message answer;
    bool misused = false;
    snprintf(address, sizeof address, "%s@%s", account->local, bulk->name);
    wire_init(&answer);
    if (state_ask(connection, &answer, "get", address, (char *)NULL))
        for (size_t i = 0; i < answer.count; i++)
            misused = misused || slice_equal(wire_field(&answer, i), SLICE(STATE_MISUSE_DETECTED));
    wire_free(&answer);
    return misused &&
           password_verify(account->password, old_hash(bulk, account)) == PASSWORD_MATCHES;
}

static void end_states(const struct bulk *bulk)
{
    int connection = -1;
    bool answered = true;
    for (size_t i = 0; answered && i < bulk->accounts.count; i++) {
        const struct csvaccount *account = &bulk->accounts.of[i];
        if (wants_hash(&bulk->accounts, account) && !stays_misused(&connection, bulk, account))
            answered = accountrules_end_states(&connection, account->local, bulk->name);
    }
    io_close(&connection);
}

/* ---- register, edit ---- */

/* What is left of accounts of these names that were deleted goes first. */
static bool welcome_all(const struct bulk *bulk)
{
    bool done = true;
    for (size_t i = 0; done && i < bulk->accounts.count; i++)
        if (!bulk->accounts.of[i].exists)
            done = accountmail_welcome(bulk->command->root, bulk->name, bulk->domain.uid,
                                       bulk->accounts.of[i].local);
    return done;
}

static int bulk_write(struct bulk *bulk)
{
    struct textfile users;
    struct str fresh;
    if (!textfile_read(&users, bulk->command, bulk->name, "users"))
        return EXIT_PASSING;
    str_init(&fresh, SOURCES_FILE_MAX);
    bool done = (bulk->accounts.kind == CSVACCOUNTS_REGISTER ? csvchange_register : csvchange_edit)(
        &bulk->accounts, &bulk->domain, str_slice(&users.text), &fresh, &bulk->counts);
    done = textfile_replace(&users, bulk->command, &fresh) && done;
    if (bulk->accounts.kind == CSVACCOUNTS_REGISTER)
        done = done && welcome_all(bulk);
    int result = done ? commandline_rebuild(bulk->command, bulk->name)
                      : commandline_trouble(bulk->command, "change", users.path);
    textfile_free(&users);
    return result;
}

/* Hashing takes most of the time, and no lock; what is there is looked at before, so that a file
 * with errors is refused at once, and again behind it. Who came in between has no
 * hash, and is passed over. */
static int bulk_run(struct bulk *bulk, enum csvaccounts_kind kind)
{
    int result = bulk_read(bulk, kind);
    if (result == EXIT_DONE)
        result = bulk_check(bulk);
    if (result == EXIT_DONE)
        result = bulk_hash(bulk);
    if (result == EXIT_DONE)
        result = commandline_lock(bulk->command);
    if (result == EXIT_DONE)
        result = bulk_check(bulk);
    return result == EXIT_DONE ? bulk_write(bulk) : result;
}

int operations_csv_register(struct commandline *command)
{
    struct bulk bulk = {.command = command};
    if (!commandline_domain_name(command, command->words[0], bulk.name))
        return EXIT_REFUSED;
    int result = bulk_run(&bulk, CSVACCOUNTS_REGISTER);
    if (result == EXIT_DONE)
        command->result = json_pack("{s:I}", "registered", (json_int_t)bulk.counts.done);
    bulk_free(&bulk);
    return result;
}

int operations_csv_edit(struct commandline *command)
{
    struct bulk bulk = {.command = command};
    if (!commandline_domain_name(command, command->words[0], bulk.name))
        return EXIT_REFUSED;
    int result = bulk_run(&bulk, CSVACCOUNTS_EDIT);
    if (result == EXIT_DONE) {
        end_states(&bulk);
        command->result = json_pack("{s:I, s:I, s:I}", "changed", (json_int_t)bulk.counts.done,
                                    "unchanged", (json_int_t)bulk.counts.unchanged, "skipped",
                                    (json_int_t)bulk.counts.skipped);
    }
    bulk_free(&bulk);
    return result;
}

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
