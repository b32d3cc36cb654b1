/* host - see host.h */
#include "host.h"

#include "envelope.h"

#include <stddef.h>

struct number_setting {
    const char *name;
    size_t offset;
    uint64_t otherwise; /* where a control folder is older than the setting */
    uint64_t most;
    uint64_t unit;
};

static const struct number_setting numbers[] = {
    {"databytes", offsetof(struct host, databytes), 104857600, UINT64_MAX, 1},
    {"recipients-max", offsetof(struct host, recipients_max), 1000, ENVELOPE_RECIPIENTS_MAX, 1},
    {"errors-max", offsetof(struct host, errors_max), 20, 1000, 1},
    {"timeout-smtp", offsetof(struct host, timeout_ms), 300, 86400, 1000},
    {"timeout-smtp-data", offsetof(struct host, data_timeout_ms), 600, 86400, 1000},
    {"line-max", offsetof(struct host, line_max), 1048576, UINT64_MAX, 1},
    {"hops-max", offsetof(struct host, hops_max), 100, 10000, 1},
};

static void read_number(struct directory *directory, const struct number_setting *setting,
                        struct host *host)
{
    uint64_t value;
    if (!directory_host_number(directory, setting->name, &value))
        value = setting->otherwise;
    if (value > setting->most)
        value = setting->most;
    uint64_t *place = (uint64_t *)(void *)((char *)host + setting->offset);
    *place = value * setting->unit;
}

static bool read_text(struct directory *directory, const char *name, char *text, size_t capacity)
{
    struct str value;
    str_init(&value, DIRECTORY_VALUE_MAX);
    bool found = directory_host(directory, name, &value) && value.size > 0 &&
                 slice_copy_text(str_slice(&value), text, capacity);
    str_free(&value);
    return found;
}

static void read_postmaster(struct directory *directory, struct host *host)
{
    struct str address;
    str_init(&address, sizeof host->postmaster);
    if (!directory_host(directory, "postmaster", &address) || address.size == 0)
        str_append_text(&address, "postmaster");
    if (!slice_has(str_slice(&address), '@')) {
        str_append_byte(&address, '@');
        str_append_text(&address, host->me);
    }
    if (!slice_copy_text(str_slice(&address), host->postmaster, sizeof host->postmaster))
        host->postmaster[0] = '\0';
    str_free(&address);
}

bool host_read(struct directory *directory, struct host *host)
{
    *host = (struct host){0};
    if (!read_text(directory, "me", host->me, sizeof host->me))
        return false;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        read_number(directory, &numbers[i], host);
    read_postmaster(directory, host);
    host->plaintext_auth = directory_host_is_on(directory, "plaintext-auth");
    return true;
}
