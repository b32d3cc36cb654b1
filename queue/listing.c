/* listing - see listing.h */
#include "listing.h"

#include "failure.h"
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct names {
    char (*list)[QUEUEFILE_ID_SIZE + 1];
    size_t count, capacity;
};

static bool add_name(struct names *names, const char *name)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 256;
        void *list = reallocarray(names->list, capacity, sizeof *names->list);
        if (!list)
            return false;
        names->list = list;
        names->capacity = capacity;
    }
    return slice_copy_text(slice_text(name), names->list[names->count++], QUEUEFILE_ID_SIZE + 1);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Ids sort by age. */
static bool read_names(int folder, struct names *names)
{
    bool done = true;
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        io_close(&fd);
        return false;
    }
    for (struct dirent *entry; done && (entry = readdir(list));)
        if (queuefile_is_id(slice_text(entry->d_name)))
            done = add_name(names, entry->d_name);
    closedir(list);
    if (done && names->count > 1)
        qsort(names->list, names->count, sizeof *names->list, compare_names);
    return done;
}

static void write_reason(FILE *out, struct slice reasons, struct slice recipient)
{
    struct failure failure;
    while (failure_next(&reasons, &failure))
        if (slice_equal(failure.recipient, recipient)) {
            fprintf(out, " (%.*s %.*s)", SLICE_PRINTF(failure.status), SLICE_PRINTF(failure.text));
            return;
        }
}

void listing_message(FILE *out, const struct queuefile *file, const char *mark,
                     struct slice reasons)
{
    char date[32] = "?";
    struct tm parts;
    time_t seconds = (time_t)file->arrived;
    if (gmtime_r(&seconds, &parts))
        strftime(date, sizeof date, "%Y-%m-%d %H:%M:%SZ", &parts);
    fprintf(out, "%.*s%s %9llu  %s  <%.*s>\n", SLICE_PRINTF(file->id), mark,
            (unsigned long long)file->size, date, SLICE_PRINTF(file->sender));
    for (size_t i = 0; i < file->recipient_count; i++) {
        const struct queuefile_recipient *one = &file->recipients[i];
        fprintf(out, "    %-6s %.*s", queuefile_status_word(one->status),
                SLICE_PRINTF(one->address));
        if (one->status == QUEUEFILE_FAILED)
            write_reason(out, reasons, one->address);
        fputc('\n', out);
    }
}

static void list_one(FILE *out, int folder, int failures, const char *id, const char *mark,
                     struct listing_sums *sums)
{
    struct loaded *loaded;
    struct str reasons;
    switch (loaded_open(folder, id, &loaded)) {
    case LOADED_OK:
        str_init(&reasons, FAILURE_FILE_MAX);
        if (loaded_count(loaded, QUEUEFILE_FAILED) > 0 && !failure_read(failures, id, &reasons))
            str_clear(&reasons);
        listing_message(out, &loaded->file, mark, str_slice(&reasons));
        sums->messages++;
        sums->bytes += loaded->file.size;
        sums->recipients += loaded_count_todo(loaded);
        str_free(&reasons);
        loaded_close(&loaded);
        break;
    case LOADED_GONE: /* delivered meanwhile */
        break;
    case LOADED_BROKEN:
        fprintf(out, "%s  not a whole queue file\n", id);
        sums->broken++;
        break;
    case LOADED_TROUBLE:
        fprintf(out, "%s  can't be read: %s\n", id, strerror(errno));
        sums->broken++;
        break;
    }
}

bool listing_folder(FILE *out, const char *path, int failures, const char *mark,
                    struct listing_sums *sums)
{
    struct names names = {0};
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return errno == ENOENT;
    bool done = read_names(folder, &names);
    for (size_t i = 0; done && i < names.count; i++)
        list_one(out, folder, failures, names.list[i], mark, sums);
    free(names.list);
    io_close(&folder);
    return done;
}

void listing_sums(FILE *out, const struct listing_sums *sums)
{
    if (sums->messages == 0 && sums->broken == 0) {
        fputs("the queue is empty\n", out);
        return;
    }
    fprintf(out, "-- %zu message%s, %zu recipient%s to do, %llu KB", sums->messages,
            sums->messages == 1 ? "" : "s", sums->recipients, sums->recipients == 1 ? "" : "s",
            (unsigned long long)((sums->bytes + 1023) / 1024));
    if (sums->broken > 0)
        fprintf(out, ", %zu not readable", sums->broken);
    fputc('\n', out);
}
