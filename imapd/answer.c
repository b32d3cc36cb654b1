/* answer - see answer.h */
#include "answer.h"

#include <errno.h>
#include <stddef.h>

static const struct answer_text answers[ANSWER_COUNT] = {
    [ANSWER_DONE] = {"OK", NULL, NULL},
    [ANSWER_READ_WRITE] = {"OK", "READ-WRITE", NULL},
    [ANSWER_READ_ONLY] = {"OK", "READ-ONLY", NULL},
    [ANSWER_SYNTAX] = {"BAD", NULL, "Arguments not understood"},
    [ANSWER_UNKNOWN] = {"BAD", NULL, "Unknown command"},
    [ANSWER_NO_TAG] = {"BAD", NULL, "Command without a tag"},
    [ANSWER_NOT_SELECTED] = {"BAD", NULL, "No mailbox is selected"},
    [ANSWER_LOGGED_IN] = {"BAD", "CLIENTBUG", "Already logged in"},
    [ANSWER_BAD_SET] = {"BAD", NULL, "No such message number"},
    [ANSWER_BAD_FLAG] = {"BAD", NULL, "Not a flag that can be set"},
    [ANSWER_IDLE_END] = {"BAD", "CLIENTBUG", "Expected DONE"},
    [ANSWER_NO_MORE] = {"BAD", "CLIENTBUG", "Text behind the message"},
    [ANSWER_BAD_NAME] = {"NO", "CANNOT", "Not a name that a mailbox can have"},
    [ANSWER_NAME_LEVEL] = {"NO", "CANNOT", "A level of the name is empty, or made of dots alone"},
    [ANSWER_NAME_CONTROL] = {"NO", "CANNOT", "The name has control characters"},
    [ANSWER_NAME_ENCODING] = {"NO", "CANNOT",
                              "The name is not written as names are (RFC 3501 5.1.3)"},
    [ANSWER_NAME_LONG] = {"NO", "CANNOT", "The name is too long: 240 bytes on disk are the most"},
    [ANSWER_NAME_WILDCARD] = {"NO", "CANNOT", "A name can't have '*' or '%'"},
    [ANSWER_NO_MAILBOX] = {"NO", "NONEXISTENT", "No such mailbox"},
    [ANSWER_TRY_CREATE] = {"NO", "TRYCREATE", "No such mailbox"},
    [ANSWER_EXISTS] = {"NO", "ALREADYEXISTS", "The mailbox exists already"},
    [ANSWER_INBOX] = {"NO", "CANNOT", "INBOX can't be deleted"},
    [ANSWER_HAS_CHILDREN] = {"NO", "HASCHILDREN", "Only the mailboxes below it exist"},
    [ANSWER_WITHIN_ITSELF] = {"NO", "CANNOT", "A mailbox can't move below itself"},
    [ANSWER_NOT_SUBSCRIBED] = {"NO", "NONEXISTENT", "Not subscribed"},
    [ANSWER_REFUSED_READ_ONLY] = {"NO", "READ-ONLY", "The mailbox was opened for reading"},
    [ANSWER_MESSAGE_GONE] = {"NO", "EXPUNGEISSUED", "Some of the messages are gone"},
    [ANSWER_BAD_CHARSET] = {"NO",
                            "BADCHARSET (US-ASCII UTF-8 ISO-2022-JP SHIFT_JIS EUC-JP "
                            "EUC-KR ISO-2022-KR GB2312 GBK GB18030 BIG5 KOI8-R KOI8-U "
                            "ISO-8859-1 ISO-8859-2 ISO-8859-3 ISO-8859-4 ISO-8859-5 ISO-8859-6 "
                            "ISO-8859-7 ISO-8859-8 ISO-8859-9 ISO-8859-10 ISO-8859-13 ISO-8859-14 "
                            "ISO-8859-15 ISO-8859-16 WINDOWS-1250 WINDOWS-1251 WINDOWS-1252 "
                            "WINDOWS-1253 WINDOWS-1254 WINDOWS-1255 WINDOWS-1256 WINDOWS-1257 "
                            "WINDOWS-1258 TIS-620 UTF-7 UTF-16 UTF-32)",
                            "Charset not known"},
    [ANSWER_NO_CONTEXT] = {"BAD", NULL, "No search with that tag is kept up to date"},
    [ANSWER_TAG_TAKEN] = {"BAD", NULL, "A search with that tag is kept up to date already"},
    [ANSWER_NOT_SAVED] = {"NO", "NOTSAVED", "No memory to keep the result"},
    [ANSWER_NO_KEYWORD] = {"NO", "LIMIT", "The mailbox has no room for another keyword"},
    [ANSWER_TOO_FEW] = {"NO", "TOOFEW", "A batch has 500 messages at least"},
    [ANSWER_TOO_BIG] = {"NO", "TOOBIG", "Message too large"},
    [ANSWER_NUL] = {"NO", "CANNOT", "Message contains a NUL"},
    [ANSWER_EMPTY] = {"NO", "CANNOT", "Message is empty"},
    [ANSWER_UNKNOWN_CTE] = {"NO", "UNKNOWN-CTE", "The part has an encoding that is not known"},
    [ANSWER_COMPRESSED] = {"NO", "COMPRESSIONACTIVE", "Compressed already"},
    [ANSWER_NO_ROOT] = {"NO", "NONEXISTENT", "No such quota root"},
    [ANSWER_NOT_PERMITTED] = {"NO", "NOPERM", "Only the server sets this"},
    [ANSWER_METADATA_LONG] = {"NO", "METADATA MAXSIZE 65536", "The value is too long"},
    [ANSWER_METADATA_MANY] = {"NO", "METADATA TOOMANY", "There is no room for more annotations"},
    [ANSWER_USE_TAKEN] = {"NO", "USEATTR", "Another mailbox has this use"},
    [ANSWER_USE_UNKNOWN] = {"NO", "USEATTR", "No mailbox here can have this use"},
    [ANSWER_TOO_MANY] = {"NO", "LIMIT", "Too many messages in one command"},
    [ANSWER_BAD_EVENT] = {"NO", "BADEVENT", "There is no such event here"},
    [ANSWER_NOTIFY_MUCH] = {"NO", "NOTIFICATIONOVERFLOW", "Too many mailboxes to watch"},
    [ANSWER_NO_SPACE] = {"NO", "OVERQUOTA", "No space left"},
    [ANSWER_TROUBLE] = {"NO", "UNAVAILABLE", "Passing trouble; try again later"},
};

const struct answer_text *answer_text(enum answer answer)
{
    return &answers[answer];
}

enum answer answer_from_errno(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return ANSWER_NO_SPACE;
    case ENOENT:
        return ANSWER_NO_MAILBOX;
    case EEXIST:
        return ANSWER_EXISTS;
    case ENAMETOOLONG:
        return ANSWER_BAD_NAME;
    default:
        return ANSWER_TROUBLE;
    }
}
