/* imapsession: transcripts of whole sessions over a real Maildir */
#include "account.h"

#include "clock.h"
#include "maildir.h"
#include "sessionend.h"
#include "subscribe.h"
#include "unixsocket.h"

#include <sys/socket.h>
#include <sys/stat.h>

#define INPUT_TEXT(text) slice_text(text)

struct transcript {
    const char *name, *input, *output;
};

#define SELECTED(exists, recent, next)                                                             \
    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded)\n"                         \
    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded \\*)] ~\n"     \
    "* " exists " EXISTS\n* " recent " RECENT\n"
#define VALIDITY(next)                                                                             \
    "* OK [UIDVALIDITY #] UIDs valid\n* OK [UIDNEXT " next "] Next UID\n"                          \
    "* OK [HIGHESTMODSEQ #] Highest\n* OK [MAILBOXID ~\n"
#define MESSAGE                                                                                    \
    "From: Joe <joe@example.com>\r\nSubject: hello\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n"   \
    "\r\nbody\r\n"
/* its size is 92 */
#define APPEND        "p APPEND INBOX {92+}\r\n" MESSAGE "\r\n"
#define APPENDED(uid) "p OK [APPENDUID # " uid "] APPEND completed\n"
#define OPEN          "s SELECT INBOX\r\n"
#define OPENED(exists, recent, unseen, next)                                                       \
    SELECTED(exists, recent, next) unseen VALIDITY(next) "s OK [READ-WRITE] SELECT completed\n"
#define REV2_OPENED(name, exists, next)                                                            \
    "* FLAGS ~\n* OK [PERMANENTFLAGS ~\n* " exists                                                 \
    " EXISTS\n" VALIDITY(next) "* LIST () \"/\" \"" name "\"\n"
#define UNSEEN "* OK [UNSEEN 1] First unseen\n"

