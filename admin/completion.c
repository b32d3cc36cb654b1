/* completion - see completion.h */
#include "completion.h"

#include "commandline.h"
#include "folders.h"
#include "settings.h"
#include "sources.h"
#include "state.h"

#include <stdio.h>
#include <string.h>

/* What is being completed. */
struct completion {
    int control;
    const struct commandline_verb *verb;
    const char *const *words;
    struct slice current;
    struct str *out;
    size_t count;
};

static void offer(struct completion *completion, struct slice word)
{
    struct str *out = completion->out;
    size_t size = out->size;
    if (completion->count == COMPLETION_WORDS_MAX || !slice_starts(word, completion->current))
        return;
    str_append(out, word);
    str_append_byte(out, '\n');
    if (out->failed) {
        str_truncate(out, size);
        out->failed = false;
    }
    completion->count++;
}

static void offer_text(struct completion *completion, const char *word)
{
    offer(completion, slice_text(word));
}

static void offer_words(struct completion *completion, const char *words)
{
    struct slice rest = slice_text(words);
    while (rest.size > 0)
        offer(completion, slice_cut_word(&rest));
}

/* ---- names of the host -------------------------------------------------------------------------*/

static void offer_folder(struct completion *completion, const char *path)
{
    struct folders_names names = {0};
    if (completion->control < 0 || !folders_list(completion->control, path, &names))
        return;
    for (size_t i = 0; i < names.count; i++)
        offer_text(completion, names.of[i]);
    folders_names_free(&names);
}

static void offer_domains(struct completion *completion)
{
    offer_folder(completion, "domains");
}

static void offer_plans(struct completion *completion)
{
    offer_folder(completion, "plans");
}

static void offer_accounts_of(struct completion *completion, const struct sources *sources,
                              const char *domain)
{
    char path[PATH_MAX];
    struct str text, address;
    struct slice rest;
    str_init(&text, SOURCES_FILE_MAX);
    str_init(&address, USERLINE_LOCAL_MAX + IDN_NAME_MAX + 2);
    snprintf(path, sizeof path, "domains/%s/users", domain);
    if (sources_read(sources, path, &text) == SOURCES_TROUBLE)
        str_clear(&text);
    rest = str_slice(&text);
    while (rest.size > 0) {
        struct slice line = slice_trim(slice_cut(&rest, '\n'));
        struct slice local = slice_cut(&line, ':');
        if (local.size == 0 || local.data[0] == '#' || line.size == 0 ||
            local.size > USERLINE_LOCAL_MAX)
            continue;
        str_clear(&address);
        str_append(&address, local);
        str_append_byte(&address, '@');
        str_append_text(&address, domain);
        offer(completion, str_slice(&address));
    }
    str_free(&address);
    str_free(&text);
}

static void offer_accounts(struct completion *completion)
{
    struct sources sources;
    struct folders_names names = {0};
    struct slice domain = completion->current;
    bool has_domain = slice_has(domain, '@');
    if (has_domain)
        (void)slice_cut(&domain, '@');
    if (completion->control < 0 || !folders_list(completion->control, "domains", &names))
        return;
    sources_init(&sources, completion->control);
    for (size_t i = 0; i < names.count && completion->count < COMPLETION_WORDS_MAX; i++)
        if (!has_domain || slice_starts(slice_text(names.of[i]), domain))
            offer_accounts_of(completion, &sources, names.of[i]);
    sources_free(&sources);
    folders_names_free(&names);
}

static void offer_either(struct completion *completion)
{
    offer_accounts(completion);
    offer_domains(completion);
}

/* ---- names of the tables -----------------------------------------------------------------------*/

/* An account's verbs take settings of accounts, all others those of domains, too. */
static void offer_settings(struct completion *completion)
{
    bool of_account = strcmp(completion->verb->group, "user") == 0;
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *setting = &settings_table[i];
        if (setting->scope == SETTINGS_ACCOUNT ||
            (setting->scope == SETTINGS_DOMAIN && !of_account))
            offer_text(completion, setting->name);
    }
    if (strcmp(completion->verb->group, "domain") == 0)
        offer_text(completion, "plan");
}

/* The word before is the setting. */
static void offer_values(struct completion *completion)
{
    const char *key = completion->words[-1];
    const struct setting *setting = settings_find(slice_text(key));
    if (strcmp(key, "plan") == 0)
        offer_plans(completion);
    else if (setting && setting->kind == SETTINGS_SWITCH)
        offer_words(completion, "on off");
    else if (setting && setting->kind == SETTINGS_CHOICE)
        offer_words(completion, setting->choices);
}

static void offer_states(struct completion *completion)
{
    offer_words(completion, "account-lock misuse-detected over-capacity "
                            "receive-pause send-lock send-pause");
}

static bool is_first_of_group(const struct commandline_verb *verb)
{
    return verb == commandline_verbs || strcmp(verb[-1].group, verb->group) != 0;
}

static void offer_groups(struct completion *completion)
{
    for (const struct commandline_verb *verb = commandline_verbs; verb->group; verb++)
        if (is_first_of_group(verb))
            offer_text(completion, verb->group);
}

static void offer_names(struct completion *completion, const char *group)
{
    for (const struct commandline_verb *verb = commandline_verbs; verb->group; verb++)
        if (verb->name && strcmp(verb->group, group) == 0)
            offer_text(completion, verb->name);
}

static void offer_help(struct completion *completion)
{
    offer_groups(completion);
    offer_text(completion, "settings");
}

