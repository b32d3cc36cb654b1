/* completionverb - mailctl completion; see operations.h */
#include "clock.h"
#include "completion.h"
#include "io.h"
#include "life.h"
#include "operations.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* bash cuts words at '@', ':' and '=', we don't: so the line is cut here at blanks, and what bash
 * took for the word before is taken off the answers. Files are completed where we have no answer. */
static const char script[] = "# Completion of mailctl for bash: source this file, or put it into\n"
                             "# /etc/bash_completion.d/. Made by \"mailctl completion bash\".\n"
                             "_mailctl() {\n"
                             "    local line=${COMP_LINE:0:COMP_POINT} current cut\n"
                             "    local -a words\n"
                             "    read -ra words <<< \"$line\"\n"
                             "    [[ $line == *[[:blank:]] ]] && words+=('')\n"
                             "    current=${words[${#words[@]} - 1]}\n"
                             "    cut=${current%\"${current##*[@:=]}\"}\n"
                             "    mapfile -t COMPREPLY < <(\"${words[0]}\" completion words -- "
                             "\"${words[@]:1}\" 2> /dev/null)\n"
                             "    COMPREPLY=(\"${COMPREPLY[@]#\"$cut\"}\")\n"
                             "}\n"
                             "complete -o default -F _mailctl mailctl\n";

/* Names are for those who may read them; others get the verbs. */
static void list_words(const struct commandline *command, struct str *text)
{
    int root = open(life_root(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    int control = root < 0 ? -1 : openat(root, "control", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    completion_list(control, command->words + 1, command->word_count - 1, text);
    io_close(&control);
    io_close(&root);
}

int operations_completion(struct commandline *command)
{
    struct str text;
    bool words = strcmp(command->words[0], "words") == 0;
    if (!words && (strcmp(command->words[0], "bash") != 0 || command->word_count > 1))
        return commandline_refuse(command, "use: mailctl %s", command->verb->synopsis);
    str_init(&text, COMPLETION_BYTES_MAX);
    if (words)
        list_words(command, &text);
    else
        str_append_text(&text, script);
    bool done = !text.failed && io_write_all(STDOUT_FILENO, str_slice(&text), CLOCK_NEVER);
    str_free(&text);
    return done ? EXIT_DONE : commandline_trouble(command, "write to", "standard output");
}
