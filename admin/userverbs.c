/* userverbs - mailctl user; see operations.h */
#include "accountmail.h"
#include "accountrules.h"
#include "ask.h"
#include "io.h"
#include "mailboxusage.h"
#include "newpassword.h"
#include "number.h"
#include "operations.h"
#include "password.h"
#include "policy.h"
#include "show.h"
#include "state.h"
#include "stateview.h"
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 131072 };

/* The account that a verb works on. */
struct subject {
    char local[USERLINE_LOCAL_MAX + 1];
    char name[IDN_NAME_MAX + 1];
    struct domain domain;
    struct textfile users;
    struct userline account; /* as its line says */
};

static void subject_free(struct subject *subject)
{
    domain_free(&subject->domain);
    textfile_free(&subject->users);
    userline_free(&subject->account);
}

/* Reads domain and users file. False: refused already; free it in any case. */
static bool subject_open(struct subject *subject, struct commandline *command, int *result)
{
    *subject = (struct subject){0};
    userline_init(&subject->account);
    *result = EXIT_REFUSED;
    if (!commandline_address(command, command->words[0], subject->local, subject->name) ||
        !commandline_load(command, subject->name, &subject->domain, result))
        return false;
    *result = EXIT_PASSING;
    return textfile_read(&subject->users, command, subject->name, "users");
}

/* The same for an account that is there. Its line is parsed; postmaster needs none. */
static bool subject_find(struct subject *subject, struct commandline *command, int *result)
{
    struct slice line;
    char error[USERLINE_ERROR_MAX];
    if (!subject_open(subject, command, result))
        return false;
    *result = EXIT_REFUSED;
    if (!domain_find(&subject->domain, subject->local)) {
        *result = commandline_refuse_unknown(command, subject->local, subject->name);
        return false;
    }
    if (edit_find(str_slice(&subject->users.text), EDIT_FIRST_FIELD, slice_text(subject->local),
                  &line))
        return userline_parse(&subject->account, slice_trim(line), error);
    return slice_copy_text(slice_text(subject->local), subject->account.local,
                           sizeof subject->account.local);
}

/* Writes the account's line and compiles. */
static int subject_write(struct subject *subject, struct commandline *command)
{
    struct str line;
    str_init(&line, LINE_MAX_BYTES);
    bool good = userline_format(&subject->account, &line) &&
                textfile_put(&subject->users, command, EDIT_FIRST_FIELD, slice_text(subject->local),
                             str_slice(&line));
    str_free(&line);
    return good ? commandline_rebuild(command, subject->name)
                : commandline_trouble(command, "change", subject->users.path);
}

/* ---- values ---- */

/* May the account say so? `text` is in the table's form. */
static int check_value(struct commandline *command, const struct subject *subject,
                       const struct setting *setting, const char *text)
{
    char bytes[ACCOUNTRULES_REASON_MAX];
    struct str reason = str_on(bytes, sizeof bytes);
    if (accountrules_value(&subject->domain, setting, slice_text(text), &reason))
        return EXIT_DONE;
    return commandline_refuse(command, "%s: %.*s", setting->name, SLICE_PRINTF(str_slice(&reason)));
}

static int put_value(struct commandline *command, struct subject *subject, const char *key,
                     const char *text)
{
    const struct setting *setting = settings_find(slice_text(key));
    if (!setting || setting->scope != SETTINGS_ACCOUNT)
        return commandline_refuse(
            command, "\"%s\" is no setting of an account; mailctl help settings lists them", key);
    int result = check_value(command, subject, setting, text);
    if (result != EXIT_DONE)
        return result;
    if (!userline_set(&subject->account, key, slice_text(text)))
        return commandline_refuse(command, "%s has too many settings of its own", subject->local);
    return EXIT_DONE;
}

/* What is set and stored, but acted on by nothing yet, must not look as if it worked. */
static void note_unread(const char *key)
{
    const struct setting *setting = settings_find(slice_text(key));
    if (setting && setting->readers[0] == '\0')
        (void)!dprintf(STDERR_FILENO, "mailctl: note: no program of this version acts on %s\n",
                       key);
}

static void say_changed(const char *key)
{
    note_unread(key);
    if (strcmp(key, "quota") == 0)
        ask_to_measure();
}

int operations_user_set(struct commandline *command)
{
    struct subject subject;
    int result;
    if (subject_find(&subject, command, &result))
        result = put_value(command, &subject, command->words[1], command->words[2]);
    if (result == EXIT_DONE)
        result = subject_write(&subject, command);
    if (result == EXIT_DONE)
        say_changed(command->words[1]);
    subject_free(&subject);
    return result;
}

