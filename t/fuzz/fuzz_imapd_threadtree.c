/* Any links between messages give an answer that is well-formed and has each message once; the links
 * are those of a plain reading of RFC 5256 3 step 1, which walks up to find loops.
 *
 * Each message is six bytes: id, three references, subject and whether it is a reply, date. */
#include "threadtree.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MESSAGE_SIZE = 6, REFERENCES = 3, IDS = 64, MESSAGES_MAX = 256, OUT_MAX = 1 << 20 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* ---- step 1, in the plainest way -------------------------------------------------------------- */

struct plain {
    int parents[IDS + MESSAGES_MAX]; /* of ids, and of messages without one */
    bool taken[IDS];                 /* a message has the id */
    int nodes[MESSAGES_MAX];         /* of messages */
};

static bool is_above(const struct plain *plain, int above, int node)
{
    for (; node >= 0; node = plain->parents[node])
        if (node == above)
            return true;
    return false;
}

static void plain_add(struct plain *plain, size_t message, const uint8_t *bytes)
{
    int id = bytes[0] % IDS, last = -1;
    int node = id == 0 || plain->taken[id] ? IDS + (int)message : id;
    if (id > 0)
        plain->taken[id] = true;
    plain->nodes[message] = node;
    for (size_t i = 0; i < REFERENCES; i++) {
        int reference = bytes[1 + i] % IDS;
        if (reference == 0)
            continue;
        if (last >= 0 && plain->parents[reference] < 0 && !is_above(plain, reference, last))
            plain->parents[reference] = last;
        last = reference;
    }
    plain->parents[node] = -1;
    if (last >= 0 && !is_above(plain, node, last))
        plain->parents[node] = last;
}

static void compare_links(const struct threadtree *tree, const struct plain *plain)
{
    for (size_t i = 0; i < tree->count; i++) {
        uint32_t parent = tree->link.nodes[tree->messages[i].node].parent;
        int wanted = plain->parents[plain->nodes[i]];
        must((parent == THREADLINK_NONE) == (wanted < 0));
        if (wanted < 0)
            continue;
        uint32_t message = tree->link.nodes[parent].message;
        if (message != THREADLINK_NONE)
            must(plain->nodes[message] == wanted);
        else
            must(wanted < IDS && !plain->taken[wanted]);
    }
}

/* ---- the answer ------------------------------------------------------------------------------- */

static size_t cut_number(struct slice *rest)
{
    size_t number = 0;
    while (rest->size > 0 && slice_is_digit(rest->data[0])) {
        number = number * 10 + (size_t)(rest->data[0] - '0');
        *rest = slice_from(*rest, 1);
    }
    return number;
}

/* RFC 5256 5: thread-list = "(" (thread-members / thread-nested) ")" */
static void check_answer(struct slice rest, size_t count)
{
    bool seen[MESSAGES_MAX + 1] = {false};
    size_t depth = 0, numbers = 0;
    char before = ')';
    while (rest.size > 0) {
        char byte = rest.data[0];
        if (slice_is_digit(byte)) {
            size_t number = cut_number(&rest);
            must(before == '(' || before == ' ');
            must(number > 0 && number <= count && !seen[number] && depth > 0);
            seen[number] = true;
            numbers++;
        } else {
            must(byte == '(' || byte == ')' || byte == ' ');
            must(byte != ')' || (depth > 0 && before != '(' && before != ' '));
            must(byte != ' ' || slice_is_digit(before));
            must(byte != '(' || !slice_is_digit(before));
            depth += byte == '(';
            depth -= byte == ')';
            rest = slice_from(rest, 1);
        }
        before = slice_is_digit(byte) ? '0' : byte;
    }
    must(depth == 0 && numbers == count && before == ')');
}

static void add(struct threadtree *tree, uint32_t number, const uint8_t *bytes)
{
    static const char subjects[] = "abcdefgh";
    uint8_t references[REFERENCES * 8] = {0};
    size_t count = 0;
    for (size_t i = 0; i < REFERENCES; i++)
        if (bytes[1 + i] % IDS > 0)
            references[8 * count++] = bytes[1 + i] % IDS;
    struct messagekeys keys = {.id = bytes[0] % IDS, .is_reply = bytes[4] & 16};
    keys.references = slice_of(references, 8 * count);
    keys.texts[MESSAGEKEYS_SUBJECT] = slice_of(subjects, bytes[4] % 8);
    must(threadtree_add(tree, number, bytes[5], &keys));
}

static void check(enum threadtree_algorithm algorithm, const uint8_t *bytes, size_t count)
{
    struct threadtree tree;
    struct str out;
    struct plain plain = {0};
    for (size_t i = 0; i < IDS + MESSAGES_MAX; i++)
        plain.parents[i] = -1;
    str_init(&out, OUT_MAX);
    must(threadtree_begin(&tree, algorithm, count, 1));
    for (size_t i = 0; i < count; i++) {
        add(&tree, (uint32_t)(i + 1), bytes + MESSAGE_SIZE * i);
        plain_add(&plain, i, bytes + MESSAGE_SIZE * i);
    }
    if (algorithm != THREADTREE_ORDEREDSUBJECT)
        compare_links(&tree, &plain);
    must(threadtree_finish(&tree) && threadtree_append(&tree, &out));
    check_answer(str_slice(&out), count);
    threadtree_end(&tree);
    str_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    size_t count = size / MESSAGE_SIZE < MESSAGES_MAX ? size / MESSAGE_SIZE : MESSAGES_MAX;
    check(THREADTREE_REFERENCES, bytes, count);
    check(THREADTREE_REFS, bytes, count);
    check(THREADTREE_ORDEREDSUBJECT, bytes, count);
    return 0;
}
