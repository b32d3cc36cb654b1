/* commandline - see commandline.h */
#include "commandline.h"

#include "io.h"
#include "life.h"
#include "output.h"
#include "visible.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* When it is said that somebody else is at work, and when that is given up. */
enum { LOCK_QUIET_MS = 2000, LOCK_WAIT_MS = 28000, MESSAGE_MAX = 2048 };

/* ---- refusing ---- */

static void say(const char *text)
{
    /* If standard error is gone, nobody is left to be told. */
    (void)!dprintf(STDERR_FILENO, "mailctl: %s\n", text);
}

int commandline_refuse(const struct commandline *command, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list list;
    (void)command;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    /* Words of the command line may be a customer's. */
    visible_make(text, strlen(text), false);
    say(text);
    return EXIT_REFUSED;
}

int commandline_trouble(const struct commandline *command, const char *action, const char *object)
{
    commandline_refuse(command, "can't %s %s: %s", action, object, strerror(errno));
    return EXIT_PASSING;
}

int commandline_refuse_findings(struct commandline *command)
{
    bool trouble = command->findings.trouble;
    findings_print(&command->findings, "mailctl", STDERR_FILENO);
    findings_free(&command->findings);
    findings_init(&command->findings);
    return trouble ? EXIT_PASSING : EXIT_REFUSED;
}

/* ---- words and options ---- */

const char *commandline_option(const struct commandline *command, const char *name)
{
    for (size_t i = 0; i < command->option_count; i++)
        if (strcmp(command->options[i].name, name) == 0)
            return command->options[i].value;
    return NULL;
}

/* Every option there is; a verb's list says which of them it takes. */
static const struct option {
    const char *name;
    bool valued;
    unsigned who; /* as in struct commandline_option */
} known_options[] = {
    {"plan", true, 0},
    {"quota", true, 0},
    {"comment", true, 0},
    {"sender", true, 0},
    {"recipient", true, 0},
    {"history", false, 0},
    {"no-policy", false, RIGHTS_OPERATOR},
    {"cause", true, 0},
    {"hours", true, 0},
    {"no-bom", false, 0},
    {"shift-jis", false, 0},
    {"dry-run", false, 0},
    {"from", true, 0},
    {"subject", true, 0},
    {"wait", false, 0},
};

static const struct option *find_option(const struct commandline_verb *verb, struct slice name)
{
    struct slice rest = slice_text(verb->options);
    bool takes = false;
    while (rest.size > 0)
        takes = slice_equal(slice_cut_word(&rest), name) || takes;
    for (size_t i = 0; takes && i < sizeof known_options / sizeof known_options[0]; i++)
        if (slice_equal(name, slice_text(known_options[i].name)))
            return &known_options[i];
    return NULL;
}

/* The option at argv[*at]; *at is left at its last word. */
static bool take_option(struct commandline *command, int argc, char **argv, int *at)
{
    struct slice rest = slice_from(slice_text(argv[*at]), 2);
    bool has_value = slice_has(rest, '=');
    const struct option *option = find_option(command->verb, slice_cut(&rest, '='));
    if (!option || command->option_count == COMMANDLINE_OPTIONS_MAX ||
        (has_value && !option->valued)) {
        commandline_refuse(command, "no option %s here; use: mailctl %s", argv[*at],
                           command->verb->synopsis);
        return false;
    }
    const char *value = "";
    if (has_value) {
        value = rest.data;
    } else if (option->valued) {
        if (*at + 1 >= argc) {
            commandline_refuse(command, "the option %s wants a value", argv[*at]);
            return false;
        }
        value = argv[++*at];
    }
    command->options[command->option_count++] =
        (struct commandline_option){option->name, value, option->who};
    return true;
}

static bool is_json_option(const char *word)
{
    return strcmp(word, "--json") == 0;
}

