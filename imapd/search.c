/* search - SEARCH and UID SEARCH */
#include "search.h"

#include "imapcommand.h"
#include "pick.h"

static void append_matches(struct imapsession *session, const struct search_key *root,
                           struct str *out)
{
    for (size_t i = 0; i < session->told_exists; i++) {
        struct source source;
        uint32_t number = (uint32_t)(i + 1);
        if (session->mailbox->messages[i].gone)
            continue;
        source_begin(&source, session->mailbox, i);
        if (search_matches(root, &source, number)) {
            str_append_byte(out, ' ');
            str_append_number(out, session->uid ? session->mailbox->messages[i].uid : number);
        }
        source_end(&source);
    }
}

enum answer search_search(struct imapsession *session, struct parse *arguments)
{
    struct search_key *root = NULL;
    switch (search_parse(arguments, &root)) {
    case SEARCH_OK:
        break;
    case SEARCH_SYNTAX:
        return ANSWER_SYNTAX;
    case SEARCH_BAD_CHARSET:
        return ANSWER_BAD_CHARSET;
    }
    search_resolve(root, (uint32_t)session->told_exists, pick_highest_uid(session));
    struct str *out = imapsession_line(session);
    str_append_text(out, "SEARCH");
    append_matches(session, root, out);
    imapsession_send(session);
    return ANSWER_DONE;
}
