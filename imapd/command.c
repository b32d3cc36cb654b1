/* command - see command.h */
#include "command.h"

#include "append.h"
#include "capability.h"
#include "quote.h"
#include "update.h"

#include <string.h>

static enum answer run_capability(struct session *session, struct parse *arguments)
{
    (void)arguments;
    stream_write_text(&session->stream, "* CAPABILITY " CAPABILITY_AFTER_LOGIN "\r\n");
    return ANSWER_DONE;
}

static enum answer run_noop(struct session *session, struct parse *arguments)
{
    (void)session;
    (void)arguments;
    return ANSWER_DONE;
}

static enum answer run_logout(struct session *session, struct parse *arguments)
{
    (void)arguments;
    session_bye(session, "Logging out", "logout");
    return ANSWER_DONE;
}

static enum answer run_logged_in(struct session *session, struct parse *arguments)
{
    (void)session;
    (void)arguments;
    return ANSWER_LOGGED_IN;
}

/* RFC 2971: NIL, or a list of names and values that we have no use for. */
static enum answer run_id(struct session *session, struct parse *arguments)
{
    if (!parse_word(arguments, "NIL")) {
        struct slice text;
        bool is_nil;
        if (!parse_byte(arguments, '('))
            return ANSWER_SYNTAX;
        while (!parse_byte(arguments, ')')) {
            if (!parse_nstring(arguments, &text, &is_nil))
                return ANSWER_SYNTAX;
            parse_space(arguments);
        }
    }
    if (!parse_at_end(arguments))
        return ANSWER_SYNTAX;
    stream_write_text(&session->stream, "* ID " CAPABILITY_ID "\r\n");
    return ANSWER_DONE;
}

/* APPEND that reaches this far has no message literal where one should be. */
static enum answer run_append(struct session *session, struct parse *arguments)
{
    (void)session;
    (void)arguments;
    return ANSWER_SYNTAX;
}

static const struct command commands[] = {
    {"APPEND", run_append, COMMAND_ARGUMENTS},
    {"AUTHENTICATE", run_logged_in, COMMAND_ARGUMENTS | COMMAND_QUIET},
    {"CAPABILITY", run_capability, 0},
    {"CHECK", select_check, COMMAND_SELECTED},
    {"CLOSE", select_close, COMMAND_SELECTED | COMMAND_QUIET},
    {"COPY", copy_copy, COMMAND_SELECTED | COMMAND_UID | COMMAND_ARGUMENTS},
    {"CREATE", manage_create, COMMAND_ARGUMENTS},
    {"DELETE", manage_delete, COMMAND_ARGUMENTS},
    {"EXAMINE", select_examine, COMMAND_ARGUMENTS | COMMAND_QUIET},
    {"EXPUNGE", select_expunge, COMMAND_SELECTED | COMMAND_UID},
    {"FETCH", fetch_fetch, COMMAND_SELECTED | COMMAND_UID | COMMAND_ARGUMENTS | COMMAND_NO_EXPUNGE},
    {"ID", run_id, COMMAND_ARGUMENTS},
    {"IDLE", idle_idle, 0},
    {"LIST", list_list, COMMAND_ARGUMENTS},
    {"LOGIN", run_logged_in, COMMAND_ARGUMENTS | COMMAND_QUIET},
    {"LOGOUT", run_logout, COMMAND_QUIET},
    {"LSUB", list_lsub, COMMAND_ARGUMENTS},
    {"MOVE", copy_move, COMMAND_SELECTED | COMMAND_UID | COMMAND_ARGUMENTS},
    {"NAMESPACE", list_namespace, 0},
    {"NOOP", run_noop, 0},
    {"RENAME", manage_rename, COMMAND_ARGUMENTS},
    {"SEARCH", search_search,
     COMMAND_SELECTED | COMMAND_UID | COMMAND_ARGUMENTS | COMMAND_NO_EXPUNGE},
    {"SELECT", select_select, COMMAND_ARGUMENTS | COMMAND_QUIET},
    {"STARTTLS", run_logged_in, COMMAND_QUIET},
    {"STATUS", status_status, COMMAND_ARGUMENTS},
    {"STORE", store_store, COMMAND_SELECTED | COMMAND_UID | COMMAND_ARGUMENTS | COMMAND_NO_EXPUNGE},
    {"SUBSCRIBE", manage_subscribe, COMMAND_ARGUMENTS},
    {"UNSELECT", select_unselect, COMMAND_SELECTED | COMMAND_QUIET},
    {"UNSUBSCRIBE", manage_unsubscribe, COMMAND_ARGUMENTS},
};
enum { COMMAND_TABLE_SIZE = sizeof commands / sizeof *commands };