/* clang-format off */
static const struct transcript transcripts[] = {
    {"simple commands",
     "a CAPABILITY\r\nb noop\r\nc ID NIL\r\nd ID (\"name\" \"x\" \"v\" NIL)\r\ne NAMESPACE\r\nf LOGOUT\r\n",
     "* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ ~\na OK CAPABILITY completed\nb OK NOOP completed\n"
     "* ID (\"name\" \"mail-suite\")\nc OK ID completed\n* ID (\"name\" \"mail-suite\")\nd OK ID completed\n"
     "* NAMESPACE ((\"\" \"/\")) NIL NIL\ne OK NAMESPACE completed\n* BYE Logging out\nf OK LOGOUT completed\n"},
    {"ENABLE of what there is not (RFC 5161 3.1)",
     "a ENABLE NOSUCH X-OTHER\r\nb ENABLE\r\nc ENABLE (\r\nd ENABLE A  B\r\n",
     "* ENABLED\na OK ENABLE completed\nb BAD ~\nc BAD ~\nd BAD ~\n"},
    {"IMAP4rev2 (RFC 9051 E): no RECENT, no UNSEEN, CLOSED, LIST",
     APPEND "a ENABLE imap4REV2 nosuch\r\nb ENABLE IMAP4rev2\r\n" OPEN "c FETCH 1 FLAGS\r\nd EXAMINE Sent\r\n"
     "e SELECT none\r\nf FETCH 1 FLAGS\r\ng SELECT Sent\r\n",
     APPENDED("1") "* ENABLED IMAP4rev2\na OK ENABLE completed\n* ENABLED\nb OK ENABLE completed\n"
     REV2_OPENED("INBOX", "1", "2") "s OK [READ-WRITE] SELECT completed\n* 1 FETCH (FLAGS ())\nc OK FETCH completed\n"
     "* OK [CLOSED] ~\n* FLAGS ~\n* OK [PERMANENTFLAGS ()] ~\n* 0 EXISTS\n" VALIDITY("1") "* LIST () \"/\" \"Sent\"\n"
     "d OK [READ-ONLY] EXAMINE completed\n* OK [CLOSED] ~\ne NO [NONEXISTENT] ~\nf BAD No mailbox is selected\n"
     REV2_OPENED("Sent", "0", "1") "g OK [READ-WRITE] SELECT completed\n"},
    {"MULTISEARCH (RFC 7377): in several mailboxes, each with its name",
     APPEND APPEND "a CREATE w/x\r\nb APPEND w {92+}\r\n" MESSAGE "\r\nb CREATE w\r\nc APPEND w/x {92+}\r\n" MESSAGE "\r\n"
     "d ESEARCH IN (mailboxes (INBOX w/x none \"*\")) SUBJECT hello\r\ne ESEARCH IN (subtree w) RETURN (COUNT MAX) ALL\r\n"
     "f ESEARCH IN (subtree-one w personal) RETURN (MIN) UID *\r\ng ESEARCH ALL\r\nh ESEARCH IN (selected) ALL\r\n"
     "i ESEARCH IN (personal) 1:*\r\nj ESEARCH IN (personal) RETURN (SAVE) ALL\r\nk ESEARCH IN () ALL\r\nl ESEARCH IN (bogus) ALL\r\n"
     "m ESEARCH IN (inboxes) SUBJECT none\r\nn ESEARCH IN (mailboxes) ALL\r\no ESEARCH IN (subscribed) BOGUS\r\n" OPEN
     "p1 ESEARCH RETURN () 2\r\nq ESEARCH IN (selected) RETURN (SAVE) UID 2\r\nr ESEARCH IN (personal) RETURN (ALL) TEXT body\r\nt FETCH $ UID\r\n",
     APPENDED("1") APPENDED("2") "a OK [MAILBOXID ~\nb NO [TRYCREATE] ~\nb OK [MAILBOXID ~\nc OK [APPENDUID # 1] ~\n"
     "* ESEARCH (TAG \"d\" MAILBOX \"INBOX\" UIDVALIDITY #) UID ALL 1:2\n"
     "* ESEARCH (TAG \"d\" MAILBOX \"w/x\" UIDVALIDITY #) UID ALL 1\nd OK ESEARCH completed\n"
     "* ESEARCH (TAG \"e\" MAILBOX \"w/x\" UIDVALIDITY #) UID MAX 1 COUNT 1\ne OK ESEARCH completed\n"
     "* ESEARCH (TAG \"f\" MAILBOX \"INBOX\" UIDVALIDITY #) UID MIN 2\n"
     "* ESEARCH (TAG \"f\" MAILBOX \"w/x\" UIDVALIDITY #) UID MIN 1\nf OK ESEARCH completed\n"
     "g BAD No mailbox is selected\nh BAD No mailbox is selected\ni BAD ~\nj BAD ~\nk BAD ~\nl BAD ~\n"
     "m OK ESEARCH completed\nn BAD ~\no BAD ~\n" OPENED("2", "2", UNSEEN, "3")
     "* ESEARCH (TAG \"p1\" MAILBOX \"INBOX\" UIDVALIDITY #) UID ALL 2\np1 OK ESEARCH completed\nq OK ESEARCH completed\n"
     "* ESEARCH (TAG \"r\" MAILBOX \"INBOX\" UIDVALIDITY #) UID ALL 1:2\n"
     "* ESEARCH (TAG \"r\" MAILBOX \"w/x\" UIDVALIDITY #) UID ALL 1\nr OK ESEARCH completed\n* 2 FETCH (UID 2)\nt OK FETCH completed\n"},
    {"UIDBATCHES (RFC 10022): arguments",
     APPEND APPEND OPEN "a UIDBATCHES 500\r\nb UIDBATCHES 500 1:1\r\nc UIDBATCHES 500 2:3\r\nd UIDBATCHES 499\r\ne UIDBATCHES 0\r\n"
     "f UIDBATCHES\r\ng UIDBATCHES 500 0:1\r\nh UIDBATCHES 500 2:1\r\ni UIDBATCHES 500 1\r\nj UIDBATCHES 500 1:1 x\r\n"
     "k STORE 1:* +FLAGS.SILENT (\\Deleted)\r\nl EXPUNGE\r\nm UIDBATCHES 500\r\nn UNSELECT\r\no UIDBATCHES 500\r\n",
     APPENDED("1") APPENDED("2") OPENED("2", "2", UNSEEN, "3")
     "* UIDBATCHES (TAG \"a\") 2:1\na OK UIDBATCHES completed\n* UIDBATCHES (TAG \"b\") 2:1\nb OK UIDBATCHES completed\n"
     "* UIDBATCHES (TAG \"c\")\nc OK UIDBATCHES completed\nd NO [TOOFEW] ~\ne BAD ~\nf BAD ~\ng BAD ~\nh BAD ~\ni BAD ~\nj BAD ~\n"
     "k OK STORE completed\n* 2 EXPUNGE\n* 1 EXPUNGE\n* 0 EXISTS\n* 0 RECENT\nl OK EXPUNGE completed\n"
     "* UIDBATCHES (TAG \"m\")\nm OK UIDBATCHES completed\nn OK UNSELECT completed\no BAD No mailbox is selected\n"},
    {"commands that make no sense are answered and the session goes on",
     "a FOO\r\n\r\nb\r\nc \r\n(x) NOOP\r\nd NOOP x\r\ne FETCH 1 ALL\r\nf LOGIN a b\r\ng STARTTLS\r\n"
     "h AUTHENTICATE PLAIN\r\ni UID NOOP\r\nj UID\r\nk SELECT\r\nl SELECT  INBOX\r\nm SELECT \"INBOX\r\n"
     "n CREATE {3+}\r\na\0b\r\no NOOP\r\n",
     "a BAD Unknown command\n* BAD Command without a tag\nb BAD Unknown command\nc BAD Unknown command\n"
     "* BAD Command without a tag\nd BAD Arguments not understood\ne BAD No mailbox is selected\n"
     "f BAD [CLIENTBUG] Already logged in\ng BAD [CLIENTBUG] Already logged in\nh BAD [CLIENTBUG] Already logged in\ni BAD Unknown command\n"
     "j BAD Arguments not understood\nk BAD Arguments not understood\nl BAD Arguments not understood\n"
     "m BAD Arguments not understood\n"},
    {"too many of them end the session",
     "1 X\r\n2 X\r\n3 X\r\n4 X\r\n5 X\r\n6 X\r\n7 X\r\n8 X\r\n9 X\r\n10 X\r\n11 X\r\n12 X\r\n13 X\r\n"
     "14 X\r\n15 X\r\n16 X\r\n17 X\r\n18 X\r\n19 X\r\n20 X\r\n21 X\r\n22 X\r\n",
     "# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n"
     "# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n# BAD ~\n21 BAD ~\n* BYE ~\n"},
    {"literals wherever a string may stand, both kinds",
     "a CREATE {3}\r\nfoo\r\nb RENAME {3+}\r\nfoo {3}\r\nbar\r\nc STATUS {3}\r\nbar (MESSAGES)\r\nd LOGOUT\r\n",
     "+ OK\na OK [MAILBOXID ~\n+ OK\nb OK RENAME completed\n+ OK\n* STATUS \"bar\" (MESSAGES 0)\n"
     "c OK STATUS completed\n* BYE Logging out\nd OK LOGOUT completed\n"},
    {"a literal of 4 GB is answered at once",
     "a SELECT {4294967296}\r\nb APPEND INBOX {4294967296}\r\nc APPEND INBOX {99999999999999999999999}\r\nd NOOP\r\n",
     "a NO [TOOBIG] Literal too large\nb NO [TOOBIG] Message too large\nc NO [TOOBIG] Message too large\n"
     "d OK NOOP completed\n"},
    {"one that comes unasked ends the session", "a APPEND INBOX {4294967296+}\r\nxxx",
     "* BYE [TOOBIG] Message too large\n"},
    {"also elsewhere", "a SELECT {4294967296+}\r\nxxx", "* BYE Literal too large\n"},
    {"the folders an account begins with",
     "a LIST \"\" *\r\nb LSUB \"\" %\r\nc LIST \"\" \"\"\r\nd LIST (SPECIAL-USE) \"\" * RETURN (SUBSCRIBED)\r\n",
     "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\n* LIST (\\HasNoChildren \\Archive) \"/\" \"Archive\"\n"
     "* LIST (\\HasNoChildren \\Drafts) \"/\" \"Drafts\"\n* LIST (\\HasNoChildren \\Junk) \"/\" \"Junk\"\n"
     "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"\n* LIST (\\HasNoChildren \\Trash) \"/\" \"Trash\"\n"
     "a OK LIST completed\n"
     "* LSUB () \"/\" \"Archive\"\n* LSUB () \"/\" \"Drafts\"\n* LSUB () \"/\" \"Junk\"\n* LSUB () \"/\" \"Sent\"\n"
     "* LSUB () \"/\" \"Trash\"\nb OK LSUB completed\n* LIST (\\Noselect) \"/\" \"\"\nc OK LIST completed\n"
     "* LIST (\\HasNoChildren \\Archive \\Subscribed) \"/\" \"Archive\"\n"
     "* LIST (\\HasNoChildren \\Drafts \\Subscribed) \"/\" \"Drafts\"\n"
     "* LIST (\\HasNoChildren \\Junk \\Subscribed) \"/\" \"Junk\"\n"
     "* LIST (\\HasNoChildren \\Sent \\Subscribed) \"/\" \"Sent\"\n"
     "* LIST (\\HasNoChildren \\Trash \\Subscribed) \"/\" \"Trash\"\nd OK LIST completed\n"},
    {"folders: making, naming, removing",
     "a CREATE P/v1.2/B\r\nb LIST \"\" P*\r\nc LIST P/ %\r\nd CREATE P\r\ne CREATE P\r\nf CREATE P/x/\r\ng CREATE inbox\r\n"
     "h CREATE /x\r\ni CREATE x//y\r\nj CREATE \"x*y\"\r\nk CREATE \"&Jjo!-\"\r\nl DELETE P\r\nm LIST \"\" P\r\nn DELETE P\r\n"
     "o DELETE INBOX\r\np DELETE none\r\nq RENAME P P/y\r\nr RENAME P C/D\r\ns LIST \"\" C*\r\nt RENAME none x\r\n"
     "u RENAME C Sent\r\nv CREATE &ZeVnLIqe-\r\nw LIST \"\" &*\r\n",
     "a OK [MAILBOXID ~\n* LIST (\\Noselect \\HasChildren) \"/\" \"P\"\n"
     "* LIST (\\Noselect \\HasChildren) \"/\" \"P/v1.2\"\n* LIST (\\HasNoChildren) \"/\" \"P/v1.2/B\"\nb OK LIST completed\n"
     "* LIST (\\Noselect \\HasChildren) \"/\" \"P/v1.2\"\nc OK LIST completed\nd OK [MAILBOXID ~\n"
     "e NO [ALREADYEXISTS] The mailbox exists already\nf OK [MAILBOXID ~\ng NO [ALREADYEXISTS] ~\n"
     "h NO [CANNOT] ~\ni NO [CANNOT] ~\nj NO [CANNOT] ~\nk NO [CANNOT] ~\nl OK DELETE completed\n"
     "* LIST (\\Noselect \\HasChildren) \"/\" \"P\"\nm OK LIST completed\nn NO [HASCHILDREN] ~\n"
     "o NO [CANNOT] INBOX can't be deleted\np NO [NONEXISTENT] No such mailbox\nq NO [CANNOT] A mailbox can't move below itself\n"
     "r OK RENAME completed\n* LIST (\\Noselect \\HasChildren) \"/\" \"C\"\n* LIST (\\Noselect \\HasChildren) \"/\" \"C/D\"\n"
     "* LIST (\\Noselect \\HasChildren) \"/\" \"C/D/v1.2\"\n* LIST (\\HasNoChildren) \"/\" \"C/D/v1.2/B\"\n"
     "* LIST (\\HasNoChildren) \"/\" \"C/D/x\"\ns OK LIST completed\nt NO [NONEXISTENT] ~\nu NO [ALREADYEXISTS] ~\n"
     "v OK [MAILBOXID ~\n* LIST (\\HasNoChildren) \"/\" \"&ZeVnLIqe-\"\nw OK LIST completed\n"},
    {"subscriptions",
     "a CREATE a/b\r\nb SUBSCRIBE a/b\r\nc LSUB \"\" %\r\nd LSUB a/ %\r\ne UNSUBSCRIBE a/b\r\nf LSUB \"\" a*\r\ng SUBSCRIBE none\r\n"
     "h UNSUBSCRIBE Sent\r\ni LIST (SUBSCRIBED) \"\" S*\r\nj UNSUBSCRIBE Sent\r\n",
     "a OK [MAILBOXID ~\nb OK SUBSCRIBE completed\n* LSUB () \"/\" \"Archive\"\n* LSUB () \"/\" \"Drafts\"\n"
     "* LSUB () \"/\" \"Junk\"\n* LSUB () \"/\" \"Sent\"\n* LSUB () \"/\" \"Trash\"\n* LSUB (\\Noselect) \"/\" \"a\"\nc OK LSUB completed\n"
     "* LSUB () \"/\" \"a/b\"\nd OK LSUB completed\ne OK UNSUBSCRIBE completed\nf OK LSUB completed\n"
     "g NO [NONEXISTENT] No such mailbox\nh OK UNSUBSCRIBE completed\ni OK LIST completed\nj OK UNSUBSCRIBE completed\n"},
    {"append, select, fetch",
     APPEND OPEN "a FETCH 1 ALL\r\nb FETCH 1 (BODY[TEXT])\r\nc FETCH 1:* FLAGS\r\nd UID FETCH 1 RFC822.SIZE\r\n"
     "e FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]\r\nf FETCH 1 (BODY[]<88.100> BODY[2] BODY[1]<1.2>)\r\n"
     "g FETCH 1 (RFC822.TEXT UID BODY)\r\nh FETCH 2 FLAGS\r\ni UID FETCH 9 FLAGS\r\nj FETCH 1 (FLAGS\r\nk FETCH 1 BODY[MIME]\r\n"
     "l FETCH 1 BODY[]<0.0>\r\nm FETCH 0 FLAGS\r\nn FETCH 1 BODY[1.]\r\n",
     APPENDED("1") OPENED("1", "1", UNSEEN, "2")
     "* 1 FETCH (FLAGS (\\Recent) INTERNALDATE \"~\na OK FETCH completed\n"
     "* 1 FETCH (BODY[TEXT] {6}\nbody\n FLAGS (\\Seen \\Recent))\nb OK FETCH completed\n* 1 FETCH (FLAGS (\\Seen \\Recent))\nc OK FETCH completed\n"
     "* 1 FETCH (UID 1 RFC822.SIZE 92)\nd OK FETCH completed\n"
     "* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {18}\nSubject: hello\n\n)\ne OK FETCH completed\n"
     "* 1 FETCH (BODY[]<88> {4}\ndy\n BODY[2] NIL BODY[1]<1> {2}\nod)\nf OK FETCH completed\n"
     "* 1 FETCH (RFC822.TEXT {6}\nbody\n UID 1 BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1))\n"
     "g OK FETCH completed\nh BAD No such message number\ni OK FETCH completed\nj BAD Arguments not understood\n"
     "k BAD Arguments not understood\nl BAD Arguments not understood\nm BAD Arguments not understood\nn BAD Arguments not understood\n"},
    {"append: refusals",
     "a APPEND none {3}\r\nb APPEND none {3+}\r\nabc\r\nc APPEND INBOX {0}\r\nd APPEND INBOX (\\Bogus) {3}\r\n"
     "e APPEND INBOX\r\nf APPEND INBOX {3+}\r\nabcX\r\ng APPEND INBOX (\\Seen) \"bogus\" {3+}\r\nabc\r\n"
     "h APPEND INBOX (\\Recent) {3+}\r\nabc\r\ni STATUS INBOX (MESSAGES)\r\n",
     "a NO [TRYCREATE] No such mailbox\nb NO [TRYCREATE] No such mailbox\nc NO [CANNOT] Message is empty\n"
     "d BAD Not a flag that can be set\ne BAD Arguments not understood\n"
     "f BAD [CLIENTBUG] Text behind the message\ng BAD Arguments not understood\nh BAD Not a flag that can be set\n"
     "* STATUS \"INBOX\" (MESSAGES 0)\ni OK STATUS completed\n"},
    {"append with flags, keyword and date",
     "p APPEND INBOX (\\Flagged $Label1) \" 1-Feb-2020 10:00:00 +0900\" {92+}\r\n" MESSAGE "\r\n"
     "s EXAMINE INBOX\r\na FETCH 1 (FLAGS INTERNALDATE)\r\nb STORE 1 FLAGS ()\r\nc FETCH 1 BODY[TEXT]\r\nd EXPUNGE\r\ne CLOSE\r\n",
     APPENDED("1") "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $Label1)\n* OK [PERMANENTFLAGS ()] ~\n"
     "* 1 EXISTS\n* 1 RECENT\n" UNSEEN VALIDITY("2") "s OK [READ-ONLY] EXAMINE completed\n"
     "* 1 FETCH (FLAGS (\\Flagged $Label1 \\Recent) INTERNALDATE \" 1-Feb-2020 01:00:00 +0000\")\na OK FETCH completed\n"
     "b NO [READ-ONLY] ~\n* 1 FETCH (BODY[TEXT] {6}\nbody\n)\nc OK FETCH completed\nd NO [READ-ONLY] ~\ne OK CLOSE completed\n"},
    {"store",
     APPEND OPEN "a STORE 1 +FLAGS (\\Seen \\Deleted)\r\nb STORE 1 -FLAGS \\Seen\r\nc STORE 1 FLAGS.SILENT (\\Answered)\r\n"
     "d FETCH 1 FLAGS\r\ne UID STORE 1 +FLAGS $Forwarded\r\nf STORE 1 FLAGS ()\r\ng STORE 1 FLAGS (\\Recent)\r\n"
     "h STORE 1 FLAGS\r\ni STORE 2 FLAGS ()\r\nj STORE 1 +FLAGS (\\Foo)\r\nk STORE 1 -FLAGS (none)\r\n",
     APPENDED("1") OPENED("1", "1", UNSEEN, "2")
     "* 1 FETCH (UID 1 FLAGS (\\Deleted \\Seen \\Recent))\na OK STORE completed\n* 1 FETCH (UID 1 FLAGS (\\Deleted \\Recent))\nb OK STORE completed\n"
     "c OK STORE completed\n* 1 FETCH (FLAGS (\\Answered \\Recent))\nd OK FETCH completed\n"
     "* 1 FETCH (UID 1 FLAGS (\\Answered $Forwarded \\Recent))\ne OK STORE completed\n* 1 FETCH (UID 1 FLAGS (\\Recent))\nf OK STORE completed\n"
     "g BAD ~\nh BAD ~\ni BAD No such message number\nj BAD Not a flag that can be set\n* 1 FETCH (UID 1 FLAGS (\\Recent))\nk OK STORE completed\n"},
    {"expunge numbers count down; UID EXPUNGE spares the rest; CLOSE is silent",
     APPEND APPEND APPEND APPEND APPEND OPEN "a STORE 1,3:5 +FLAGS.SILENT (\\Deleted)\r\nb UID EXPUNGE 3:4\r\nc FETCH 1:* UID\r\n"
     "d EXPUNGE\r\ne STORE 1 +FLAGS.SILENT \\Deleted\r\nf CLOSE\r\ng STATUS INBOX (MESSAGES UIDNEXT UNSEEN)\r\nh FETCH 1 ALL\r\n",
     APPENDED("1") APPENDED("2") APPENDED("3") APPENDED("4") APPENDED("5") OPENED("5", "5", UNSEEN, "6")
     "a OK STORE completed\n* 4 EXPUNGE\n* 3 EXPUNGE\n* 3 EXISTS\n* 3 RECENT\nb OK EXPUNGE completed\n* 1 FETCH (UID 1)\n* 2 FETCH (UID 2)\n* 3 FETCH (UID 5)\n"
     "c OK FETCH completed\n* 3 EXPUNGE\n* 1 EXPUNGE\n* 1 EXISTS\n* 1 RECENT\nd OK EXPUNGE completed\ne OK STORE completed\nf OK CLOSE completed\n"
     "* STATUS \"INBOX\" (MESSAGES 0 UIDNEXT 6 UNSEEN 0)\ng OK STATUS completed\nh BAD No mailbox is selected\n"},
    {"copy and move",
     APPEND APPEND APPEND OPEN "a COPY 1:2 Trash\r\nb UID MOVE 2:3 Sent\r\nc COPY 1 none\r\nd MOVE 9 Sent\r\ne UID COPY 77 Sent\r\n"
     "f COPY 1 INBOX\r\ng STATUS Trash (MESSAGES)\r\nh STATUS Sent (MESSAGES UIDNEXT)\r\ni MOVE 1 INBOX\r\n",
     APPENDED("1") APPENDED("2") APPENDED("3") OPENED("3", "3", UNSEEN, "4")
     "a OK [COPYUID # 1:2 1:2] COPY completed\n* OK [COPYUID # 2:3 1:2] Moved\n* 3 EXPUNGE\n* 2 EXPUNGE\n* 1 EXISTS\n* 1 RECENT\nb OK MOVE completed\n"
     "c NO [TRYCREATE] No such mailbox\nd BAD No such message number\ne OK COPY completed\n"
     "* 2 EXISTS\n* 2 RECENT\nf OK [COPYUID # 1 4] COPY completed\n* STATUS \"Trash\" (MESSAGES 2)\ng OK STATUS completed\n"
     "* STATUS \"Sent\" (MESSAGES 2 UIDNEXT 3)\nh OK STATUS completed\n"
     "* OK [COPYUID # 1 5] Moved\n* 1 EXPUNGE\n* 2 EXISTS\n* 2 RECENT\ni OK MOVE completed\n"},
    {"renaming INBOX moves its messages",
     APPEND APPEND "a RENAME INBOX Old/Mail\r\nb STATUS INBOX (MESSAGES)\r\nc STATUS Old/Mail (MESSAGES)\r\n",
     APPENDED("1") APPENDED("2") "a OK RENAME completed\n* STATUS \"INBOX\" (MESSAGES 0)\nb OK STATUS completed\n"
     "* STATUS \"Old/Mail\" (MESSAGES 2)\nc OK STATUS completed\n"},
    {"select of what is not there leaves nothing selected",
     OPEN "a SELECT none\r\nb CHECK\r\nc SELECT INBOX/\r\nd EXAMINE inBOX\r\ne UNSELECT\r\nf UNSELECT\r\n",
     OPENED("0", "0", "", "1") "* OK [CLOSED] ~\na NO [NONEXISTENT] No such mailbox\nb BAD No mailbox is selected\nc NO [NONEXISTENT] ~\n"
     "* FLAGS ~\n* OK [PERMANENTFLAGS ()] ~\n* 0 EXISTS\n* 0 RECENT\n" VALIDITY("1") "d OK [READ-ONLY] EXAMINE completed\n"
     "e OK UNSELECT completed\nf BAD No mailbox is selected\n"},
    {"the mailbox that is selected is deleted, and renamed",
     "a CREATE x\r\nb SELECT x\r\nc RENAME x y\r\nd CHECK\r\ne DELETE y\r\nf CHECK\r\n",
     "a OK [MAILBOXID ~\n" SELECTED("0", "0", "1") VALIDITY("1") "b OK [READ-WRITE] SELECT completed\nc OK RENAME completed\n"
     "d OK CHECK completed\ne OK DELETE completed\nf BAD No mailbox is selected\n"},
    {"idle ends by DONE, and by nothing else",
     OPEN "a IDLE\r\nDONE\r\nb IDLE\r\nNOOP\r\nc NOOP\r\n",
     OPENED("0", "0", "", "1") "+ idling\na OK IDLE completed\n+ idling\nb BAD [CLIENTBUG] Expected DONE\nc OK NOOP completed\n"},
};
/* clang-format on */

