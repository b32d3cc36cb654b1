/* searchmatch - what the keys of SEARCH say about a message, see search.h */
#include "search.h"

#include "casefold.h"
#include "charset.h"
#include "imapsession.h"
#include "maildate.h"

enum { SECONDS_OF_DAY = 86400, MINUTE = 60 };

static struct mailbox_message *message_of(struct source *source)
{
    return &source->mailbox->messages[source->index];
}

/* The day that `seconds` lies in, before 1970 too. */
static int64_t day_of(int64_t seconds)
{
    return seconds / SECONDS_OF_DAY - (seconds % SECONDS_OF_DAY < 0);
}

/* ---- text -------------------------------------------------------------------------------------
 */

static bool value_contains(struct slice value, struct slice folded)
{
    struct str utf8;
    str_init(&utf8, IMAPSESSION_READ_MAX);
    bool found = mime_decode_header(value, &utf8) && casefold_contains(str_slice(&utf8), folded);
    str_free(&utf8);
    return found;
}

/* TEXT looks at names of fields too. */
static bool header_contains(struct slice header, struct slice folded)
{
    struct mime_field field;
    while (mime_next_field(&header, &field))
        if (value_contains(slice_trim(field.whole), folded))
            return true;
    return false;
}

static bool field_contains(struct slice header, struct slice name, struct slice folded)
{
    struct mime_field field;
    while (mime_next_field(&header, &field))
        if (slice_equal_nocase(field.name, name) && value_contains(field.value, folded))
            return true;
    return false;
}

/* The charset of a part; UTF-8 where it names none, since that is what unlabelled 8-bit is now. */
static void part_charset(struct slice header, struct str *charset)
{
    struct slice field;
    struct mime_parameters parameters;
    if (!mime_find_field(header, "Content-Type", &field) ||
        !mime_parse_parameters(field, &parameters))
        return;
    const struct mime_parameter *found = mime_parameter(&parameters, "charset");
    if (found)
        str_append(charset, str_slice(&found->value));
    mime_free_parameters(&parameters);
}

static bool text_part_contains(struct slice header, struct slice body, struct slice folded)
{
    struct str decoded, utf8, charset;
    struct slice encoding = SLICE("");
    str_init(&decoded, IMAPSESSION_READ_MAX);
    str_init(&utf8, IMAPSESSION_READ_MAX);
    str_init(&charset, MIME_FIELD_MAX);
    part_charset(header, &charset);
    if (charset.size == 0)
        str_append_text(&charset, "UTF-8");
    (void)mime_find_field(header, "Content-Transfer-Encoding", &encoding);
    bool found = mime_decode_body(body, encoding, &decoded) &&
                 charset_to_utf8(str_slice(&charset), str_slice(&decoded), &utf8, NULL) &&
                 casefold_contains(str_slice(&utf8), folded);
    str_free(&decoded);
    str_free(&utf8);
    str_free(&charset);
    return found;
}

/* The body of a part and of what is in it; headers of parts within count as body. */
static bool part_contains(struct slice whole, const struct mime_part *part, struct slice folded)
{
    struct slice header = slice_part(whole, part->header, part->header_size);
    for (const struct mime_part *child = part->first_child; child; child = child->next) {
        struct slice inner = slice_part(whole, child->header, child->header_size);
        if (header_contains(inner, folded) || part_contains(whole, child, folded))
            return true;
    }
    return slice_equal_nocase(part->type, SLICE("text")) &&
           text_part_contains(header, slice_part(whole, part->body, part->body_size), folded);
}

static bool body_contains(struct source *source, struct slice folded)
{
    struct slice whole;
    const struct mime_part *root = source_root(source);
    return root && source_whole(source, &whole) && part_contains(whole, root, folded);
}

static bool match_header(const struct search_key *key, struct source *source)
{
    struct slice header;
    return source_header(source, &header) && field_contains(header, key->name, key->text);
}

static bool match_text(const struct search_key *key, struct source *source)
{
    struct slice header;
    return source_header(source, &header) &&
           (header_contains(header, key->text) || body_contains(source, key->text));
}

/* ---- days and sizes ---------------------------------------------------------------------------
 */

/* The day of the Date field, in its own zone: RFC 3501 6.4.4 disregards both time and zone. */
static bool sent_day(struct source *source, int64_t *day)
{
    struct slice header, field;
    int64_t seconds;
    int zone_minutes;
    if (!source_header(source, &header) || !mime_find_field(header, "Date", &field) ||
        !maildate_parse(field, &seconds, &zone_minutes))
        return false;
    *day = day_of(seconds + (int64_t)zone_minutes * MINUTE);
    return true;
}

static bool match_sent(const struct search_key *key, struct source *source)
{
    int64_t day;
    if (!sent_day(source, &day))
        return false;
    return key->kind == SEARCH_SENT_BEFORE ? day < key->day
           : key->kind == SEARCH_SENT_ON   ? day == key->day
                                           : day >= key->day;
}

static bool match_size(const struct search_key *key, struct source *source)
{
    uint64_t size;
    if (!mailbox_crlf_size(source->mailbox, message_of(source), &size))
        return false;
    return key->kind == SEARCH_LARGER ? size > key->size : size < key->size;
}

/* ---- the tree ---------------------------------------------------------------------------------
 */

static bool match_all(const struct search_key *first, struct source *source, uint32_t number)
{
    for (const struct search_key *key = first; key; key = key->next)
        if (!search_matches(key, source, number))
            return false;
    return true;
}

bool search_matches(const struct search_key *key, struct source *source, uint32_t number)
{
    const struct mailbox_message *message = message_of(source);
    switch (key->kind) {
    case SEARCH_ALL:
        return true;
    case SEARCH_AND:
        return match_all(key->child, source, number);
    case SEARCH_OR:
        return search_matches(key->child, source, number) ||
               search_matches(key->child->next, source, number);
    case SEARCH_NOT:
        return !search_matches(key->child, source, number);
    case SEARCH_SET:
        return sequence_has(&key->set, number);
    case SEARCH_UID:
        return sequence_has(&key->set, message->uid);
    case SEARCH_FLAG:
        return message->flags & key->flags;
    case SEARCH_KEYWORD:
        return message->keywords & mailbox_keyword(source->mailbox, key->name, false);
    case SEARCH_RECENT:
        return message->recent;
    case SEARCH_BEFORE:
        return day_of(message->date) < key->day;
    case SEARCH_ON:
        return day_of(message->date) == key->day;
    case SEARCH_SINCE:
        return day_of(message->date) >= key->day;
    case SEARCH_LARGER:
    case SEARCH_SMALLER:
        return match_size(key, source);
    case SEARCH_SENT_BEFORE:
    case SEARCH_SENT_ON:
    case SEARCH_SENT_SINCE:
        return match_sent(key, source);
    case SEARCH_HEADER:
        return match_header(key, source);
    case SEARCH_BODY:
        return body_contains(source, key->text);
    case SEARCH_TEXT:
        return match_text(key, source);
    }
    return false;
}
