/* adopt - see adopt.h */
#include "adopt.h"

#include "number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CAPACITY_FIRST = 256,
    SAME_UNIQUE_MAX = 8, /* names with one unique part that are looked at */
};

static struct slice base_of(struct slice name)
{
    return slice_part(name, 0, slice_find(name, ':'));
}

static struct slice unique_of(struct slice name)
{
    struct slice base = base_of(name);
    return slice_part(base, 0, slice_find(base, ','));
}

static bool parse_uid(struct slice text, uint32_t *uid)
{
    uint64_t number;
    if (!number_parse(text, ADOPT_UID_MAX, &number) || number == 0)
        return false;
    *uid = (uint32_t)number;
    return true;
}

/* ---- the order of entries ----------------------------------------------------------------------
 */

static int compare_slices(struct slice a, struct slice b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size > 0 ? memcmp(a.data, b.data, size) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_names(const struct adopt_entry *a, struct slice unique, struct slice base)
{
    int order = compare_slices(a->unique, unique);
    return order != 0 ? order : compare_slices(a->base, base);
}

/* Of one name the highest UID comes first. */
static int compare_entries(const void *first, const void *second)
{
    const struct adopt_entry *a = first, *b = second;
    int order = compare_names(a, b->unique, b->base);
    return order != 0 ? order : (a->uid < b->uid) - (a->uid > b->uid);
}

/* A file that left and came back stands there twice; it was known by its newer UID. */
static void drop_repeated(struct adopt_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || compare_names(&list->entries[kept - 1], list->entries[i].unique,
                                       list->entries[i].base) != 0)
            list->entries[kept++] = list->entries[i];
    list->count = kept;
}

static void sort(struct adopt_list *list)
{
    if (list->count > 1)
        qsort(list->entries, list->count, sizeof *list->entries, compare_entries);
    drop_repeated(list);
}

static size_t position(const struct adopt_list *list, struct slice unique, struct slice base)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_names(&list->entries[middle], unique, base) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct adopt_entry *find(struct adopt_list *list, struct slice name)
{
    struct slice base = base_of(name);
    size_t at = position(list, unique_of(name), base);
    return at < list->count && slice_equal(list->entries[at].base, base) ? &list->entries[at]
                                                                         : NULL;
}

struct adopt_entry *adopt_find(struct adopt_list *list, struct slice name)
{
    struct adopt_entry *entry = find(list, name);
    return entry && !entry->is_taken ? entry : NULL;
}

struct adopt_entry *adopt_find_unique(struct adopt_list *list, struct slice name)
{
    struct slice unique = unique_of(name);
    size_t at = position(list, unique, SLICE(""));
    for (size_t i = at; i < list->count && i - at < SAME_UNIQUE_MAX; i++) {
        if (!slice_equal(list->entries[i].unique, unique))
            break;
        if (!list->entries[i].is_taken)
            return &list->entries[i];
    }
    return NULL;
}

static bool add(struct adopt_list *list, const struct adopt_entry *entry)
{
    if (list->count == ADOPT_ENTRIES_MAX)
        return true;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : CAPACITY_FIRST;
        struct adopt_entry *grown = reallocarray(list->entries, capacity, sizeof *grown);
        if (!grown)
            return false;
        list->entries = grown;
        list->capacity = capacity;
    }
    list->entries[list->count++] = *entry;
    return true;
}

void adopt_free(struct adopt_list *list)
{
    free(list->entries);
    *list = (struct adopt_list){0};
}

/* ---- lists of UIDs -----------------------------------------------------------------------------
 */

/* "V123" where `letter` is V; without one, "123". */
static uint32_t parse_numbered(struct slice word, const char *letter, uint32_t max)
{
    uint64_t number;
    struct slice head = slice_text(letter);
    if (!slice_starts(word, head) || !number_parse(slice_from(word, head.size), max, &number))
        return 0;
    return (uint32_t)number;
}

/* Version 3 has letters before its numbers, and more that we pass over. */
static bool parse_header(struct slice line, struct adopt_list *list, bool *has_fields)
{
    struct slice version = slice_cut(&line, ' ');
    *has_fields = slice_equal(version, SLICE("3"));
    if (!*has_fields && !slice_equal(version, SLICE("1")))
        return false;
    bool has_next = false;
    for (int i = 0; line.size > 0; i++) {
        struct slice word = slice_cut(&line, ' ');
        uint32_t uidvalidity =
            *has_fields || i == 0 ? parse_numbered(word, *has_fields ? "V" : "", UINT32_MAX) : 0;
        uint32_t uidnext =
            *has_fields || i == 1 ? parse_numbered(word, *has_fields ? "N" : "", ADOPT_UID_MAX) : 0;
        if (uidvalidity != 0)
            list->uidvalidity = uidvalidity;
        if (uidnext != 0) {
            list->uidnext = uidnext;
            has_next = true;
        }
    }
    return list->uidvalidity != 0 && has_next;
}

