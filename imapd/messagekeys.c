/* messagekeys - see messagekeys.h; reading of files is in messagekeysget.c
 *
 *     version, flags, [date 8, zone 2], [id 8], count of references, 8 each, 6 x (size 2, text)
 * Numbers with the lowest byte first.
 */
#include "messagekeys.h"

#include "addresslist.h"
#include "basesubject.h"
#include "casemap.h"
#include "hash.h"
#include "maildate.h"
#include "messageid.h"
#include "mime.h"

enum { VERSION = 1 };
enum { HAS_DATE = 1 << 0, HAS_ID = 1 << 1, IS_REPLY = 1 << 2 };
enum { NUMBER_SIZE = 8, ZONE_SIZE = 2, TEXT_HEAD_SIZE = 2 };

/* ---- numbers ---------------------------------------------------------------------------------- */

static void put_number(struct str *bytes, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        str_append_byte(bytes, (char)(number >> 8 * i & 255));
}

static uint64_t number_at(struct slice bytes, size_t start, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number |= (uint64_t)(unsigned char)bytes.data[start + i] << 8 * i;
    return number;
}

static bool cut_number(struct slice *bytes, size_t size, uint64_t *number)
{
    if (bytes->size < size)
        return false;
    *number = number_at(*bytes, 0, size);
    *bytes = slice_from(*bytes, size);
    return true;
}

static bool cut_part(struct slice *bytes, size_t size, struct slice *part)
{
    if (bytes->size < size)
        return false;
    *part = slice_part(*bytes, 0, size);
    *bytes = slice_from(*bytes, size);
    return true;
}

/* ---- the header ------------------------------------------------------------------------------- */

enum field {
    FIELD_CC,
    FIELD_DATE,
    FIELD_FROM,
    FIELD_IN_REPLY_TO,
    FIELD_MESSAGE_ID,
    FIELD_REFERENCES,
    FIELD_SUBJECT,
    FIELD_TO,
    FIELD_COUNT,
};

static const struct slice field_names[FIELD_COUNT] = {
    [FIELD_CC] = {"Cc", 2},
    [FIELD_DATE] = {"Date", 4},
    [FIELD_FROM] = {"From", 4},
    [FIELD_IN_REPLY_TO] = {"In-Reply-To", 11},
    [FIELD_MESSAGE_ID] = {"Message-ID", 10},
    [FIELD_REFERENCES] = {"References", 10},
    [FIELD_SUBJECT] = {"Subject", 7},
    [FIELD_TO] = {"To", 2},
};

/* Of several fields of one name the first that holds anything counts. */
static void find_fields(struct slice header, struct slice fields[FIELD_COUNT])
{
    struct mime_field field;
    while (mime_next_field(&header, &field))
        for (size_t i = 0; i < FIELD_COUNT; i++)
            if (fields[i].size == 0 && slice_equal_nocase(field.name, field_names[i]))
                fields[i] = field.value;
}

/* ---- texts ------------------------------------------------------------------------------------ */

struct extraction {
    struct charset_cache *charsets;
    struct str *bytes;
    struct str text; /* in UTF-8 */
    struct str form; /* by casemap */
};

/* Appends the form of extraction->text, bounded. */
static void put_text(struct extraction *extraction)
{
    struct str *form = &extraction->form;
    str_clear(form);
    if (!casemap_append(form, str_slice(&extraction->text)))
        extraction->bytes->failed = true;
    if (form->size > MESSAGEKEYS_TEXT_MAX) {
        uint64_t hash = hash_add(HASH_START, str_slice(form));
        str_truncate(form, MESSAGEKEYS_TEXT_MAX - NUMBER_SIZE);
        put_number(form, hash, NUMBER_SIZE);
    }
    put_number(extraction->bytes, form->size, TEXT_HEAD_SIZE);
    str_append(extraction->bytes, str_slice(form));
}

struct first_address {
    struct extraction *extraction;
    bool display, found;
};

static void decode(struct extraction *extraction, struct slice text)
{
    if (!mime_decode_header_with(extraction->charsets, text, &extraction->text))
        extraction->bytes->failed = true;
}

