/* notifyparse - the arguments of NOTIFY SET (RFC 5465 8) */
#include "notify.h"

static const struct event_name {
    const char *name;
    unsigned event;
    const char *capability; /* without which there is no such event; NULL: none */
} event_names[] = {
    {"MessageNew", NOTIFY_MESSAGE_NEW, NULL},
    {"MessageExpunge", NOTIFY_MESSAGE_EXPUNGE, NULL},
    {"FlagChange", NOTIFY_FLAG_CHANGE, NULL},
    {"MailboxName", NOTIFY_MAILBOX_NAME, NULL},
    {"SubscriptionChange", NOTIFY_SUBSCRIPTION, NULL},
    {"MailboxMetadataChange", NOTIFY_MAILBOX_METADATA, "METADATA"},
    {"ServerMetadataChange", NOTIFY_SERVER_METADATA, "METADATA"},
};
enum { EVENT_NAMES = sizeof event_names / sizeof *event_names };

/* One event-group at work. */
struct group {
    struct imapsession *session;
    struct notify_request *request;
    struct mailboxfilter filter;
    unsigned events;
    bool is_selected;
};

static bool is_there(const struct imapsession *session, const struct event_name *event)
{
    return !event->capability || imapsession_has(session, event->capability);
}

void notify_append_events(struct str *out, const struct imapsession *session)
{
    const char *before = "BADEVENT (";
    for (size_t i = 0; i < EVENT_NAMES; i++) {
        if (!is_there(session, &event_names[i]))
            continue;
        str_append_texts(out, before, event_names[i].name);
        before = " ";
    }
    str_append_byte(out, ')');
}

/* Behind MessageNew, of the selected mailbox alone: [SP "(" fetch-att *(SP fetch-att) ")"] */
static bool parse_fetch(struct group *group, struct parse *parse)
{
    struct parse before = *parse;
    if (!parse_space(parse) || parse_peek(parse) != '(') {
        *parse = before;
        return true;
    }
    struct notify_request *request = group->request;
    request->has_fetch = true;
    return group->is_selected && fetch_parse(parse, &request->fetch) &&
           fetch_prepare_unasked(group->session, parse->arena, &request->fetch);
}

static bool parse_event(struct group *group, struct parse *parse)
{
    struct slice name;
    if (!parse_atom(parse, &name))
        return false;
    for (size_t i = 0; i < EVENT_NAMES; i++) {
        if (!slice_equal_nocase(name, slice_text(event_names[i].name)) ||
            !is_there(group->session, &event_names[i]))
            continue;
        group->events |= event_names[i].event;
        return event_names[i].event != NOTIFY_MESSAGE_NEW || parse_fetch(group, parse);
    }
    group->request->has_unknown = true;
    return true;
}

/* 5: MessageNew and MessageExpunge come together, FlagChange needs both, and of the selected mailbox
 * there are no others (6.1). */
static bool events_fit(const struct group *group)
{
    const unsigned both = NOTIFY_MESSAGE_NEW | NOTIFY_MESSAGE_EXPUNGE;
    unsigned events = group->events;
    if ((events & NOTIFY_ANY_MESSAGE) && (events & both) != both)
        return false;
    return !group->is_selected || !(events & ~(unsigned)NOTIFY_ANY_MESSAGE);
}

static bool parse_events(struct group *group, struct parse *parse)
{
    if (parse_word(parse, "NONE"))
        return true;
    if (!parse_byte(parse, '('))
        return false;
    do {
        if (!parse_event(group, parse))
            return false;
    } while (parse_space(parse));
    return parse_byte(parse, ')') && (group->request->has_unknown || events_fit(group));
}

static bool keep(struct group *group)
{
    struct notify_request *request = group->request;
    if (!group->is_selected) {
        request->groups[request->count++] =
            (struct notify_group){.filter = group->filter, .events = group->events};
        request->events |= group->events;
        return true;
    }
    if (request->has_selected)
        return false;
    request->has_selected = true;
    request->is_delayed = group->filter.kind == MAILBOXFILTER_SELECTED_DELAYED;
    request->selected_events = group->events;
    return true;
}

/* event-group */
static bool parse_group(struct imapsession *session, struct parse *parse,
                        struct notify_request *request)
{
    struct group group = {.session = session, .request = request};
    if (request->count == NOTIFY_GROUPS_MAX || !parse_byte(parse, '(') ||
        !mailboxfilter_parse_one(session, parse, &group.filter) || !parse_space(parse))
        return false;
    group.is_selected = group.filter.kind == MAILBOXFILTER_SELECTED ||
                        group.filter.kind == MAILBOXFILTER_SELECTED_DELAYED;
    return parse_events(&group, parse) && parse_byte(parse, ')') && keep(&group);
}

bool notify_parse(struct imapsession *session, struct parse *parse, struct notify_request *request)
{
    *request = (struct notify_request){0};
    request->groups = arena_take_many(parse->arena, NOTIFY_GROUPS_MAX, sizeof *request->groups);
    if (!request->groups || !parse_space(parse))
        return false;
    if (parse_word(parse, "STATUS")) {
        request->status = true;
        if (!parse_space(parse))
            return false;
    }
    do {
        if (!parse_group(session, parse, request))
            return false;
    } while (parse_space(parse));
    return parse_at_end(parse);
}
