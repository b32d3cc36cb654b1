/* capability - see capability.h */
#include "capability.h"

/* In the order of announcing; extensions by name. */
/* clang-format off */
const struct capability capability_table[] = {
    {"IMAP4rev1",   CAPABILITY_ALWAYS | CAPABILITY_FIXED, ""},
    {"IMAP4rev2",   CAPABILITY_ALWAYS, ""},
    {"LITERAL-",    CAPABILITY_BEFORE_LOGIN | CAPABILITY_FIXED, ""}, /* RFC 7888 5: one of the two */
    {"LITERAL+",    CAPABILITY_AFTER_LOGIN | CAPABILITY_FIXED, ""},
    {"SASL-IR",     CAPABILITY_ALWAYS | CAPABILITY_FIXED | CAPABILITY_IN_REV2, ""},
    {"ID",          CAPABILITY_ALWAYS, "ID"},
    {"ENABLE",      CAPABILITY_ALWAYS | CAPABILITY_IN_REV2, "ENABLE"},
    {"APPENDLIMIT", CAPABILITY_AFTER_LOGIN | CAPABILITY_HAS_SIZE, ""},
    {"BINARY",      CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, ""},
    {"CHILDREN",    CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, ""},
    {"COMPRESS=DEFLATE", CAPABILITY_AFTER_LOGIN, "COMPRESS"},
    {"CONDSTORE",   CAPABILITY_AFTER_LOGIN, ""},
    {"CONTEXT=SEARCH", CAPABILITY_AFTER_LOGIN, "CANCELUPDATE"},
    {"CONTEXT=SORT", CAPABILITY_AFTER_LOGIN, "CANCELUPDATE"},
    {"CREATE-SPECIAL-USE", CAPABILITY_AFTER_LOGIN, ""},
    {"ESEARCH",     CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, ""},
    {"ESORT",       CAPABILITY_AFTER_LOGIN, ""},
    {"I18NLEVEL=1", CAPABILITY_AFTER_LOGIN, ""},
    {"IDLE",        CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, "IDLE"},
    {"INPROGRESS",  CAPABILITY_AFTER_LOGIN, ""},
    {"LIST-EXTENDED", CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, ""},
    {"LIST-METADATA", CAPABILITY_AFTER_LOGIN, ""},
    {"LIST-STATUS", CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, ""},
    {"METADATA",    CAPABILITY_AFTER_LOGIN, "GETMETADATA SETMETADATA"},
    {"MOVE",        CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, "MOVE"},
    {"MULTIAPPEND", CAPABILITY_AFTER_LOGIN, ""},
    {"MULTISEARCH", CAPABILITY_AFTER_LOGIN, "ESEARCH"},
    {"NAMESPACE",   CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, "NAMESPACE"},
    {"NOTIFY",      CAPABILITY_AFTER_LOGIN, "NOTIFY"},
    {"OBJECTID",    CAPABILITY_AFTER_LOGIN, ""},
    {"PARTIAL",     CAPABILITY_AFTER_LOGIN, ""},
    {"PREVIEW",     CAPABILITY_AFTER_LOGIN, ""},
    {"QRESYNC",     CAPABILITY_AFTER_LOGIN, ""},
    {"QUOTA",       CAPABILITY_AFTER_LOGIN, "GETQUOTA GETQUOTAROOT SETQUOTA"},
    {"QUOTA=RES-STORAGE", CAPABILITY_AFTER_LOGIN, ""},
    {"REPLACE",     CAPABILITY_AFTER_LOGIN, "REPLACE"},
    {"SAVEDATE",    CAPABILITY_AFTER_LOGIN, ""},
    {"SEARCHRES",   CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, ""},
    {"SORT",        CAPABILITY_AFTER_LOGIN, "SORT"},
    {"SORT=DISPLAY", CAPABILITY_AFTER_LOGIN, ""},
    {"SPECIAL-USE", CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, ""},
    {"STATUS=SIZE", CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, ""},
    {"THREAD=ORDEREDSUBJECT", CAPABILITY_AFTER_LOGIN, ""},
    {"THREAD=REFERENCES", CAPABILITY_AFTER_LOGIN, ""},
    {"THREAD=REFS", CAPABILITY_AFTER_LOGIN, ""},
    {"UIDBATCHES",  CAPABILITY_AFTER_LOGIN, "UIDBATCHES"},
    {"UIDPLUS",     CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, ""},
    {"UNSELECT",    CAPABILITY_AFTER_LOGIN | CAPABILITY_IN_REV2, "UNSELECT"},
    {"UTF8=ACCEPT", CAPABILITY_AFTER_LOGIN, ""},
    {"WITHIN",      CAPABILITY_AFTER_LOGIN, ""},
};
/* clang-format on */

