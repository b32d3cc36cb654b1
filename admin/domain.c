/* domain - see domain.h */
#include "domain.h"

#include "folders.h"
#include "life.h"
#include "number.h"
#include "replytext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 512, ROOM_FIRST = 16 };

/* What all the readers below need. */
struct reading {
    struct domain *domain;
    const struct sources *sources;
    struct plans *plans;
    struct findings *findings;
    char path[PATH_MAX];  /* "domains/NAME/FILE" */
    char shown[PATH_MAX]; /* "control/domains/NAME/FILE" */
};

void domain_init(struct domain *domain)
{
    *domain = (struct domain){0};
}

static void free_account(struct domain_account *account)
{
    for (size_t i = 0; i < account->pair_count; i++)
        free(account->pairs[i].value);
    free(account->pairs);
    for (size_t i = 0; i < account->forward_count; i++)
        forwardline_free(&account->forwards[i].row);
    free(account->forwards);
    free(account->reply);
    free(account->local);
    free(account->hash);
    free(account->apop_secret);
}

void domain_free(struct domain *domain)
{
    for (size_t i = 0; i < domain->account_count; i++)
        free_account(&domain->accounts[i]);
    free(domain->accounts);
    for (size_t i = 0; i < domain->child_count; i++)
        free(domain->children[i]);
    free(domain->children);
    values_free(&domain->own);
    domain_init(domain);
}

/* Room for one more in an array that grows by doubling. */
static bool grow(void *array, size_t count, size_t size)
{
    void **memory = array;
    if (count > 0 && (count < ROOM_FIRST || (count & (count - 1)) != 0))
        return true;
    void *more = reallocarray(*memory, count == 0 ? ROOM_FIRST : count * 2, size);
    if (more)
        *memory = more;
    return more != NULL;
}

/* ---- values in force ---- */

static struct settings_stack stack_of(const struct domain *domain,
                                      const struct domain_account *account,
                                      const struct setting *setting)
{
    const struct value *plan = values_get(&domain->plan->values, setting);
    const struct value *own = values_get(&domain->own, setting);
    struct settings_stack stack = {.plan_rules = plan->has_rule, .rule = plan->rule};
    stack.layer[SETTINGS_PLAN].said = plan->said;
    stack.layer[SETTINGS_PLAN].value = slice_text(plan->text);
    stack.layer[SETTINGS_OF_DOMAIN].said = own->said;
    stack.layer[SETTINGS_OF_DOMAIN].value = slice_text(own->text);
    for (size_t i = 0; account && i < account->pair_count; i++)
        if (account->pairs[i].setting == setting) {
            stack.layer[SETTINGS_OF_ACCOUNT].said = true;
            stack.layer[SETTINGS_OF_ACCOUNT].value = slice_text(account->pairs[i].value);
        }
    return stack;
}

enum settings_rule domain_rule(const struct domain *domain, const struct setting *setting)
{
    const struct value *plan = values_get(&domain->plan->values, setting);
    return plan->has_rule ? plan->rule : setting->rule;
}

struct slice domain_value(const struct domain *domain, const struct domain_account *account,
                          const struct setting *setting, enum settings_layer *layer, bool *ignored)
{
    struct settings_stack stack = stack_of(domain, account, setting);
    return settings_in_force(setting, &stack, layer, ignored);
}

struct slice domain_value_named(const struct domain *domain, const struct domain_account *account,
                                const char *setting)
{
    enum settings_layer layer;
    const struct setting *found = settings_find(slice_text(setting));
    return found ? domain_value(domain, account, found, &layer, NULL) : slice_text("");
}

bool domain_is_on(const struct domain *domain, const struct domain_account *account,
                  const char *setting)
{
    return slice_equal(domain_value_named(domain, account, setting), SLICE("on"));
}

bool domain_is_reserved(const struct domain *domain, const char *local)
{
    return (strcmp(local, "postmaster") == 0 || strcmp(local, "nobody") == 0) &&
           slice_equal(domain_value_named(domain, NULL, "postmaster"), SLICE("admin"));
}

