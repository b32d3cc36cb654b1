/* stscache - see stscache.h */
#include "stscache.h"

#include "io.h"
#include "mailaddress.h"
#include "number.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

enum { FILE_MAX = STSPOLICY_TEXT_MAX + 100 };

bool stscache_is_domain(struct slice domain)
{
    if (domain.size == 0 || domain.size > STSPOLICY_NAME_MAX || !mailaddress_is_domain(domain, 0))
        return false;
    for (size_t i = 0; i < domain.size; i++)
        if (slice_lower(domain.data[i]) != domain.data[i])
            return false;
    return true;
}

static bool parse(struct slice text, struct stscache_entry *entry)
{
    const char *reason;
    uint64_t fetched;
    struct slice head = slice_cut(&text, '\n');
    if (!slice_copy_text(slice_cut_word(&head), entry->id, sizeof entry->id) ||
        !number_parse(slice_trim(head), INT64_MAX / 2, &fetched))
        return false;
    entry->fetched = (int64_t)fetched;
    return stspolicy_parse(text, &entry->policy, &reason);
}

/* A clock that was set back makes a policy no younger than new. */
static bool is_valid(const struct stscache_entry *entry, int64_t now)
{
    return now < entry->fetched + entry->policy.max_age;
}

bool stscache_load(int folder, const char *domain, int64_t now, struct stscache_entry *entry)
{
    struct str content;
    str_init(&content, FILE_MAX);
    bool is_there = io_read_file(folder, domain, &content);
    bool good = is_there && parse(str_slice(&content), entry) && is_valid(entry, now);
    str_free(&content);
    if (is_there && !good)
        (void)unlinkat(folder, domain, 0);
    return good;
}

bool stscache_save(int folder, const char *domain, const struct stscache_entry *entry)
{
    struct str content;
    str_init(&content, FILE_MAX);
    str_format(&content, "%s %lld\n", entry->id, (long long)entry->fetched);
    bool done = stspolicy_put(&entry->policy, &content) &&
                io_replace_file(folder, domain, str_slice(&content), 0600, (uid_t)-1, (gid_t)-1);
    str_free(&content);
    return done;
}

void stscache_sweep(int folder, int64_t now)
{
    static struct stscache_entry entry;
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *open = copy < 0 ? NULL : fdopendir(copy);
    if (!open) {
        io_close(&copy);
        return;
    }
    for (struct dirent *file = readdir(open); file; file = readdir(open))
        if (stscache_is_domain(slice_text(file->d_name)))
            (void)stscache_load(folder, file->d_name, now, &entry);
    closedir(open);
}
