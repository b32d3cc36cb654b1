/* imapcommand - see imapcommand.h */
#include "imapcommand.h"

#include "append.h"
#include "capability.h"
#include "identity.h"
#include "imapname.h"
#include "notify.h"
#include "quote.h"
#include "update.h"

#include <string.h>

static enum answer run_capability(struct imapsession *session, struct parse *arguments)
{
    (void)arguments;
    stream_write_text(&session->stream, "* CAPABILITY ");
    stream_write(&session->stream, str_slice(&session->capabilities));
    stream_write_text(&session->stream, "\r\n");
    return ANSWER_DONE;
}

static enum answer run_noop(struct imapsession *session, struct parse *arguments)
{
    (void)session;
    (void)arguments;
    return ANSWER_DONE;
}

static enum answer run_logout(struct imapsession *session, struct parse *arguments)
{
    (void)arguments;
    imapsession_bye(session, "Logging out", "logout");
    return ANSWER_DONE;
}

static enum answer run_logged_in(struct imapsession *session, struct parse *arguments)
{
    (void)session;
    (void)arguments;
    return ANSWER_LOGGED_IN;
}

static enum answer run_id(struct imapsession *session, struct parse *arguments)
{
    if (!identity_parse(arguments, &session->identity))
        return ANSWER_SYNTAX;
    stream_write_text(&session->stream, IDENTITY_ANSWER);
    return ANSWER_DONE;
}

/* APPEND or REPLACE that reaches this far has no message literal where one should be. */
static enum answer run_append(struct imapsession *session, struct parse *arguments)
{
    (void)session;
    (void)arguments;
    return ANSWER_SYNTAX;
}

