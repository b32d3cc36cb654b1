/*
 * textfile - a control file of a domain while a verb changes it
 */
#ifndef ADMIN_TEXTFILE_H
#define ADMIN_TEXTFILE_H

#include "commandline.h"
#include "edit.h"

struct textfile {
    char path[PATH_MAX]; /* relative to control/ */
    struct str text;
};

/* Reads domains/DOMAIN/FILE; a missing one is empty. False: refused already. */
bool textfile_read(struct textfile *file, struct commandline *command, const char *domain,
                   const char *name);
void textfile_free(struct textfile *file);

/* Puts `line` in the place of the one known by `key`, or at the end, and notes the new text as a
 * change. False: memory is out. */
bool textfile_put(struct textfile *file, struct commandline *command, enum edit_key kind,
                  struct slice key, struct slice line);
/* Puts a whole new text in its place; `fresh` is the file's then. False: memory is out. */
bool textfile_replace(struct textfile *file, struct commandline *command, struct str *fresh);
/* Takes the line out. False: there is none. */
bool textfile_remove(struct textfile *file, struct commandline *command, enum edit_key kind,
                     struct slice key);

#endif