static void run_transcript(void **state)
{
    for (size_t i = 0; i < sizeof transcripts / sizeof *transcripts; i++) {
        struct str output;
        str_init(&output, 1 << 20);
        assert_int_equal(account_make(state), 0);
        account_talk(INPUT_TEXT(transcripts[i].input), &output);
        account_compare(transcripts[i].name, str_slice(&output), transcripts[i].output);
        assert_int_equal(account_remove(state), 0);
        str_free(&output);
    }
}

/* A NUL can't stand in the table's texts. */
static void nul_is_refused(void **state)
{
    (void)state;
    static const char input[] = "a SELECT \"IN\0BOX\"\r\nb CREATE {3+}\r\nx\0y\r\n"
                                "c APPEND INBOX {5+}\r\nab\0cd\r\nd STATUS INBOX (MESSAGES)\r\n";
    struct str output;
    str_init(&output, 65536);
    account_talk(slice_of(input, sizeof input - 1), &output);
    account_compare(
        "NUL", str_slice(&output),
        "a BAD NUL in command\nb BAD NUL in command\nc NO [CANNOT] Message contains a NUL\n"
        "* STATUS \"INBOX\" (MESSAGES 0)\nd OK STATUS completed\n");
    str_free(&output);
}

/* ---- search ----------------------------------------------------------------------------------- */

