/* APPEND in all its forms, REPLACE, BINARY, PREVIEW, COMPRESS: transcripts over a real Maildir, and
 * what can be parsed */
#include "account.h"

#include "append.h"
#include "fetch.h"
#include "uidlist.h"

#define SMALL "Subject: s\r\n\r\nbody\r\n" /* 20 bytes */

/* ---- parsers ---------------------------------------------------------------------------------- */

static const struct fetch_case {
    const char *items;
    int count; /* -1: BAD */
    enum fetch_need need;
    bool reads;
} fetch_cases[] = {
    {"FLAGS", 1, FETCH_NEEDS_NOTHING, false},
    {"(UID RFC822.SIZE)", 2, FETCH_NEEDS_SIZE, false},
    {"all", 4, FETCH_NEEDS_HEADER, false},
    {"FULL", 5, FETCH_NEEDS_WHOLE, false},
    {"(FAST)", -1, 0, false},
    {"BODY", 1, FETCH_NEEDS_WHOLE, false},
    {"BODY[]", 1, FETCH_NEEDS_FILE, true},
    {"(BODY.PEEK[] ENVELOPE)", 2, FETCH_NEEDS_HEADER, false},
    {"BODY.PEEK[HEADER.FIELDS (a b)]", 1, FETCH_NEEDS_HEADER, false},
    {"BODY.PEEK[1.2.HEADER.FIELDS.NOT (a)]<1.2>", 1, FETCH_NEEDS_WHOLE, false},
    {"BODY.PEEK", -1, 0, false},
    {"BODY[]<0.0>", -1, 0, false},
    {"BODY[]<1>", -1, 0, false},
    {"BODY[HEADER.FIELDS ()]", -1, 0, false},
    {"RFC822", 1, FETCH_NEEDS_FILE, true},
    {"RFC822.HEADER", 1, FETCH_NEEDS_HEADER, false},
    {"RFC822.TEXT", 1, FETCH_NEEDS_WHOLE, true},
    {"BINARY[1]", 1, FETCH_NEEDS_WHOLE, true},
    {"BINARY[]", 1, FETCH_NEEDS_WHOLE, true},
    {"BINARY.PEEK[1.2]<3.4>", 1, FETCH_NEEDS_WHOLE, false},
    {"BINARY.SIZE[1]", 1, FETCH_NEEDS_WHOLE, false},
    {"BINARY.SIZE[1]<1.2>", -1, 0, false},
    {"BINARY[1.MIME]", -1, 0, false},
    {"BINARY[HEADER]", -1, 0, false},
    {"BINARY", -1, 0, false},
    {"PREVIEW", 1, FETCH_NEEDS_FILE, false},
    {"PREVIEW (lazy)", 1, FETCH_NEEDS_FILE, false},
    {"(PREVIEW (LAZY) UID)", 2, FETCH_NEEDS_FILE, false},
    {"(PREVIEW UID)", 2, FETCH_NEEDS_FILE, false},
    {"PREVIEW ()", -1, 0, false},
    {"PREVIEW (LAZY LAZY)", -1, 0, false},
    {"NONSENSE", -1, 0, false},
    {"()", -1, 0, false},
    {"(FLAGS", -1, 0, false},
    {"(FLAGS  UID)", -1, 0, false},
    {"", -1, 0, false},
};

static void fetch_items(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fetch_cases / sizeof *fetch_cases; i++) {
        const struct fetch_case *one = &fetch_cases[i];
        struct arena arena;
        struct parse parse;
        struct fetch_request request;
        arena_init(&arena, 65536);
        parse_begin(&parse, slice_text(one->items), &arena);
        bool parsed = fetch_parse(&parse, &request) && parse_at_end(&parse);
        if (parsed != (one->count >= 0))
            fail_msg("%s: %s", one->items, parsed ? "taken" : "refused");
        if (parsed && (request.count != (size_t)one->count || request.need != one->need ||
                       request.reads != one->reads))
            fail_msg("%s: %zu items, need %d, reads %d", one->items, request.count, request.need,
                     request.reads);
        arena_free(&arena);
    }
}

