/*
 * charset - any character set that mail names, into UTF-8 (by glibc's iconv)
 */
#ifndef COMMON_CHARSET_H
#define COMMON_CHARSET_H

#include "str.h"

/* Where iconv has its converters: what a sandbox that they are loaded in lets be read. */
#if defined(__x86_64__)
#define CHARSET_FOLDER "/usr/lib/x86_64-linux-gnu/gconv"
#elif defined(__aarch64__)
#define CHARSET_FOLDER "/usr/lib/aarch64-linux-gnu/gconv"
#else
#error "charset: name the folder of this machine's iconv here"
#endif

/* Converts; bytes that make no sense become U+FFFD. An unknown label is taken as Latin-1, and
 * *known (may be NULL) is false then. False when `utf8` is full or memory is out. */
bool charset_to_utf8(struct slice charset, struct slice text, struct str *utf8, bool *known);
/* Is there a converter for this label? */
bool charset_is_known(struct slice charset);
bool charset_is_utf8(struct slice text);
/* What a text is written in: as its label says, or UTF-8, since that is what has none now; but ISO-2022-JP
 * without a label, or under that of ASCII, gives itself away by its escapes. */
struct slice charset_of(struct slice label, struct slice text);

/* charset_to_utf8 for who converts many texts: converters stay open. A cache of zeroes is empty; free it with
 * charset_cache_free. NULL: none. */
enum { CHARSET_CACHE_SIZE = 8, CHARSET_NAME_MAX = 56 };
struct charset_cache {
    struct {
        char name[CHARSET_NAME_MAX];
        void *handle;
    } slots[CHARSET_CACHE_SIZE];
    size_t used, next;
};
bool charset_to_utf8_with(struct charset_cache *cache, struct slice charset, struct slice text,
                          struct str *utf8, bool *known);
void charset_cache_free(struct charset_cache *cache);

/* What can be told of a text in a charset without converting it. */
enum charset_family {
    CHARSET_UTF8,    /* as CHARSET_ASCII; and what is UTF-8, is taken as it stands */
    CHARSET_ASCII,   /* each byte below 0x80 is the ASCII character, wherever it stands */
    CHARSET_MULTI,   /* that holds for a text that has no other bytes, and no ESC */
    CHARSET_FOREIGN, /* nothing: UTF-16, UTF-7, ISO-2022-KR ... */
};
enum charset_family charset_family(struct slice charset);

#endif
