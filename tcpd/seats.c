/* seats - see seats.h */
#include "seats.h"

#include <sys/mman.h>

enum { SEATS_IPV6_BITS = 64 };

bool seats_open(struct seats *seats)
{
    /* Pages that no connection ever needed cost nothing. */
    void *all = mmap(NULL, sizeof(struct seat) * SEATS_CEILING, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *seats = (struct seats){.all = all == MAP_FAILED ? NULL : all};
    return seats->all != NULL;
}

void seats_close(struct seats *seats)
{
    if (seats->all)
        munmap(seats->all, sizeof(struct seat) * SEATS_CEILING);
    *seats = (struct seats){0};
}

/* The lowest one, so that the seats in use stay close together. */
struct seat *seats_find_free(struct seats *seats)
{
    for (size_t i = 0; i < SEATS_CEILING; i++)
        if (seats->all[i].pid == 0)
            return &seats->all[i];
    return NULL;
}

void seats_name(struct seat *seat, const struct ip *client)
{
    seat->client = client->size == 16 ? ip_network(client, SEATS_IPV6_BITS) : *client;
}

void seats_sit(struct seats *seats, struct seat *seat, pid_t pid, const struct ip *client)
{
    size_t index = (size_t)(seat - seats->all);
    if (client)
        seats_name(seat, client);
    seat->pid = pid;
    seats->count++;
    if (index >= seats->top)
        seats->top = index + 1;
}

struct seat *seats_at(struct seats *seats, uint64_t index)
{
    return index < seats->top && seats->all[index].pid != 0 ? &seats->all[index] : NULL;
}

struct seat *seats_of(struct seats *seats, pid_t pid)
{
    for (size_t i = 0; i < seats->top; i++)
        if (seats->all[i].pid == pid)
            return &seats->all[i];
    return NULL;
}

void seats_free(struct seats *seats, struct seat *seat)
{
    *seat = (struct seat){0};
    seats->count--;
    while (seats->top > 0 && seats->all[seats->top - 1].pid == 0)
        seats->top--;
}

size_t seats_of_client(const struct seats *seats, const struct ip *client, const struct seat *own)
{
    struct ip wanted = client->size == 16 ? ip_network(client, SEATS_IPV6_BITS) : *client;
    size_t count = 0;
    for (const struct seat *seat = seats->all; seat < seats->all + seats->top; seat++)
        if (seat != own && seat->client.size > 0 && ip_equal(&seat->client, &wanted))
            count++;
    return count;
}