/* What can be sent as a POP3 name. */
static bool is_uidl(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return text.size > 0 && text.size <= ADOPT_UIDL_MAX;
}

/* The fields in front of ":<file name>", which is what is left. False: there is no name. */
static bool take_fields(struct slice *rest, struct adopt_entry *entry)
{
    while (rest->size > 0 && rest->data[0] != ':') {
        struct slice field = slice_cut(rest, ' ');
        if (slice_starts(field, SLICE("P")) && is_uidl(slice_from(field, 1)))
            entry->uidl = slice_from(field, 1);
    }
    *rest = slice_from(*rest, 1);
    return rest->size > 0;
}

static void set_name(struct adopt_entry *entry, struct slice name)
{
    entry->base = base_of(name);
    entry->unique = unique_of(name);
}

/* A line that is not whole says at least that its UID was given out. */
static bool take_line(struct slice line, bool is_whole, bool has_fields, struct adopt_list *list)
{
    struct adopt_entry entry = {0};
    bool ends = slice_has(line, ' ');
    if (!parse_uid(slice_cut(&line, ' '), &entry.uid))
        return true;
    if (entry.uid >= list->uidnext && (is_whole || ends))
        list->uidnext = entry.uid + 1;
    if (!is_whole || (has_fields && !take_fields(&line, &entry)))
        return true;
    set_name(&entry, line);
    return entry.unique.size == 0 || add(list, &entry);
}

/* Cuts off a line; *is_whole: it had an end. */
static struct slice cut_line(struct slice *rest, bool *is_whole)
{
    *is_whole = slice_has(*rest, '\n');
    struct slice line = slice_cut(rest, '\n');
    if (slice_ends(line, SLICE("\r")))
        line.size--;
    return line;
}

bool adopt_parse_uids(struct slice content, struct adopt_list *list)
{
    bool is_whole, has_fields;
    *list = (struct adopt_list){0};
    struct slice header = cut_line(&content, &is_whole);
    if (!is_whole || !parse_header(header, list, &has_fields)) {
        *list = (struct adopt_list){0};
        errno = EINVAL;
        return false;
    }
    while (content.size > 0) {
        struct slice line = cut_line(&content, &is_whole);
        if (!take_line(line, is_whole, has_fields, list)) {
            errno = ENOMEM;
            return false;
        }
    }
    sort(list);
    return true;
}

/* ---- Courier's POP3 names ----------------------------------------------------------------------
 */

static bool parse_pop3_header(struct slice line, uint32_t *uidvalidity, uint32_t *uidnext)
{
    struct slice version = slice_cut(&line, ' ');
    *uidnext = parse_numbered(slice_cut(&line, ' '), "", ADOPT_UID_MAX);
    *uidvalidity = parse_numbered(slice_cut(&line, ' '), "", UINT32_MAX);
    return slice_starts(version, SLICE("/")) && *uidnext != 0 && *uidvalidity != 0;
}

/* "<file name> <size> <n>:<uidvalidity>" with more behind a ':'; names may have blanks. */
static bool parse_pop3_line(struct slice line, struct adopt_entry *entry)
{
    size_t end = slice_find_last(line, ' ');
    struct slice numbers = slice_from(line, end + 1);
    struct slice name = slice_part(line, 0, end);
    name = slice_part(name, 0, slice_find_last(name, ' '));
    *entry = (struct adopt_entry){0};
    uint64_t number;
    if (!number_parse(slice_cut(&numbers, ':'), UINT32_MAX, &number) || number == 0)
        return false;
    entry->uidl_uid = (uint32_t)number;
    if (!number_parse(slice_cut(&numbers, ':'), UINT32_MAX, &number))
        return false;
    entry->uidl_uidvalidity = (uint32_t)number;
    set_name(entry, name);
    return entry->unique.size > 0;
}

static void take_pop3_name(struct adopt_list *list, const struct adopt_entry *named)
{
    struct adopt_entry *entry = find(list, named->base);
    if (!entry)
        return;
    entry->uidl_uid = named->uidl_uid;
    entry->uidl_uidvalidity = named->uidl_uidvalidity;
}

