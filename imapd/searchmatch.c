/* searchmatch - what the keys of SEARCH say about a message, see search.h */
#include "search.h"

#include "clock.h"
#include "maildate.h"
#include "mime.h"
#include "objectid.h"
#include "source.h"

enum { SECONDS_OF_DAY = 86400, MINUTE = 60 };

static struct mailbox_message *message_of(const struct searcher *searcher)
{
    return &searcher->mailbox->messages[searcher->file.index];
}

/* The day that `seconds` lies in, before 1970 too. */
static int64_t day_of(int64_t seconds)
{
    return seconds / SECONDS_OF_DAY - (seconds % SECONDS_OF_DAY < 0);
}

/* ---- text -------------------------------------------------------------------------------------
 */

static bool match_header(const struct search_key *key, struct searcher *searcher)
{
    struct slice header;
    return messagefile_header(&searcher->file, &header) &&
           textmatch_field(&searcher->match, header, key->name, &key->needle);
}

/* A text with a line end in it needs the message with the line ends of the wire. */
static bool match_lines(const struct search_key *key, struct searcher *searcher)
{
    struct source source;
    struct slice whole;
    source_begin(&source, searcher->mailbox, searcher->file.index);
    bool found =
        source_whole(&source, &whole) &&
        textmatch_body(&searcher->match, whole, source_header_of(whole).size, &key->needle);
    source_end(&source);
    return found;
}

static bool match_body(const struct search_key *key, struct searcher *searcher)
{
    struct slice whole;
    size_t header_size;
    if (key->needle.has_line_end)
        return match_lines(key, searcher);
    return messagefile_whole(&searcher->file, &whole, &header_size) &&
           textmatch_body(&searcher->match, whole, header_size, &key->needle);
}

static bool match_text(const struct search_key *key, struct searcher *searcher)
{
    struct slice whole;
    size_t header_size;
    return messagefile_whole(&searcher->file, &whole, &header_size) &&
           (textmatch_header(&searcher->match, slice_part(whole, 0, header_size), &key->needle) ||
            match_body(key, searcher));
}

/* ---- days and sizes ---------------------------------------------------------------------------
 */

/* The day of the Date field, in its own zone: RFC 3501 6.4.4 disregards both time and zone. */
static bool sent_day(struct searcher *searcher, int64_t *day)
{
    struct slice header, field;
    int64_t seconds;
    int zone_minutes;
    if (!messagefile_header(&searcher->file, &header) || !mime_find_field(header, "Date", &field) ||
        !maildate_parse(field, &seconds, &zone_minutes))
        return false;
    *day = day_of(seconds + (int64_t)zone_minutes * MINUTE);
    return true;
}

static bool match_sent(const struct search_key *key, struct searcher *searcher)
{
    int64_t day;
    if (!sent_day(searcher, &day))
        return false;
    return key->kind == SEARCH_SENT_BEFORE ? day < key->day
           : key->kind == SEARCH_SENT_ON   ? day == key->day
                                           : day >= key->day;
}

static bool match_size(const struct search_key *key, struct searcher *searcher)
{
    uint64_t size;
    if (!mailbox_crlf_size(searcher->mailbox, message_of(searcher), &size))
        return false;
    return key->kind == SEARCH_LARGER ? size > key->size : size < key->size;
}

/* When the message came into the mailbox; where that is not known, its INTERNALDATE stands for it
 * (RFC 8514 4.3). */
static int64_t saved_date(const struct searcher *searcher)
{
    const struct mailbox_message *message = message_of(searcher);
    int64_t saved = mailbox_save_date(searcher->mailbox, message);
    return saved > 0 ? saved : message->date;
}

static bool match_modseq(const struct search_key *key, struct searcher *searcher)
{
    return mailbox_modseq(searcher->mailbox, message_of(searcher)) >= key->size;
}

static bool match_saved(const struct search_key *key, struct searcher *searcher)
{
    int64_t day = day_of(saved_date(searcher));
    return key->kind == SEARCH_SAVED_BEFORE ? day < key->day
           : key->kind == SEARCH_SAVED_ON   ? day == key->day
                                            : day >= key->day;
}

static bool match_day(const struct search_key *key, struct searcher *searcher)
{
    int64_t day = day_of(message_of(searcher)->date);
    return key->kind == SEARCH_BEFORE ? day < key->day
           : key->kind == SEARCH_ON   ? day == key->day
                                      : day >= key->day;
}

/* RFC 5032 2 */
static bool match_age(const struct search_key *key, struct searcher *searcher)
{
    int64_t since = searcher->now - (int64_t)key->size, date = message_of(searcher)->date;
    return key->kind == SEARCH_OLDER ? date <= since : date >= since;
}

