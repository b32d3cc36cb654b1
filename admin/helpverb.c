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
    str_free(text);
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
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "setting", setting->name, "of",
                     settings_scope_name(setting->scope), "kind", settings_kind_name(setting->kind),
                     "default", setting->otherwise ? setting->otherwise : "(must be given)",
                     "bounds", bounds, "meaning", setting->sentence);
}

static int list_settings(struct commandline *command)
{
    command->result = json_array();
    for (size_t i = 0; i < settings_count; i++)
        json_array_append_new(command->result, setting_row(&settings_table[i]));
    return EXIT_DONE;
}

static bool is_asked(const struct commandline *command, const struct commandline_verb *verb)
{
    return command->word_count == 0 ||
           (strcmp(verb->group, command->words[0]) == 0 &&
            (command->word_count == 1 ||
             (verb->name && strcmp(verb->name, command->words[1]) == 0)));
}

int operations_help(struct commandline *command)
{
    struct str text;
    size_t count = 0;
    if (command->word_count > 0 && strcmp(command->words[0], "settings") == 0)
        return list_settings(command);
    str_init(&text, HELP_MAX);
    for (const struct commandline_verb *verb = commandline_verbs; verb->group; verb++) {
        if (!is_asked(command, verb))
            continue;
        str_format(&text, "%s%s\n", command->word_count > 0 ? "mailctl " : "  ", verb->synopsis);
        if (command->word_count > 0)
            append_wrapped(&text, verb->help);
        count++;
    }
    if (count == 0) {
        str_free(&text);
        return commandline_refuse(command, "unknown verb \"%s\"; mailctl help lists them",
                                  command->words[0]);
    }
    if (command->word_count == 0)
        str_append_text(
            &text,
            "Options: --json prints JSON. Exit: 0 done, 1 refused, 111 passing "
            "trouble.\nmailctl help VERB, or mailctl VERB --help, explains one; see mailctl(1).\n");
    return print(command, &text);
}