int operations_user_unset(struct commandline *command)
{
    struct subject subject;
    int result;
    if (subject_find(&subject, command, &result)) {
        if (userline_unset(&subject.account, command->words[1]))
            result = subject_write(&subject, command);
        else
            result = commandline_refuse(command, "%s does not say %s itself", subject.local,
                                        command->words[1]);
    }
    subject_free(&subject);
    return result;
}

/* ---- passwords ---- */

static struct newpassword whose(struct subject *subject)
{
    return (struct newpassword){subject->local, subject->name, &subject->account};
}

static bool check_password(struct commandline *command, const struct newpassword *of,
                           struct slice secret)
{
    char bytes[POLICY_REASONS_MAX];
    struct str reasons = str_on(bytes, sizeof bytes);
    if (commandline_option(command, "no-policy") || newpassword_check(of, secret, &reasons))
        return true;
    commandline_refuse(command, "%.*s%s", SLICE_PRINTF(str_slice(&reasons)),
                       command->actor.role == RIGHTS_OPERATOR ? " (--no-policy takes any)" : "");
    return false;
}

/* After a forced change it is given twice in any case, elsewhere to a terminal. */
static int read_password(struct commandline *command, const struct newpassword *of,
                         char secret[COMMANDLINE_SECRET_MAX + 1])
{
    bool twice = isatty(STDIN_FILENO) || userline_is_void(str_slice(&of->account->hash));
    commandline_release(command);
    if (!commandline_read_secret(command, secret) ||
        (twice && !commandline_read_secret_again(command, secret)))
        return EXIT_REFUSED;
    int result = commandline_regain(command);
    if (result == EXIT_DONE && !check_password(command, of, slice_text(secret)))
        result = EXIT_REFUSED;
    return result;
}

static bool put_password(struct subject *subject, const char *secret)
{
    char hash[PASSWORD_HASH_MAX];
    return password_hash(slice_text(secret), hash) &&
           accountrules_set_password(&subject->domain, &subject->account, hash, slice_text(secret));
}

/* *changes: it is another one than before. */
static int set_password(struct commandline *command, struct subject *subject, bool *changes)
{
    struct newpassword of = whose(subject);
    char secret[COMMANDLINE_SECRET_MAX + 1] = "";
    int result = read_password(command, &of, secret);
    if (result == EXIT_DONE) {
        *changes = !newpassword_is_old(&of, slice_text(secret));
        result = put_password(subject, secret)
                     ? EXIT_DONE
                     : commandline_trouble(command, "hash", "the password");
    }
    explicit_bzero(secret, sizeof secret);
    return result;
}

static void end_sessions(const struct subject *subject, enum sessionend why)
{
    const char *local = subject->local;
    (void)accountrules_end_sessions(&local, 1, subject->name, why);
}

static void end_states(const struct subject *subject, bool changes)
{
    int connection = -1;
    if (changes) {
        (void)accountrules_end_states(&connection, subject->local, subject->name);
        end_sessions(subject, SESSIONEND_CHANGED);
    } else {
        (void)!dprintf(STDERR_FILENO, "mailctl: note: that was the password already; if its misuse "
                                      "was detected, that stays\n");
    }
    io_close(&connection);
}

int operations_user_passwd(struct commandline *command)
{
    struct subject subject;
    int result;
    bool changes = false;
    if (subject_find(&subject, command, &result))
        result = set_password(command, &subject, &changes);
    if (result == EXIT_DONE)
        result = subject_write(&subject, command);
    if (result == EXIT_DONE)
        end_states(&subject, changes);
    subject_free(&subject);
    return result;
}

/* ---- a forced change ---- */

static int withdraw_password(struct commandline *command, struct subject *subject)
{
    struct newpassword of = whose(subject);
    if (!newpassword_withdraw(&of))
        return commandline_refuse(command, "%s@%s has no password", subject->local, subject->name);
    return subject_write(subject, command);
}

