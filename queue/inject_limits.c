/* inject_limits - see inject_limits.h */
#include "inject_limits.h"

#include "inject.h"

enum { DATABYTES_DEFAULT = 104857600 };

void inject_limits_read(struct directory *directory, struct inject_limits *limits)
{
    *limits = (struct inject_limits){0};
    if (!directory_host_number(directory, "databytes", &limits->databytes))
        limits->databytes = DATABYTES_DEFAULT;
    limits->databytes += INJECT_FIELDS_ADDED_MAX;
    limits->spares_folder = directory_host_is_off(directory, "sync-folders");
}
