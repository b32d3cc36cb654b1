/* Whatever a client sends: the reader that both IMAP programs share, and the arguments of every
 * command that has some worth the name. */
#include "append.h"
#include "fetch.h"
#include "flags.h"
#include "identity.h"
#include "imapfolder.h"
#include "io.h"
#include "mailboxfilter.h"
#include "notify.h"
#include "reader.h"
#include "search.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct reader_limits limits = {.line = 4096, .literal = 4096, .command = 16384};

static const char message[] =
    "Subject: s\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x\r\n"
    "Content-Type: message/rfc822\r\n\r\nSubject: t\r\n\r\nb\r\n--x--\r\n";

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* What FETCH would look for is found within the message, or not at all. */
static void try_fetch(struct parse parse, const struct mime_part *root)
{
    struct fetch_request request;
    struct slice whole = slice_text(message);
    if (!fetch_parse(&parse, &request))
        return;
    for (size_t i = 0; i < request.count; i++) {
        struct slice found;
        struct str out;
        str_init(&out, 65536);
        if (request.items[i].kind->name[0] == 'B') {
            section_append(&out, &request.items[i].section);
            if (section_find(&request.items[i].section, whole, root, &found)) {
                must(found.data >= whole.data &&
                     found.data + found.size <= whole.data + whole.size);
                section_filter(&request.items[i].section, found, &out);
            }
        }
        str_free(&out);
    }
}

static void try_set(struct parse parse)
{
    struct sequence set;
    if (!parse_sequence(&parse, &set))
        return;
    sequence_resolve(&set, 100);
    for (size_t i = 1; i < set.count; i++)
        must(set.ranges[i - 1].last < set.ranges[i].first);
    for (uint32_t number = 0, next = sequence_next(&set, 0); next > number && number < 200;
         number = next, next = sequence_next(&set, number + 1))
        must(sequence_has(&set, next));
}

static void try_search(struct parse parse)
{
    static struct mailbox mailbox; /* an empty one */
    static struct imapsession session = {.mailbox = &mailbox};
    struct search_key *root;
    struct slice charset;
    if (search_parse_charset(&parse, &charset) && search_parse(&parse, charset, &root) == SEARCH_OK)
        must(search_resolve(root, &session, parse.arena) || parse.arena->taken > 0);
}

static void try_names(struct parse parse)
{
    struct slice name;
    struct imapfolder folder;
    if (parse_pattern(&parse, &name) && imapfolder_check_new(name, &folder) == IMAPFOLDER_FINE)
        must(imapfolder_matches(slice_text(folder.name), slice_text(folder.name)));
}

/* ID, and the mailboxes of ESEARCH. */
static void try_words(struct parse parse)
{
    static struct imapsession session;
    static struct mailboxfilters filters;
    struct identity identity;
    struct parse again = parse;
    if (identity_parse(&again, &identity))
        must(strlen(identity.name) <= IDENTITY_KEPT_MAX &&
             strlen(identity.version) <= IDENTITY_KEPT_MAX);
    again = parse;
    session.enabled ^= ENABLED_REV2;
    if (mailboxfilter_parse(&session, &again, &filters))
        must(filters.count > 0 && filters.count <= MAILBOXFILTER_MAX);
}

/* What follows the word SET, with its space. */
static void try_notify(struct parse parse)
{
    static struct imapsession session;
    struct notify_request request;
    parse.at--;
    if (notify_parse(&session, &parse, &request))
        must(request.count <= NOTIFY_GROUPS_MAX &&
             (request.has_unknown || !(request.selected_events & ~(unsigned)NOTIFY_ANY_MESSAGE)));
}

static void try_arguments(struct slice text, struct arena *arena, const struct mime_part *root)
{
    struct parse parse;
    struct slice tag, name;
    struct flags flags;
    struct append_head head;
    struct append_options options;
    parse_begin(&parse, text, arena);
    if (!parse_tag(&parse, &tag) || !parse_space(&parse) || !parse_atom(&parse, &name) ||
        !parse_space(&parse))
        return;
    try_set(parse);
    try_search(parse);
    try_names(parse);
    try_words(parse);
    try_notify(parse);
    try_fetch(parse, root);
    struct parse again = parse;
    (void)flags_parse(&again, true, &flags);
    again = parse;
    if (append_parse_head(&again, false, &head))
        (void)append_parse_options(&again, NULL, &options);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct stream stream;
    struct reader reader;
    struct arena arena;
    int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
    must(in >= 0 && out >= 0 && io_write_all(in, slice_of(bytes, size), INT64_MAX));
    must(lseek(in, 0, SEEK_SET) == 0);
    struct mime_part *root = mime_parse(slice_text(message));
    must(root && stream_init(&stream, in, out, reader_input_max(&limits), 1000));
    reader_init(&reader, &stream, &limits, NULL, NULL);
    arena_init(&arena, 1 << 20);
    for (bool going = true; going;) {
        enum reader_result result = reader_next(&reader);
        must(reader.text.size <= limits.command);
        if (result == READER_COMMAND)
            try_arguments(str_slice(&reader.text), &arena, root);
        going = result == READER_COMMAND || result == READER_REFUSED;
        arena_free(&arena);
    }
    reader_free(&reader);
    stream_free(&stream);
    mime_free(&root);
    io_close(&in);
    io_close(&out);
    return 0;
}
