/* imaplist - LIST, LSUB, NAMESPACE */
#include "foldertree.h"
#include "imapcommand.h"
#include "quote.h"
#include "subscribe.h"

#include <errno.h>

enum { LIST_PATTERNS_MAX = 64 };

/* What a LIST asks for (RFC 3501 6.3.8; of RFC 5258 the part that RFC 6154 needs). */
struct list_request {
    struct slice reference;
    struct slice patterns[LIST_PATTERNS_MAX];
    size_t pattern_count;
    bool special_only, subscribed_only; /* selection options */
    bool tell_subscribed;               /* return option */
    bool is_extended;
};

typedef bool take_option(struct list_request *request, struct slice name);

static bool take_selection(struct list_request *request, struct slice name)
{
    bool special = slice_equal_nocase(name, SLICE("SPECIAL-USE"));
    bool subscribed = slice_equal_nocase(name, SLICE("SUBSCRIBED"));
    request->special_only |= special;
    request->subscribed_only |= subscribed;
    return special || subscribed || slice_equal_nocase(name, SLICE("REMOTE"));
}

/* CHILDREN and SPECIAL-USE are always told. */
static bool take_return(struct list_request *request, struct slice name)
{
    bool subscribed = slice_equal_nocase(name, SLICE("SUBSCRIBED"));
    request->tell_subscribed |= subscribed;
    return subscribed || slice_equal_nocase(name, SLICE("CHILDREN")) ||
           slice_equal_nocase(name, SLICE("SPECIAL-USE"));
}

/* Behind the '('. */
static bool parse_options(struct parse *parse, struct list_request *request, take_option *take)
{
    request->is_extended = true;
    while (!parse_byte(parse, ')')) {
        struct slice name;
        if (!parse_atom(parse, &name) || !take(request, name))
            return false;
        parse_space(parse);
    }
    return true;
}

static bool parse_patterns(struct parse *parse, struct list_request *request)
{
    if (!parse_byte(parse, '(')) {
        request->pattern_count = 1;
        return parse_pattern(parse, &request->patterns[0]);
    }
    while (!parse_byte(parse, ')')) {
        if (request->pattern_count == LIST_PATTERNS_MAX ||
            !parse_pattern(parse, &request->patterns[request->pattern_count++]))
            return false;
        parse_space(parse);
    }
    return request->pattern_count > 0;
}

static bool parse_list(struct parse *parse, struct list_request *request)
{
    *request = (struct list_request){0};
    if (parse_byte(parse, '(') &&
        (!parse_options(parse, request, take_selection) || !parse_space(parse)))
        return false;
    if (!parse_astring(parse, &request->reference) || !parse_space(parse) ||
        !parse_patterns(parse, request))
        return false;
    if (parse_space(parse) &&
        (!parse_word(parse, "RETURN") || !parse_space(parse) || !parse_byte(parse, '(') ||
         !parse_options(parse, request, take_return)))
        return false;
    return parse_at_end(parse);
}

static bool matches(const struct list_request *request, struct slice name)
{
    for (size_t i = 0; i < request->pattern_count; i++) {
        struct str pattern;
        str_init(&pattern, IMAPSESSION_COMMAND_MAX);
        str_append(&pattern, request->reference);
        str_append(&pattern, request->patterns[i]);
        bool found = !pattern.failed && imapfolder_matches(str_slice(&pattern), name);
        str_free(&pattern);
        if (found)
            return true;
    }
    return false;
}

static void append_attribute(struct str *out, const char *attribute)
{
    if (out->data[out->size - 1] != '(')
        str_append_byte(out, ' ');
    str_append_text(out, attribute);
}

static void tell_name(struct imapsession *session, struct slice name)
{
    struct str *out = &session->out;
    str_append_text(out, ") \"/\" ");
    quote_string(out, name);
    imapsession_send(session);
}

static void tell_entry(struct imapsession *session, const struct list_request *request,
                       const struct foldertree_entry *entry, bool subscribed)
{
    struct str *out = imapsession_line(session);
    str_append_text(out, "LIST (");
    if (!entry->exists)
        append_attribute(out, request->is_extended ? "\\NonExistent" : "\\Noselect");
    append_attribute(out, entry->has_children ? "\\HasChildren" : "\\HasNoChildren");
    const char *special = imapfolder_special_use(slice_text(entry->name));
    if (special && entry->exists)
        append_attribute(out, special);
    if (subscribed && (request->tell_subscribed || request->subscribed_only))
        append_attribute(out, "\\Subscribed");
    tell_name(session, slice_text(entry->name));
}

