/* ageverb - mailctl age; see operations.h
 *
 * What nightly does every night, for all domains, one of them, or one account: the program ageing works in
 * the mailboxes, as the domain's uid. Days are those of the compiled settings, as nightly reads them.
 */
#include "operations.h"

#include "ageing.h"
#include "clock.h"
#include "io.h"
#include "life.h"
#include "unixsocket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACCOUNT_MS = 60 * 60 * 1000 };

struct age {
    struct commandline *command;
    struct directory directory;
    struct wire_message message;
    bool only_looks;
    int fd; /* to the domain's worker; -1: none yet */
    pid_t worker;
    int result;
};

/* ---- the worker --------------------------------------------------------------------------------
 */

static _Noreturn void become_worker(const struct directory_domain *domain, int fd)
{
    char path[PATH_MAX], program[PATH_MAX];
    char name[] = "ageing";
    char argument[DIRECTORY_DOMAIN_MAX + 1];
    char *argv[] = {name, argument, NULL};
    char search[] = "PATH=/usr/bin:/bin";
    char *environment[] = {search, NULL};
    snprintf(program, sizeof program, "%s/bin/ageing", life_root());
    snprintf(path, sizeof path, "mail/%s", domain->name);
    snprintf(argument, sizeof argument, "%s", domain->name);
    life_drop_to_uid(domain->uid);
    umask(077);
    if (chdir(path) < 0)
        life_die_passing("enter", path);
    if (dup2(fd, STDIN_FILENO) < 0)
        life_die_passing("hand over", "the socket");
    execve(program, argv, environment);
    life_die_passing("execute", program);
}

static bool start_worker(struct age *age, const struct directory_domain *domain)
{
    int pair[2];
    if (!life_is_domain_uid(domain->uid)) {
        errno = EPERM;
        return false;
    }
    if (!unixsocket_pair(SOCK_SEQPACKET, pair))
        return false;
    age->worker = fork();
    if (age->worker == 0)
        become_worker(domain, pair[1]);
    io_close(&pair[1]);
    if (age->worker < 0)
        io_close(&pair[0]);
    age->fd = pair[0];
    return age->worker > 0;
}

