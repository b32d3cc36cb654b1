/* places - see places.h */
#include "places.h"

#include <sys/mman.h>

bool places_open(struct places *places)
{
    /* Pages that no worker ever needed cost nothing. */
    void *memory = mmap(NULL, sizeof *places->memory, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    places->memory = memory == MAP_FAILED ? NULL : memory;
    return places->memory != NULL;
}

void places_close(struct places *places)
{
    if (places->memory)
        munmap(places->memory, sizeof *places->memory);
    places->memory = NULL;
}

struct place *places_take(struct places *places)
{
    for (size_t i = 0; i < PLACES_MAX; i++) {
        struct place *place = &places->memory->all[i];
        if (atomic_load(&place->state) != PLACE_FREE)
            continue;
        place->pid = 0;
        atomic_store(&place->state, PLACE_WAITING);
        if (i >= atomic_load(&places->memory->top))
            atomic_store(&places->memory->top, i + 1);
        return place;
    }
    return NULL;
}

bool places_leave(struct places *places, pid_t pid)
{
    size_t top = atomic_load(&places->memory->top);
    for (size_t i = 0; i < top; i++) {
        struct place *place = &places->memory->all[i];
        if (atomic_load(&place->state) == PLACE_FREE || place->pid != pid)
            continue;
        place->pid = 0;
        atomic_store(&place->state, PLACE_FREE);
        while (top > 0 && atomic_load(&places->memory->all[top - 1].state) == PLACE_FREE)
            top--;
        atomic_store(&places->memory->top, top);
        return true;
    }
    return false;
}

void place_set(struct place *place, enum place_state state)
{
    atomic_store(&place->state, state);
}

size_t places_count(const struct places *places, enum place_state state)
{
    size_t count = 0;
    size_t top = atomic_load(&places->memory->top);
    for (size_t i = 0; i < top; i++)
        count += atomic_load(&places->memory->all[i].state) == (int)state ? 1 : 0;
    return count;
}

bool places_want_worker(const struct places *places)
{
    return places_count(places, PLACE_WAITING) == 0;
}

bool places_want_fewer(const struct places *places)
{
    return places_count(places, PLACE_WAITING) > PLACES_IDLE;
}

bool places_admit(const struct places *places, bool is_smtpd)
{
    return !is_smtpd || places_count(places, PLACE_BUSY) <= PLACES_OF_SMTPD;
}
