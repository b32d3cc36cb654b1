/* stspolicy - see stspolicy.h */
#include "stspolicy.h"

#include "mailaddress.h"
#include "number.h"

static const char *const modes[] = {
    [STSPOLICY_NONE] = "none", [STSPOLICY_TESTING] = "testing", [STSPOLICY_ENFORCE] = "enforce"};

/* ---- the record -------------------------------------------------------------------------------*/

static bool take_id(struct slice value, char id[STSPOLICY_ID_MAX + 1])
{
    for (size_t i = 0; i < value.size; i++)
        if (!slice_is_letter(value.data[i]) && !slice_is_digit(value.data[i]))
            return false;
    return value.size > 0 && slice_copy_text(value, id, STSPOLICY_ID_MAX + 1);
}

bool stspolicy_parse_record(struct slice text, char id[STSPOLICY_ID_MAX + 1])
{
    id[0] = '\0';
    if (!slice_equal(slice_trim(slice_cut(&text, ';')), SLICE("v=STSv1")))
        return false;
    while (text.size > 0) {
        struct slice value = slice_trim(slice_cut(&text, ';'));
        struct slice key = slice_cut(&value, '=');
        if (slice_equal(slice_trim(key), SLICE("id")))
            return take_id(slice_trim(value), id);
    }
    return false;
}

/* ---- the policy -------------------------------------------------------------------------------*/

/* A policy under way: which fields were there, since of a repeated one the first counts. */
struct reading {
    struct stspolicy *policy;
    bool has_version, has_mode, has_age;
    const char *reason;
};

static bool refuse(struct reading *reading, const char *reason)
{
    reading->reason = reason;
    return false;
}

static bool take_version(struct reading *reading, struct slice value)
{
    if (!reading->has_version && !slice_equal(value, SLICE("STSv1")))
        return refuse(reading, "another version than STSv1");
    reading->has_version = true;
    return true;
}

static bool take_mode(struct reading *reading, struct slice value)
{
    if (reading->has_mode)
        return true;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (slice_equal(value, slice_text(modes[i]))) {
            reading->policy->mode = (enum stspolicy_mode)i;
            reading->has_mode = true;
            return true;
        }
    }
    return refuse(reading, "an unknown mode");
}

static bool take_age(struct reading *reading, struct slice value)
{
    uint64_t seconds;
    if (reading->has_age)
        return true;
    if (value.size > 10 || !number_parse(value, UINT64_MAX, &seconds))
        return refuse(reading, "max_age is no number of seconds");
    reading->policy->max_age =
        (uint32_t)(seconds < STSPOLICY_AGE_MAX ? seconds : STSPOLICY_AGE_MAX);
    reading->has_age = true;
    return true;
}

/* "mail.example.jp", or "*.example.jp". */
static bool take_mx(struct reading *reading, struct slice value)
{
    struct stspolicy *policy = reading->policy;
    struct slice name = slice_starts(value, SLICE("*.")) ? slice_from(value, 2) : value;
    if (!mailaddress_is_domain(name, 0))
        return refuse(reading, "mx is no host name");
    if (policy->mx_count == STSPOLICY_MX_MAX ||
        !slice_copy_text(value, policy->mx[policy->mx_count], STSPOLICY_NAME_MAX + 1))
        return refuse(reading, "too many mx");
    char *kept = policy->mx[policy->mx_count++];
    for (size_t i = 0; kept[i] != '\0'; i++)
        kept[i] = slice_lower(kept[i]);
    return true;
}

static const struct {
    const char *key;
    bool (*take)(struct reading *reading, struct slice value);
} fields[] = {
    {"version", take_version}, {"mode", take_mode}, {"max_age", take_age}, {"mx", take_mx}};

/* Unknown keys are left for later versions (RFC 8461 3.2). */
static bool take_line(struct reading *reading, struct slice line)
{
    struct slice value = line;
    struct slice key = slice_trim(slice_cut(&value, ':'));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (slice_equal(key, slice_text(fields[i].key)))
            return fields[i].take(reading, slice_trim(value));
    return true;
}

bool stspolicy_parse(struct slice text, struct stspolicy *policy, const char **reason)
{
    struct reading reading = {.policy = policy, .reason = ""};
    policy->mode = STSPOLICY_NONE;
    policy->max_age = 0;
    policy->mx_count = 0;
    bool done = text.size <= STSPOLICY_FILE_MAX || refuse(&reading, "too large");
    while (done && text.size > 0)
        done = take_line(&reading, slice_cut(&text, '\n'));
    if (done && !(reading.has_version && reading.has_mode && reading.has_age))
        done = refuse(&reading, "version, mode or max_age is missing");
    if (done && policy->mode != STSPOLICY_NONE && policy->mx_count == 0)
        done = refuse(&reading, "no mx");
    *reason = reading.reason;
    return done;
}

bool stspolicy_put(const struct stspolicy *policy, struct str *text)
{
    str_format(text, "version: STSv1\nmode: %s\n", modes[policy->mode]);
    for (size_t i = 0; i < policy->mx_count; i++)
        str_format(text, "mx: %s\n", policy->mx[i]);
    return str_format(text, "max_age: %lu\n", (unsigned long)policy->max_age);
}

bool stspolicy_allows(const struct stspolicy *policy, const char *host)
{
    for (size_t i = 0; i < policy->mx_count; i++) {
        struct slice pattern = slice_text(policy->mx[i]), name = slice_text(host);
        if (slice_starts(pattern, SLICE("*."))) { /* for one label, and a whole one */
            slice_cut(&pattern, '.');
            if (slice_cut(&name, '.').size == 0)
                continue;
        }
        if (slice_equal_nocase(pattern, name))
            return true;
    }
    return false;
}