static bool is_wanted(const struct list_request *request, const struct foldertree_entry *entry,
                      bool subscribed)
{
    if (request->special_only &&
        (!entry->exists || !imapfolder_special_use(slice_text(entry->name))))
        return false;
    return (!request->subscribed_only || subscribed) && matches(request, slice_text(entry->name));
}

/* Subscribed names whose folder is gone are listed all the same (RFC 5258 3.1). */
static void tell_missing(struct imapsession *session, const struct list_request *request,
                         const struct foldertree *tree, const struct subscriptions *list)
{
    struct slice rest = str_slice(&list->names), name;
    if (!request->subscribed_only || request->special_only)
        return;
    while (subscribe_next(&rest, &name)) {
        if (foldertree_find(tree, name) || !matches(request, name))
            continue;
        struct str *out = imapsession_line(session);
        str_append_text(out, "LIST (\\NonExistent \\HasNoChildren \\Subscribed");
        tell_name(session, name);
    }
}

static enum answer tell_list(struct imapsession *session, const struct list_request *request)
{
    struct foldertree tree;
    struct subscriptions list;
    if (!foldertree_read(&tree))
        return answer_from_errno(errno);
    if (!subscribe_load(&list)) {
        foldertree_free(&tree);
        return ANSWER_TROUBLE;
    }
    for (size_t i = 0; i < tree.count; i++) {
        const struct foldertree_entry *entry = &tree.entries[i];
        bool subscribed = subscribe_has(&list, slice_text(entry->name));
        if (is_wanted(request, entry, subscribed))
            tell_entry(session, request, entry, subscribed);
    }
    tell_missing(session, request, &tree, &list);
    subscribe_free(&list);
    foldertree_free(&tree);
    return ANSWER_DONE;
}

enum answer imaplist_list(struct imapsession *session, struct parse *arguments)
{
    struct list_request request;
    if (!parse_list(arguments, &request))
        return ANSWER_SYNTAX;
    if (request.pattern_count == 1 && request.patterns[0].size == 0 && !request.is_extended) {
        /* RFC 3501 6.3.8: an empty name asks for the separator and the root of the reference. */
        stream_write_text(&session->stream, "* LIST (\\Noselect) \"/\" \"\"\r\n");
        return ANSWER_DONE;
    }
    return tell_list(session, &request);
}

/* The subscribed name itself, or with '%' the highest name above it that matches and is not
 * subscribed: "\Noselect" (RFC 3501 6.3.9). */
static bool lsub_name(const struct list_request *request, const struct subscriptions *list,
                      struct slice *name, bool *is_above)
{
    *is_above = false;
    if (matches(request, *name))
        return true;
    struct slice pattern = request->patterns[0];
    if (pattern.size == 0 || pattern.data[pattern.size - 1] != '%')
        return false;
    *is_above = true;
    while (imapfolder_parent(*name, name))
        if (matches(request, *name))
            return !subscribe_has(list, *name);
    return false;
}

enum answer imaplist_lsub(struct imapsession *session, struct parse *arguments)
{
    struct list_request request = {.pattern_count = 1};
    struct subscriptions list;
    if (!parse_astring(arguments, &request.reference) || !parse_space(arguments) ||
        !parse_pattern(arguments, &request.patterns[0]) || !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    if (!subscribe_load(&list)) {
        subscribe_free(&list);
        return ANSWER_TROUBLE;
    }
    struct slice rest = str_slice(&list.names), name;
    struct str told; /* names above, each once */
    str_init(&told, SUBSCRIBE_FILE_MAX);
    while (subscribe_next(&rest, &name)) {
        bool is_above;
        if (!lsub_name(&request, &list, &name, &is_above))
            continue;
        struct subscriptions above = {.names = told};
        if (is_above && subscribe_has(&above, name))
            continue;
        struct str *out = imapsession_line(session);
        str_append_text(out, "LSUB (");
        if (is_above) {
            append_attribute(out, "\\Noselect");
            str_append(&told, name);
            str_append_byte(&told, '\n');
        }
        tell_name(session, name);
    }
    str_free(&told);
    subscribe_free(&list);
    return ANSWER_DONE;
}

enum answer imaplist_namespace(struct imapsession *session, struct parse *arguments)
{
    (void)arguments;
    stream_write_text(&session->stream, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
    return ANSWER_DONE;
}
