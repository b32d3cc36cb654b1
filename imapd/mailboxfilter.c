/* mailboxfilter - see mailboxfilter.h */
#include "mailboxfilter.h"

#include "imapname.h"
#include "subscribe.h"

static const struct kind {
    const char *word;
    enum mailboxfilter_kind kind;
    bool has_names;
} kinds[] = {
    {"INBOXES", MAILBOXFILTER_INBOXES, false},
    {"MAILBOXES", MAILBOXFILTER_MAILBOXES, true},
    {"PERSONAL", MAILBOXFILTER_PERSONAL, false},
    {"SELECTED", MAILBOXFILTER_SELECTED, false},
    {"SELECTED-DELAYED", MAILBOXFILTER_SELECTED_DELAYED, false},
    {"SUBSCRIBED", MAILBOXFILTER_SUBSCRIBED, false},
    {"SUBTREE", MAILBOXFILTER_SUBTREE, true},
    {"SUBTREE-ONE", MAILBOXFILTER_SUBTREE_ONE, true},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static bool take_name(struct imapsession *session, struct parse *parse,
                      struct mailboxfilter *filter)
{
    struct slice name, kept;
    struct imapfolder folder;
    if (!parse_astring(parse, &name))
        return false;
    if (filter->name_count == MAILBOXFILTER_NAMES_MAX)
        return false;
    if (imapname_take(session, name, &folder) != ANSWER_DONE)
        return true;
    if (!arena_copy(parse->arena, slice_text(folder.name), &kept))
        return false;
    filter->names[filter->name_count++] = kept;
    return true;
}

/* one-or-more-mailbox */
static bool take_names(struct imapsession *session, struct parse *parse,
                       struct mailboxfilter *filter)
{
    filter->names = arena_take_many(parse->arena, MAILBOXFILTER_NAMES_MAX, sizeof *filter->names);
    if (!filter->names)
        return false;
    if (!parse_byte(parse, '('))
        return take_name(session, parse, filter);
    do {
        if (!take_name(session, parse, filter))
            return false;
    } while (parse_space(parse));
    return parse_byte(parse, ')');
}

bool mailboxfilter_parse_one(struct imapsession *session, struct parse *parse,
                             struct mailboxfilter *filter)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (!parse_word(parse, kinds[i].word))
            continue;
        *filter = (struct mailboxfilter){.kind = kinds[i].kind};
        return !kinds[i].has_names || (parse_space(parse) && take_names(session, parse, filter));
    }
    return false;
}

bool mailboxfilter_parse(struct imapsession *session, struct parse *parse,
                         struct mailboxfilters *filters)
{
    filters->count = 0;
    do {
        if (filters->count == MAILBOXFILTER_MAX ||
            !mailboxfilter_parse_one(session, parse, &filters->all[filters->count]) ||
            filters->all[filters->count].kind == MAILBOXFILTER_SELECTED_DELAYED)
            return false;
        filters->count++;
    } while (parse_space(parse));
    return true;
}

bool mailboxfilter_is_selected_alone(const struct mailboxfilters *filters)
{
    for (size_t i = 0; i < filters->count; i++)
        if (filters->all[i].kind != MAILBOXFILTER_SELECTED)
            return false;
    return true;
}

/* Is `name` one of the names, or below one of them as far as the filter goes? */
static bool is_named(const struct mailboxfilter *filter, struct slice name)
{
    for (size_t i = 0; i < filter->name_count; i++) {
        struct slice above = filter->names[i], parent;
        if (slice_equal(name, above))
            return true;
        if (filter->kind == MAILBOXFILTER_SUBTREE && imapfolder_is_within(name, above))
            return true;
        if (filter->kind == MAILBOXFILTER_SUBTREE_ONE && imapfolder_parent(name, &parent) &&
            slice_equal(parent, above))
            return true;
    }
    return false;
}

bool mailboxfilter_meets(const struct imapsession *session, const struct mailboxfilter *filter,
                         const struct subscriptions *list, struct slice name)
{
    switch (filter->kind) {
    case MAILBOXFILTER_SELECTED:
    case MAILBOXFILTER_SELECTED_DELAYED:
        return session->mailbox && slice_equal(name, slice_text(session->folder.name));
    case MAILBOXFILTER_INBOXES:
        return slice_equal(name, SLICE(IMAPFOLDER_INBOX));
    case MAILBOXFILTER_PERSONAL:
        return true;
    case MAILBOXFILTER_SUBSCRIBED:
        return subscribe_has(list, name);
    case MAILBOXFILTER_SUBTREE:
    case MAILBOXFILTER_SUBTREE_ONE:
    case MAILBOXFILTER_MAILBOXES:
        break;
    }
    return is_named(filter, name);
}

bool mailboxfilter_choose(const struct imapsession *session, const struct mailboxfilters *filters,
                          struct foldertree *tree)
{
    struct subscriptions list;
    bool done = subscribe_load(&list) && foldertree_read(tree);
    for (size_t i = 0; done && i < tree->count; i++) {
        struct foldertree_entry *entry = &tree->entries[i];
        entry->meets = false;
        for (size_t k = 0; entry->exists && !entry->meets && k < filters->count; k++)
            entry->meets =
                mailboxfilter_meets(session, &filters->all[k], &list, slice_text(entry->name));
    }
    subscribe_free(&list);
    return done;
}