/* ---- the list ---------------------------------------------------------------------------------
 */

static bool match_everything(const struct search_key *key, struct searcher *searcher)
{
    (void)key;
    (void)searcher;
    return true;
}

static bool match_set(const struct search_key *key, struct searcher *searcher)
{
    return sequence_has(&key->set, (uint32_t)searcher->file.index + 1);
}

static bool match_uid(const struct search_key *key, struct searcher *searcher)
{
    return sequence_has(&key->set, message_of(searcher)->uid);
}

static bool match_flag(const struct search_key *key, struct searcher *searcher)
{
    return message_of(searcher)->flags & key->flags;
}

static bool match_keyword(const struct search_key *key, struct searcher *searcher)
{
    return message_of(searcher)->keywords & mailbox_keyword(searcher->mailbox, key->name, false);
}

static uint64_t email_of(const struct searcher *searcher)
{
    return mailbox_email_id(searcher->mailbox, message_of(searcher));
}

/* RFC 8474 6 */
static bool match_email(const struct search_key *key, struct searcher *searcher)
{
    return objectid_names_email(key->name, email_of(searcher));
}

static bool match_thread(const struct search_key *key, struct searcher *searcher)
{
    struct messagekeys keys;
    return messagekeys_get(&searcher->keys, searcher->file.index, &keys) &&
           objectid_names_thread(key->name, messagekeys_thread(&keys, email_of(searcher)));
}

static bool match_recent(const struct search_key *key, struct searcher *searcher)
{
    (void)key;
    return message_of(searcher)->recent;
}

/* ---- the tree ---------------------------------------------------------------------------------
 */

static bool matches(const struct search_key *key, struct searcher *searcher);

static bool match_and(const struct search_key *key, struct searcher *searcher)
{
    for (const struct search_key *child = key->child; child; child = child->next)
        if (!matches(child, searcher))
            return false;
    return true;
}

static bool match_or(const struct search_key *key, struct searcher *searcher)
{
    return matches(key->child, searcher) || matches(key->child->next, searcher);
}

static bool match_not(const struct search_key *key, struct searcher *searcher)
{
    return !matches(key->child, searcher);
}

typedef bool matcher(const struct search_key *key, struct searcher *searcher);

static matcher *const matchers[] = {
    [SEARCH_ALL] = match_everything,
    [SEARCH_AND] = match_and,
    [SEARCH_OR] = match_or,
    [SEARCH_NOT] = match_not,
    [SEARCH_SET] = match_set,
    [SEARCH_UID] = match_uid,
    [SEARCH_FLAG] = match_flag,
    [SEARCH_KEYWORD] = match_keyword,
    [SEARCH_RECENT] = match_recent,
    [SEARCH_BEFORE] = match_day,
    [SEARCH_ON] = match_day,
    [SEARCH_SINCE] = match_day,
    [SEARCH_LARGER] = match_size,
    [SEARCH_SMALLER] = match_size,
    [SEARCH_OLDER] = match_age,
    [SEARCH_YOUNGER] = match_age,
    [SEARCH_SAVED_SUPPORTED] = match_everything,
    [SEARCH_SAVED_BEFORE] = match_saved,
    [SEARCH_SAVED_ON] = match_saved,
    [SEARCH_SAVED_SINCE] = match_saved,
    [SEARCH_EMAIL] = match_email,
    [SEARCH_THREAD] = match_thread,
    [SEARCH_MODSEQ] = match_modseq,
    [SEARCH_SENT_BEFORE] = match_sent,
    [SEARCH_SENT_ON] = match_sent,
    [SEARCH_SENT_SINCE] = match_sent,
    [SEARCH_HEADER] = match_header,
    [SEARCH_BODY] = match_body,
    [SEARCH_TEXT] = match_text,
};

static bool matches(const struct search_key *key, struct searcher *searcher)
{
    return matchers[key->kind](key, searcher);
}

/* ---- public -----------------------------------------------------------------------------------
 */

void searcher_begin(struct searcher *searcher, struct mailbox *mailbox)
{
    searcher->mailbox = mailbox;
    searcher->now = clock_seconds();
    messagefile_init(&searcher->file);
    textmatch_init(&searcher->match);
    messagekeys_begin(&searcher->keys, mailbox);
}

void searcher_end(struct searcher *searcher)
{
    messagefile_free(&searcher->file);
    textmatch_free(&searcher->match);
    messagekeys_end(&searcher->keys);
}

bool searcher_fits(struct searcher *searcher, const struct search_key *root, size_t index)
{
    messagefile_begin(&searcher->file, searcher->mailbox, index);
    bool fits = matches(root, searcher);
    messagefile_end(&searcher->file);
    return fits;
}