static const struct imapcommand commands[] = {
    {"APPEND", run_append, IMAPCOMMAND_ARGUMENTS},
    {"AUTHENTICATE", run_logged_in, IMAPCOMMAND_ARGUMENTS | IMAPCOMMAND_QUIET},
    {"CANCELUPDATE", searchcontext_cancel, IMAPCOMMAND_SELECTED | IMAPCOMMAND_ARGUMENTS},
    {"CAPABILITY", run_capability, 0},
    {"CHECK", imapselect_check, IMAPCOMMAND_SELECTED},
    {"CLOSE", imapselect_close, IMAPCOMMAND_SELECTED | IMAPCOMMAND_QUIET},
    {"COMPRESS", imapcompress_compress, IMAPCOMMAND_ARGUMENTS},
    {"COPY", imapmove_copy, IMAPCOMMAND_SELECTED | IMAPCOMMAND_UID | IMAPCOMMAND_ARGUMENTS},
    {"CREATE", manage_create, IMAPCOMMAND_ARGUMENTS},
    {"DELETE", manage_delete, IMAPCOMMAND_ARGUMENTS},
    {"ENABLE", enable_enable, IMAPCOMMAND_ARGUMENTS},
    {"ESEARCH", multisearch_esearch, IMAPCOMMAND_ARGUMENTS | IMAPCOMMAND_NO_EXPUNGE},
    {"EXAMINE", imapselect_examine, IMAPCOMMAND_ARGUMENTS | IMAPCOMMAND_QUIET},
    {"EXPUNGE", imapselect_expunge, IMAPCOMMAND_SELECTED | IMAPCOMMAND_UID | IMAPCOMMAND_EXPUNGES},
    {"FETCH", fetch_fetch,
     IMAPCOMMAND_SELECTED | IMAPCOMMAND_UID | IMAPCOMMAND_ARGUMENTS | IMAPCOMMAND_NO_EXPUNGE},
    {"GETMETADATA", imapmetadata_get, IMAPCOMMAND_ARGUMENTS},
    {"GETQUOTA", imapquota_get, IMAPCOMMAND_ARGUMENTS},
    {"GETQUOTAROOT", imapquota_get_root, IMAPCOMMAND_ARGUMENTS},
    {"ID", run_id, IMAPCOMMAND_ARGUMENTS},
    {"IDLE", idle_idle, 0},
    {"LIST", imaplist_list, IMAPCOMMAND_ARGUMENTS},
    {"LOGIN", run_logged_in, IMAPCOMMAND_ARGUMENTS | IMAPCOMMAND_QUIET},
    {"LOGOUT", run_logout, IMAPCOMMAND_QUIET},
    {"LSUB", imaplist_lsub, IMAPCOMMAND_ARGUMENTS},
    {"MOVE", imapmove_move,
     IMAPCOMMAND_SELECTED | IMAPCOMMAND_UID | IMAPCOMMAND_ARGUMENTS | IMAPCOMMAND_EXPUNGES},
    {"NAMESPACE", imaplist_namespace, 0},
    {"NOOP", run_noop, 0},
    {"NOTIFY", notify_notify, IMAPCOMMAND_ARGUMENTS},
    {"RENAME", manage_rename, IMAPCOMMAND_ARGUMENTS},
    {"REPLACE", run_append,
     IMAPCOMMAND_SELECTED | IMAPCOMMAND_UID | IMAPCOMMAND_ARGUMENTS | IMAPCOMMAND_EXPUNGES},
    {"SEARCH", search_search,
     IMAPCOMMAND_SELECTED | IMAPCOMMAND_UID | IMAPCOMMAND_ARGUMENTS | IMAPCOMMAND_NO_EXPUNGE},
    {"SELECT", imapselect_select, IMAPCOMMAND_ARGUMENTS | IMAPCOMMAND_QUIET},
    {"SETMETADATA", imapmetadata_set, IMAPCOMMAND_ARGUMENTS},
    {"SETQUOTA", imapquota_set, IMAPCOMMAND_ARGUMENTS},
    {"SORT", sort_sort,
     IMAPCOMMAND_SELECTED | IMAPCOMMAND_UID | IMAPCOMMAND_ARGUMENTS | IMAPCOMMAND_NO_EXPUNGE},
    {"STARTTLS", run_logged_in, IMAPCOMMAND_QUIET},
    {"STATUS", imapstatus_status, IMAPCOMMAND_ARGUMENTS},
    {"STORE", imapstore_store,
     IMAPCOMMAND_SELECTED | IMAPCOMMAND_UID | IMAPCOMMAND_ARGUMENTS | IMAPCOMMAND_NO_EXPUNGE},
    {"SUBSCRIBE", manage_subscribe, IMAPCOMMAND_ARGUMENTS},
    {"THREAD", thread_thread,
     IMAPCOMMAND_SELECTED | IMAPCOMMAND_UID | IMAPCOMMAND_ARGUMENTS | IMAPCOMMAND_NO_EXPUNGE},
    {"UIDBATCHES", uidbatches_uidbatches, IMAPCOMMAND_SELECTED | IMAPCOMMAND_ARGUMENTS},
    {"UNSELECT", imapselect_unselect, IMAPCOMMAND_SELECTED | IMAPCOMMAND_QUIET},
    {"UNSUBSCRIBE", manage_unsubscribe, IMAPCOMMAND_ARGUMENTS},
};
enum { IMAPCOMMAND_TABLE_SIZE = sizeof commands / sizeof *commands };

static const struct imapcommand *find_command(struct slice name)
{
    for (size_t i = 0; i < IMAPCOMMAND_TABLE_SIZE; i++)
        if (slice_equal_nocase(name, slice_text(commands[i].name)))
            return &commands[i];
    return NULL;
}

/* The tag, the name and (UID) what stands between them. */
static enum answer parse_head(struct imapsession *session, struct parse *parse)
{
    struct slice tag, name;
    session->command = NULL;
    session->uid = session->has_numbers = false;
    if (!arena_copy(&session->arena, reader_tag(parse->text), &session->tag))
        session->tag = SLICE("*");
    if (!parse_tag(parse, &tag) || slice_equal(session->tag, SLICE("*")))
        return ANSWER_NO_TAG;
    if (!parse_space(parse) || !parse_atom(parse, &name))
        return ANSWER_UNKNOWN;
    session->uid = slice_equal_nocase(name, SLICE("UID"));
    if (session->uid && (!parse_space(parse) || !parse_atom(parse, &name)))
        return ANSWER_SYNTAX;
    if (!capability_hides(capability_off(session->terms.capabilities_off), name))
        session->command = find_command(name);
    return session->command ? ANSWER_DONE : ANSWER_UNKNOWN;
}