struct search_case {
    const char *keys, *found;
};

static const struct search_case search_cases[] = {
    {"ALL", " 1 2 3 4"},
    {"1:2", " 1 2"},
    {"*", " 4"},
    {"77", ""},
    {"UID 2:3", " 2 3"},
    {"NOT 1", " 2 3 4"},
    {"OR 1 4", " 1 4"},
    {"(1 2)", ""},
    {"(OR (1) (NOT 1:3)) ALL", " 1 4"},
    {"SEEN", " 2"},
    {"UNSEEN", " 1 3 4"},
    {"FLAGGED", " 2"},
    {"NOT FLAGGED", " 1 3 4"},
    {"ANSWERED", ""},
    {"KEYWORD $Label1", " 3"},
    {"UNKEYWORD $label1", " 1 2 4"},
    {"KEYWORD none", ""},
    {"NEW", ""},
    {"RECENT", ""},
    {"OLD", " 1 2 3 4"},
    {"SUBJECT hello", " 1"},
    {"SUBJECT \"HELLO\"", " 1"},
    {"FROM joe", " 1"},
    {"TO \"\"", " 2"},
    {"HEADER Message-ID \"\"", " 2"},
    {"HEADER message-id abc@", " 2"},
    {"SENTON 21-Nov-1997", " 1"},
    {"SENTBEFORE 22-Nov-1997", " 1"},
    {"SENTSINCE \"1-Jan-2020\"", " 2"},
    {"ON 1-Feb-2020", " 2"},
    {"BEFORE 1-Feb-2020", ""},
    {"SINCE 1-Feb-2020", " 1 2 3 4"},
    {"LARGER 91", " 1 2 3"},
    {"SMALLER 92", " 4"},
    {"BODY body", " 1"},
    {"TEXT example.com", " 1"},
    {"BODY example.com", ""},
    {"CHARSET UTF-8 SUBJECT {9+}\r\n\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", " 2"},
    {"CHARSET ISO-2022-JP SUBJECT {12+}\r\n\x1b$BF|K\\8l\x1b(B", " 2"},
    {"CHARSET Shift_JIS BODY {6+}\r\n\x93\xfa\x96{\x8c\xea", " 3"},
    {"BODY \"gr\xc3\xbc\xc3\x9f\x65\"", " 3"},
    {"CHARSET utf-8 BODY \"GR\xc3\x9cSSE\"", " 3"},
    {"CHARSET us-ascii BODY inner.txt", " 3"},
    {"BODY \xef\xbd\x81", NULL}, /* 8-bit in an atom */
    {"CHARSET x-none ALL", "charset"},
    {"", NULL},
    {"(ALL", NULL},
    {"ALL)", NULL},
    {"NOT", NULL},
    {"OR 1", NULL},
    {"ON 31-Foo-2020", NULL},
    {"LARGER x", NULL},
    {"HEADER x", NULL},
    {"FOO", NULL},
};