static void offer_options(struct completion *completion)
{
    struct slice rest = slice_text(completion->verb->options);
    struct str option;
    str_init(&option, 80);
    while (rest.size > 0) {
        str_clear(&option);
        str_append_text(&option, "--");
        str_append(&option, slice_cut_word(&rest));
        offer(completion, str_slice(&option));
    }
    str_free(&option);
    offer_words(completion, "--json --help");
}

/* ---- what stands where -------------------------------------------------------------------------*/

/* The words of synopses; what is not here is not known beforehand. */
static const struct place {
    const char *name;
    void (*offer)(struct completion *completion);
} places[] = {
    {"USER@DOMAIN", offer_accounts},
    {"USER@DOMAIN|DOMAIN", offer_either},
    {"USER@DOMAIN|DOMAIN|uid=N", offer_either},
    {"DOMAIN", offer_domains},
    {"ADDRESS|DOMAIN", offer_domains},
    {"KEY", offer_settings},
    {"SETTING", offer_settings},
    {"VALUE", offer_values},
    {"STATE", offer_states},
    {"VERB|settings", offer_help},
    {"NAME", offer_plans},
};

/* Words in lower case are meant as they stand. */
static void offer_literals(struct completion *completion, struct slice word)
{
    while (word.size > 0) {
        struct slice one = slice_cut(&word, '|');
        bool literal = one.size > 0;
        for (size_t i = 0; i < one.size; i++)
            literal = literal && ((one.data[i] >= 'a' && one.data[i] <= 'z') || one.data[i] == '-');
        if (literal)
            offer(completion, one);
    }
}

static void offer_place(struct completion *completion, struct slice word)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (slice_equal(word, slice_text(places[i].name))) {
            places[i].offer(completion);
            return;
        }
    offer_literals(completion, word);
}

/* Without brackets and dots: "[ID...|all]" is "ID...|all", "[FOLDER]" is "FOLDER". */
static struct slice bare(struct slice word)
{
    while (word.size > 0 && word.data[0] == '[')
        word = slice_from(word, 1);
    while (word.size > 0 && (word.data[word.size - 1] == ']' || word.data[word.size - 1] == '.'))
        word = slice_part(word, 0, word.size - 1);
    return word;
}

/* The words of the synopsis behind the verb's own. */
static struct slice synopsis_of(const struct commandline_verb *verb)
{
    struct slice rest = slice_text(verb->synopsis);
    (void)slice_cut_word(&rest);
    if (verb->name)
        (void)slice_cut_word(&rest);
    return rest;
}

/* What follows an option; empty: nothing, it has no value. */
static struct slice value_of_option(const struct commandline_verb *verb, struct slice option)
{
    struct slice rest = synopsis_of(verb);
    while (rest.size > 0) {
        struct slice raw = slice_cut_word(&rest);
        bool closed = slice_ends(raw, SLICE("]"));
        if (slice_equal(bare(raw), option))
            return closed ? slice_of(NULL, 0) : bare(slice_cut_word(&rest));
    }
    return slice_of(NULL, 0);
}

/* The word at this place among those that are no options. */
static void offer_word_at(struct completion *completion, int at)
{
    struct slice rest = synopsis_of(completion->verb);
    struct slice last = {0};
    int place = 0;
    bool in_option = false;
    while (rest.size > 0) {
        struct slice raw = slice_cut_word(&rest);
        bool closed = slice_ends(raw, SLICE("]"));
        if (slice_starts(bare(raw), SLICE("--")) || in_option) {
            in_option = !closed;
            continue;
        }
        last = slice_ends(raw, SLICE("...")) || slice_has(raw, '.') ? bare(raw) : slice_of(NULL, 0);
        if (place++ == at) {
            offer_place(completion, bare(raw));
            return;
        }
    }
    if (last.size > 0)
        offer_place(completion, last);
}

static const struct commandline_verb *find_verb(const char *const *words, int count, int *used)
{
    for (const struct commandline_verb *verb = commandline_verbs; verb->group; verb++) {
        *used = verb->name ? 2 : 1;
        if (count > *used && strcmp(verb->group, words[0]) == 0 &&
            (!verb->name || strcmp(verb->name, words[1]) == 0))
            return verb;
    }
    return NULL;
}

static void offer_argument(struct completion *completion, int used, int count)
{
    int at = 0;
    struct slice value = {0};
    const char *const *words = completion->words + 1 - count;
    for (int i = used; i < count - 1; i++) {
        struct slice word = slice_text(words[i]);
        if (value.size > 0)
            value = slice_of(NULL, 0);
        else if (slice_starts(word, SLICE("--")))
            value = value_of_option(completion->verb, word);
        else
            at++;
    }
    if (value.size > 0)
        offer_place(completion, value);
    else if (slice_starts(completion->current, SLICE("--")))
        offer_options(completion);
    else
        offer_word_at(completion, at);
}

void completion_list(int control, const char *const *words, int count, struct str *out)
{
    int used = 0;
    while (count > 1 && strncmp(words[0], "--", 2) == 0) {
        int skipped = strcmp(words[0], "--as") == 0 && count > 2 ? 2 : 1;
        words += skipped;
        count -= skipped;
    }
    if (count < 1)
        return;
    struct completion completion = {.control = control,
                                    .words = words + count - 1,
                                    .current = slice_text(words[count - 1]),
                                    .out = out};
    completion.verb = find_verb(words, count, &used);
    if (completion.verb)
        offer_argument(&completion, used, count);
    else if (count == 1)
        offer_groups(&completion);
    else if (count == 2)
        offer_names(&completion, words[0]);
}
