/* registry - see registry.h */
#include "registry.h"

#include "cdbfile.h"
#include "database.h"
#include "life.h"
#include "number.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "domains.cdb"

enum { VALUE_MAX = 512, NAME_MAX_UTF8 = 1024 };

static void free_entry(struct registry_entry *entry)
{
    free(entry->name);
    free(entry->parent); /* NOLINT(clang-analyzer-unix.Malloc): each entry is freed once */
}

void registry_free(struct registry *registry)
{
    for (size_t i = 0; i < registry->count; i++)
        free_entry(&registry->of[i]);
    free(registry->of);
    *registry = (struct registry){0};
}

static bool add(struct registry *registry, struct slice name, struct slice parent, uid_t uid)
{
    size_t count = registry->count;
    if ((count & (count - 1)) == 0) {
        size_t room = count == 0 ? 1 : count * 2;
        struct registry_entry *grown = reallocarray(registry->of, room, sizeof *grown);
        if (!grown)
            return false;
        registry->of = grown;
    }
    struct registry_entry entry = {.name = strndup(name.data, name.size),
                                   .parent = strndup(parent.data, parent.size),
                                   .uid = uid};
    if (!entry.name || !entry.parent) {
        free_entry(&entry);
        return false;
    }
    registry->of[registry->count++] = entry;
    return true;
}

static bool add_record(struct registry *registry, struct slice key, struct slice value)
{
    struct slice fields[2];
    size_t count;
    uint64_t uid;
    if (slice_has_high(key))
        return true;
    if (!wire_split(value, fields, 2, &count) || count != 2 ||
        !number_parse(fields[1], UINT32_MAX - 1, &uid)) {
        errno = EPROTO;
        return false;
    }
    return add(registry, key, fields[0], (uid_t)uid);
}

bool registry_load(struct registry *registry, int folder)
{
    struct cdbfile file;
    unsigned position;
    *registry = (struct registry){0};
    if (!cdbfile_open(&file, folder, FILE_NAME))
        return false;
    cdb_seqinit(&position, &file.cdb);
    int more;
    bool good = true;
    while (good && (more = cdb_seqnext(&position, &file.cdb)) > 0) {
        const char *key = cdb_getkey(&file.cdb);
        const char *value = cdb_getdata(&file.cdb);
        good = key && value &&
               add_record(registry, slice_of(key, cdb_keylen(&file.cdb)),
                          slice_of(value, cdb_datalen(&file.cdb)));
    }
    good = good && more == 0;
    cdbfile_close(&file);
    if (!good) {
        registry_free(registry);
        errno = EPROTO;
    }
    return good;
}

bool registry_add(struct registry *registry, const struct domain *domain)
{
    struct slice parent = slice_text(domain->name);
    bool good = add(registry, parent, parent, domain->uid);
    for (size_t i = 0; good && i < domain->child_count; i++)
        good = add(registry, slice_text(domain->children[i]), parent, domain->uid);
    return good;
}

void registry_remove(struct registry *registry, const char *parent)
{
    struct registry kept = {0};
    for (size_t i = 0; i < registry->count; i++) {
        struct registry_entry *entry = &registry->of[i];
        if (strcmp(entry->parent, parent) == 0)
            free_entry(entry);
        else
            registry->of[kept.count++] = *entry;
    }
    /* The room stays what it was, which add() must not forget: copy into a fresh array. */
    struct registry_entry *old = registry->of;
    size_t count = kept.count;
    *registry = (struct registry){0};
    size_t room = 1;
    while (room < count)
        room *= 2;
    registry->of = count > 0 ? calloc(room, sizeof *old) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (registry->of)
            registry->of[registry->count++] = old[i];
        else
            free_entry(&old[i]);
    }
    free(old);
}

static int compare_names(const void *a, const void *b)
{
    const struct registry_entry *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : strcmp(left->parent, right->parent);
}

static int compare_uids(const void *a, const void *b)
{
    const struct registry_entry *const *left = a, *const *right = b;
    return ((*left)->uid > (*right)->uid) - ((*left)->uid < (*right)->uid);
}

