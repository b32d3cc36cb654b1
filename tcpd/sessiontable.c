/* sessiontable - see sessiontable.h */
#include "sessiontable.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

struct entry {
    int64_t expires; /* 0: free */
    struct key_session session;
};

struct sessiontable {
    pthread_mutex_t lock;
    struct entry entries[SESSIONTABLE_SIZE];
};

static bool make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t kind;
    if (pthread_mutexattr_init(&kind) != 0)
        return false;
    bool done = pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) == 0 &&
                pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0 &&
                pthread_mutex_init(lock, &kind) == 0;
    pthread_mutexattr_destroy(&kind);
    return done;
}

struct sessiontable *sessiontable_make(void)
{
    struct sessiontable *table =
        mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED)
        return NULL;
    if (!make_lock(&table->lock))
        sessiontable_free(&table);
    return table;
}

void sessiontable_free(struct sessiontable **table)
{
    if (!*table)
        return;
    explicit_bzero((*table)->entries, sizeof(*table)->entries);
    munmap(*table, sizeof **table);
    *table = NULL;
}

static bool enter(struct sessiontable *table)
{
    int error = pthread_mutex_lock(&table->lock);
    if (error == EOWNERDEAD) {
        /* Its owner died half-way: an entry may be half written. */
        explicit_bzero(table->entries, sizeof table->entries);
        error = pthread_mutex_consistent(&table->lock);
    }
    return error == 0;
}

static void leave(struct sessiontable *table)
{
    pthread_mutex_unlock(&table->lock);
}

/* The id's places. Ids that clients make up may crowd one set, but only to look for something:
 * what is saved has an id that BearSSL drew. */
static struct entry *places_of(struct sessiontable *table,
                               const unsigned char id[KEY_SESSION_ID_SIZE])
{
    uint32_t number;
    memcpy(&number, id, sizeof number);
    return &table
                ->entries[number % (SESSIONTABLE_SIZE / SESSIONTABLE_PLACES) * SESSIONTABLE_PLACES];
}

void sessiontable_save(struct sessiontable *table, const struct key_session *session, int64_t now)
{
    struct entry *places = places_of(table, session->id);
    struct entry *oldest = places;
    if (!enter(table))
        return;
    for (size_t i = 1; i < SESSIONTABLE_PLACES; i++)
        if (places[i].expires < oldest->expires)
            oldest = &places[i];
    *oldest = (struct entry){.expires = now + SESSIONTABLE_LIFE_MS, .session = *session};
    leave(table);
}

bool sessiontable_load(struct sessiontable *table, const unsigned char id[KEY_SESSION_ID_SIZE],
                       int64_t now, struct key_session *session)
{
    struct entry *places = places_of(table, id);
    bool found = false;
    if (!enter(table))
        return false;
    for (size_t i = 0; i < SESSIONTABLE_PLACES && !found; i++) {
        found =
            places[i].expires > now && memcmp(places[i].session.id, id, KEY_SESSION_ID_SIZE) == 0;
        if (found)
            *session = places[i].session;
    }
    leave(table);
    return found;
}

void sessiontable_sweep(struct sessiontable *table, int64_t now)
{
    if (!enter(table))
        return;
    for (size_t i = 0; i < SESSIONTABLE_SIZE; i++)
        if (table->entries[i].expires != 0 && table->entries[i].expires <= now)
            explicit_bzero(&table->entries[i], sizeof table->entries[i]);
    leave(table);
}
