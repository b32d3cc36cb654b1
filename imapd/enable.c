/* enable - ENABLE (RFC 5161, RFC 9051 6.3.1) */
#include "imapcommand.h"
#include "modseq.h"

static const struct {
    const char *name;
    unsigned bits;
} extensions[] = {
    {"CONDSTORE", ENABLED_CONDSTORE},
    {"IMAP4rev2", ENABLED_REV2},
    {"QRESYNC", ENABLED_QRESYNC | ENABLED_CONDSTORE}, /* RFC 7162 3.2.3 */
    {"UTF8=ACCEPT", ENABLED_UTF8},
};
enum { EXTENSIONS = sizeof extensions / sizeof *extensions };

/* The place of the extension in the table; EXTENSIONS when it is none, or off: those are passed over
 * in silence (RFC 5161 3.1). */
static size_t find(const struct imapsession *session, struct slice name)
{
    size_t place = 0;
    while (place < EXTENSIONS && !slice_equal_nocase(name, slice_text(extensions[place].name)))
        place++;
    if (place < EXTENSIONS && !imapsession_has(session, extensions[place].name))
        place = EXTENSIONS;
    return place;
}

/* One answer, with what this command has switched on. */
enum answer enable_enable(struct imapsession *session, struct parse *arguments)
{
    bool wanted[EXTENSIONS + 1] = {false};
    unsigned enabled = 0;
    do {
        struct slice name;
        if (!parse_atom(arguments, &name))
            return ANSWER_SYNTAX;
        wanted[find(session, name)] = true;
    } while (parse_space(arguments));
    if (!parse_at_end(arguments))
        return ANSWER_SYNTAX;
    struct str *out = imapsession_line(session);
    str_append_text(out, "ENABLED");
    for (size_t i = 0; i < EXTENSIONS; i++) {
        if (!wanted[i] || (session->enabled & extensions[i].bits) == extensions[i].bits)
            continue;
        enabled |= extensions[i].bits;
        str_append_byte(out, ' ');
        str_append_text(out, extensions[i].name);
    }
    imapsession_send(session);
    if (enabled & ENABLED_CONDSTORE)
        modseq_enable(session);
    session->enabled |= enabled;
    return ANSWER_DONE;
}