static const struct append_case {
    const char *text;
    bool takes;
} append_cases[] = {
    {"a APPEND INBOX {3}\r\n", true},
    {"a append INBOX {3+}\r\n", true},
    {"a APPEND INBOX ~{3}\r\n", true},
    {"a APPEND INBOX UTF8 (~{3+}\r\n", true},
    {"a APPEND INBOX (\\Seen) \" 1-Feb-2020 10:00:00 +0900\" UTF8 (~{3}\r\n", true},
    {"a APPEND INBOX UTF8 ({3}\r\n", false},
    {"a APPEND INBOX UTF8 ~{3}\r\n", false},
    {"a APPEND INBOX UTF8 (~{3})\r\n", false},
    {"a APPEND {3}\r\n", false}, /* the mailbox's name */
    {"a APPEND {5}\r\nINBOX {3}\r\n", true},
    {"a APPEND INBOX(\\Seen) {3}\r\n", false},
    {"a APPEND INBOX (\\Seen){3}\r\n", false},
    {"a APPEND INBOX  {3}\r\n", false},
    {"a APPEND INBOX {3\r\n", false},
    {"a UID APPEND INBOX {3}\r\n", false},
    {"a REPLACE 1 INBOX {3}\r\n", true},
    {"a UID REPLACE 4294967295 INBOX (\\Seen) {3}\r\n", true},
    {"a REPLACE * INBOX ~{3}\r\n", true},
    {"a REPLACE 0 INBOX {3}\r\n", false},
    {"a REPLACE 4294967296 INBOX {3}\r\n", false},
    {"a REPLACE 1:2 INBOX {3}\r\n", false},
    {"a REPLACE INBOX {3}\r\n", false},
    {"a STORE INBOX {3}\r\n", false},
    {"APPEND INBOX {3}\r\n", false},
    {"{3}\r\n", false},
};

static void literals_that_are_messages(void **state)
{
    struct imapsession session = {0};
    (void)state;
    for (size_t i = 0; i < sizeof append_cases / sizeof *append_cases; i++)
        if (append_takes(&session, slice_text(append_cases[i].text)) != append_cases[i].takes)
            fail_msg("%s", append_cases[i].text);
    static const struct append_options plain, utf8 = {.is_utf8 = true};
    session.appended = &plain;
    assert_true(append_takes(&session, SLICE(" (\\Seen) {3}\r\n")));
    assert_false(append_takes(&session, SLICE("{3}\r\n")));
    assert_false(append_takes(&session, SLICE(") {3}\r\n")));
    assert_false(append_takes(&session, SLICE("a APPEND INBOX {3}\r\n")));
    session.appended = &utf8;
    assert_true(append_takes(&session, SLICE(") UTF8 (~{3}\r\n")));
    assert_false(append_takes(&session, SLICE(" {3}\r\n")));
}

static void uid_lists(void **state)
{
    static const uint32_t uids[] = {1, 2, 3, 7, 9, 10, 4294967295};
    struct uidlist list;
    (void)state;
    uidlist_init(&list, 100);
    assert_slice(uidlist_end(&list), "");
    for (size_t i = 0; i < sizeof uids / sizeof *uids; i++)
        uidlist_add(&list, uids[i]);
    assert_slice(uidlist_end(&list), "1:3,7,9:10,4294967295");
    uidlist_free(&list);
}

/* ---- transcripts ------------------------------------------------------------------------------ */

#define INPUT(text)                                                                                \
    {                                                                                              \
        "" text, sizeof(text) - 1                                                                  \
    }
#define M "{20+}\r\n" SMALL

