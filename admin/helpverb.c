/* helpverb - mailctl help; see operations.h */
#include "clock.h"
#include "io.h"
#include "operations.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HELP_MAX = 65536, WIDTH = 78 };

static int print(struct commandline *command, struct str *text)
{
    bool done = !text->failed && io_write_all(STDOUT_FILENO, str_slice(text), CLOCK_NEVER);
    return done ? EXIT_DONE : commandline_trouble(command, "write to", "standard output");
}

static void append_wrapped(struct str *text, const char *sentence)
{
    struct slice rest = slice_text(sentence);
    size_t column = 0;
    while (rest.size > 0) {
        struct slice word = slice_cut_word(&rest);
        if (column == 0 || column + 1 + word.size > WIDTH) {
            str_append_text(text, column == 0 ? "    " : "\n    ");
            column = 4;
        } else {
            str_append_byte(text, ' ');
            column++;
        }
        str_append(text, word);
        column += word.size;
    }
    str_append_byte(text, '\n');
}

static json_t *setting_row(const struct setting *setting)
{
    char bounds[64] = "";
    if (setting->kind == SETTINGS_NUMBER || setting->kind == SETTINGS_BYTES)
        snprintf(bounds, sizeof bounds, "%llu-%llu", (unsigned long long)setting->least,
                 (unsigned long long)setting->most);
    else if (setting->kind == SETTINGS_CHOICE)
        snprintf(bounds, sizeof bounds, "%s", setting->choices);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "setting", setting->name, "of",
                     settings_scope_name(setting->scope), "kind", settings_kind_name(setting->kind),
                     "default", setting->otherwise ? setting->otherwise : "(must be given)",
                     "bounds", bounds, "who", settings_who_name(setting->who), "meaning",
                     setting->sentence);
}

static int list_settings(struct commandline *command)
{
    command->result = json_array();
    for (size_t i = 0; i < settings_count; i++)
        json_array_append_new(command->result, setting_row(&settings_table[i]));
    return EXIT_DONE;
}

/* Who may less is told of what he may. */
static bool is_asked(const struct commandline *command, const struct commandline_verb *verb)
{
    return (verb->who & command->actor.role) &&
           (command->word_count == 0 ||
            (strcmp(verb->group, command->words[0]) == 0 &&
             (command->word_count == 1 ||
              (verb->name && strcmp(verb->name, command->words[1]) == 0))));
}

static json_t *verb_row(const struct commandline_verb *verb)
{
    static const enum rights roles[] = {RIGHTS_OPERATOR, RIGHTS_ADMIN, RIGHTS_USER};
    static const char *const shown[] = {[COMMANDLINE_NOTHING] = "nothing",
                                        [COMMANDLINE_RESULT] = "json",
                                        [COMMANDLINE_TEXT] = "text"};
    json_t *who = json_array();
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (verb->who & roles[i])
            json_array_append_new(who, json_string(rights_role_name(roles[i])));
    return json_pack(
        "{s:o, s:s, s:o, s:b, s:s, s:s}", "verb",
        json_sprintf("%s%s%s", verb->group, verb->name ? " " : "", verb->name ? verb->name : ""),
        "synopsis", verb->synopsis, "who", who, "changes", (int)verb->changes, "output",
        shown[verb->shows], "help", verb->help);
}

static void put_verb(const struct commandline *command, const struct commandline_verb *verb,
                     struct str *text)
{
    str_format(text, "%s%s\n", command->word_count > 0 ? "mailctl " : "  ", verb->synopsis);
    if (command->word_count > 0)
        append_wrapped(text, verb->help);
}

static int print_help(struct commandline *command, struct str *text)
{
    if (command->word_count == 0)
        str_append_text(
            text,
            "Options: --json prints JSON; --as says for whom. Exit: 0 done, 1 refused, 111 passing "
            "trouble.\nmailctl help VERB, or mailctl VERB --help, explains one; see "
            "mailctl(1).\n");
    return print(command, text);
}

int operations_help(struct commandline *command)
{
    struct str text;
    if (command->word_count > 0 && strcmp(command->words[0], "settings") == 0)
        return list_settings(command);
    json_t *rows = json_array();
    str_init(&text, HELP_MAX);
    for (const struct commandline_verb *verb = commandline_verbs; verb->group; verb++) {
        if (!is_asked(command, verb))
            continue;
        put_verb(command, verb, &text);
        json_array_append_new(rows, verb_row(verb));
    }
    int result = EXIT_DONE;
    if (json_array_size(rows) == 0)
        result = commandline_refuse(command, "unknown verb \"%s%s%s\"; mailctl help lists them",
                                    command->words[0], command->word_count > 1 ? " " : "",
                                    command->word_count > 1 ? command->words[1] : "");
    else if (command->json)
        command->result = json_incref(rows);
    else
        result = print_help(command, &text);
    json_decref(rows);
    str_free(&text);
    return result;
}
