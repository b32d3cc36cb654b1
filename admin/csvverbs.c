/* csvverbs - mailctl csv register and edit; see operations.h */
#include "accountmail.h"
#include "accountrules.h"
#include "clock.h"
#include "csvchange.h"
#include "csvtext.h"
#include "io.h"
#include "newpassword.h"
#include "operations.h"
#include "passwordpool.h"
#include "state.h"
#include "strengthen.h"
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    VOID_MAX = 100,
    /* Who waits no longer than that for hashes at full strength gets no others: 50 on two
     * processors. */
    QUICK_FROM_MS = 500,
};

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
    enum password_strength strength; /* of the hashes */
    struct strengthen later;         /* what has quick ones */
};

static void bulk_free(struct bulk *bulk)
{
    if (bulk->accounts.of)
        explicit_bzero(bulk->accounts.of, bulk->accounts.count * sizeof *bulk->accounts.of);
    csvaccounts_free(&bulk->accounts);
    csvtable_free(&bulk->table);
    csvproblems_free(&bulk->problems);
    domain_free(&bulk->domain);
    strengthen_end(&bulk->later);
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

static enum password_strength strength_for(const struct commandline *command, size_t count)
{
    return !commandline_option(command, "wait") && passwordpool_ms(count) > QUICK_FROM_MS
               ? PASSWORD_QUICK
               : PASSWORD_FULL;
}

static int hash_all(struct bulk *bulk, struct passwordpool_job *jobs, size_t count)
{
    check_void(bulk, jobs, count);
    if (bulk->problems.count == 0 && !passwordpool_hash(jobs, count, bulk->strength))
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
    bulk->strength = strength_for(bulk->command, count);
    int result = hash_all(bulk, jobs, count);
    free(jobs);
    return result;
}

/* ---- quick hashes ---- */

static bool has_quick_hash(const struct bulk *bulk, const struct csvaccount *account)
{
    return bulk->strength == PASSWORD_QUICK && wants_hash(&bulk->accounts, account) &&
           account->hash[0] != '\0';
}

/* Before anything changes: what follows the change can't fail for want of memory then. */
static int keep_for_later(struct bulk *bulk)
{
    size_t count = 0, size = 0;
    for (size_t i = 0; i < bulk->accounts.count; i++) {
        const struct csvaccount *account = &bulk->accounts.of[i];
        if (has_quick_hash(bulk, account)) {
            count++;
            size += account->password.size + strlen(account->hash);
        }
    }
    bool done = count == 0 || strengthen_begin(&bulk->later, bulk->name, count, size);
    for (size_t i = 0; done && i < bulk->accounts.count; i++) {
        const struct csvaccount *account = &bulk->accounts.of[i];
        if (has_quick_hash(bulk, account))
            done = strengthen_add(&bulk->later, account->local, account->password,
                                  slice_text(account->hash));
    }
    return done ? EXIT_DONE : commandline_trouble(bulk->command, "find", "memory");
}

static void tell_later(json_t *result, size_t count, pid_t process)
{
    enum { SECOND_MS = 1000 };
    json_object_set_new(result, "strengthening", json_integer((json_int_t)count));
    json_object_set_new(result, "seconds",
                        json_integer((passwordpool_ms(count) + SECOND_MS - 1) / SECOND_MS));
    json_object_set_new(result, "process", json_integer(process));
}

/* The end of a verb that did its work: all secrets are wiped but those of who got quick hashes, whose
 * others are computed behind the caller's back. */
static int bulk_finish(struct bulk *bulk, int result)
{
    struct commandline *command = bulk->command;
    struct strengthen later = bulk->later;
    bulk->later = (struct strengthen){0};
    bulk_free(bulk);
    if (result == EXIT_DONE && later.count > 0) {
        sources_unlock(&command->sources);
        pid_t process = strengthen_start(&later);
        if (process > 0)
            tell_later(command->result, later.count, process);
    }
    strengthen_end(&later);
    return result;
}

/* ---- states ---- */

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
    size_t count = 0;
    const char **changed = calloc(bulk->accounts.count + 1, sizeof *changed);
    for (size_t i = 0; answered && i < bulk->accounts.count; i++) {
        const struct csvaccount *account = &bulk->accounts.of[i];
        if (!wants_hash(&bulk->accounts, account) || stays_misused(&connection, bulk, account))
            continue;
        answered = accountrules_end_states(&connection, account->local, bulk->name);
        if (changed)
            changed[count++] = account->local;
    }
    if (count > 0)
        (void)accountrules_end_sessions(changed, count, bulk->name, SESSIONEND_CHANGED);
    free(changed);
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
    if (result == EXIT_DONE)
        result = keep_for_later(bulk);
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
    return bulk_finish(&bulk, result);
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
    return bulk_finish(&bulk, result);
}