/* clang-format off */
static const struct transcript {
    const char *name;
    struct slice input;
    const char *output;
} transcripts[] = {
    {"several messages at once", INPUT("a APPEND INBOX " M " (\\Seen) " M " \" 1-Feb-2020 10:00:00 +0000\" " M "\r\n"
     "b APPEND INBOX {20}\r\n" SMALL " {20}\r\n" SMALL "\r\nc EXAMINE INBOX\r\nd UID FETCH 2:3 (FLAGS INTERNALDATE)\r\n"),
     "a OK [APPENDUID # 1:3] APPEND completed\n+ OK\n+ OK\nb OK [APPENDUID # 4:5] APPEND completed\n"
     "* FLAGS ~\n* OK [PERM~\n* 5 EXISTS\n* 5 RECENT\n* OK [UNSEEN 1] ~\n* OK [UIDV~\n* OK [UIDN~\n* OK [HIGH~\n* OK [MAILB~\nc OK ~\n"
     "* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent) INTERNALDATE ~\n"
     "* 3 FETCH (UID 3 FLAGS (\\Recent) INTERNALDATE \" 1-Feb-2020 10:00:00 +0000\")\nd OK ~\n"},
    {"all of them or none", INPUT("a APPEND INBOX " M " {0}\r\nb APPEND INBOX " M " {3+}\r\na\0b " M "\r\n"
     "c APPEND INBOX " M " (\\Bogus) " M "\r\nd APPEND INBOX " M " (\\Seen) x\r\ne APPEND INBOX " M " (bogus " M "\r\n"
     "f APPEND none " M " " M "\r\ng APPEND INBOX " M " {4294967296}\r\nh STATUS INBOX (MESSAGES UIDNEXT)\r\n"),
     "a NO [CANNOT] Message is empty\nb NO [CANNOT] Message contains a NUL\nc BAD Not a flag ~\nd BAD ~\n"
     "e BAD ~\nf NO [TRYCREATE] ~\ng NO [TOOBIG] ~\n* STATUS \"INBOX\" (MESSAGES 0 UIDNEXT 1)\nh OK ~\n"},
    {"UTF8 and literal8", INPUT("a APPEND INBOX UTF8 (~{20+}\r\n" SMALL ")\r\nb APPEND INBOX UTF8 (~{20}\r\n" SMALL ") UTF8 (~{20+}\r\n" SMALL ")\r\n"
     "c APPEND INBOX UTF8 (~{20+}\r\n" SMALL "\r\nd APPEND INBOX UTF8 (~{20+}\r\n" SMALL ")x\r\ne APPEND INBOX ~{20+}\r\n" SMALL "\r\n"
     "f EXAMINE INBOX\r\ng FETCH 1 BODY[]\r\n"),
     "a OK [APPENDUID # 1] ~\n+ OK\nb OK [APPENDUID # 2:3] ~\nc BAD ~\nd BAD ~\ne OK [APPENDUID # 4] ~\n"
     "* FLAGS ~\n* OK [PERM~\n* 4 EXISTS\n* 4 RECENT\n* OK [UNSEEN 1] ~\n* OK [UIDV~\n* OK [UIDN~\n* OK [HIGH~\n* OK [MAILB~\nf OK ~\n"
     "* 1 FETCH (BODY[] {20}\nSubject: s\n\nbody\n)\ng OK ~\n"},
    {"binary comes in, and out again",
     INPUT("a APPEND INBOX ~{61+}\r\nContent-Type: x/y\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\r\nx\r\n"
     "b EXAMINE INBOX\r\nc FETCH 1 (BINARY.SIZE[1] BODY[1])\r\n"),
     "a OK [APPENDUID # 1] ~\n"
     "* FLAGS ~\n* OK [PERM~\n* 1 EXISTS\n* 1 RECENT\n* OK [UNSEEN 1] ~\n* OK [UIDV~\n* OK [UIDN~\n* OK [HIGH~\n* OK [MAILB~\nb OK ~\n"
     "* 1 FETCH (BINARY.SIZE[1] 5 BODY[1] {10}\nAAoNCng=\n)\nc OK ~\n"},
    {"replace", INPUT("a REPLACE 1 INBOX " M "\r\nb APPEND INBOX " M " " M " " M "\r\n" "s SELECT INBOX\r\nc REPLACE 2 INBOX (\\Draft) " M "\r\n"
     "d UID REPLACE 3 Drafts " M "\r\ne REPLACE * none {20}\r\nf REPLACE 3 INBOX " M "\r\ng REPLACE 1 INBOX " M " " M "\r\n"
     "h UID REPLACE 2 INBOX " M "\r\ni FETCH 1:* UID\r\n"),
     "a BAD No mailbox is selected\nb OK [APPENDUID # 1:3] ~\n"
     "* FLAGS ~\n* OK [PERM~\n* 3 EXISTS\n* 3 RECENT\n* OK [UNSEEN 1] ~\n* OK [UIDV~\n* OK [UIDN~\n* OK [HIGH~\n* OK [MAILB~\ns OK ~\n"
     "* OK [APPENDUID # 4] ~\n* 2 EXPUNGE\n* 3 EXISTS\n* 3 RECENT\nc OK REPLACE completed\n"
     "* OK [APPENDUID # 1] ~\n* 2 EXPUNGE\n* 2 EXISTS\n* 2 RECENT\nd OK ~\ne NO [TRYCREATE] ~\nf BAD No such message ~\ng BAD ~\n"
     "h BAD No such ~\n* 1 FETCH (UID 1)\n* 2 FETCH (UID 4)\ni OK ~\n"},
    {"encodings that are not known", INPUT("a APPEND INBOX {51+}\r\nContent-Transfer-Encoding: x-own (of mine)\r\n\r\nabc\r\n\r\n"
     "s EXAMINE INBOX\r\nb FETCH 1 BINARY[1]\r\nc FETCH 1 (FLAGS BINARY.SIZE[1])\r\nd FETCH 1 (BINARY[2] BINARY.SIZE[2] BINARY.SIZE[])\r\n"),
     "a OK ~\n* FLAGS ~\n* OK [PERM~\n* 1 EXISTS\n* 1 RECENT\n* OK [UNSEEN 1] ~\n* OK [UIDV~\n* OK [UIDN~\n* OK [HIGH~\n* OK [MAILB~\ns OK ~\n"
     "b NO [UNKNOWN-CTE] ~\nc NO [UNKNOWN-CTE] ~\n* 1 FETCH (BINARY[2] NIL BINARY.SIZE[2] 0 BINARY.SIZE[] 51)\nd OK ~\n"},
    {"preview", INPUT("a APPEND INBOX " M "\r\ns EXAMINE INBOX\r\nb FETCH 1 (PREVIEW (LAZY))\r\nc FETCH 1 (PREVIEW UID)\r\nd FETCH 1 PREVIEW (X)\r\n"),
     "a OK ~\n* FLAGS ~\n* OK [PERM~\n* 1 EXISTS\n* 1 RECENT\n* OK [UNSEEN 1] ~\n* OK [UIDV~\n* OK [UIDN~\n* OK [HIGH~\n* OK [MAILB~\ns OK ~\n"
     "* 1 FETCH (PREVIEW \"body\")\nb OK ~\n* 1 FETCH (PREVIEW \"body\" UID 1)\nc OK ~\nd BAD ~\n"},
    {"what is sent in the clear behind COMPRESS makes no sense", INPUT("a COMPRESS GZIP\r\nb COMPRESS DEFLATE\r\nc NOOP\r\n"),
     "a BAD ~\nb OK COMPRESS completed\n"},
};
/* clang-format on */

