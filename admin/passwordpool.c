/* passwordpool - see passwordpool.h */
#include "passwordpool.h"

#include "newpassword.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

struct pool {
    struct passwordpool_job *jobs;
    size_t count;
    enum password_strength strength;
    atomic_size_t next;
    atomic_int error; /* errno of the first that failed */
};

static bool job_do(struct passwordpool_job *job, enum password_strength strength)
{
    job->is_like_old = newpassword_is_like_void(job->secret, job->old);
    return job->is_like_old || password_hash_as(job->secret, strength, job->hash);
}

static void *work(void *data)
{
    struct pool *pool = data;
    while (atomic_load(&pool->error) == 0) {
        size_t at = atomic_fetch_add(&pool->next, 1);
        if (at >= pool->count)
            break;
        if (!job_do(&pool->jobs[at], pool->strength)) {
            int none = 0;
            atomic_compare_exchange_strong(&pool->error, &none, errno != 0 ? errno : ENOMEM);
        }
    }
    return NULL;
}

/* That this process may use. */
static size_t processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    size_t count = (size_t)CPU_COUNT(&set);
    return count < PASSWORDPOOL_THREADS_MAX ? count : PASSWORDPOOL_THREADS_MAX;
}

int64_t passwordpool_ms(size_t count)
{
    size_t workers = processors();
    return (int64_t)((count + workers - 1) / workers) * PASSWORD_HASH_MS;
}

bool passwordpool_hash(struct passwordpool_job *jobs, size_t count, enum password_strength strength)
{
    struct pool pool = {.jobs = jobs, .count = count, .strength = strength};
    pthread_t threads[PASSWORDPOOL_THREADS_MAX];
    size_t wanted = processors(), started = 0;
    /* This thread is one of them; where no other can be had it does everything. */
    while (started + 1 < wanted && started + 1 < count &&
           pthread_create(&threads[started], NULL, work, &pool) == 0)
        started++;
    (void)work(&pool);
    while (started > 0)
        (void)pthread_join(threads[--started], NULL);
    errno = atomic_load(&pool.error);
    return errno == 0;
}
