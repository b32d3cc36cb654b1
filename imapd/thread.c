/* thread - THREAD and UID THREAD (RFC 5256 3) */
#include "imapcommand.h"
#include "progress.h"
#include "search.h"
#include "searchresult.h"
#include "threadtree.h"

#include <sys/random.h>

static const struct {
    const char *name, *capability;
    enum threadtree_algorithm algorithm;
} algorithms[] = {
    {"ORDEREDSUBJECT", "THREAD=ORDEREDSUBJECT", THREADTREE_ORDEREDSUBJECT},
    {"REFERENCES", "THREAD=REFERENCES", THREADTREE_REFERENCES},
    {"REFS", "THREAD=REFS", THREADTREE_REFS},
};
enum { ALGORITHM_COUNT = sizeof algorithms / sizeof *algorithms };

static bool parse_algorithm(const struct imapsession *session, struct parse *parse,
                            enum threadtree_algorithm *algorithm)
{
    struct slice name;
    if (!parse_atom(parse, &name))
        return false;
    for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
        if (!slice_equal_nocase(name, slice_text(algorithms[i].name)))
            continue;
        *algorithm = algorithms[i].algorithm;
        return imapsession_has(session, algorithms[i].capability);
    }
    return false;
}

static bool fill(struct threadtree *tree, struct imapsession *session,
                 const struct searchresult *found)
{
    struct messagekeys_reader reader;
    bool done = true;
    struct progress progress;
    messagekeys_begin(&reader, session->mailbox);
    progress_begin(&progress, session, found->count);
    for (size_t i = 0; i < found->count && done; i++) {
        uint32_t index = found->indexes[i];
        struct messagekeys keys;
        progress_step(&progress, i);
        if (!messagekeys_get(&reader, index, &keys))
            continue;
        int64_t sent = messagekeys_sent(&keys, session->mailbox->messages[index].date);
        done = threadtree_add(tree, searchresult_number(session, session->uid, index), sent, &keys);
    }
    messagekeys_end(&reader);
    return done;
}

static enum answer tell_threads(struct imapsession *session, struct threadtree *tree)
{
    if (!threadtree_finish(tree))
        return ANSWER_TROUBLE;
    struct str *out = imapsession_line(session);
    str_append_text(out, tree->count > 0 ? "THREAD " : "THREAD");
    (void)threadtree_append(tree, out);
    imapsession_send(session);
    return ANSWER_DONE;
}

static enum answer run(struct imapsession *session, enum threadtree_algorithm algorithm,
                       const struct searchresult *found)
{
    struct threadtree tree;
    uint64_t secret;
    if (getrandom(&secret, sizeof secret, 0) != (ssize_t)sizeof secret ||
        !threadtree_begin(&tree, algorithm, found->count, secret))
        return ANSWER_TROUBLE;
    enum answer answer =
        fill(&tree, session, found) ? tell_threads(session, &tree) : ANSWER_TROUBLE;
    threadtree_end(&tree);
    return answer;
}

enum answer thread_thread(struct imapsession *session, struct parse *arguments)
{
    enum threadtree_algorithm algorithm;
    struct slice charset;
    struct search_key *root = NULL;
    struct searchresult found;
    if (!parse_algorithm(session, arguments, &algorithm) || !parse_space(arguments) ||
        !parse_astring(arguments, &charset) || !parse_space(arguments))
        return ANSWER_SYNTAX;
    enum answer answer = search_prepare(session, arguments, charset, &root);
    if (answer != ANSWER_DONE)
        return answer;
    return search_run(session, root, 0, &found) ? run(session, algorithm, &found) : ANSWER_TROUBLE;
}