size_t domain_accounts_named(const struct domain *domain)
{
    return domain->account_count - (domain_find(domain, "postmaster") != NULL);
}

uint64_t domain_accounts_max(const struct domain *domain)
{
    uint64_t most;
    struct slice value = domain_value_named(domain, NULL, "accounts-max");
    return number_parse(value, UINT64_MAX, &most) ? most : 0;
}

static uint64_t number_of(const struct domain *domain, const char *setting)
{
    uint64_t number = 0;
    (void)number_parse(domain_value_named(domain, NULL, setting), UINT32_MAX, &number);
    return number;
}

uint64_t domain_imap_sessions(const struct domain *domain)
{
    uint64_t most = number_of(domain, "imap-sessions");
    uint64_t percent = number_of(domain, "imap-sessions-percent");
    uint64_t addresses = number_of(domain, "accounts-max");
    if (percent == 0)
        return most;
    if (addresses == 0)
        addresses = domain->account_count;
    uint64_t least = number_of(domain, "imap-sessions-least");
    uint64_t share = addresses * percent / 100;
    share = share > least ? share : least;
    return share < most ? share : most;
}

/* ---- the files ---- */

static void choose(struct reading *reading, const char *file)
{
    snprintf(reading->path, sizeof reading->path, "domains/%s/%s", reading->domain->name, file);
    snprintf(reading->shown, sizeof reading->shown, "control/domains/%s/%s", reading->domain->name,
             file);
}

/* The first line of a file of one word; false when there is none. */
static bool read_word(struct reading *reading, const char *file, char *word, size_t capacity,
                      unsigned *number)
{
    struct control_lines lines;
    struct slice line = {0};
    choose(reading, file);
    word[0] = '\0';
    if (!sources_lines(reading->sources, reading->path, reading->findings, &lines, NULL))
        return false;
    bool found = control_next_line(&lines, &line);
    *number = lines.number;
    if (found && !slice_copy_text(line, word, capacity))
        slice_copy_text(slice_part(line, 0, capacity - 1), word, capacity);
    if (found && control_next_line(&lines, &line))
        findings_error(reading->findings, reading->shown, lines.number,
                       "only one line may stand here");
    control_lines_free(&lines);
    return found;
}

static bool read_plan(struct reading *reading)
{
    char name[PLANS_NAME_MAX + 2];
    unsigned line = 0;
    if (!read_word(reading, "plan", name, sizeof name, &line))
        slice_copy_text(slice_text(PLANS_DEFAULT), name, sizeof name);
    const struct plan *plan = NULL;
    if (plans_is_name(slice_text(name)))
        plan = plans_find(reading->plans, reading->sources, slice_text(name), reading->findings);
    if (!plan || !plan->exists) {
        findings_error(reading->findings, reading->shown, line,
                       "there is no plan \"%s\": name a file of control/plans", name);
        plan =
            plans_find(reading->plans, reading->sources, SLICE(PLANS_DEFAULT), reading->findings);
    }
    reading->domain->plan = plan;
    return plan != NULL;
}

static void read_uid(struct reading *reading)
{
    char word[32];
    unsigned line = 0;
    uint64_t uid = 0;
    bool found = read_word(reading, "uid", word, sizeof word, &line);
    if (found && number_parse(slice_text(word), UINT32_MAX, &uid) &&
        life_is_domain_uid((uid_t)uid)) {
        reading->domain->uid = (uid_t)uid;
        return;
    }
    findings_error(reading->findings, reading->shown, line,
                   "%s%s%s: write a number from %u to %u that no other domain has",
                   found ? "\"" : "", found ? word : "there is no uid",
                   found ? "\" is no uid for a domain" : "", (unsigned)life_uid(ROLE_FIRST_DOMAIN),
                   (unsigned)life_uid(ROLE_LAST_DOMAIN));
}

