/* hostoffer - see hostoffer.h */
#include "hostoffer.h"

#include "control.h"

static const struct {
    const char *setting, *host;
} needs[] = {{"apop", "apop"}, {"plaintext-login", "plaintext-auth"}};

enum { WORD_MAX = 64 };

static bool is_off(int folder, const char *host)
{
    char bytes[WORD_MAX];
    struct str value = str_on(bytes, sizeof bytes);
    struct control control;
    control_init(&control, folder);
    return control_text(&control, host, "off", &value) &&
           slice_equal(str_slice(&value), SLICE("off"));
}

const char *hostoffer_missing(int folder, const struct setting *setting, struct slice value)
{
    if (!slice_equal(value, SLICE("on")))
        return NULL;
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        if (slice_equal(slice_text(setting->name), slice_text(needs[i].setting)))
            return is_off(folder, needs[i].host) ? needs[i].host : NULL;
    return NULL;
}