/* What builds on another, and goes with it. */
static const struct {
    const char *name, *needs;
} needs[] = {
    {"CONTEXT=SEARCH", "ESEARCH"},
    {"CONTEXT=SORT", "ESORT"},
    {"CREATE-SPECIAL-USE", "SPECIAL-USE"},
    {"ESORT", "SORT"},
    {"LIST-METADATA", "LIST-EXTENDED"},
    {"LIST-METADATA", "METADATA"},
    {"LIST-STATUS", "LIST-EXTENDED"},
    {"MULTISEARCH", "ESEARCH"},
    {"QRESYNC", "CONDSTORE"},
    {"QRESYNC", "ENABLE"},
    {"QUOTA=RES-STORAGE", "QUOTA"},
    {"SEARCHRES", "ESEARCH"},
    {"SORT=DISPLAY", "SORT"},
    {"UTF8=ACCEPT", "ENABLE"},
};
enum { NEEDS = sizeof needs / sizeof *needs };

const size_t capability_count = sizeof capability_table / sizeof *capability_table;
_Static_assert(sizeof capability_table / sizeof *capability_table <= CAPABILITY_MAX,
               "a bit for each");

static const struct slice rev2 = {"IMAP4rev2", sizeof "IMAP4rev2" - 1};

uint64_t capability_named(struct slice name)
{
    for (size_t i = 0; i < capability_count; i++)
        if (slice_equal_nocase(name, slice_text(capability_table[i].name)))
            return UINT64_C(1) << i;
    return 0;
}

static bool is_in(uint64_t set, size_t place)
{
    return set >> place & 1;
}

uint64_t capability_optional(struct slice name)
{
    uint64_t bit = capability_named(name);
    for (size_t i = 0; i < capability_count; i++)
        if (is_in(bit, i) && capability_table[i].traits & CAPABILITY_FIXED)
            return 0;
    return bit;
}

bool capability_read_names(struct slice names, uint64_t *set, struct slice *wrong)
{
    *set = 0;
    for (struct slice name = slice_cut_word(&names); name.size > 0; name = slice_cut_word(&names)) {
        uint64_t bit = capability_optional(name);
        if (bit == 0) {
            if (wrong)
                *wrong = name;
            return false;
        }
        *set |= bit;
    }
    return true;
}

void capability_append_names(struct str *out, uint64_t set, char separator)
{
    bool first = true;
    for (size_t i = 0; i < capability_count; i++) {
        if (!is_in(set, i))
            continue;
        if (!first)
            str_append_byte(out, separator);
        str_append_text(out, capability_table[i].name);
        first = false;
    }
}

static bool has_word(const char *words, struct slice word)
{
    struct slice rest = slice_text(words);
    while (rest.size > 0)
        if (slice_equal_nocase(slice_cut_word(&rest), word))
            return true;
    return false;
}

/* What `off` takes along at once; what that takes along is found by asking again. */
static uint64_t with_dependents(uint64_t off)
{
    uint64_t all = off;
    for (size_t i = 0; i < NEEDS; i++)
        if (off & capability_named(slice_text(needs[i].needs)))
            all |= capability_named(slice_text(needs[i].name));
    for (size_t i = 0; i < capability_count; i++)
        if (is_in(off, i) && capability_table[i].traits & CAPABILITY_IN_REV2)
            all |= capability_named(rev2);
    return all;
}

uint64_t capability_off(uint64_t off)
{
    uint64_t before = 0;
    while (off != before) {
        before = off;
        off = with_dependents(off);
    }
    return off;
}

bool capability_hides(uint64_t off, struct slice command)
{
    bool is_off = false;
    for (size_t i = 0; i < capability_count; i++) {
        if (!has_word(capability_table[i].commands, command))
            continue;
        if (!is_in(off, i))
            return false;
        is_off = true;
    }
    return is_off;
}

void capability_append(struct str *out, enum capability_trait when, uint64_t off, uint64_t size_max)
{
    bool first = true;
    for (size_t i = 0; i < capability_count; i++) {
        const struct capability *capability = &capability_table[i];
        if (!(capability->traits & when) || is_in(off, i))
            continue;
        if (!first)
            str_append_byte(out, ' ');
        str_append_text(out, capability->name);
        if (capability->traits & CAPABILITY_HAS_SIZE)
            str_format(out, "=%llu", (unsigned long long)size_max);
        first = false;
    }
}