static const struct command *find_command(struct slice name)
{
    for (size_t i = 0; i < COMMAND_TABLE_SIZE; i++)
        if (slice_equal_nocase(name, slice_text(commands[i].name)))
            return &commands[i];
    return NULL;
}

/* The tag, the name and (UID) what stands between them. */
static enum answer parse_head(struct session *session, struct parse *parse)
{
    struct slice tag, name;
    session->command = NULL;
    session->uid = false;
    if (!arena_copy(&session->arena, reader_tag(parse->text), &session->tag))
        session->tag = SLICE("*");
    if (!parse_tag(parse, &tag) || slice_equal(session->tag, SLICE("*")))
        return ANSWER_NO_TAG;
    if (!parse_space(parse) || !parse_atom(parse, &name))
        return ANSWER_UNKNOWN;
    session->uid = slice_equal_nocase(name, SLICE("UID"));
    if (session->uid && (!parse_space(parse) || !parse_atom(parse, &name)))
        return ANSWER_SYNTAX;
    session->command = find_command(name);
    return session->command ? ANSWER_DONE : ANSWER_UNKNOWN;
}

static enum answer check_traits(struct session *session, struct parse *parse)
{
    unsigned traits = session->command->traits;
    if (session->uid && !(traits & COMMAND_UID))
        return ANSWER_UNKNOWN;
    if ((traits & COMMAND_SELECTED) && !session->mailbox)
        return ANSWER_NOT_SELECTED;
    /* UID EXPUNGE is the one whose arguments depend on UID. */
    bool wants = (traits & COMMAND_ARGUMENTS) || (session->uid && (traits & COMMAND_UID));
    if (wants ? !parse_space(parse) : !parse_at_end(parse))
        return ANSWER_SYNTAX;
    return ANSWER_DONE;
}

static enum answer dispatch(struct session *session)
{
    struct parse parse;
    parse_begin(&parse, str_slice(&session->reader.text), &session->arena);
    enum answer answer = parse_head(session, &parse);
    if (answer == ANSWER_DONE)
        answer = check_traits(session, &parse);
    if (answer == ANSWER_DONE)
        answer = session->command->handler(session, &parse);
    return answer;
}

void command_answer(struct session *session, enum answer answer)
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
    session_send(session);
    bool is_bad = strcmp(text->status, "BAD") == 0;
    session->bad_in_row = is_bad ? session->bad_in_row + 1 : 0;
}

static void tell_news(struct session *session)
{
    unsigned traits = session->command ? session->command->traits : COMMAND_QUIET;
    if (!session->mailbox || (traits & COMMAND_QUIET))
        return;
    update_tell(session, !(traits & COMMAND_NO_EXPUNGE) || session->uid);
}

static void finish(struct session *session, enum answer answer)
{
    tell_news(session);
    if (!session->ended || strcmp(session->how, "logout") == 0)
        command_answer(session, answer);
    if (session->bad_in_row > SESSION_BAD_MAX)
        session_bye(session, "Too many commands that make no sense", "bad-commands");
    str_clear(&session->code);
    arena_free(&session->arena);
}

void command_run(struct session *session)
{
    session->commands++;
    enum answer answer = dispatch(session);
    finish(session, answer);
}

static bool append_arguments(struct parse *parse)
{
    struct slice tag;
    return parse_tag(parse, &tag) && parse_space(parse) && parse_word(parse, "APPEND") &&
           parse_space(parse);
}

bool command_takes_literal(struct slice text, void *owner)
{
    struct session *session = owner;
    struct parse parse;
    struct append_arguments arguments;
    parse_begin(&parse, text, &session->arena);
    bool takes = append_arguments(&parse) && append_parse(&parse, &arguments);
    arena_free(&session->arena);
    return takes;
}

void command_run_append(struct session *session)
{
    struct parse parse;
    struct append_arguments arguments;
    session->commands++;
    session->uid = false;
    session->command = find_command(SLICE("APPEND"));
    parse_begin(&parse, str_slice(&session->reader.text), &session->arena);
    enum answer answer = ANSWER_SYNTAX;
    /* The reader's buffer is emptied by what follows the literal: the tag and all else that is
     * still needed then has to be copied. */
    if (arena_copy(&session->arena, reader_tag(parse.text), &session->tag) &&
        append_arguments(&parse) && append_parse(&parse, &arguments))
        answer = append_run(session, &arguments);
    if (!session->ended)
        finish(session, answer);
    arena_free(&session->arena);
}
