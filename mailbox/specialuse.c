/* specialuse - see specialuse.h */
#include "specialuse.h"

#include "io.h"
#include "mutf7.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SPECIALUSE_FILE "special-use"
enum { CUSTOMARY_MAX = 8 };

/* The name that we make stands first. The others are what Outlook, Apple's Mail, Thunderbird,
 * Gmail and the mail programs of Japanese Windows make, in the order in which they count when
 * several are there. */
static const struct {
    const char *attribute;
    const char *names[CUSTOMARY_MAX];
} specials[SPECIALUSE_COUNT] = {
    [SPECIALUSE_ARCHIVE] = {"\\Archive", {"Archive", "Archives", "アーカイブ"}},
    [SPECIALUSE_DRAFTS] = {"\\Drafts", {"Drafts", "Draft", "下書き", "草稿"}},
    [SPECIALUSE_JUNK] = {"\\Junk", {"Junk", "Junk E-mail", "Junk Email", "Spam", "迷惑メール"}},
    [SPECIALUSE_SENT] = {"\\Sent",
                         {"Sent", "Sent Items", "Sent Messages", "送信済みアイテム",
                          "送信済みメール", "送信済み", "送信済みトレイ"}},
    [SPECIALUSE_TRASH] = {"\\Trash",
                          {"Trash", "Deleted Items", "Deleted Messages", "削除済みアイテム",
                           "ゴミ箱", "ごみ箱", "削除済み", "削除済みメール"}},
};

const char *specialuse_standard(size_t index)
{
    return index < SPECIALUSE_COUNT ? specials[index].names[0] : NULL;
}

unsigned specialuse_bit(struct slice attribute)
{
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++)
        if (slice_equal_nocase(attribute, slice_text(specials[i].attribute)))
            return 1u << i;
    return 0;
}

/* Clients with the prefix "INBOX" make them below it. */
static struct slice without_inbox(struct slice name)
{
    struct slice rest = name;
    struct slice first = slice_cut(&rest, IMAPFOLDER_SEPARATOR);
    return rest.size > 0 && slice_equal(first, SLICE(IMAPFOLDER_INBOX)) ? rest : name;
}

size_t specialuse_rank(size_t index, struct slice name)
{
    struct str utf8;
    size_t rank = CUSTOMARY_MAX;
    str_init(&utf8, (size_t)IMAPFOLDER_NAME_MAX * 2);
    if (mutf7_to_utf8(without_inbox(name), &utf8))
        for (rank = 0; rank < CUSTOMARY_MAX; rank++) {
            const char *customary = specials[index].names[rank];
            if (customary && slice_equal_nocase(str_slice(&utf8), slice_text(customary)))
                break;
        }
    str_free(&utf8);
    return rank < CUSTOMARY_MAX ? rank : SIZE_MAX;
}

unsigned specialuse_customary(struct slice name)
{
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++)
        if (specialuse_rank(i, name) != SIZE_MAX)
            return 1u << i;
    return 0;
}

static void take_line(struct specialuses *uses, struct slice line)
{
    struct imapfolder folder;
    struct slice attribute = slice_cut(&line, ' ');
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++)
        if (slice_equal_nocase(attribute, slice_text(specials[i].attribute)) &&
            imapfolder_named(line, &folder))
            memcpy(uses->names[i], folder.name, sizeof uses->names[i]);
}

void specialuse_parse(struct slice content, struct specialuses *uses)
{
    *uses = (struct specialuses){0};
    while (content.size > 0)
        take_line(uses, slice_cut(&content, '\n'));
}

bool specialuse_format(const struct specialuses *uses, struct str *content)
{
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++)
        if (uses->names[i][0])
            str_append_texts(content, specials[i].attribute, " ", uses->names[i], "\n");
    return !content->failed;
}

unsigned specialuse_of(const struct specialuses *uses, struct slice name)
{
    unsigned bits = 0;
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++)
        if (uses->names[i][0] && slice_equal(name, slice_text(uses->names[i])))
            bits |= 1u << i;
    return bits;
}

bool specialuse_append(struct str *out, unsigned bits)
{
    const char *before = "";
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++) {
        if (!(bits & (1u << i)))
            continue;
        str_append_texts(out, before, specials[i].attribute);
        before = " ";
    }
    return !out->failed;
}

void specialuse_set(struct specialuses *uses, struct slice name, unsigned bits)
{
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++) {
        if (bits & (1u << i))
            (void)slice_copy_text(name, uses->names[i], sizeof uses->names[i]);
        else if (slice_equal(name, slice_text(uses->names[i])))
            uses->names[i][0] = '\0';
    }
}

bool specialuse_renamed(struct specialuses *uses, struct slice from, struct slice to)
{
    bool changed = false;
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++) {
        struct slice name = slice_text(uses->names[i]);
        if (name.size == 0 || !imapfolder_is_within(name, from))
            continue;
        struct str joined;
        struct imapfolder folder;
        str_init(&joined, IMAPFOLDER_NAME_MAX);
        str_append(&joined, to);
        str_append(&joined, slice_from(name, from.size));
        /* It may be none any more, being too long or too deep. */
        if (!joined.failed && imapfolder_named(str_slice(&joined), &folder))
            memcpy(uses->names[i], folder.name, sizeof uses->names[i]);
        else
            uses->names[i][0] = '\0';
        str_free(&joined);
        changed = true;
    }
    return changed;
}

bool specialuse_load(struct specialuses *uses)
{
    struct str content;
    *uses = (struct specialuses){0};
    str_init(&content, SPECIALUSE_FILE_MAX);
    bool read = io_read_file(AT_FDCWD, IMAPFOLDER_ROOT "/" SPECIALUSE_FILE, &content);
    if (read)
        specialuse_parse(str_slice(&content), uses);
    bool done = read || errno == ENOENT;
    str_free(&content);
    return done;
}

int specialuse_lock(struct specialuses *uses)
{
    int root = open(IMAPFOLDER_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root >= 0 && (flock(root, LOCK_EX) < 0 || !specialuse_load(uses)))
        io_close(&root);
    return root;
}

bool specialuse_store(int lock, const struct specialuses *uses)
{
    struct str content;
    str_init(&content, SPECIALUSE_FILE_MAX);
    bool done =
        specialuse_format(uses, &content) &&
        io_replace_file(lock, SPECIALUSE_FILE, str_slice(&content), 0600, (uid_t)-1, (gid_t)-1);
    str_free(&content);
    return done;
}

void specialuse_unlock(int *lock)
{
    io_close(lock);
}

bool specialuse_exists(void)
{
    return access(IMAPFOLDER_ROOT "/" SPECIALUSE_FILE, F_OK) == 0;
}