/* The users file rules; stated knows since when and why. */
static int note_forced(struct commandline *command, const struct subject *subject)
{
    char address[USERLINE_LOCAL_MAX + IDN_NAME_MAX + 2];
    const char *cause = commandline_option(command, "cause");
    struct wire_message answer;
    int result = EXIT_DONE, fd = -1;
    snprintf(address, sizeof address, "%s@%s", subject->local, subject->name);
    wire_init(&answer);
    if (!state_ask(&fd, &answer, "set", address, STATE_PASSWORD_FORCED, "0",
                   cause ? cause : "set by the operator", (char *)NULL) ||
        !slice_equal(wire_field(&answer, 0), SLICE("ok")))
        result =
            commandline_refuse(command,
                               "the password is void, but stated did not note cause and time: "
                               "%.*s",
                               SLICE_PRINTF(answer.count > 1 ? wire_field(&answer, 1)
                                                             : SLICE("is the suite running?")));
    wire_free(&answer);
    io_close(&fd);
    return result == EXIT_DONE ? EXIT_DONE : EXIT_PASSING;
}

int operations_user_force(struct commandline *command)
{
    struct subject subject;
    int result;
    if (subject_find(&subject, command, &result))
        result = withdraw_password(command, &subject);
    if (result == EXIT_DONE)
        end_sessions(&subject, SESSIONEND_FORCED);
    if (result == EXIT_DONE)
        result = note_forced(command, &subject);
    subject_free(&subject);
    return result;
}

/* ---- add, del ---- */

/* May the account be made? */
static int check_new(const struct commandline *command, const struct subject *subject)
{
    uint64_t most = domain_accounts_max(&subject->domain);
    if (domain_is_reserved(&subject->domain, subject->local))
        return commandline_refuse(command,
                                  "%s@%s belongs to the domain's administrator and can't be made",
                                  subject->local, subject->name);
    if (domain_find(&subject->domain, subject->local))
        return commandline_refuse(command, "there is an account %s@%s already", subject->local,
                                  subject->name);
    if (most > 0 && domain_accounts_named(&subject->domain) >= most)
        return commandline_refuse(command,
                                  "%s has all %llu accounts of its contract (accounts-max); remove "
                                  "one, or have it raised",
                                  subject->name, (unsigned long long)most);
    return EXIT_DONE;
}

static int mail_trouble(struct commandline *command, const struct subject *subject)
{
    char object[PATH_MAX];
    snprintf(object, sizeof object, "the mail in mail/%s/%s", subject->name, subject->local);
    return commandline_trouble(command, "remove", object);
}

static int fill_account(struct commandline *command, struct subject *subject)
{
    static const char *const given[] = {"quota", "comment"};
    int result = EXIT_DONE;
    if (!slice_copy_text(slice_text(subject->local), subject->account.local,
                         sizeof subject->account.local))
        return EXIT_REFUSED;
    for (size_t i = 0; result == EXIT_DONE && i < sizeof given / sizeof given[0]; i++) {
        const char *value = commandline_option(command, given[i]);
        if (value)
            result = put_value(command, subject, given[i], value);
    }
    bool changes;
    return result == EXIT_DONE ? set_password(command, subject, &changes) : result;
}

int operations_user_add(struct commandline *command)
{
    struct subject subject;
    int result;
    if (subject_open(&subject, command, &result)) {
        result = check_new(command, &subject);
        if (result == EXIT_DONE)
            result = fill_account(command, &subject);
        if (result == EXIT_DONE &&
            !accountmail_welcome(command->root, subject.name, subject.domain.uid, subject.local))
            result = mail_trouble(command, &subject);
        if (result == EXIT_DONE)
            result = subject_write(&subject, command);
        if (result == EXIT_DONE && commandline_option(command, "quota"))
            note_unread("quota");
    }
    subject_free(&subject);
    return result;
}

/* ---- del ---- */

/* What stated remembers of the account. When it is down, that ages away. */
static void forget_states(const struct subject *subject)
{
    enum { STATE_FIELDS = 4 };
    char address[USERLINE_LOCAL_MAX + IDN_NAME_MAX + 2], state[SETTINGS_NAME_MAX];
    struct wire_message states, answer;
    int fd = -1;
    wire_init(&states);
    wire_init(&answer);
    snprintf(address, sizeof address, "%s@%s", subject->local, subject->name);
    bool answered = state_ask(&fd, &states, "get", address, (char *)NULL);
    for (size_t at = 1; answered && at + STATE_FIELDS <= states.count; at += STATE_FIELDS)
        answered = wire_copy_text(&states, at, state, sizeof state) &&
                   state_ask(&fd, &answer, "clear", address, state, (char *)NULL);
    wire_free(&states);
    wire_free(&answer);
    io_close(&fd);
}