/* RFC 5957 3: the name; failing that the address, or what there is of it. */
static void put_display(struct extraction *extraction, const struct addresslist_entry *entry,
                        struct slice mailbox)
{
    bool is_group = entry->kind == ADDRESSLIST_GROUP;
    str_clear(&extraction->text);
    if (!is_group)
        decode(extraction, entry->name);
    if (extraction->text.size == 0)
        decode(extraction, mailbox);
    else
        mailbox = SLICE("");
    if (!is_group && mailbox.size > 0 && entry->domain.size > 0) {
        str_append_byte(&extraction->text, '@');
        decode(extraction, entry->domain);
    }
    put_text(extraction);
}

/* RFC 5256 3 (FROM, TO, CC). A group has its name as addr-mailbox, and no host. */
static bool take_first(void *owner, const struct addresslist_entry *entry)
{
    struct first_address *first = owner;
    struct extraction *extraction = first->extraction;
    struct slice mailbox = entry->kind == ADDRESSLIST_GROUP ? entry->name : entry->mailbox;
    first->found = true;
    str_clear(&extraction->text);
    decode(extraction, mailbox);
    put_text(extraction);
    if (first->display)
        put_display(extraction, entry, mailbox);
    return false;
}

static void put_address(struct extraction *extraction, struct slice field, bool display)
{
    struct first_address first = {.extraction = extraction, .display = display};
    addresslist_walk(field, take_first, &first);
    if (!first.found)
        put_number(extraction->bytes, 0, display ? 2 * TEXT_HEAD_SIZE : TEXT_HEAD_SIZE);
}

/* ---- ids -------------------------------------------------------------------------------------- */

struct references {
    uint64_t ids[MESSAGEKEYS_REFERENCES_MAX];
    size_t count; /* that were seen */
};

/* The first id stays at its place, the others go round. */
static void add_reference(struct references *references, uint64_t id)
{
    enum { ROUND = MESSAGEKEYS_REFERENCES_MAX - 1 };
    size_t count = references->count++;
    references->ids[count == 0 ? 0 : 1 + (count - 1) % ROUND] = id;
}

static uint64_t reference_at(const struct references *references, size_t place)
{
    enum { ROUND = MESSAGEKEYS_REFERENCES_MAX - 1 };
    size_t dropped = references->count > MESSAGEKEYS_REFERENCES_MAX
                         ? references->count - MESSAGEKEYS_REFERENCES_MAX
                         : 0;
    return references->ids[place == 0 ? 0 : 1 + (place - 1 + dropped) % ROUND];
}

static void read_references(struct slice field, size_t most, struct references *references)
{
    struct str id;
    str_init(&id, MESSAGEID_SIZE_MAX);
    while (references->count < most && messageid_next(&field, &id))
        add_reference(references, messageid_hash(str_slice(&id)));
    str_free(&id);
}

static uint64_t first_id(struct slice field)
{
    struct references one = {.count = 0};
    read_references(field, 1, &one);
    return one.count > 0 ? one.ids[0] : 0;
}

static void put_references(struct str *bytes, const struct slice fields[FIELD_COUNT])
{
    struct references references = {.count = 0};
    read_references(fields[FIELD_REFERENCES], SIZE_MAX, &references);
    if (references.count == 0)
        read_references(fields[FIELD_IN_REPLY_TO], 1, &references);
    size_t kept = references.count < MESSAGEKEYS_REFERENCES_MAX ? references.count
                                                                : MESSAGEKEYS_REFERENCES_MAX;
    put_number(bytes, kept, 1);
    for (size_t i = 0; i < kept; i++)
        put_number(bytes, reference_at(&references, i), NUMBER_SIZE);
}

/* ---- all of them ------------------------------------------------------------------------------ */