static void warn_ignored(struct reading *reading)
{
    for (size_t i = 0; i < settings_count; i++) {
        enum settings_layer layer;
        bool ignored;
        const struct setting *setting = &settings_table[i];
        const struct value *own = values_get(&reading->domain->own, setting);
        if (!own->said)
            continue;
        struct slice value = domain_value(reading->domain, NULL, setting, &layer, &ignored);
        if (ignored)
            findings_warning(reading->findings, reading->shown, own->line,
                             "%s %s does not count: the %s says %.*s; %s", setting->name, own->text,
                             settings_layer_name(layer), SLICE_PRINTF(value),
                             settings_rule_text(domain_rule(reading->domain, setting)));
    }
}

static void read_settings(struct reading *reading)
{
    bool missing;
    choose(reading, "settings");
    if (values_load(&reading->domain->own, reading->sources, reading->path, false,
                    reading->findings, &missing))
        warn_ignored(reading);
}

static void add_child(struct reading *reading, unsigned number, struct slice line)
{
    struct domain *domain = reading->domain;
    char ascii[IDN_NAME_MAX + 1];
    if (!idn_to_ascii(line, ascii)) {
        findings_error(reading->findings, reading->shown, number,
                       "\"%.*s\" is no domain name (such as sub.example.jp)",
                       SLICE_PRINTF(slice_part(line, 0, 80)));
        return;
    }
    char *name = strdup(ascii);
    if (!name || !grow(&domain->children, domain->child_count, sizeof *domain->children)) {
        free(name);
        findings_trouble(reading->findings, reading->shown, "find memory");
        return;
    }
    domain->children[domain->child_count++] = name;
}

static void read_children(struct reading *reading)
{
    struct control_lines lines;
    struct slice line;
    choose(reading, "children");
    if (!sources_lines(reading->sources, reading->path, reading->findings, &lines, NULL))
        return;
    while (control_next_line(&lines, &line))
        add_child(reading, lines.number, line);
    control_lines_free(&lines);
    if (reading->domain->child_count > 0 && !domain_is_on(reading->domain, NULL, "child-domains"))
        findings_error(reading->findings, reading->shown, 0,
                       "the plan %s has no child domains: remove them, or choose another plan",
                       reading->domain->plan->name);
}

/* ---- users ---- */

static bool add_pair(struct reading *reading, unsigned number, struct domain_account *account,
                     const struct setting *setting, const struct str *value)
{
    struct str reason;
    str_init(&reason, REASON_MAX);
    bool good = settings_check(setting, str_slice(value), &reason);
    if (!good)
        findings_error(reading->findings, reading->shown, number, "%s: \"%.*s\" %s", setting->name,
                       SLICE_PRINTF(slice_part(str_slice(value), 0, 80)),
                       str_text(&reason) ? str_text(&reason) : "is wrong");
    str_free(&reason);
    if (!good)
        return true;
    char *text = strndup(value->data ? value->data : "", value->size);
    if (!text)
        return false;
    account->pairs[account->pair_count++] = (struct domain_pair){.setting = setting, .value = text};
    return true;
}

static bool take_pairs(struct reading *reading, unsigned number, const struct userline *parsed,
                       struct domain_account *account)
{
    account->pairs = calloc(parsed->pair_count + 1, sizeof *account->pairs);
    if (!account->pairs)
        return false;
    for (size_t i = 0; i < parsed->pair_count; i++) {
        const struct userline_pair *pair = &parsed->pairs[i];
        const struct setting *setting = settings_find(slice_text(pair->key));
        if (strcmp(pair->key, USERLINE_APOP_SECRET) == 0) {
            free(account->apop_secret);
            account->apop_secret =
                strndup(pair->value.data ? pair->value.data : "", pair->value.size);
            if (!account->apop_secret)
                return false;
        } else if (!setting || setting->scope != SETTINGS_ACCOUNT) {
            findings_error(reading->findings, reading->shown, number,
                           "\"%s\" is no setting of an account: mailctl help settings lists them",
                           pair->key);
        } else if (!add_pair(reading, number, account, setting, &pair->value)) {
            return false;
        }
    }
    return true;
}