static bool take_words(struct commandline *command, int argc, char **argv)
{
    bool options = true;
    for (int i = 0; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && is_json_option(argv[i])) {
            command->json = true;
        } else if (options && strncmp(argv[i], "--", 2) == 0) {
            if (!take_option(command, argc, argv, &i))
                return false;
        } else if (command->word_count == COMMANDLINE_WORDS_MAX) {
            commandline_refuse(command, "more than %d words", COMMANDLINE_WORDS_MAX);
            return false;
        } else {
            command->words[command->word_count++] = argv[i];
        }
    }
    if (command->word_count >= command->verb->least && command->word_count <= command->verb->most)
        return true;
    commandline_refuse(command, "use: mailctl %s", command->verb->synopsis);
    return false;
}

/* The verb that the first words name; *used says how many they are. NULL: refused already. */
static const struct commandline_verb *find_verb(const struct commandline *command, int argc,
                                                char **argv, int *used)
{
    bool group = false;
    for (const struct commandline_verb *verb = commandline_verbs; argc > 0 && verb->group; verb++) {
        if (strcmp(verb->group, argv[0]) != 0)
            continue;
        group = true;
        *used = verb->name ? 2 : 1;
        if (!verb->name || (argc > 1 && strcmp(verb->name, argv[1]) == 0))
            return verb;
    }
    if (argc == 0)
        commandline_refuse(command, "use: mailctl VERB...; mailctl help lists them");
    else if (group)
        commandline_refuse(command, "%s what? mailctl help %s lists the verbs", argv[0], argv[0]);
    else
        commandline_refuse(command, "unknown verb \"%s\"; mailctl help lists them", argv[0]);
    return NULL;
}

/* ---- names ---- */

bool commandline_domain_name(const struct commandline *command, const char *word,
                             char name[IDN_NAME_MAX + 1])
{
    if (idn_to_ascii(slice_text(word), name))
        return true;
    commandline_refuse(command, "\"%s\" is no domain name (such as example.jp)", word);
    return false;
}

bool commandline_address(const struct commandline *command, const char *word,
                         char local[USERLINE_LOCAL_MAX + 1], char name[IDN_NAME_MAX + 1])
{
    char error[USERLINE_ERROR_MAX];
    struct slice rest = slice_text(word);
    if (!slice_has(rest, '@')) {
        commandline_refuse(command, "\"%s\" is no USER@DOMAIN", word);
        return false;
    }
    struct slice user = slice_cut(&rest, '@');
    if (!userline_check_local(user, local, error)) {
        commandline_refuse(command, "\"%.*s\": %s", SLICE_PRINTF(user), error);
        return false;
    }
    return commandline_domain_name(command, rest.data, name);
}

bool commandline_load(struct commandline *command, const char *name, struct domain *domain,
                      int *result)
{
    bool found = domain_load(domain, name, &command->sources, &command->plans, &command->findings);
    if (!found) {
        *result = commandline_refuse(command,
                                     "there is no domain %s; mailctl domain list lists them", name);
        return false;
    }
    /* Warnings are for those who compile. */
    str_clear(&command->findings.warnings);
    command->findings.warning_count = 0;
    if (command->findings.error_count == 0)
        return true;
    *result = commandline_refuse_findings(command);
    return false;
}

int commandline_refuse_unknown(const struct commandline *command, const char *local,
                               const char *name)
{
    return commandline_refuse(command, "there is no account %s@%s; mailctl user list %s lists them",
                              local, name, name);
}

bool commandline_open(struct commandline *command, struct commandline_account *subject, int *result)
{
    *subject = (struct commandline_account){0};
    *result = EXIT_REFUSED;
    if (!commandline_address(command, command->words[0], subject->local, subject->name) ||
        !commandline_load(command, subject->name, &subject->domain, result))
        return false;
    subject->account = domain_find(&subject->domain, subject->local);
    if (!subject->account)
        *result = commandline_refuse_unknown(command, subject->local, subject->name);
    return subject->account != NULL;
}

int commandline_rebuild(struct commandline *command, const char *name)
{
    const char *names[] = {name};
    enum rebuild_result result =
        rebuild(command->root, &command->sources, names, 1, &command->findings);
    if (result == REBUILD_DONE) {
        findings_print(&command->findings, "mailctl", STDERR_FILENO);
        return EXIT_DONE;
    }
    return commandline_refuse_findings(command);
}

/* ---- secrets ---- */