static const char encoded_message[] =
    "To: x@example.org\r\nMessage-ID: <abc@def>\r\nDate: Sat, 21 Nov 2026 01:00:00 +0900\r\n"
    "Subject: =?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=\r\n\r\nplain\r\n";
static const char nested_message[] =
    "From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
    "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: "
    "quoted-printable\r\n"
    "\r\nGr=FC=DFe\r\n--x\r\nContent-Type: text/plain; charset=utf-8; name=inner.txt\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\n5pel5pys6Kqe\r\n--x--\r\n";

static void append_message(struct str *input, const char *arguments, const char *message)
{
    str_format(input, "p APPEND INBOX %s{%zu+}\r\n%s\r\n", arguments, strlen(message), message);
}

static void search(void **state)
{
    (void)state;
    struct str input, output, expected;
    str_init(&input, 1 << 20);
    str_init(&output, 1 << 20);
    str_init(&expected, 1 << 20);
    append_message(&input, "", MESSAGE);
    append_message(&input, "(\\Seen \\Flagged) \" 1-Feb-2020 10:00:00 +0000\" ", encoded_message);
    append_message(&input, "($Label1) ", nested_message);
    append_message(&input, "", "X-Nothing: here\r\n\r\n");
    str_append_text(&input, "s SELECT INBOX\r\n");
    account_talk(str_slice(&input), &output);
    str_clear(&input);
    str_clear(&output);
    str_append_text(&input, "s EXAMINE INBOX\r\n");
    for (size_t i = 0; i < sizeof search_cases / sizeof *search_cases; i++) {
        const struct search_case *one = &search_cases[i];
        str_format(&input, "%s%zu SEARCH %s\r\n", "t", i, one->keys);
        if (!one->found)
            str_format(&expected, "t%zu BAD Arguments not understood\n", i);
        else if (strcmp(one->found, "charset") == 0)
            str_format(&expected, "t%zu NO [BADCHARSET ~\n", i);
        else
            str_format(&expected, "* SEARCH%s\nt%zu OK SEARCH completed\n", one->found, i);
    }
    account_talk(str_slice(&input), &output);
    const char *begin = strstr(str_text(&output), "EXAMINE completed\r\n");
    assert_non_null(begin);
    account_compare("search", slice_text(begin + strlen("EXAMINE completed\r\n")),
                    str_text(&expected));
    str_free(&input);
    str_free(&output);
    str_free(&expected);
}