static void mark_ignored(struct reading *reading, struct domain_account *account)
{
    for (size_t i = 0; i < account->pair_count; i++) {
        struct domain_pair *pair = &account->pairs[i];
        enum settings_layer layer;
        struct slice value =
            domain_value(reading->domain, account, pair->setting, &layer, &pair->ignored);
        if (layer == SETTINGS_OF_ACCOUNT || !pair->ignored) {
            pair->ignored = false;
            continue;
        }
        findings_warning(reading->findings, reading->shown, account->line,
                         "%s=%s does not count: the %s says %.*s; %s", pair->setting->name,
                         pair->value, settings_layer_name(layer), SLICE_PRINTF(value),
                         settings_rule_text(domain_rule(reading->domain, pair->setting)));
    }
    if (account->apop_secret && !domain_is_on(reading->domain, account, "apop")) {
        findings_warning(reading->findings, reading->shown, account->line,
                         "an APOP secret without the setting apop is not used: remove apop-secret");
        free(account->apop_secret);
        account->apop_secret = NULL;
    }
}

static bool add_account(struct reading *reading, unsigned number, const struct userline *parsed)
{
    struct domain *domain = reading->domain;
    struct domain_account account = {.line = number, .local = strdup(parsed->local)};
    account.hash = strndup(parsed->hash.data ? parsed->hash.data : "", parsed->hash.size);
    if (!account.local || !account.hash || !take_pairs(reading, number, parsed, &account) ||
        !grow(&domain->accounts, domain->account_count, sizeof *domain->accounts)) {
        free_account(&account);
        return false;
    }
    mark_ignored(reading, &account);
    domain->accounts[domain->account_count++] = account;
    return true;
}

static int compare_accounts(const void *a, const void *b)
{
    const struct domain_account *left = a, *right = b;
    int order = strcmp(left->local, right->local);
    return order != 0 ? order : (left->line > right->line) - (left->line < right->line);
}