/* Echo off while a terminal is asked. */
static bool set_echo(bool on)
{
    struct termios terminal;
    if (tcgetattr(STDIN_FILENO, &terminal) < 0)
        return false;
    if (on)
        terminal.c_lflag |= (tcflag_t)ECHO;
    else
        terminal.c_lflag &= ~(tcflag_t)ECHO;
    return tcsetattr(STDIN_FILENO, TCSANOW, &terminal) == 0;
}

/* Reads to the end of the first line. False: longer than `capacity`, a NUL, or trouble. */
static bool read_line(char *line, size_t capacity)
{
    size_t size = 0;
    for (;;) {
        char byte;
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || size == capacity || (got == 1 && byte == '\0'))
            return false;
        if (got == 0 || byte == '\n') {
            line[size] = '\0';
            return true;
        }
        line[size++] = byte;
    }
}

/* One line, without its end; a terminal is asked for it. False: none, or too long. */
static bool read_secret(const char *prompt, char secret[COMMANDLINE_SECRET_MAX + 1])
{
    char line[COMMANDLINE_SECRET_MAX + 2];
    bool terminal = isatty(STDIN_FILENO) != 0;
    bool quiet = terminal && set_echo(false);
    if (terminal)
        (void)!dprintf(STDERR_FILENO, "%s: ", prompt);
    bool read = read_line(line, sizeof line - 1);
    if (quiet)
        (void)set_echo(true);
    if (terminal)
        (void)!dprintf(STDERR_FILENO, "\n");
    size_t size = read ? strlen(line) : 0;
    if (size > 0 && line[size - 1] == '\r')
        line[--size] = '\0';
    bool good =
        read && size > 0 && slice_copy_text(slice_text(line), secret, COMMANDLINE_SECRET_MAX + 1);
    explicit_bzero(line, sizeof line);
    return good;
}

bool commandline_read_secret(const struct commandline *command,
                             char secret[COMMANDLINE_SECRET_MAX + 1])
{
    bool good = read_secret("password", secret);
    if (!good)
        commandline_refuse(command,
                           "no password: give it as one line of at most %d bytes on standard "
                           "input",
                           COMMANDLINE_SECRET_MAX);
    return good;
}

bool commandline_read_secret_again(const struct commandline *command, const char *secret)
{
    char again[COMMANDLINE_SECRET_MAX + 1] = "";
    bool same = read_secret("once more", again) && strcmp(secret, again) == 0;
    explicit_bzero(again, sizeof again);
    if (!same)
        commandline_refuse(command, "give the new password twice: the second line is not the same");
    return same;
}

/* ---- running ---- */

/* From before the first file is read till the last database is in place. */
int commandline_lock(struct commandline *command)
{
    struct sources *sources = &command->sources;
    bool locked = sources_lock(sources, LOCK_QUIET_MS);
    if (!locked && errno == ETIMEDOUT) {
        commandline_refuse(command, "waiting for process %ld, which changes control files",
                           sources_lock_holder(sources));
        locked = sources_lock(sources, LOCK_WAIT_MS);
    }
    if (!locked && errno == ETIMEDOUT) {
        commandline_refuse(command,
                           "nothing was done: process %ld still changes control files; try again "
                           "when it has ended",
                           sources_lock_holder(sources));
        return EXIT_PASSING;
    }
    if (!locked)
        return commandline_trouble(command, "lock", "control/.lock");
    return sources_watch(sources) ? EXIT_DONE : commandline_trouble(command, "find", "memory");
}

void commandline_release(struct commandline *command)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    /* Behind a pipe may be somebody who types, too. */
    command->released = isatty(STDIN_FILENO) || poll(&input, 1, LOCK_QUIET_MS) == 0;
    if (command->released)
        sources_unlock(&command->sources);
}

int commandline_regain(struct commandline *command)
{
    if (!command->released)
        return EXIT_DONE;
    command->released = false;
    int result = commandline_lock(command);
    if (result != EXIT_DONE || sources_are_as_seen(&command->sources))
        return result;
    commandline_refuse(command,
                       "nothing was done: somebody changed control files meanwhile; try again");
    return EXIT_PASSING;
}