static bool is_parent(const struct registry_entry *entry)
{
    return strcmp(entry->name, entry->parent) == 0;
}

static void check_uids(const struct registry *registry, struct findings *findings)
{
    const struct registry_entry **parents = calloc(registry->count, sizeof *parents);
    size_t count = 0;
    if (!parents) {
        findings_trouble(findings, "control/domains", "find memory");
        return;
    }
    for (size_t i = 0; i < registry->count; i++)
        if (is_parent(&registry->of[i]))
            parents[count++] = &registry->of[i];
    qsort(parents, count, sizeof *parents, compare_uids);
    for (size_t i = 1; i < count; i++) {
        /* 0: it was reported as missing or wrong. */
        if (parents[i]->uid == 0 || parents[i]->uid != parents[i - 1]->uid)
            continue;
        char path[IDN_NAME_MAX + 32] = "control/domains/";
        strncat(path, parents[i]->name, IDN_NAME_MAX);
        findings_error(findings, path, 0, "uid %u is that of %s: give this domain another",
                       (unsigned)parents[i]->uid, parents[i - 1]->name);
    }
    free(parents);
}

void registry_check(struct registry *registry, struct findings *findings)
{
    if (registry->count == 0)
        return;
    qsort(registry->of, registry->count, sizeof registry->of[0], compare_names);
    for (size_t i = 1; i < registry->count; i++) {
        const struct registry_entry *one = &registry->of[i - 1], *other = &registry->of[i];
        if (strcmp(one->name, other->name) != 0)
            continue;
        if (is_parent(one) || is_parent(other))
            findings_error(findings, "control/domains", 0,
                           "%s is a domain and also in domains/%s/children: remove it from one",
                           one->name, is_parent(one) ? other->parent : one->parent);
        else
            findings_error(findings, "control/domains", 0,
                           "%s is in domains/%s/children and in domains/%s/children: keep one",
                           one->name, one->parent, other->parent);
    }
    check_uids(registry, findings);
}

const struct registry_entry *registry_find(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->count; i++)
        if (strcmp(registry->of[i].name, name) == 0)
            return &registry->of[i];
    return NULL;
}

static int compare_to_name(const void *name, const void *entry)
{
    return strcmp(name, ((const struct registry_entry *)entry)->name);
}

const struct registry_entry *registry_find_sorted(const struct registry *registry, const char *name)
{
    if (registry->count == 0)
        return NULL;
    return bsearch(name, registry->of, registry->count, sizeof registry->of[0], compare_to_name);
}

static bool has_uid(const struct registry *registry, uid_t uid)
{
    for (size_t i = 0; i < registry->count; i++)
        if (registry->of[i].uid == uid)
            return true;
    return false;
}

uid_t registry_next_uid(const struct registry *registry)
{
    uid_t next = life_uid(ROLE_FIRST_DOMAIN);
    for (size_t i = 0; i < registry->count; i++)
        if (registry->of[i].uid >= next)
            next = registry->of[i].uid + 1;
    if (life_is_domain_uid(next))
        return next;
    for (uid_t uid = life_uid(ROLE_FIRST_DOMAIN); life_is_domain_uid(uid); uid++)
        if (!has_uid(registry, uid))
            return uid;
    return 0;
}

static void write_entry(struct database *database, const struct registry_entry *entry)
{
    struct str value;
    char unicode[NAME_MAX_UTF8];
    str_init(&value, VALUE_MAX);
    wire_put_text(&value, entry->parent);
    wire_put_number(&value, entry->uid);
    database_add(database, slice_text(entry->name), str_slice(&value));
    if (idn_to_unicode(entry->name, unicode, sizeof unicode) && strcmp(unicode, entry->name) != 0)
        database_add(database, slice_text(unicode), str_slice(&value));
    str_free(&value);
}

bool registry_write(const struct registry *registry, struct replacements *replacements, int folder,
                    gid_t group)
{
    struct database database;
    database_begin(&database);
    for (size_t i = 0; i < registry->count; i++)
        write_entry(&database, &registry->of[i]);
    return database_commit(&database, replacements, folder, FILE_NAME, 0640, (uid_t)-1, group);
}