static void search_nesting_is_bounded(void **state)
{
    (void)state;
    struct str input, output;
    str_init(&input, 1 << 20);
    str_init(&output, 1 << 20);
    str_append_text(&input, "s SELECT INBOX\r\na SEARCH ");
    for (int i = 0; i < 10000; i++)
        str_append_text(&input, i % 2 ? "(" : "NOT ");
    str_append_text(&input, "ALL\r\nb SEARCH ");
    for (int i = 0; i < 10; i++)
        str_append_text(&input, "NOT (");
    str_append_text(&input, "ALL))))))))))\r\n");
    account_talk(str_slice(&input), &output);
    account_compare("nesting", str_slice(&output),
                    OPENED("0", "0", "", "1") "a BAD Arguments not understood\n* SEARCH\n"
                                              "b OK SEARCH completed\n");
    str_free(&input);
    str_free(&output);
}

/* ---- two sessions on one mailbox --------------------------------------------------------------- */

struct talker {
    struct imapsession session;
    int to_server[2], from_server[2];
};

static void talker_begin(struct talker *talker)
{
    *talker = (struct talker){.session = {.account = "u1@example.jp", .client = "::1", .tls = "1"}};
    assert_true(pipe(talker->to_server) == 0 && pipe(talker->from_server) == 0);
    assert_true(imapsession_begin(&talker->session, talker->to_server[0], talker->from_server[1],
                                  SLICE("")));
}

static void talker_end(struct talker *talker)
{
    imapsession_end(&talker->session);
    for (int i = 0; i < 2; i++) {
        io_close(&talker->to_server[i]);
        io_close(&talker->from_server[i]);
    }
}

/* Sends whole commands, steps through them, compares the answers. */
static void talker_say(struct talker *talker, const char *commands, int steps, const char *expected)
{
    char bytes[65536];
    assert_true(io_write_all(talker->to_server[1], slice_text(commands), INT64_MAX));
    for (int i = 0; i < steps; i++)
        imapsession_step(&talker->session);
    assert_int_equal(stream_flush(&talker->session.stream), STREAM_OK);
    ssize_t got = read(talker->from_server[0], bytes, sizeof bytes);
    assert_true(got > 0);
    account_compare(commands, slice_of(bytes, (size_t)got), expected);
}