static void put_head(struct str *bytes, const struct slice fields[FIELD_COUNT], bool is_reply)
{
    int64_t date = 0;
    int zone = 0;
    bool has_date = maildate_parse_sent(fields[FIELD_DATE], &date, &zone);
    uint64_t id = first_id(fields[FIELD_MESSAGE_ID]);
    put_number(bytes, VERSION, 1);
    put_number(bytes, (has_date ? HAS_DATE : 0U) | (id ? HAS_ID : 0U) | (is_reply ? IS_REPLY : 0U),
               1);
    if (has_date) {
        put_number(bytes, (uint64_t)date, NUMBER_SIZE);
        put_number(bytes, (uint64_t)(int64_t)zone, ZONE_SIZE);
    }
    if (id)
        put_number(bytes, id, NUMBER_SIZE);
}

static void put_all(struct extraction *extraction, const struct slice fields[FIELD_COUNT])
{
    bool is_reply;
    if (!basesubject_append(&extraction->text, fields[FIELD_SUBJECT], extraction->charsets,
                            &is_reply))
        extraction->bytes->failed = true;
    put_head(extraction->bytes, fields, is_reply);
    put_references(extraction->bytes, fields);
    put_text(extraction);
    put_address(extraction, fields[FIELD_FROM], true);
    put_address(extraction, fields[FIELD_TO], true);
    put_address(extraction, fields[FIELD_CC], false);
}

bool messagekeys_extract(struct slice header, struct charset_cache *charsets, struct str *bytes)
{
    /* A byte in Latin-1 is two in UTF-8, a character there can have 18 in its place. */
    enum { FORM_MAX = 64 * 1048576 };
    struct slice fields[FIELD_COUNT] = {{0}};
    struct extraction extraction = {.charsets = charsets, .bytes = bytes};
    str_init(&extraction.text, MIME_FIELD_MAX * 3);
    str_init(&extraction.form, FORM_MAX);
    find_fields(slice_part(header, 0, MESSAGEKEYS_HEADER_MAX), fields);
    put_all(&extraction, fields);
    str_free(&extraction.text);
    str_free(&extraction.form);
    return !bytes->failed;
}

/* ---- reading ---------------------------------------------------------------------------------- */

static bool read_head(struct slice *bytes, struct messagekeys *keys)
{
    uint64_t version, flags, date = 0, zone = 0;
    if (!cut_number(bytes, 1, &version) || version != VERSION || !cut_number(bytes, 1, &flags))
        return false;
    keys->has_date = flags & HAS_DATE;
    keys->is_reply = flags & IS_REPLY;
    if (keys->has_date &&
        (!cut_number(bytes, NUMBER_SIZE, &date) || !cut_number(bytes, ZONE_SIZE, &zone)))
        return false;
    keys->date = (int64_t)date;
    keys->zone_minutes = (int16_t)zone;
    return !(flags & HAS_ID) || cut_number(bytes, NUMBER_SIZE, &keys->id);
}

bool messagekeys_read(struct slice bytes, struct messagekeys *keys)
{
    uint64_t count, size;
    *keys = (struct messagekeys){0};
    if (!read_head(&bytes, keys) || !cut_number(&bytes, 1, &count) ||
        !cut_part(&bytes, (size_t)count * NUMBER_SIZE, &keys->references))
        return false;
    for (size_t i = 0; i < MESSAGEKEYS_TEXTS; i++)
        if (!cut_number(&bytes, TEXT_HEAD_SIZE, &size) ||
            !cut_part(&bytes, (size_t)size, &keys->texts[i]))
            return false;
    return bytes.size == 0;
}

size_t messagekeys_reference_count(const struct messagekeys *keys)
{
    return keys->references.size / NUMBER_SIZE;
}

uint64_t messagekeys_reference(const struct messagekeys *keys, size_t place)
{
    return number_at(keys->references, place * NUMBER_SIZE, NUMBER_SIZE);
}

uint64_t messagekeys_thread(const struct messagekeys *keys, uint64_t email_id)
{
    uint64_t id = messagekeys_reference_count(keys) > 0 ? messagekeys_reference(keys, 0) : keys->id;
    return id != 0 ? id : email_id;
}

int64_t messagekeys_sent(const struct messagekeys *keys, int64_t arrived)
{
    return keys->has_date ? keys->date : arrived;
}