static void sessions(void **state)
{
    for (size_t i = 0; i < sizeof transcripts / sizeof *transcripts; i++) {
        struct str output;
        str_init(&output, 1 << 20);
        assert_int_equal(account_make(state), 0);
        account_talk(transcripts[i].input, &output);
        account_compare(transcripts[i].name, str_slice(&output), transcripts[i].output);
        assert_int_equal(account_remove(state), 0);
        str_free(&output);
    }
}

/* Messages of every size around those of the buffers, whole and in part, byte for byte. */
static void bodies_of_all_sizes(void **state)
{
    static const size_t sizes[] = {1,     100,   8191,   8192,   8193,   65535,
                                   65536, 65537, 131072, 524288, 524289, 1500000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct str message, input, output;
        str_init(&message, 1 << 21);
        str_init(&input, 1 << 22);
        str_init(&output, 1 << 23);
        for (size_t k = 0; k < sizes[i]; k++)
            str_append_byte(&message, (char)('a' + k % 23));
        str_append_text(&input, "a APPEND INBOX {");
        str_append_number(&input, sizes[i]);
        str_append_text(&input, "+}\r\n");
        str_append(&input, str_slice(&message));
        str_append_text(&input, "\r\ns EXAMINE INBOX\r\nb FETCH 1 (BODY[] BODY[]<3.70000>)\r\n"
                                "c FETCH 1 (ENVELOPE BODY[])\r\n");
        assert_int_equal(account_make(state), 0);
        account_talk(str_slice(&input), &output);
        struct slice part = slice_part(slice_from(str_slice(&message), 3), 0, 70000);
        str_clear(&input);
        str_format(&input, "* 1 FETCH (BODY[] {%zu}\r\n", sizes[i]);
        str_append(&input, str_slice(&message));
        str_format(&input, " BODY[]<3> {%zu}\r\n", part.size);
        str_append(&input, part);
        str_append_text(&input, ")\r\nb OK FETCH completed\r\n* 1 FETCH (ENVELOPE (NIL NIL NIL "
                                "NIL NIL NIL NIL NIL NIL NIL) BODY[] {");
        str_format(&input, "%zu}\r\n", sizes[i]);
        str_append(&input, str_slice(&message));
        str_append_text(&input, ")\r\nc OK FETCH completed\r\n");
        assert_true(slice_ends(str_slice(&output), str_slice(&input)));
        assert_int_equal(account_remove(state), 0);
        str_free(&message);
        str_free(&input);
        str_free(&output);
    }
}