/* Between commands, with more of them on the way. */
static void told_to_end(void **state)
{
    static const struct {
        const char *commands, *expected;
    } cases[] = {
        {"", "* BYE The password is void; a new one has to be set\n"},
        {"a NOOP\r\nb NOOP\r\n", "* BYE The password is void; a new one has to be set\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int pair[2];
        char bytes[1000];
        struct imapsession session = {.account = "u1@example.jp", .client = "::1", .tls = "1"};
        assert_true(unixsocket_pair(SOCK_STREAM, pair));
        assert_true(imapsession_begin(&session, pair[1], pair[1], SLICE("")));
        assert_true(io_write_all(pair[0], slice_text(cases[i].commands), INT64_MAX));
        sessionend_watch(pair[1]);
        assert_true(sessionend_signal(getpid(), SESSIONEND_FORCED));
        imapsession_run(&session);
        assert_string_equal(session.how, "password-forced");
        ssize_t got = read(pair[0], bytes, sizeof bytes);
        assert_true(got > 0);
        account_compare(cases[i].commands, slice_of(bytes, (size_t)got), cases[i].expected);
        sessionend_watch(-1);
        imapsession_end(&session);
        io_close(&pair[0]);
        io_close(&pair[1]);
    }
}

static void two_sessions(void **state)
{
    (void)state;
    struct talker a, b;
    talker_begin(&a);
    talker_begin(&b);
    talker_say(&a, APPEND APPEND OPEN, 3,
               APPENDED("1") APPENDED("2") OPENED("2", "2", UNSEEN, "3"));
    talker_say(&b, OPEN, 1, OPENED("2", "0", UNSEEN, "3"));
    talker_say(&a, "a STORE 1 +FLAGS.SILENT (\\Seen $Work)\r\n", 1,
               "* FLAGS ~\n* OK [PERMANENTFLAGS ~\na OK STORE completed\n");
    /* flags and keywords of the other session */
    talker_say(
        &b, "a NOOP\r\n", 1,
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $Work)\n"
        "* OK [PERMANENTFLAGS ~\n* 1 FETCH (UID 1 FLAGS (\\Seen $Work))\na OK NOOP completed\n");
    talker_say(&b, "b STORE 1 +FLAGS.SILENT \\Deleted\r\nc EXPUNGE\r\n", 2,
               "b OK STORE completed\n* 1 EXPUNGE\nc OK EXPUNGE completed\n");
    /* numbers must not move while FETCH, STORE and SEARCH run; message 2 is still message 2 */
    talker_say(&a, "b FETCH 2 UID\r\nc SEARCH ALL\r\nd STORE 2 +FLAGS \\Flagged\r\n", 3,
               "* 2 FETCH (UID 2)\nb OK FETCH completed\n* SEARCH 2\nc OK SEARCH completed\n"
               "* 2 FETCH (UID 2 FLAGS (\\Flagged \\Recent))\nd OK STORE completed\n");
    talker_say(&a, "e FETCH 1:2 FLAGS\r\n", 1,
               "* 2 FETCH (FLAGS (\\Flagged \\Recent))\n"
               "e NO [EXPUNGEISSUED] Some of the messages are gone\n");
    /* a UID command may tell */
    talker_say(&a, "f UID FETCH 1:2 FLAGS\r\n", 1,
               "* 2 FETCH (UID 2 FLAGS (\\Flagged \\Recent))\n* 1 EXPUNGE\n* 1 EXISTS\n* 1 "
               "RECENT\nf OK FETCH completed\n");
    talker_say(&b, "d NOOP\r\n", 1, "* 1 FETCH (UID 2 FLAGS (\\Flagged))\nd OK NOOP completed\n");
    /* what comes and goes between two looks is no news; delivery is */
    talker_say(&a, APPEND, 1, "* 2 EXISTS\n* 2 RECENT\n" APPENDED("3"));
    talker_say(
        &a, "g STORE 2 +FLAGS.SILENT \\Deleted\r\nh EXPUNGE\r\n", 2,
        "g OK STORE completed\n* 2 EXPUNGE\n* 1 EXISTS\n* 1 RECENT\nh OK EXPUNGE completed\n");
    account_write_file("Maildir/new/1700000000.x.y", SLICE("From: a@b\n\nlf only\n"));
    talker_say(&b, "e NOOP\r\n", 1, "* 2 EXISTS\n* 1 RECENT\ne OK NOOP completed\n");
    talker_say(&b, "f FETCH 2 (FLAGS RFC822.SIZE BODY.PEEK[])\r\n", 1,
               "* 2 FETCH (FLAGS (\\Recent) RFC822.SIZE 22 BODY[] {22}\nFrom: a@b\n\nlf only\n)\n"
               "f OK FETCH completed\n");
    talker_say(&a, "i NOOP\r\n", 1, "* 2 EXISTS\n* 1 RECENT\ni OK NOOP completed\n");
    talker_end(&a);
    talker_end(&b);
}

/* ---- files ------------------------------------------------------------------------------------ */

static void subscriptions_of_others(void **state)
{
    (void)state;
    struct subscriptions list;
    account_write_file("Maildir/subscriptions", SLICE("V\t2\n\nWork\tv1.2\nINBOX\n"));
    assert_true(subscribe_load(&list));
    assert_slice(str_slice(&list.names), "Work/v1.2\nINBOX\n");
    subscribe_free(&list);
    account_write_file("Maildir/subscriptions", SLICE("Work.Sub\nINBOX\n..bad\nWork.Sub\n"));
    assert_true(subscribe_load(&list));
    assert_slice(str_slice(&list.names), "Work/Sub\nINBOX\n");
    subscribe_free(&list);
    assert_true(subscribe_change(SLICE("A/B"), true));
    struct str content;
    str_init(&content, 4096);
    assert_true(io_read_file(AT_FDCWD, "Maildir/subscriptions", &content));
    assert_slice(str_slice(&content), "V\t2\n\nWork\tSub\nINBOX\nA\tB\n");
    str_free(&content);
}

/* Read as long as there is none of ours; a change makes ours, and leaves it. */
static void subscriptions_of_courier(void **state)
{
    (void)state;
    static const char courier[] =
        "INBOX\r\nINBOX.Work.Sub\nINBOX.&ZeVnLIqe-\nINBOX.\nINBOX.Work.Sub\n";
    struct subscriptions list;
    struct str content;
    (void)unlink("Maildir/subscriptions");
    assert_false(subscribe_exists());
    account_write_file("Maildir/courierimapsubscribed", slice_text(courier));
    assert_true(subscribe_exists());
    assert_true(subscribe_load(&list));
    assert_slice(str_slice(&list.names), "INBOX\nWork/Sub\n&ZeVnLIqe-\n");
    subscribe_free(&list);
    assert_true(subscribe_change(SLICE("INBOX"), false));
    assert_true(subscribe_load(&list));
    assert_slice(str_slice(&list.names), "Work/Sub\n&ZeVnLIqe-\n");
    subscribe_free(&list);
    str_init(&content, 4096);
    assert_true(io_read_file(AT_FDCWD, "Maildir/courierimapsubscribed", &content));
    assert_slice(str_slice(&content), courier);
    str_free(&content);
}