static void end_worker(struct age *age)
{
    if (age->fd < 0)
        return;
    io_close(&age->fd);
    while (waitpid(age->worker, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Nobody has mail where there is no folder; it is not made for that. */
static bool has_mail(const struct directory_domain *domain)
{
    char path[PATH_MAX];
    struct stat info;
    snprintf(path, sizeof path, "mail/%s", domain->name);
    return lstat(path, &info) == 0;
}

/* ---- accounts ----------------------------------------------------------------------------------
 */

static void trouble(struct age *age, const struct directory_account *account, const char *text)
{
    commandline_refuse(age->command, "%s@%s: %s", account->local, account->domain.name, text);
    age->result = EXIT_PASSING;
}

static void add_row(const struct age *age, const struct directory_account *account,
                    const struct ageing_result *result)
{
    json_t *address = json_sprintf("%s@%s", account->local, account->domain.name);
    json_array_append_new(age->command->result,
                          json_pack("{s:o, s:I, s:I, s:I, s:I}", "account", address, "archived",
                                    (json_int_t)result->archived, "archived bytes",
                                    (json_int_t)result->archived_bytes, "deleted",
                                    (json_int_t)result->deleted, "deleted bytes",
                                    (json_int_t)result->deleted_bytes));
}

static void ask_worker(struct age *age, const struct directory_account *account,
                       const struct ageing_days *days)
{
    struct ageing_request request = {.days = *days, .only_looks = age->only_looks};
    struct ageing_result result = {0};
    char text[AGEING_TEXT_MAX] = "ageing does not answer";
    int64_t deadline = clock_deadline(ACCOUNT_MS);
    enum ageing_answer answer = AGEING_GONE;
    snprintf(request.local, sizeof request.local, "%s", account->local);
    if (ageing_ask(age->fd, &request, deadline))
        answer = ageing_receive(age->fd, &age->message, &result, text, deadline);
    if (answer != AGEING_DONE)
        trouble(age, account, text);
    else if (result.archived > 0 || result.deleted > 0)
        add_row(age, account, &result);
    if (answer == AGEING_GONE)
        end_worker(age);
}

static void age_account(struct age *age, const struct directory_account *account)
{
    struct ageing_days days;
    if (!ageing_days(&age->directory, account, &days)) {
        trouble(age, account, "its compiled settings can't be read; cdb rebuild makes them anew");
        return;
    }
    if (!ageing_is_wanted(&days) || !has_mail(&account->domain))
        return;
    if (age->fd < 0 && !start_worker(age, &account->domain))
        trouble(age, account, strerror(errno));
    else
        ask_worker(age, account, &days);
}

/* ---- which -------------------------------------------------------------------------------------
 */

static int cdb_trouble(const struct age *age)
{
    return commandline_trouble(age->command, "read", "cdb; cdb rebuild makes it anew");
}

static int age_domain(struct age *age, const struct directory_domain *domain)
{
    struct directory_account account;
    enum directory_result found;
    unsigned place = 0;
    while ((found = directory_next_account(&age->directory, &place, domain, &account)) ==
           DIRECTORY_FOUND)
        age_account(age, &account);
    end_worker(age);
    return found == DIRECTORY_TROUBLE ? cdb_trouble(age) : EXIT_DONE;
}

static int age_all(struct age *age)
{
    struct directory_domain domain;
    enum directory_result found;
    unsigned place = 0;
    int result = EXIT_DONE;
    while ((found = directory_next_domain(&age->directory, &place, &domain)) == DIRECTORY_FOUND)
        if (age_domain(age, &domain) != EXIT_DONE)
            result = EXIT_PASSING;
    return found == DIRECTORY_TROUBLE ? cdb_trouble(age) : result;
}

static int age_domain_named(struct age *age, const char *word)
{
    char name[IDN_NAME_MAX + 1];
    struct directory_domain domain;
    if (!commandline_domain_name(age->command, word, name))
        return EXIT_REFUSED;
    enum directory_result found = directory_domain(&age->directory, slice_text(name), &domain);
    if (found == DIRECTORY_TROUBLE)
        return cdb_trouble(age);
    if (found != DIRECTORY_FOUND || strcmp(domain.name, name) != 0)
        return commandline_refuse(age->command,
                                  "there is no domain %s; mailctl domain list lists them", name);
    return age_domain(age, &domain);
}

/* The account itself: no alias, no catch-all. */
static int age_address(struct age *age, const char *word)
{
    char local[USERLINE_LOCAL_MAX + 1], name[IDN_NAME_MAX + 1];
    struct directory_account account;
    if (!commandline_address(age->command, word, local, name))
        return EXIT_REFUSED;
    enum directory_result found =
        directory_account(&age->directory, slice_text(local), slice_text(name), &account);
    if (found == DIRECTORY_TROUBLE)
        return cdb_trouble(age);
    if (found != DIRECTORY_FOUND || strcmp(account.local, local) != 0)
        return commandline_refuse_unknown(age->command, local, name);
    age_account(age, &account);
    end_worker(age);
    return EXIT_DONE;
}

int operations_age(struct commandline *command)
{
    struct age age = {.command = command,
                      .only_looks = commandline_option(command, "dry-run") != NULL,
                      .fd = -1,
                      .result = EXIT_DONE};
    const char *word = command->word_count > 0 ? command->words[0] : NULL;
    int result;
    directory_init(&age.directory);
    directory_hold(&age.directory);
    wire_init(&age.message);
    command->result = json_array();
    if (!word)
        result = age_all(&age);
    else if (strchr(word, '@'))
        result = age_address(&age, word);
    else
        result = age_domain_named(&age, word);
    wire_free(&age.message);
    directory_close(&age.directory);
    return result == EXIT_DONE ? age.result : result;
}
