/*
 * answer - how a command can end: the one table of tagged answers of imapd (RFC 3501 7.1, 5530)
 */
#ifndef IMAPD_ANSWER_H
#define IMAPD_ANSWER_H

enum answer {
    ANSWER_DONE,       /* "OK NAME completed" */
    ANSWER_READ_WRITE, /* of SELECT */
    ANSWER_READ_ONLY,  /* of EXAMINE */
    ANSWER_SYNTAX,
    ANSWER_UNKNOWN,
    ANSWER_NO_TAG,
    ANSWER_NOT_SELECTED,
    ANSWER_LOGGED_IN,
    ANSWER_BAD_SET,
    ANSWER_BAD_FLAG,
    ANSWER_IDLE_END, /* something else than DONE */
    ANSWER_NO_MORE,  /* text behind a message literal */
    ANSWER_BAD_NAME,
    ANSWER_NAME_LEVEL,
    ANSWER_NAME_CONTROL,
    ANSWER_NAME_ENCODING,
    ANSWER_NAME_LONG,
    ANSWER_NAME_WILDCARD,
    ANSWER_NO_MAILBOX,
    ANSWER_TRY_CREATE,
    ANSWER_EXISTS,
    ANSWER_INBOX,
    ANSWER_HAS_CHILDREN,
    ANSWER_WITHIN_ITSELF,
    ANSWER_NOT_SUBSCRIBED,
    ANSWER_REFUSED_READ_ONLY,
    ANSWER_MESSAGE_GONE,
    ANSWER_BAD_CHARSET,
    ANSWER_NO_CONTEXT, /* CANCELUPDATE of a tag that has none (RFC 5267) */
    ANSWER_TAG_TAKEN,  /* by a search with UPDATE (RFC 5267 4.3) */
    ANSWER_NOT_SAVED,  /* "$" could not be kept (RFC 5182) */
    ANSWER_NO_KEYWORD,
    ANSWER_TOO_BIG,
    ANSWER_TOO_FEW, /* messages in a batch */
    ANSWER_NUL,
    ANSWER_EMPTY,
    ANSWER_TOO_MANY,
    ANSWER_UNKNOWN_CTE,
    ANSWER_COMPRESSED,
    ANSWER_NO_ROOT,
    ANSWER_NOT_PERMITTED,
    ANSWER_METADATA_LONG,
    ANSWER_METADATA_MANY,
    ANSWER_USE_TAKEN,
    ANSWER_USE_UNKNOWN,
    ANSWER_BAD_EVENT, /* of NOTIFY (RFC 5465) */
    ANSWER_NOTIFY_MUCH,
    ANSWER_NO_SPACE,
    ANSWER_TROUBLE,
    ANSWER_COUNT,
};

struct answer_text {
    const char *status; /* OK, NO, BAD */
    const char *code;   /* of RFC 5530 and others, in brackets; NULL: none */
    const char *text;   /* NULL: "NAME completed" */
};

const struct answer_text *answer_text(enum answer answer);
/* What an errno of a mailbox or file operation comes to. */
enum answer answer_from_errno(int error);

#endif
