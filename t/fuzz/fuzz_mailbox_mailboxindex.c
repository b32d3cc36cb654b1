/* Any bytes as mailbox-index: damaged ones cost no UID and no flag; whole ones with nonsense in them, as
 * only the owner could write them, no more than that. The first byte says which: 1 with sums that are
 * right, 2 with the folders' times that are. */
#include "clock.h"
#include "hash.h"
#include "io.h"
#include "mailboxindex.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SUMS = 1, TIMES = 2, INPUT_MAX = 1 << 18 };

static char root[64];
static int folder = -1;

static void check(int holds)
{
    if (!holds)
        abort();
}

static void put(const char *path, struct slice content)
{
    int fd = openat(folder, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    check(fd >= 0 && io_write_all(fd, content, CLOCK_NEVER));
    io_close(&fd);
}

static void empty(const char *path)
{
    int fd = openat(folder, path, O_RDONLY | O_DIRECTORY);
    DIR *list = fdopendir(fd);
    check(list != NULL);
    for (const struct dirent *entry; (entry = readdir(list));)
        if (entry->d_name[0] != '.')
            unlinkat(fd, entry->d_name, 0);
    closedir(list);
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    (void)!system(command);
}

static void begin(void)
{
    snprintf(root, sizeof root, "%s/fuzz_mailboxindex.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    check(mkdtemp(root) != NULL);
    atexit(remove_folder);
    folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(folder >= 0 && maildir_create(folder, "."));
}

static void put_messages(void)
{
    empty("cur");
    empty("new");
    put("cur/1000000001.a,S=5,W=5,U=3:2,FS", SLICE("a: b\n"));
    put("cur/1000000002.b,S=5,W=5,U=5:2,a", SLICE("c: d\n"));
    put("mailbox-uids", SLICE("uidvalidity 0000000077\nuidnext 0000001000\nmodseq "
                              "00000000000000100000\nmailboxid 00000000000000ff\n"));
    unlinkat(folder, "mailbox-pending", 0);
}

/* 0: it is not there. */
static int64_t time_of(const char *path)
{
    struct stat info;
    if (fstatat(folder, path, &info, 0) < 0)
        return 0;
    return (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
}

/* As if nothing but the suite had been here. */
static void set_known(struct mailbox_state *state)
{
    state->cur_stamp = time_of("cur");
    state->new_stamp = time_of("new");
    state->new_mark = (uint32_t)time_of("mailbox-lock");
    state->boot = clock_boot_seconds();
}

/* A bool is 0 or 1: nobody writes anything else. */
static void mend_message(char *bytes)
{
    static const size_t bools[] = {
        offsetof(struct mailbox_message, recent), offsetof(struct mailbox_message, gone),
        offsetof(struct mailbox_message, changed), offsetof(struct mailbox_message, in_new),
        offsetof(struct mailbox_message, is_odd)};
    for (size_t i = 0; i < sizeof bools / sizeof *bools; i++)
        bytes[bools[i]] = (char)(bytes[bools[i]] & 1);
}

/* The sums of the entries that are whole, from `at` on. */
static void mend_log(char *bytes, size_t size, uint64_t at, uint64_t seed, unsigned how)
{
    while (at % 8 == 0 && at <= size && size - at >= sizeof(struct mailbox_index_entry)) {
        struct mailbox_index_entry *entry = (void *)(bytes + at);
        if (entry->size < sizeof *entry || entry->size > size - at || entry->size % 8 != 0)
            return;
        if (how & TIMES && entry->kind == MAILBOX_INDEX_STATE &&
            entry->size == sizeof *entry + sizeof(struct mailbox_state)) {
            set_known((void *)(entry + 1));
        }
        if (entry->kind == MAILBOX_INDEX_MESSAGE &&
            entry->size >= sizeof *entry + sizeof(struct mailbox_message))
            mend_message((char *)(entry + 1));
        entry->sum = mailbox_index_sum(seed, entry);
        at += entry->size;
    }
}

static void mend(char *bytes, size_t size, unsigned how)
{
    struct mailbox_index_header *header = (void *)bytes;
    if (size < MAILBOX_INDEX_PAGE)
        return;
    header->magic = MAILBOX_INDEX_MAGIC;
    header->version = MAILBOX_INDEX_VERSION;
    header->header_size = sizeof *header;
    header->message_size = sizeof(struct mailbox_message);
    header->state_size = sizeof(struct mailbox_state);
    header->uidvalidity = 77;
    header->mailbox_id = 0xff;
    if (how & TIMES)
        set_known(&header->state);
    for (size_t at = MAILBOX_INDEX_PAGE, i = 0;
         i < header->count && size - at >= sizeof(struct mailbox_message);
         at += sizeof(struct mailbox_message), i++)
        mend_message(bytes + at);
    if (header->log_at >= MAILBOX_INDEX_PAGE && header->log_at <= size) {
        header->body_sum = hash_add_block(HASH_START, bytes + MAILBOX_INDEX_PAGE,
                                          (size_t)header->log_at - MAILBOX_INDEX_PAGE);
        mend_log(bytes, size, header->log_at,
                 mailbox_index_seed(header->index_id, header->generation), how);
    }
    header->sum = hash_add_block(HASH_START, header, offsetof(struct mailbox_index_header, sum));
}

/* All that a session asks for. */
static void use(struct mailbox *mailbox)
{
    char name[MAILBOX_NAME_SIZE];
    struct slice bytes;
    size_t count;
    for (size_t i = 0; i < mailbox->count; i++) {
        struct mailbox_message *message = &mailbox->messages[i];
        (void)mailbox_name(mailbox, message, name);
        (void)mailbox_email_id(mailbox, message);
        (void)mailbox_save_date(mailbox, message);
        (void)mailbox_cached(mailbox, message, MAILBOX_ENVELOPE, &bytes);
        (void)mailbox_find(mailbox, message->uid);
    }
    (void)mailbox_first_unseen(mailbox);
    (void)mailbox_vanished_since(mailbox, 1, &count);
}

static void check_kept(const struct mailbox *mailbox)
{
    check(mailbox->count == 2 && mailbox->uidvalidity == 77 && mailbox->uidnext >= 6);
    check(mailbox->messages[0].uid == 3 &&
          mailbox->messages[0].flags == (MAILDIR_SEEN | MAILDIR_FLAGGED));
    check(mailbox->messages[1].uid == 5 && mailbox->messages[1].keywords == 1);
}

static void tell(void *owner, const char *text)
{
    (void)owner;
    (void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mailbox_checked checked;
    if (size < 1 || size > INPUT_MAX)
        return 0;
    if (folder < 0)
        begin();
    unsigned how = data[0];
    char *bytes = malloc(size);
    check(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    put_messages();
    if (how & SUMS)
        mend(bytes, size - 1, how);
    put("mailbox-index", slice_of(bytes, size - 1));
    free(bytes);
    (void)mailbox_check(folder, ".", tell, NULL, &checked);
    struct mailbox *mailbox = mailbox_open(folder, ".", true);
    bool is_open = mailbox != NULL;
    if (mailbox) {
        use(mailbox);
        if (!(how & SUMS))
            check_kept(mailbox);
        mailbox_close(&mailbox);
    }
    check(is_open || (how & SUMS) != 0);
    return 0;
}