static int open_root(struct commandline *command)
{
    command->here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (chdir(life_root()) < 0)
        return commandline_trouble(command, "enter", life_root());
    command->root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    command->folder = open("control", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (command->root < 0 || command->folder < 0)
        return commandline_trouble(command, "open control in", life_root());
    sources_init(&command->sources, command->folder);
    return command->verb->changes ? commandline_lock(command) : EXIT_DONE;
}

static int run(struct commandline *command)
{
    char bytes[RIGHTS_REASON_MAX];
    struct str reason = str_on(bytes, sizeof bytes);
    if (!rights_may(command, &reason))
        return commandline_refuse(command, "%.*s", SLICE_PRINTF(str_slice(&reason)));
    if (command->verb->who & RIGHTS_NO_ROOT)
        return command->verb->run(command);
    if (geteuid() != 0)
        return commandline_refuse(command, "only root may do that");
    int result = open_root(command);
    return result == EXIT_DONE ? command->verb->run(command) : result;
}

static void finish(struct commandline *command)
{
    json_decref(command->result);
    plans_free(&command->plans);
    findings_free(&command->findings);
    sources_free(&command->sources);
    io_close(&command->folder);
    io_close(&command->root);
    io_close(&command->here);
}

/* What follows such an option is its value, whatever it looks like. */
static bool takes_value(const char *word)
{
    for (size_t i = 0; i < sizeof known_options / sizeof known_options[0]; i++)
        if (known_options[i].valued && strncmp(word, "--", 2) == 0 &&
            strcmp(word + 2, known_options[i].name) == 0)
            return true;
    return false;
}

static bool names_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return true;
        i += takes_value(argv[i]);
    }
    return false;
}

/* "mailctl user add --help": as "mailctl help user add". The words before "--help" that may be a
 * verb's; whatever else stands there is forgotten. */
static bool asks_for_help(struct commandline *command, int argc, char **argv)
{
    bool asked = names_help(argc, argv);
    for (const struct commandline_verb *verb = commandline_verbs; asked && verb->group; verb++)
        if (strcmp(verb->group, "help") == 0)
            command->verb = verb;
    bool named = false;
    for (const struct commandline_verb *verb = commandline_verbs; asked && argc > 1 && verb->group;
         verb++)
        named = named || (verb->name && strcmp(verb->group, argv[0]) == 0);
    for (int i = 0; asked && i < argc && i < (named ? 2 : 1) && argv[i][0] != '-'; i++)
        command->words[command->word_count++] = argv[i];
    return asked;
}

static bool take_actor(struct commandline *command, const char *word)
{
    if (command->actor.role == RIGHTS_OPERATOR && rights_read_actor(&command->actor, word))
        return true;
    commandline_refuse(command, "--as wants admin:DOMAIN or user:USER@DOMAIN, once");
    return false;
}

/* --json and --as may stand in front, --as nowhere else: no word of somebody's is taken for it. How many
 * words that were; -1: refused. */
static int take_front(struct commandline *command, int argc, char **argv)
{
    int at = 0;
    for (; at < argc; at++) {
        if (is_json_option(argv[at])) {
            command->json = true;
        } else if (strncmp(argv[at], "--as=", 5) == 0) {
            if (!take_actor(command, argv[at] + 5))
                return -1;
        } else if (strcmp(argv[at], "--as") == 0) {
            if (!take_actor(command, at + 1 < argc ? argv[++at] : ""))
                return -1;
        } else {
            break;
        }
    }
    return at;
}

int commandline_main(int argc, char **argv)
{
    struct commandline command = {
        .actor.role = RIGHTS_OPERATOR, .here = -1, .root = -1, .folder = -1, .sources.lock = -1};
    int used = 0, front = take_front(&command, argc, argv);
    if (front < 0)
        return EXIT_REFUSED;
    argc -= front;
    argv += front;
    if (!asks_for_help(&command, argc, argv)) {
        command.verb = find_verb(&command, argc, argv, &used);
        if (!command.verb || !take_words(&command, argc - used, argv + used))
            return EXIT_REFUSED;
    }
    findings_init(&command.findings);
    int result = run(&command);
    if (command.result && !output_print(command.result, command.json))
        result = commandline_trouble(&command, "write to", "standard output");
    finish(&command);
    return result;
}
