/* addresslist - see addresslist.h */
#include "addresslist.h"

#include "headerlex.h"
#include "mime.h"
#include "plainaddress.h"

/* A byte of a field can become 17 of an ENVELOPE. */
enum { ADDRESSLIST_SIZE_MAX = 131072 };

struct address {
    struct str name;    /* phrase, or all that was read so far */
    struct str mailbox; /* without blanks */
    struct str domain;
    bool has_at;
    bool is_angle; /* the address stood in <> */
    bool is_whole; /* what still comes before the ',' does not belong to it */
};

struct addresslist {
    struct headerlex lex;
    struct address address; /* the one being read */
    addresslist_take *take;
    void *owner;
    bool in_group;
    bool stopped; /* by its taker */
};

static void address_clear(struct address *address)
{
    str_clear(&address->name);
    str_clear(&address->mailbox);
    str_clear(&address->domain);
    address->has_at = address->is_angle = address->is_whole = false;
}

static void give(struct addresslist *list, const struct addresslist_entry *entry)
{
    if (!list->stopped)
        list->stopped = !list->take(list->owner, entry);
}

/* Words without '@' are a name, but one alone is taken for a mailbox of this host. */
static bool is_name_only(const struct address *address)
{
    return !address->is_angle && !address->has_at && slice_has(str_slice(&address->name), ' ');
}

/* Gives the address that was read, if there was anything. */
static void finish_address(struct addresslist *list)
{
    struct address *address = &list->address;
    bool is_something =
        address->is_angle || address->has_at || address->mailbox.size > 0 || address->name.size > 0;
    if (is_something) {
        bool name_only = is_name_only(address);
        if (name_only)
            str_clear(&address->mailbox);
        /* Without <> the name can only be a comment: "a@b (Name)". */
        bool has_name = (address->is_angle || name_only) && address->name.size > 0;
        give(list, &(struct addresslist_entry){
                       .kind = ADDRESSLIST_MAILBOX,
                       .name = str_slice(has_name ? &address->name : &list->lex.comment),
                       .mailbox = str_slice(&address->mailbox),
                       .domain = str_slice(&address->domain),
                   });
    }
    address_clear(address);
    str_clear(&list->lex.comment);
}

static void begin_group(struct addresslist *list)
{
    give(list, &(struct addresslist_entry){.kind = ADDRESSLIST_GROUP,
                                           .name = str_slice(&list->address.name)});
    address_clear(&list->address);
    str_clear(&list->lex.comment);
    list->in_group = true;
}

static void end_group(struct addresslist *list)
{
    finish_address(list);
    if (list->in_group)
        give(list, &(struct addresslist_entry){.kind = ADDRESSLIST_GROUP_END});
    list->in_group = false;
}

static void take_at(struct address *address)
{
    address->is_whole |= address->has_at;
    address->has_at = true;
}

static void add_to_name(struct addresslist *list, struct slice text)
{
    struct str *name = &list->address.name;
    if (list->lex.spaced && name->size > 0)
        str_append_byte(name, ' ');
    str_append(name, text);
}

static bool ends_in_dot(const struct str *text)
{
    return text->size > 0 && text->data[text->size - 1] == '.';
}

/* A word of the mailbox or domain. Two with a blank between belong together only around a dot: of
 * "a b@c d" the address is b@c. */
static void add_to_address(struct addresslist *list, struct slice text)
{
    struct address *address = &list->address;
    struct str *part = address->has_at ? &address->domain : &address->mailbox;
    bool is_apart =
        list->lex.spaced && part->size > 0 && !ends_in_dot(part) && !slice_equal(text, SLICE("."));
    if (is_apart && address->has_at)
        address->is_whole = true;
    if (address->is_whole)
        return;
    if (is_apart)
        str_clear(part);
    str_append(part, text);
}

/* "<@a,@b:local@domain>", behind the '<'. The route is dropped, as RFC 5322 4.4 asks. */
static void read_angle(struct addresslist *list)
{
    struct address *address = &list->address;
    str_clear(&address->mailbox);
    str_clear(&address->domain);
    address->has_at = address->is_whole = false;
    address->is_angle = true;
    for (;;) {
        enum headerlex_token token = headerlex_next(&list->lex);
        if (token == HEADERLEX_END || (token == HEADERLEX_SPECIAL && list->lex.special == '>'))
            return;
        if (token == HEADERLEX_WORD) {
            add_to_address(list, str_slice(&list->lex.text));
        } else if (list->lex.special == ':') {
            str_clear(&address->domain);
            str_clear(&address->mailbox);
            address->has_at = address->is_whole = false;
        } else if (list->lex.special == '@') {
            take_at(address);
        } else if (list->lex.special == '.') {
            add_to_address(list, SLICE("."));
        }
    }
}

static void take_special(struct addresslist *list, char special)
{
    struct address *address = &list->address;
    switch (special) {
    case ',':
        finish_address(list);
        break;
    case ';':
        end_group(list);
        break;
    case ':':
        begin_group(list);
        break;
    case '<':
        read_angle(list);
        break;
    case '@':
        add_to_name(list, SLICE("@"));
        take_at(address);
        break;
    case '.':
        add_to_name(list, SLICE("."));
        add_to_address(list, SLICE("."));
        break;
    default: /* a '>' too many */
        break;
    }
}

/* Any field, whatever it is like. */
static void walk_slowly(struct slice field, addresslist_take *take, void *owner)
{
    struct addresslist list = {.take = take, .owner = owner};
    headerlex_begin(&list.lex, field, "<>@,;:.");
    str_init(&list.address.name, MIME_FIELD_MAX);
    str_init(&list.address.mailbox, MIME_FIELD_MAX);
    str_init(&list.address.domain, MIME_FIELD_MAX);
    enum headerlex_token token;
    while (!list.stopped && (token = headerlex_next(&list.lex)) != HEADERLEX_END) {
        if (token == HEADERLEX_SPECIAL) {
            take_special(&list, list.lex.special);
        } else if (!list.address.is_angle) { /* words behind <> belong to nothing */
            add_to_name(&list, str_slice(&list.lex.text));
            add_to_address(&list, str_slice(&list.lex.text));
        }
    }
    finish_address(&list);
    if (list.in_group)
        end_group(&list);
    headerlex_end(&list.lex);
    str_free(&list.address.name);
    str_free(&list.address.mailbox);
    str_free(&list.address.domain);
}

void addresslist_walk(struct slice field, addresslist_take *take, void *owner)
{
    struct addresslist_entry entry;
    field = slice_part(field, 0, ADDRESSLIST_SIZE_MAX);
    for (plainaddress_skip(&field); field.size > 0; plainaddress_skip(&field)) {
        if (!plainaddress_cut(&field, &entry)) {
            walk_slowly(field, take, owner);
            return;
        }
        if (!take(owner, &entry))
            return;
    }
}