/* The account's lines in all files of its domain. */
static int remove_lines(struct commandline *command, struct subject *subject)
{
    int result;
    if (!operations_forward_forget(command, subject->name, subject->local, &result))
        return result;
    if (!operations_reply_forget(command, subject->name, subject->local))
        return commandline_trouble(command, "change", "the replies");
    if (!textfile_remove(&subject->users, command, EDIT_FIRST_FIELD, slice_text(subject->local)))
        return commandline_trouble(command, "change", subject->users.path);
    return commandline_rebuild(command, subject->name);
}

/* The account goes first, so that no new mail comes in behind our back. A crash at any point leaves it as
 * it was, or what the same command finishes. */
static int remove_account(struct commandline *command, struct subject *subject)
{
    uid_t uid = subject->domain.uid;
    if (strcmp(subject->local, "postmaster") == 0)
        return commandline_refuse(command, "postmaster@%s can't be removed", subject->name);
    if (!accountmail_begin(command->root, subject->name, uid, subject->local))
        return mail_trouble(command, subject);
    int result = remove_lines(command, subject);
    /* What was begun, and can't be, must not count when the name comes again one day. */
    if (result == EXIT_REFUSED &&
        !accountmail_give_up(command->root, subject->name, uid, subject->local))
        result = mail_trouble(command, subject);
    if (result == EXIT_DONE)
        end_sessions(subject, SESSIONEND_REMOVED);
    if (result == EXIT_DONE &&
        !accountmail_finish(command->root, subject->name, uid, subject->local))
        result = mail_trouble(command, subject);
    if (result == EXIT_DONE)
        forget_states(subject);
    return result;
}

/* The account is gone, but was its mail? */
static int finish_removal(struct commandline *command, const struct subject *subject)
{
    uid_t uid = subject->domain.uid;
    if (!accountmail_is_begun(command->root, subject->name, uid, subject->local))
        return commandline_refuse_unknown(command, subject->local, subject->name);
    if (!accountmail_finish(command->root, subject->name, uid, subject->local))
        return mail_trouble(command, subject);
    forget_states(subject);
    return EXIT_DONE;
}

int operations_user_del(struct commandline *command)
{
    struct subject subject;
    int result;
    if (subject_open(&subject, command, &result))
        result = domain_find(&subject.domain, subject.local) ? remove_account(command, &subject)
                                                             : finish_removal(command, &subject);
    subject_free(&subject);
    return result;
}

/* ---- show, list ---- */

/* All that there is to say: for programs. Takes `states`. */
static json_t *show_whole(const struct commandline *command, const struct domain *domain,
                          const struct domain_account *account, json_t *states)
{
    json_t *shown = show_account(domain, account);
    json_object_set_new(shown, "states", states);
    json_object_set_new(shown, "settings", show_settings(domain, account));
    json_object_set_new(shown, "used", show_used(mailboxusage_of(command, domain, account)));
    return shown;
}

/* For people: no empty tables. */
static json_t *show_words(json_t *states)
{
    if (json_is_array(states) && json_array_size(states) > 0)
        return states;
    const char *word = json_is_array(states) ? "normal" : "unknown: stated does not answer";
    json_decref(states);
    return json_pack("[s]", word);
}

int operations_user_show(struct commandline *command)
{
    struct subject subject;
    int result;
    if (subject_find(&subject, command, &result)) {
        const struct domain_account *account = domain_find(&subject.domain, subject.local);
        json_t *states = stateview_of(subject.local, subject.name);
        command->result = show_whole(command, &subject.domain, account,
                                     command->json ? states : show_words(states));
        result = EXIT_DONE;
    }
    subject_free(&subject);
    return result;
}

static json_t *list_whole(const struct commandline *command, const struct domain *domain)
{
    json_t *rows = json_array(), *table = stateview_table(domain->name);
    for (size_t i = 0; i < domain->account_count; i++) {
        const struct domain_account *account = &domain->accounts[i];
        json_array_append_new(rows,
                              show_whole(command, domain, account,
                                         stateview_find(table, account->local, domain->name)));
    }
    json_decref(table);
    return rows;
}

static json_t *list_rows(const struct domain *domain)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < domain->account_count; i++)
        json_array_append_new(rows, show_account_row(domain, &domain->accounts[i]));
    return rows;
}

int operations_user_list(struct commandline *command)
{
    char name[IDN_NAME_MAX + 1];
    struct domain domain;
    int result = EXIT_DONE;
    if (!commandline_domain_name(command, command->words[0], name))
        return EXIT_REFUSED;
    if (commandline_load(command, name, &domain, &result))
        command->result = command->json ? list_whole(command, &domain) : list_rows(&domain);
    domain_free(&domain);
    return result;
}
