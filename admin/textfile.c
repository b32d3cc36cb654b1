/* textfile - see textfile.h */
#include "textfile.h"

#include <stdio.h>

bool textfile_read(struct textfile *file, struct commandline *command, const char *domain,
                   const char *name)
{
    str_init(&file->text, SOURCES_FILE_MAX);
    snprintf(file->path, sizeof file->path, "domains/%s/%s", domain, name);
    if (sources_read(&command->sources, file->path, &file->text) != SOURCES_TROUBLE)
        return true;
    commandline_trouble(command, "read", file->path);
    return false;
}

void textfile_free(struct textfile *file)
{
    str_free(&file->text);
}

bool textfile_replace(struct textfile *file, struct commandline *command, struct str *fresh)
{
    bool taken = !fresh->failed && sources_change(&command->sources, file->path, str_slice(fresh));
    str_free(&file->text);
    file->text = *fresh;
    return taken;
}

bool textfile_put(struct textfile *file, struct commandline *command, enum edit_key kind,
                  struct slice key, struct slice line)
{
    struct slice old = {0};
    struct str fresh;
    struct slice text = str_slice(&file->text);
    str_init(&fresh, SOURCES_FILE_MAX);
    if (!edit_find(text, kind, key, &old))
        old = (struct slice){0};
    edit_put(&fresh, text, old, line);
    return textfile_replace(file, command, &fresh);
}

bool textfile_remove(struct textfile *file, struct commandline *command, enum edit_key kind,
                     struct slice key)
{
    struct slice old;
    struct str fresh;
    if (!edit_find(str_slice(&file->text), kind, key, &old))
        return false;
    str_init(&fresh, SOURCES_FILE_MAX);
    edit_remove(&fresh, str_slice(&file->text), old);
    return textfile_replace(file, command, &fresh);
}