const struct domain_account *domain_find(const struct domain *domain, const char *local)
{
    size_t from = 0, to = domain->account_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(local, domain->accounts[middle].local);
        if (order == 0)
            return &domain->accounts[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

static void check_named(struct reading *reading, const char *setting)
{
    struct slice value = domain_value_named(reading->domain, NULL, setting);
    char local[USERLINE_LOCAL_MAX + 1], error[USERLINE_ERROR_MAX];
    if (value.size == 0 ||
        (userline_check_local(value, local, error) && domain_find(reading->domain, local)))
        return;
    findings_error(reading->findings, reading->shown, 0,
                   "%s is %.*s, but there is no such account: add it, or set %s to another",
                   setting, SLICE_PRINTF(value), setting);
}

/* SPEC R2.7. The line named is the last of them. */
static void check_count(struct reading *reading)
{
    const struct domain *domain = reading->domain;
    uint64_t most = domain_accounts_max(domain);
    size_t named = domain_accounts_named(domain);
    unsigned last = 0;
    if (most == 0 || named <= most)
        return;
    for (size_t i = 0; i < domain->account_count; i++)
        if (domain->accounts[i].line > last)
            last = domain->accounts[i].line;
    findings_error(reading->findings, reading->shown, last,
                   "%zu accounts, but accounts-max is %llu: remove some, or raise it", named,
                   (unsigned long long)most);
}

/* SPEC R4.1: more may be promised than there is, but it is said. */
static void check_promises(struct reading *reading)
{
    const struct domain *domain = reading->domain;
    uint64_t most = 0, promised = 0;
    if (!number_parse(domain_value_named(domain, NULL, "domain-quota"), UINT32_MAX, &most) ||
        most == 0)
        return;
    for (size_t i = 0; i < domain->account_count; i++) {
        uint64_t quota = 0;
        if (number_parse(domain_value_named(domain, &domain->accounts[i], "quota"), UINT32_MAX,
                         &quota))
            promised += quota;
    }
    if (promised > most)
        findings_warning(reading->findings, reading->shown, 0,
                         "the accounts' quotas are %llu MB together, domain-quota is %llu MB",
                         (unsigned long long)promised, (unsigned long long)most);
}

/* SPEC R2.4: where nobody is the administrator's, an account of that name would get no mail. */
static void check_reserved(struct reading *reading)
{
    const struct domain_account *nobody = domain_find(reading->domain, "nobody");
    if (nobody && domain_is_reserved(reading->domain, "nobody"))
        findings_error(reading->findings, reading->shown, nobody->line,
                       "mail for nobody goes to the administrator (the setting postmaster is "
                       "admin): remove the account");
}

static void check_accounts(struct reading *reading)
{
    const struct domain *domain = reading->domain;
    for (size_t i = 1; i < domain->account_count; i++)
        if (strcmp(domain->accounts[i].local, domain->accounts[i - 1].local) == 0)
            findings_error(reading->findings, reading->shown, domain->accounts[i].line,
                           "%s stands in line %u already: keep one", domain->accounts[i].local,
                           domain->accounts[i - 1].line);
    check_count(reading);
    check_promises(reading);
    check_reserved(reading);
    check_named(reading, "catch-all");
    check_named(reading, "admin");
}

/* SPEC R2.4: postmaster exists from the start, whatever the file says. */
static void add_postmaster(struct reading *reading)
{
    struct userline postmaster;
    userline_init(&postmaster);
    slice_copy_text(SLICE("postmaster"), postmaster.local, sizeof postmaster.local);
    if (!add_account(reading, 0, &postmaster))
        findings_trouble(reading->findings, reading->shown, "find memory");
    userline_free(&postmaster);
}

static void sort_accounts(struct domain *domain)
{
    if (domain->account_count > 0)
        qsort(domain->accounts, domain->account_count, sizeof *domain->accounts, compare_accounts);
}

static void read_users(struct reading *reading)
{
    struct control_lines lines;
    struct slice line;
    struct userline parsed;
    char error[USERLINE_ERROR_MAX];
    choose(reading, "users");
    if (!sources_lines(reading->sources, reading->path, reading->findings, &lines, NULL))
        return;
    userline_init(&parsed);
    while (control_next_line(&lines, &line)) {
        if (!userline_parse(&parsed, line, error))
            findings_error(reading->findings, reading->shown, lines.number, "%s", error);
        else if (!add_account(reading, lines.number, &parsed))
            findings_trouble(reading->findings, reading->shown, "find memory");
    }
    userline_free(&parsed);
    control_lines_free(&lines);
    sort_accounts(reading->domain);
    if (!domain_find(reading->domain, "postmaster")) {
        add_postmaster(reading);
        sort_accounts(reading->domain);
    }
    check_accounts(reading);
}

/* ---- forwards ---- */

static int compare_forwards(const void *a, const void *b)
{
    const struct domain_forward *left = a, *right = b;
    int order = forwardline_compare(&left->row, &right->row);
    return order != 0 ? order : (left->line > right->line) - (left->line < right->line);
}

/* The account that the line is about. */
static struct domain_account *find_owner(struct reading *reading, unsigned number,
                                         const struct forwardline *parsed)
{
    const struct domain_account *found = domain_find(reading->domain, parsed->local);
    if (found)
        return &reading->domain->accounts[found - reading->domain->accounts];
    findings_error(reading->findings, reading->shown, number,
                   "there is no account %s: remove the line, or add the account", parsed->local);
    return NULL;
}

/* Takes what was parsed over. */
static bool add_forward(struct reading *reading, unsigned number, struct forwardline *parsed)
{
    struct domain_account *account = find_owner(reading, number, parsed);
    if (!account)
        return true;
    if (!grow(&account->forwards, account->forward_count, sizeof *account->forwards))
        return false;
    account->forwards[account->forward_count++] =
        (struct domain_forward){.row = *parsed, .line = number};
    forwardline_init(parsed);
    return true;
}

/* The rows are sorted. */
static void check_repeats(struct reading *reading, const struct domain_account *account)
{
    for (size_t i = 1; i < account->forward_count; i++) {
        const struct domain_forward *before = &account->forwards[i - 1];
        const struct domain_forward *this = &account->forwards[i];
        if (forwardline_compare(&before->row, &this->row) != 0)
            continue;
        if (this->row.condition == FORWARDRULE_ALL)
            findings_error(reading->findings, reading->shown, this->line,
                           "%s stands in line %u already: keep one", this->row.targets[0],
                           before->line);
        else
            findings_error(reading->findings, reading->shown, this->line,
                           "this keyword stands in line %u already: put all its targets there",
                           before->line);
    }
}

static void check_conditions(struct reading *reading, const struct domain_account *account)
{
    if (domain_is_on(reading->domain, account, "conditional-forwards"))
        return;
    for (size_t i = 0; i < account->forward_count; i++)
        if (account->forwards[i].row.condition != FORWARDRULE_ALL)
            findings_error(reading->findings, reading->shown, account->forwards[i].line,
                           "%s may not forward by a keyword (conditional-forwards is off): write "
                           "all, or remove the line",
                           account->local);
}

static size_t size_of_row(const struct forwardline *row)
{
    size_t size = FORWARDRULE_RULE_OVERHEAD + row->keyword.size;
    for (size_t i = 0; i < row->target_count; i++)
        size += strlen(row->targets[i]) + FORWARDRULE_OVERHEAD;
    return size;
}

/* SPEC R7.1: the targets of all conditions together. */
static void check_amount(struct reading *reading, const struct domain_account *account)
{
    size_t targets = 0, size = 0;
    unsigned last = 0;
    uint64_t most;
    for (size_t i = 0; i < account->forward_count; i++) {
        const struct domain_forward *forward = &account->forwards[i];
        targets += forward->row.target_count;
        size += size_of_row(&forward->row);
        last = forward->line > last ? forward->line : last;
    }
    if (number_parse(domain_value_named(reading->domain, account, "forwards"), UINT64_MAX, &most) &&
        targets > most)
        findings_error(reading->findings, reading->shown, last,
                       "%s has %zu forwards, but may have %llu: remove some", account->local,
                       targets, (unsigned long long)most);
    if (size > FORWARDRULE_RECORD_MAX)
        findings_error(reading->findings, reading->shown, last,
                       "what %s forwards to and by has more than %d bytes together: remove some",
                       account->local, FORWARDRULE_RECORD_MAX);
}

/* SPEC R9: without a mailbox, mail that no condition holds for would be nowhere. */
static void warn_of_conditions(struct reading *reading, const struct domain_account *account)
{
    const struct domain_forward *last = &account->forwards[account->forward_count - 1];
    if (last->row.condition != FORWARDRULE_ALL &&
        !domain_is_on(reading->domain, account, "receive"))
        findings_warning(reading->findings, reading->shown, last->line,
                         "%s has receive off: only its forwards under all work, those by a keyword "
                         "don't till receive is on",
                         account->local);
}

/* Such a target is left out when mail is forwarded. */
static void warn_of_itself(struct reading *reading, const struct domain_account *account)
{
    char itself[USERLINE_LOCAL_MAX + IDN_NAME_MAX + 2];
    snprintf(itself, sizeof itself, "%s@%s", account->local, reading->domain->name);
    for (size_t i = 0; i < account->forward_count; i++)
        if (forwardline_has_target(&account->forwards[i].row, itself))
            findings_warning(reading->findings, reading->shown, account->forwards[i].line,
                             "%s forwards to itself, which does nothing: remove %s", account->local,
                             itself);
}

static void check_forwards(struct reading *reading)
{
    for (size_t i = 0; i < reading->domain->account_count; i++) {
        struct domain_account *account = &reading->domain->accounts[i];
        if (account->forward_count == 0)
            continue;
        qsort(account->forwards, account->forward_count, sizeof *account->forwards,
              compare_forwards);
        check_repeats(reading, account);
        check_conditions(reading, account);
        check_amount(reading, account);
        warn_of_conditions(reading, account);
        warn_of_itself(reading, account);
    }
}

static void read_forwards(struct reading *reading)
{
    struct control_lines lines;
    struct slice line;
    struct forwardline parsed;
    char error[USERLINE_ERROR_MAX];
    choose(reading, "forwards");
    if (!sources_lines(reading->sources, reading->path, reading->findings, &lines, NULL))
        return;
    forwardline_init(&parsed);
    while (control_next_line(&lines, &line)) {
        if (!forwardline_parse(&parsed, line, error))
            findings_error(reading->findings, reading->shown, lines.number, "%s", error);
        else if (!add_forward(reading, lines.number, &parsed))
            findings_trouble(reading->findings, reading->shown, "find memory");
    }
    forwardline_free(&parsed);
    control_lines_free(&lines);
    check_forwards(reading);
}

/* ---- replies ---- */

/* Whose text it is: its file bears the account's name. */
static struct domain_account *find_replier(struct reading *reading, const char *name)
{
    const struct domain_account *found = domain_find(reading->domain, name);
    if (found)
        return &reading->domain->accounts[found - reading->domain->accounts];
    findings_error(reading->findings, reading->shown, 0,
                   "there is no account %s: remove the file, or add the account", name);
    return NULL;
}

static void take_reply(struct reading *reading, struct domain_account *account, struct slice text)
{
    char error[REPLYTEXT_ERROR_MAX];
    unsigned line;
    if (replytext_is_empty(text))
        return;
    if (!replytext_check(text, &line, error)) {
        findings_error(reading->findings, reading->shown, line, "%s", error);
        return;
    }
    account->reply = strndup(text.data, text.size);
    if (!account->reply)
        findings_trouble(reading->findings, reading->shown, "find memory");
}

static void read_reply(struct reading *reading, const char *name)
{
    char file[PATH_MAX];
    struct str text;
    snprintf(file, sizeof file, "replies/%s", name);
    choose(reading, file);
    struct domain_account *account = find_replier(reading, name);
    if (!account)
        return;
    str_init(&text, REPLYTEXT_FILE_MAX);
    if (sources_read(reading->sources, reading->path, &text) == SOURCES_READ)
        take_reply(reading, account, str_slice(&text));
    else
        findings_trouble(reading->findings, reading->shown, "read it");
    str_free(&text);
}

static void read_replies(struct reading *reading)
{
    struct folders_names names;
    choose(reading, "replies");
    if (!sources_list(reading->sources, reading->path, &names))
        findings_trouble(reading->findings, reading->shown, "list it");
    for (size_t i = 0; i < names.count; i++)
        read_reply(reading, names.of[i]);
    folders_names_free(&names);
}

static void check_names(struct reading *reading)
{
    static const char *const known[] = {"plan",  "uid",      "settings", "children",
                                        "users", "forwards", "replies"};
    struct folders_names names;
    choose(reading, "");
    reading->shown[strlen(reading->shown) - 1] = '\0';
    if (!folders_list(reading->sources->folder, reading->path, &names)) {
        findings_trouble(reading->findings, reading->shown, "list it");
        return;
    }
    for (size_t i = 0; i < names.count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            is_known = is_known || strcmp(names.of[i], known[k]) == 0;
        if (!is_known)
            findings_error(reading->findings, reading->shown, 0,
                           "there is no control file \"%s\" (known: plan uid settings children "
                           "users forwards replies): rename or remove it",
                           names.of[i]);
    }
    folders_names_free(&names);
}

bool domain_load(struct domain *domain, const char *name, const struct sources *sources,
                 struct plans *plans, struct findings *findings)
{
    struct reading reading = {
        .domain = domain, .sources = sources, .plans = plans, .findings = findings};
    domain_init(domain);
    if (!slice_copy_text(slice_text(name), domain->name, sizeof domain->name))
        return false;
    if (!sources_has_domain(sources, name))
        return false;
    if (strlen(name) > DOMAIN_NAME_MAX)
        findings_error(findings, "control/domains", 0,
                       "%s has more than %d characters, and files are named after it: take a "
                       "shorter name",
                       name, DOMAIN_NAME_MAX);
    check_names(&reading);
    read_uid(&reading);
    if (!read_plan(&reading))
        return true;
    read_settings(&reading);
    read_children(&reading);
    read_users(&reading);
    read_forwards(&reading);
    read_replies(&reading);
    return true;
}