static void foreign_names_are_no_folders(void **state)
{
    (void)state;
    struct str output;
    str_init(&output, 65536);
    assert_true(mkdir("Maildir/.Good", 0700) == 0 && mkdir("Maildir/.Good/cur", 0700) == 0);
    assert_true(mkdir("Maildir/.NoCur", 0700) == 0);
    assert_true(mkdir("Maildir/..x", 0700) == 0 && mkdir("Maildir/..x/cur", 0700) == 0);
    assert_true(mkdir("Maildir/.\xc3\xa9", 0700) == 0 && mkdir("Maildir/.\xc3\xa9/cur", 0700) == 0);
    assert_true(mkdir("Maildir/.INBOX", 0700) == 0 && mkdir("Maildir/.INBOX/cur", 0700) == 0);
    account_write_file("Maildir/.file", SLICE("x"));
    account_talk(SLICE("a LIST \"\" %\r\n"), &output);
    assert_non_null(strstr(str_text(&output), "\"Good\""));
    assert_null(strstr(str_text(&output), "NoCur"));
    assert_null(strstr(str_text(&output), "x\""));
    assert_null(strstr(str_text(&output), "file"));
    assert_int_equal(slice_find(str_slice(&output), (char)0xc3), output.size);
    str_free(&output);
}

/* A message with NUL bytes that another program put there: no NUL may stand in a literal. */
static void nul_in_a_message(void **state)
{
    (void)state;
    struct str output;
    str_init(&output, 65536);
    account_write_file("Maildir/new/1700000000.x.y", SLICE("Subject: a\0b\r\n\r\nc\0d\r\n"));
    account_talk(SLICE("s SELECT INBOX\r\na FETCH 1 (BODY.PEEK[] ENVELOPE)\r\n"), &output);
    assert_int_equal(slice_find(str_slice(&output), '\0'), output.size);
    assert_non_null(strstr(str_text(&output), "BODY[] {21}\r\nSubject: a\x80"
                                              "b\r\n\r\nc\x80"
                                              "d\r\n ENVELOPE (NIL {3}\r\na\x80"
                                              "b"));
    str_free(&output);
}

/* Mail that is made to be many times longer in an answer: the mailbox must stay usable. */
static void answers_that_swell(void **state)
{
    (void)state;
    enum { FIELD = 1 << 20, PARTS = 9000 };
    static const char *const names[] = {"From", "To", "Cc", "Bcc", "Sender", "Reply-To"};
    struct str message, output;
    str_init(&message, 64 << 20);
    str_init(&output, 256 << 20);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        str_format(&message, "%s: a", names[i]);
        for (size_t size = 0; size < FIELD; size += 2)
            str_append_text(&message, ",a");
        str_append_text(&message, "\r\n");
    }
    str_append_text(&message, "\r\nbody\r\n");
    account_write_file("Maildir/new/1700000001.a.b", str_slice(&message));
    str_clear(&message);
    str_append_text(&message, "Content-Type: multipart/digest; boundary=x\r\n\r\n");
    for (size_t i = 0; i < PARTS; i++) {
        str_append_text(&message, "--x\r\n\r\nFrom: a");
        for (size_t size = 0; size < 100; size++)
            str_append_text(&message, ",a");
        str_append_text(&message, "\r\n\r\n");
    }
    account_write_file("Maildir/new/1700000002.a.b", str_slice(&message));
    account_talk(SLICE("s SELECT INBOX\r\na FETCH 1:* (ENVELOPE BODYSTRUCTURE)\r\n"), &output);
    assert_true(slice_ends(str_slice(&output), SLICE(")\r\na OK FETCH completed\r\n")));
    str_free(&message);
    str_free(&output);
}

static void keywords_have_an_end(void **state)
{
    (void)state;
    struct str input, output;
    str_init(&input, 65536);
    str_init(&output, 65536);
    str_append_text(&input, APPEND "s SELECT INBOX\r\n");
    for (int i = 0; i < 27; i++)
        str_format(&input, "%d STORE 1 +FLAGS.SILENT (keyword%d)\r\n", i, i);
    str_append_text(&input, "a FETCH 1 FLAGS\r\nb STORE 1 +FLAGS.SILENT (keyword3)\r\n");
    account_talk(str_slice(&input), &output);
    const char *text = str_text(&output);
    assert_non_null(strstr(text, "25 OK STORE completed"));
    assert_non_null(strstr(text, "keyword25)] Flags that stay"));
    assert_non_null(strstr(text, "26 NO [LIMIT] "));
    assert_non_null(strstr(text, "keyword24 keyword25 \\Recent))\r\na OK"));
    assert_non_null(strstr(text, "b OK STORE completed"));
    str_free(&input);
    str_free(&output);
}

/* A header of 10 MB and MIME nested a thousand deep are answered in bounded time. */
static void monsters(void **state)
{
    (void)state;
    enum { HEADER_SIZE = 10 << 20, DEPTH = 1000, SECONDS = 20 };
    struct str message, output;
    str_init(&message, 2 * HEADER_SIZE);
    str_init(&output, 4 * HEADER_SIZE);
    str_append_text(&message, "From: a@b\r\nTo: ");
    while (message.size < HEADER_SIZE)
        str_append_text(&message, "\"Some (Body\" <user@example.org>, ((((, ");
    str_append_text(&message, "\r\nSubject: s\r\n\r\nx\r\n");
    account_write_file("Maildir/new/1700000001.a.b", str_slice(&message));
    str_clear(&message);
    for (int i = 0; i < DEPTH; i++)
        str_format(&message, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
    str_append_text(&message, "\r\nleaf\r\n");
    account_write_file("Maildir/new/1700000002.a.b", str_slice(&message));
    int64_t started = clock_ms();
    account_talk(SLICE("s SELECT INBOX\r\na FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY[HEADER])\r\n"
                       "b SEARCH SUBJECT s\r\n"),
                 &output);
    assert_true(clock_ms() - started < SECONDS * 1000);
    assert_true(slice_ends(str_slice(&output), SLICE("* SEARCH 1\r\nb OK SEARCH completed\r\n")));
    str_free(&message);
    str_free(&output);
}

#define IN_ACCOUNT(test) cmocka_unit_test_setup_teardown(test, account_make, account_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_transcript),
        IN_ACCOUNT(nul_is_refused),
        IN_ACCOUNT(search),
        IN_ACCOUNT(search_nesting_is_bounded),
        IN_ACCOUNT(told_to_end),
        IN_ACCOUNT(two_sessions),
        IN_ACCOUNT(subscriptions_of_others),
        IN_ACCOUNT(subscriptions_of_courier),
        IN_ACCOUNT(foreign_names_are_no_folders),
        IN_ACCOUNT(nul_in_a_message),
        IN_ACCOUNT(answers_that_swell),
        IN_ACCOUNT(keywords_have_an_end),
        IN_ACCOUNT(monsters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
