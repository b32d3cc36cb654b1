/* similar - see similar.h */
#include "similar.h"

#include "password.h"

#include <string.h>

#define SIGNS  "!.#-_@$+*"
#define DIGITS "0123456789"

enum { ENDS = 4, LETTERS = 40, DIGIT_PLACES = 8 };

/* One walk through what is like a password. */
struct walk {
    struct slice password;
    char bytes[PASSWORD_SECRET_MAX + 1];
    struct str like;
    similar_visit *visit;
    void *owner;
    size_t left; /* of SIMILAR_MAX */
    bool goes_on;
};

/* Begins with the password as it is; the caller changes bytes[]. */
static void copy(struct walk *walk, struct slice part)
{
    str_clear(&walk->like);
    str_append(&walk->like, part);
}

static void tell(struct walk *walk)
{
    if (!walk->goes_on || walk->like.failed || walk->like.size == 0)
        return;
    walk->goes_on = walk->visit(walk->owner, str_slice(&walk->like));
    walk->left--;
    walk->goes_on = walk->goes_on && walk->left > 0;
}

static bool is_upper(char byte)
{
    return byte >= 'A' && byte <= 'Z';
}

static char to_upper(char byte)
{
    return slice_is_letter(byte) && !is_upper(byte) ? (char)(byte - 'a' + 'A') : byte;
}

static char swap_case(char byte)
{
    return is_upper(byte) ? slice_lower(byte) : to_upper(byte);
}

static void change_all(struct walk *walk, char (*change)(char byte))
{
    copy(walk, walk->password);
    for (size_t i = 0; i < walk->like.size; i++)
        walk->like.data[i] = change(walk->like.data[i]);
    tell(walk);
}

static void change_one(struct walk *walk, size_t at, char byte)
{
    copy(walk, walk->password);
    walk->like.data[at] = byte;
    tell(walk);
}

static void cases(struct walk *walk)
{
    copy(walk, walk->password);
    tell(walk);
    change_all(walk, slice_lower);
    change_all(walk, to_upper);
    change_all(walk, swap_case);
}

static void letters(struct walk *walk)
{
    for (size_t i = 0; i < walk->password.size && i < LETTERS; i++)
        if (slice_is_letter(walk->password.data[i]))
            change_one(walk, i, swap_case(walk->password.data[i]));
}

static void backwards(struct walk *walk)
{
    copy(walk, walk->password);
    for (size_t i = 0; i < walk->like.size; i++)
        walk->like.data[i] = walk->password.data[walk->password.size - 1 - i];
    tell(walk);
}

static void shorter(struct walk *walk)
{
    for (size_t cut = 1; cut <= ENDS && cut < walk->password.size; cut++) {
        copy(walk, slice_part(walk->password, 0, walk->password.size - cut));
        tell(walk);
        copy(walk, slice_from(walk->password, cut));
        tell(walk);
    }
}

static void longer(struct walk *walk)
{
    static const char ends[] = DIGITS SIGNS;
    for (size_t i = 0; i < sizeof ends - 1; i++) {
        copy(walk, walk->password);
        if (str_append_byte(&walk->like, ends[i]))
            tell(walk);
        else
            walk->like.failed = false; /* the longest that there may be */
    }
}

static void last_signs(struct walk *walk)
{
    static const char signs[] = SIGNS;
    size_t last = walk->password.size - 1;
    if (slice_is_letter(walk->password.data[last]) || slice_is_digit(walk->password.data[last]))
        return;
    for (size_t i = 0; i < sizeof signs - 1; i++)
        change_one(walk, last, signs[i]);
}

/* From the end: years and counters stand there. */
static void digits(struct walk *walk)
{
    size_t places = 0;
    for (size_t at = walk->password.size; at-- > 0 && places < DIGIT_PLACES;) {
        if (!slice_is_digit(walk->password.data[at]))
            continue;
        places++;
        for (int digit = '0'; digit <= '9'; digit++)
            if (digit != walk->password.data[at])
                change_one(walk, at, (char)digit);
    }
}

void similar_each(struct slice password, similar_visit *visit, void *owner)
{
    struct walk walk = {.password = password,
                        .visit = visit,
                        .owner = owner,
                        .left = SIMILAR_MAX,
                        .goes_on = password.size > 0 && password.size <= PASSWORD_SECRET_MAX};
    walk.like = str_on(walk.bytes, sizeof walk.bytes);
    static void (*const kinds[])(struct walk *) = {cases,  backwards,  shorter, longer,
                                                   digits, last_signs, letters};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && walk.goes_on; i++)
        kinds[i](&walk);
    explicit_bzero(walk.bytes, sizeof walk.bytes);
}
