/* metadata - see metadata.h */
#include "metadata.h"

#include "io.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#define METADATA_MAILBOX_FILE "mailbox-metadata"
#define METADATA_SERVER_FILE  "server-metadata"

static bool cut_entry(struct slice *rest, struct metadata_entry *entry)
{
    struct slice head = slice_cut(rest, '\n');
    uint64_t size;
    entry->name = slice_cut(&head, ' ');
    if (entry->name.size == 0 || !number_parse(head, METADATA_VALUE_MAX, &size) ||
        size >= rest->size || rest->data[size] != '\n')
        return false;
    entry->value = slice_part(*rest, 0, (size_t)size);
    *rest = slice_from(*rest, (size_t)size + 1);
    return true;
}

void metadata_parse(struct slice content, struct metadata *metadata)
{
    metadata->count = 0;
    while (metadata->count < METADATA_ENTRIES_MAX && content.size > 0 &&
           cut_entry(&content, &metadata->entries[metadata->count]))
        metadata->count++;
}

bool metadata_format(const struct metadata *metadata, struct str *content)
{
    for (size_t i = 0; i < metadata->count; i++) {
        str_append(content, metadata->entries[i].name);
        str_append_byte(content, ' ');
        str_append_number(content, metadata->entries[i].value.size);
        str_append_byte(content, '\n');
        str_append(content, metadata->entries[i].value);
        str_append_byte(content, '\n');
    }
    return !content->failed;
}

static size_t find(const struct metadata *metadata, struct slice name)
{
    size_t i = 0;
    while (i < metadata->count && !slice_equal(metadata->entries[i].name, name))
        i++;
    return i;
}

const struct slice *metadata_find(const struct metadata *metadata, struct slice name)
{
    size_t i = find(metadata, name);
    return i < metadata->count ? &metadata->entries[i].value : NULL;
}

bool metadata_set(struct metadata *metadata, struct slice name, const struct slice *value)
{
    size_t i = find(metadata, name);
    if (!value) {
        if (i < metadata->count)
            metadata->entries[i] = metadata->entries[--metadata->count];
        return true;
    }
    if (i == METADATA_ENTRIES_MAX)
        return false;
    metadata->entries[i] = (struct metadata_entry){.name = name, .value = *value};
    if (i == metadata->count)
        metadata->count++;
    return true;
}

static const char *folder_path(const struct imapfolder *folder)
{
    return folder ? folder->path : IMAPFOLDER_ROOT;
}

static const char *file_name(const struct imapfolder *folder)
{
    return folder ? METADATA_MAILBOX_FILE : METADATA_SERVER_FILE;
}

static bool load(int directory, const char *path, struct metadata *metadata)
{
    metadata->count = 0;
    str_init(&metadata->content, METADATA_FILE_MAX);
    bool read = io_read_file(directory, path, &metadata->content);
    if (read)
        metadata_parse(str_slice(&metadata->content), metadata);
    return read || errno == ENOENT;
}

bool metadata_load(const struct imapfolder *folder, struct metadata *metadata)
{
    char path[IMAPFOLDER_PATH_MAX + sizeof METADATA_MAILBOX_FILE + 1];
    snprintf(path, sizeof path, "%s/%s", folder_path(folder), file_name(folder));
    return load(AT_FDCWD, path, metadata);
}

void metadata_free(struct metadata *metadata)
{
    str_free(&metadata->content);
    metadata->count = 0;
}

int metadata_lock(const struct imapfolder *folder, struct metadata *metadata)
{
    int lock = open(folder_path(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *metadata = (struct metadata){0};
    if (lock >= 0 && (flock(lock, LOCK_EX) < 0 || !load(lock, file_name(folder), metadata)))
        io_close(&lock);
    return lock;
}

bool metadata_store(int lock, const struct imapfolder *folder, const struct metadata *metadata)
{
    struct str content;
    str_init(&content, METADATA_FILE_MAX);
    bool done = metadata_format(metadata, &content);
    if (!done)
        errno = EFBIG;
    done = done && io_replace_file(lock, file_name(folder), str_slice(&content), 0600, (uid_t)-1,
                                   (gid_t)-1);
    str_free(&content);
    return done;
}

void metadata_unlock(int *lock)
{
    io_close(lock);
}
