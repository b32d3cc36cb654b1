/*
 * floor - how fast a disk lets anybody store mail: the file operations of a mail system, and nothing else
 *
 *   floor FOLDER VARIANT WORKERS MESSAGES LENGTH
 *
 * WORKERS processes write MESSAGES in all. Each message is written into a queue and synced, then into a
 * Maildir and synced, then leaves the queue. Variants:
 *   folders   as mail-suite does: file and folder are synced, in the queue and in the Maildir (4 syncs)
 *   together  the same syncs, but after the file got its name: the second finds its work done by the first
 *   files     as Postfix does: the two files are synced, the folders are not (2 syncs)
 *   inplace   the same, but the queue file is made under its own name, without a rename
 *   reused    the same, but queue files are old ones that are overwritten and never removed
 *   maildir   the Maildir alone (1 sync): what a server would do that needs no queue
 * Prints "rate=MESSAGES_PER_SECOND". FOLDER gets folders queue, queue-tmp, and one Maildir per worker.
 * Exits       0 done, 1 with a line on standard error
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH_LENGTH = 64 };

struct variant {
    const char *name;
    bool queue, rename, reuse, sync_folders, sync_named;
};

static const struct variant variants[] = {
    {.name = "folders", .queue = true, .rename = true, .sync_folders = true},
    {.name = "together", .queue = true, .rename = true, .sync_folders = true, .sync_named = true},
    {.name = "files", .queue = true, .rename = true},
    {.name = "inplace", .queue = true},
    {.name = "reused", .queue = true, .reuse = true},
    {.name = "maildir"}};

struct worker {
    const struct variant *variant;
    unsigned number;
    const char *bytes;
    size_t length;
    int queue, tmp, new; /* folders */
};

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void make_folder(const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        die(path);
}

static int open_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        die(path);
    return fd;
}

static void sync_fd(int fd)
{
    if (fsync(fd) != 0)
        die("fsync");
}

static void sync_and_close(int fd)
{
    if (fdatasync(fd) != 0 || close(fd) != 0)
        die("fdatasync");
}

static void move(const char *from, const char *to)
{
    if (rename(from, to) != 0)
        die(to);
}

/* A new file, or with flags 0 an old one, under the name `path`, by way of `temporary` if that is given. */
static void write_file(const struct worker *worker, const char *temporary, const char *path,
                       int flags)
{
    const char *first = temporary != NULL ? temporary : path;
    bool is_synced_named = temporary == NULL || worker->variant->sync_named;
    int fd = open(first, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    if (fd < 0)
        die(first);
    for (size_t at = 0; at < worker->length;) {
        ssize_t written = write(fd, worker->bytes + at, worker->length - at);
        if (written <= 0)
            die(first);
        at += (size_t)written;
    }
    if (!is_synced_named)
        sync_and_close(fd);
    if (temporary != NULL)
        move(temporary, path);
    if (is_synced_named)
        sync_and_close(fd);
}

static void name(char path[PATH_LENGTH], const char *folder, unsigned worker, unsigned long message)
{
    int length = snprintf(path, PATH_LENGTH, "%s/%u.%lu", folder, worker, message);
    if (length < 0 || length >= PATH_LENGTH)
        die(folder);
}

static void store_queue(const struct worker *worker, char path[PATH_LENGTH], unsigned long message)
{
    const struct variant *variant = worker->variant;
    char temporary[PATH_LENGTH];
    name(path, "queue", worker->number, variant->reuse ? 0 : message);
    name(temporary, "queue-tmp", worker->number, message);
    write_file(worker, variant->rename ? temporary : NULL, path, variant->reuse ? 0 : O_EXCL);
    if (variant->sync_folders)
        sync_fd(worker->queue);
}

static void store_maildir(const struct worker *worker, unsigned long message)
{
    char temporary[PATH_LENGTH], path[PATH_LENGTH], folder[PATH_LENGTH / 2];
    (void)snprintf(folder, sizeof folder, "Maildir.%u/tmp", worker->number);
    name(temporary, folder, worker->number, message);
    (void)snprintf(folder, sizeof folder, "Maildir.%u/new", worker->number);
    name(path, folder, worker->number, message);
    write_file(worker, temporary, path, O_EXCL);
    if (worker->variant->sync_folders)
        sync_fd(worker->new);
}

static void make_folders(struct worker *worker)
{
    char path[PATH_LENGTH];
    (void)snprintf(path, sizeof path, "Maildir.%u", worker->number);
    make_folder(path);
    (void)snprintf(path, sizeof path, "Maildir.%u/tmp", worker->number);
    make_folder(path);
    (void)snprintf(path, sizeof path, "Maildir.%u/new", worker->number);
    make_folder(path);
    worker->new = open_folder(path);
    worker->queue = open_folder("queue");
}

static void work(struct worker *worker, int start, unsigned long messages)
{
    char byte;
    char path[PATH_LENGTH] = "";
    make_folders(worker);
    /* The end of the pipe is the sign to begin. */
    if (read(start, &byte, 1) != 0)
        die("start");
    for (unsigned long message = 0; message < messages; message++) {
        if (worker->variant->queue)
            store_queue(worker, path, message);
        store_maildir(worker, message);
        if (worker->variant->queue && !worker->variant->reuse && unlink(path) != 0)
            die(path);
    }
}

static const struct variant *find_variant(const char *wanted)
{
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++)
        if (strcmp(variants[i].name, wanted) == 0)
            return &variants[i];
    errno = EINVAL;
    die(wanted);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "floor: use: floor FOLDER VARIANT WORKERS MESSAGES LENGTH\n");
        return 1;
    }
    unsigned long workers = strtoul(argv[3], NULL, 10);
    unsigned long messages = strtoul(argv[4], NULL, 10);
    struct worker worker = {.variant = find_variant(argv[2]), .length = strtoul(argv[5], NULL, 10)};
    char *bytes = malloc(worker.length + 1);
    int start[2];
    if (bytes == NULL || workers == 0 || chdir(argv[1]) != 0 || pipe(start) != 0)
        die(argv[1]);
    memset(bytes, 'm', worker.length);
    worker.bytes = bytes;
    unsigned long share = messages / workers;
    make_folder("queue");
    make_folder("queue-tmp");
    fflush(stdout);
    for (unsigned i = 0; i < workers; i++) {
        pid_t pid = fork();
        if (pid < 0)
            die("fork");
        if (pid > 0)
            continue;
        close(start[1]);
        worker.number = i;
        work(&worker, start[0], share);
        _exit(0);
    }
    usleep(200000);
    double began = now();
    close(start[1]);
    int status;
    while (wait(&status) > 0)
        if (status != 0)
            die("a worker failed");
    printf("rate=%.1f\n", (double)(share * workers) / (now() - began));
    free(bytes);
    return 0;
}