/* Files of other programs have lines that end in LF: what is given out has CRLF, parts too. */
static void files_with_lf(void **state)
{
    struct str output;
    str_init(&output, 1 << 20);
    assert_int_equal(account_make(state), 0);
    account_write_file("Maildir/new/1.M1.host", SLICE("Subject: s\n\nb\0dy\n"));
    account_talk(
        SLICE(
            "s EXAMINE INBOX\r\na FETCH 1 (BODY[]<8.7> BODY[] RFC822.SIZE BINARY[1] PREVIEW)\r\n"),
        &output);
    account_compare(
        "LF", str_slice(&output),
        "* FLAGS ~\n* OK [PERM~\n* 1 EXISTS\n* 1 RECENT\n* OK [UNSEEN 1] ~\n* OK [UIDV~\n"
        "* OK [UIDN~\n* OK [HIGH~\n* OK [MAILB~\ns OK ~\n* 1 FETCH (BODY[]<8> {7}\n s\n\nb BODY[] "
        "{20}\nSubject: s\n\n"
        "b\x80"
        "dy\n RFC822.SIZE 20 BINARY[1] ~\nb~\n PREVIEW \"b dy\")\na OK FETCH completed\n");
    assert_int_equal(account_remove(state), 0);
    str_free(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetch_items),         cmocka_unit_test(literals_that_are_messages),
        cmocka_unit_test(uid_lists),           cmocka_unit_test(sessions),
        cmocka_unit_test(bodies_of_all_sizes), cmocka_unit_test(files_with_lf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