static enum answer check_traits(struct imapsession *session, struct parse *parse)
{
    unsigned traits = session->command->traits;
    if (session->uid && !(traits & IMAPCOMMAND_UID))
        return ANSWER_UNKNOWN;
    if ((traits & IMAPCOMMAND_SELECTED) && !session->mailbox)
        return ANSWER_NOT_SELECTED;
    /* UID EXPUNGE is the one whose arguments depend on UID. */
    bool wants = (traits & IMAPCOMMAND_ARGUMENTS) || (session->uid && (traits & IMAPCOMMAND_UID));
    if (wants ? !parse_space(parse) : !parse_at_end(parse))
        return ANSWER_SYNTAX;
    return ANSWER_DONE;
}

static enum answer dispatch(struct imapsession *session)
{
    struct parse parse;
    parse_begin(&parse, str_slice(&session->reader.text), &session->arena);
    parse.utf8 = imapname_is_utf8(session);
    enum answer answer = parse_head(session, &parse);
    if (answer == ANSWER_DONE)
        answer = check_traits(session, &parse);
    if (answer == ANSWER_DONE)
        answer = session->command->handler(session, &parse);
    return answer;
}

void imapcommand_answer(struct imapsession *session, enum answer answer)
{
    const struct answer_text *text = answer_text(answer);
    struct str *out = &session->out;
    str_clear(out);
    str_append(out, session->tag);
    str_append_byte(out, ' ');
    str_append_text(out, text->status);
    const char *code = session->code.size > 0 ? str_text(&session->code) : text->code;
    if (code)
        str_format(out, " [%s]", code);
    str_append_byte(out, ' ');
    if (text->text)
        str_append_text(out, text->text);
    else
        str_format(out, "%s completed", session->command ? session->command->name : "Command");
    imapsession_send(session);
    bool is_bad = strcmp(text->status, "BAD") == 0;
    session->bad_in_row = is_bad ? session->bad_in_row + 1 : 0;
}

static void tell_news(struct imapsession *session)
{
    unsigned traits = session->command ? session->command->traits : IMAPCOMMAND_QUIET;
    if (session->ended || (traits & IMAPCOMMAND_QUIET))
        return;
    /* UID SEARCH may have message numbers among its keys (RFC 7162 3.2.10.2). */
    bool has_numbers = traits & IMAPCOMMAND_NO_EXPUNGE && (!session->uid || session->has_numbers);
    unsigned tells = has_numbers ? 0 : UPDATE_EXPUNGES;
    notify_tell(session, traits & IMAPCOMMAND_EXPUNGES ? tells | UPDATE_OWN : tells);
}

static void finish(struct imapsession *session, enum answer answer)
{
    /* Though the selected mailbox may turn out to be gone: an APPEND that was done and not answered
     * would be done again. */
    bool answers = !session->ended || strcmp(session->how, "logout") == 0;
    tell_news(session);
    if (answers)
        imapcommand_answer(session, answer);
    if (session->bad_in_row > IMAPSESSION_BAD_MAX)
        imapsession_bye(session, "[CLIENTBUG] Too many commands that make no sense",
                        "bad-commands");
    str_clear(&session->code);
    arena_free(&session->arena);
}

void imapcommand_run(struct imapsession *session)
{
    session->commands++;
    enum answer answer = dispatch(session);
    finish(session, answer);
}

bool imapcommand_takes_literal(struct slice text, void *owner)
{
    return append_takes(owner, text);
}

void imapcommand_run_append(struct imapsession *session)
{
    struct parse parse;
    session->commands++;
    parse_begin(&parse, str_slice(&session->reader.text), &session->arena);
    parse.utf8 = imapname_is_utf8(session);
    enum answer answer = parse_head(session, &parse);
    if (answer == ANSWER_DONE)
        answer = check_traits(session, &parse);
    answer = append_run(session, &parse, answer);
    if (!session->ended)
        finish(session, answer);
    arena_free(&session->arena);
}