/* The account knew no IMAP: its POP3 numbers serve as UIDs. */
static bool add_pop3_entry(struct adopt_list *list, struct adopt_entry *entry)
{
    if (entry->uidl_uid > ADOPT_UID_MAX)
        return true;
    entry->uid = entry->uidl_uid;
    if (entry->uid >= list->uidnext)
        list->uidnext = entry->uid + 1;
    return add(list, entry);
}

bool adopt_parse_pop3(struct slice content, struct adopt_list *list)
{
    bool is_whole, has_uids = list->uidvalidity != 0;
    uint32_t uidvalidity, uidnext;
    struct slice header = cut_line(&content, &is_whole);
    if (!is_whole || !parse_pop3_header(header, &uidvalidity, &uidnext)) {
        errno = EINVAL;
        return false;
    }
    if (!has_uids) {
        list->uidvalidity = uidvalidity;
        list->uidnext = uidnext;
    }
    while (content.size > 0) {
        struct adopt_entry entry;
        struct slice line = cut_line(&content, &is_whole);
        if (!is_whole || !parse_pop3_line(line, &entry))
            continue;
        if (has_uids) {
            take_pop3_name(list, &entry);
        } else if (!add_pop3_entry(list, &entry)) {
            errno = ENOMEM;
            return false;
        }
    }
    if (!has_uids)
        sort(list);
    return true;
}

bool adopt_uidl(const struct adopt_entry *entry, struct str *uidl)
{
    if (entry->uidl.size > 0)
        return str_append(uidl, entry->uidl);
    if (entry->uidl_uid == 0)
        return false;
    str_append_text(uidl, "UID");
    str_append_number(uidl, entry->uidl_uid);
    if (entry->uidl_uidvalidity != 0) {
        str_append_byte(uidl, '-');
        str_append_number(uidl, entry->uidl_uidvalidity);
    }
    return !uidl->failed;
}

/* ---- keywords ----------------------------------------------------------------------------------
 */

/* One that is too long is none. */
static void set_keyword(struct adopt_list *list, size_t letter, struct slice keyword)
{
    (void)slice_copy_text(keyword, list->keywords[letter], sizeof list->keywords[letter]);
}

void adopt_parse_dovecot_keywords(struct slice content, struct adopt_list *list)
{
    while (content.size > 0) {
        bool is_whole;
        uint64_t number;
        struct slice line = cut_line(&content, &is_whole);
        if (is_whole && number_parse(slice_cut(&line, ' '), MAILDIR_KEYWORDS - 1, &number))
            set_keyword(list, (size_t)number, line);
    }
}

/* The bit of a keyword, which is made where there is room; else 0. */
static uint32_t keyword_bit(struct adopt_list *list, struct slice keyword)
{
    size_t letter = 0;
    while (letter < MAILDIR_KEYWORDS && list->keywords[letter][0] != '\0' &&
           !slice_equal_nocase(slice_text(list->keywords[letter]), keyword))
        letter++;
    if (letter == MAILDIR_KEYWORDS)
        return 0;
    if (list->keywords[letter][0] == '\0')
        set_keyword(list, letter, keyword);
    return list->keywords[letter][0] != '\0' ? UINT32_C(1) << letter : 0;
}

void adopt_take_keywords(struct slice content, struct adopt_list *list, struct adopt_entry *entry)
{
    entry->keywords = 0;
    while (content.size > 0) {
        bool is_whole;
        struct slice line = cut_line(&content, &is_whole);
        if (is_whole)
            entry->keywords |= keyword_bit(list, line);
    }
}

static uint32_t parse_numbers(struct slice numbers)
{
    uint32_t bits = 0;
    while (numbers.size > 0) {
        uint64_t number;
        if (number_parse(slice_cut_word(&numbers), MAILDIR_KEYWORDS - 1, &number))
            bits |= UINT32_C(1) << number;
    }
    return bits;
}

/* Numbers are places in the list of names, which begins the file. */
void adopt_parse_courier_keywords(struct slice content, struct adopt_list *list)
{
    bool is_whole = true;
    for (size_t i = 0; content.size > 0; i++) {
        struct slice line = cut_line(&content, &is_whole);
        if (line.size == 0)
            break;
        if (is_whole && i < MAILDIR_KEYWORDS)
            set_keyword(list, i, line);
    }
    while (content.size > 0) {
        struct slice line = cut_line(&content, &is_whole);
        struct adopt_entry *entry = find(list, line);
        if (is_whole && entry)
            entry->keywords = parse_numbers(slice_from(line, slice_find(line, ':') + 1));
    }
}
