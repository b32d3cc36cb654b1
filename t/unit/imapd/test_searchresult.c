/* searchresult, partial, savedsearch: answers of SEARCH by its return options */
#include "account.h"

#include "answer.h"
#include "capability.h"
#include "charset.h"
#include "clock.h"
#include "partial.h"
#include "progress.h"
#include "savedsearch.h"

struct talk {
    const char *name, *input, *output; /* of what follows the SELECT */
};

enum { MESSAGES = 6 };

/* Messages with UIDs 2 to 7, of which 3 to 6 have the subject "yes". */
static void make_mailbox(struct str *input)
{
    for (int i = 0; i <= MESSAGES; i++) {
        char path[64];
        snprintf(path, sizeof path, "Maildir/new/170000000%d.M1.host", i);
        account_write_file(path, i >= 2 && i <= 5 ? SLICE("Subject: yes\r\n\r\nx\r\n")
                                                  : SLICE("Subject: no\r\n\r\nx\r\n"));
    }
    str_append_text(input,
                    "p SELECT INBOX\r\np UID STORE 1 +FLAGS.SILENT \\Deleted\r\np EXPUNGE\r\n"
                    "p NOOP\r\n");
}

static struct slice behind_the_setup(struct str *output)
{
    const char *text = str_text(output), *mark = "p OK NOOP completed\r\n";
    const char *found = text ? strstr(text, mark) : NULL;
    assert_non_null(found);
    return slice_text(found + strlen(mark));
}

static const struct talk talks[] = {
    {"the plain answer", "a SEARCH SUBJECT yes\r\nb UID SEARCH SUBJECT yes\r\nc SEARCH FROM x\r\n",
     "* SEARCH 2 3 4 5\na OK SEARCH completed\n* SEARCH 3 4 5 6\nb OK SEARCH completed\n"
     "* SEARCH\nc OK SEARCH completed\n"},
    /* RFC 4731 3.1 */
    {"ALL is the default", "a SEARCH RETURN () SUBJECT yes\r\nb UID SEARCH RETURN (ALL) NOT 3\r\n",
     "* ESEARCH (TAG \"a\") ALL 2:5\na OK SEARCH completed\n"
     "* ESEARCH (TAG \"b\") UID ALL 2:3,5:7\nb OK SEARCH completed\n"},
    {"MIN, MAX, COUNT",
     "a SEARCH RETURN (MIN MAX COUNT) SUBJECT yes\r\nb UID SEARCH RETURN (MAX) ALL\r\n"
     "c SEARCH RETURN (min) SUBJECT yes\r\nd UID SEARCH RETURN (MAX MIN) SUBJECT yes\r\n"
     "e SEARCH RETURN (MIN MAX) 3\r\n",
     "* ESEARCH (TAG \"a\") MIN 2 MAX 5 COUNT 4\na OK SEARCH completed\n"
     "* ESEARCH (TAG \"b\") UID MAX 7\nb OK SEARCH completed\n"
     "* ESEARCH (TAG \"c\") MIN 2\nc OK SEARCH completed\n"
     "* ESEARCH (TAG \"d\") UID MIN 3 MAX 6\nd OK SEARCH completed\n"
     "* ESEARCH (TAG \"e\") MIN 3 MAX 3\ne OK SEARCH completed\n"},
    {"nothing found: only COUNT is told",
     "a SEARCH RETURN (MIN MAX COUNT ALL) FROM x\r\n"
     "b UID SEARCH RETURN (MIN) FROM x\r\n",
     "* ESEARCH (TAG \"a\") COUNT 0\na OK SEARCH completed\n* ESEARCH (TAG \"b\") UID\nb OK SEARCH "
     "completed\n"},
    {"the charset stands behind RETURN",
     "a SEARCH RETURN (COUNT) CHARSET UTF-8 ALL\r\n"
     "b SEARCH RETURN (COUNT) CHARSET X-NONE TEXT a\r\n",
     "* ESEARCH (TAG \"a\") COUNT 6\na OK SEARCH completed\nb NO [BADCHARSET ~\n"},
    {"return options that make no sense",
     "a SEARCH RETURN (FOO) ALL\r\nb SEARCH RETURN ALL ALL\r\n"
     "c SEARCH RETURN (MIN\r\nd SEARCH RETURN (MIN)ALL\r\ne SEARCH RETURN (MIN)\r\nf SEARCH RETURN "
     "( MIN) ALL\r\n"
     "g SEARCH RETURN (PARTIAL) ALL\r\nh SEARCH RETURN (PARTIAL 1:-1) ALL\r\ni SEARCH RETURN "
     "(PARTIAL 0:1) ALL\r\n"
     "j SEARCH RETURN (PARTIAL 1:2 ALL) ALL\r\nk SEARCH RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL\r\n"
     "l SEARCH RETURN (PARTIAL 1) ALL\r\n",
     "a BAD ~\nb BAD ~\nc BAD ~\nd BAD ~\ne BAD ~\nf BAD ~\ng BAD ~\nh BAD ~\ni BAD ~\nj BAD ~\nk "
     "BAD ~\nl BAD ~\n"},
    /* RFC 9394 3.1 */
    {"pages",
     "a UID SEARCH RETURN (PARTIAL 1:2) ALL\r\nb UID SEARCH RETURN (PARTIAL -1:-3 COUNT) ALL\r\n"
     "c SEARCH RETURN (PARTIAL 5:100) ALL\r\nd SEARCH RETURN (PARTIAL 7:8) ALL\r\ne SEARCH RETURN "
     "(PARTIAL 2:1) ALL\r\n"
     "f SEARCH RETURN (PARTIAL -100:-6) ALL\r\ng SEARCH RETURN (PARTIAL 1:1 MIN MAX) SUBJECT "
     "yes\r\n",
     "* ESEARCH (TAG \"a\") UID PARTIAL (1:2 2:3)\na OK SEARCH completed\n"
     "* ESEARCH (TAG \"b\") UID COUNT 6 PARTIAL (-1:-3 5:7)\nb OK SEARCH completed\n"
     "* ESEARCH (TAG \"c\") PARTIAL (5:100 5:6)\nc OK SEARCH completed\n"
     "* ESEARCH (TAG \"d\") PARTIAL (7:8 NIL)\nd OK SEARCH completed\n"
     "* ESEARCH (TAG \"e\") PARTIAL (2:1 1:2)\ne OK SEARCH completed\n"
     "* ESEARCH (TAG \"f\") PARTIAL (-100:-6 1)\nf OK SEARCH completed\n"
     "* ESEARCH (TAG \"g\") MIN 2 MAX 5 PARTIAL (1:1 2)\ng OK SEARCH completed\n"},
    /* RFC 5182 */
    {"$ stands wherever a set does",
     "a SEARCH RETURN (SAVE) SUBJECT yes\r\nb FETCH $ UID\r\nc UID FETCH $ FLAGS\r\n"
     "d SEARCH $ 4:*\r\ne UID SEARCH UID $ NOT 2\r\nf UID STORE $ +FLAGS.SILENT \\Seen\r\ng SEARCH "
     "RETURN (COUNT) SEEN\r\n"
     "h COPY $ Trash\r\ni SEARCH NOT $\r\n",
     "a OK SEARCH completed\n* 2 FETCH (UID 3)\n* 3 FETCH (UID 4)\n* 4 FETCH (UID 5)\n* 5 FETCH "
     "(UID 6)\n"
     "b OK FETCH completed\n* 2 FETCH (UID 3 ~\n* 3 FETCH (UID 4 ~\n* 4 FETCH (UID 5 ~\n* 5 FETCH "
     "(UID 6 ~\n"
     "c OK FETCH completed\n* SEARCH 4 5\nd OK SEARCH completed\n* SEARCH 4 5 6\ne OK SEARCH "
     "completed\n"
     "f OK STORE completed\n* ESEARCH (TAG \"g\") COUNT 4\ng OK SEARCH completed\nh OK [COPYUID # "
     "3:6 1:4] COPY completed\n"
     "* SEARCH 1 6\ni OK SEARCH completed\n"},
    {"what is gone is no longer in $",
     "a UID SEARCH RETURN (SAVE COUNT) SUBJECT yes\r\nb STORE 3 +FLAGS.SILENT \\Deleted\r\n"
     "c EXPUNGE\r\nd FETCH $ UID\r\ne STORE $ +FLAGS.SILENT \\Deleted\r\nf UID EXPUNGE $\r\ng "
     "FETCH $ UID\r\nh UID SEARCH ALL\r\n",
     "* ESEARCH (TAG \"a\") UID COUNT 4\na OK SEARCH completed\nb OK STORE completed\n* 3 "
     "EXPUNGE\n~\n~\nc OK EXPUNGE completed\n"
     "* 2 FETCH (UID 3)\n* 3 FETCH (UID 5)\n* 4 FETCH (UID 6)\nd OK FETCH completed\ne OK STORE "
     "completed\n"
     "* 4 EXPUNGE\n* 3 EXPUNGE\n* 2 EXPUNGE\n~\n~\nf OK EXPUNGE completed\ng OK FETCH completed\n* "
     "SEARCH 2 7\nh OK SEARCH completed\n"},
    {"MOVE takes $",
     "a SEARCH RETURN (SAVE) SUBJECT yes\r\nb UID MOVE $ Trash\r\nc UID SEARCH ALL\r\n",
     "a OK SEARCH completed\n* OK [COPYUID # 3:6 1:4] Moved\n* 5 EXPUNGE\n* 4 EXPUNGE\n* 3 "
     "EXPUNGE\n* 2 EXPUNGE\n~\n~\n"
     "b OK MOVE completed\n* SEARCH 2 7\nc OK SEARCH completed\n"},
    /* RFC 5182 2.4, RFC 9394 3.2 */
    {"what SAVE saves with other options",
     "a SEARCH RETURN (SAVE MIN) SUBJECT yes\r\nb SEARCH $\r\n"
     "c SEARCH RETURN (SAVE MIN MAX) SUBJECT yes\r\nd SEARCH $\r\ne SEARCH RETURN (SAVE MIN COUNT) "
     "SUBJECT yes\r\nf SEARCH $\r\n"
     "g SEARCH RETURN (SAVE PARTIAL -2:-3) SUBJECT yes\r\nh SEARCH $\r\ni SEARCH RETURN (SAVE MAX "
     "PARTIAL 1:2) SUBJECT yes\r\nj SEARCH $\r\n",
     "* ESEARCH (TAG \"a\") MIN 2\na OK SEARCH completed\n* SEARCH 2\nb OK SEARCH completed\n"
     "* ESEARCH (TAG \"c\") MIN 2 MAX 5\nc OK SEARCH completed\n* SEARCH 2 5\nd OK SEARCH "
     "completed\n"
     "* ESEARCH (TAG \"e\") MIN 2 COUNT 4\ne OK SEARCH completed\n* SEARCH 2 3 4 5\nf OK SEARCH "
     "completed\n"
     "* ESEARCH (TAG \"g\") PARTIAL (-2:-3 3:4)\ng OK SEARCH completed\n* SEARCH 3 4\nh OK SEARCH "
     "completed\n"
     "* ESEARCH (TAG \"i\") MAX 5 PARTIAL (1:2 2:3)\ni OK SEARCH completed\n* SEARCH 2 3 5\nj OK "
     "SEARCH completed\n"},
    /* RFC 5182 2.1 */
    {"NO empties $, BAD leaves it, SELECT empties it",
     "a SEARCH RETURN (SAVE) 1:2\r\nb SEARCH RETURN (SAVE) BOGUS\r\nc SEARCH $\r\n"
     "d SEARCH CHARSET X-NONE TEXT a\r\ne SEARCH $\r\nf SEARCH RETURN (SAVE) CHARSET X-NONE TEXT "
     "a\r\ng SEARCH $\r\nh FETCH $ UID\r\n"
     "i SEARCH RETURN (SAVE) 1\r\nj SELECT INBOX\r\nk SEARCH $\r\n",
     "a OK SEARCH completed\nb BAD ~\n* SEARCH 1 2\nc OK SEARCH completed\nd NO ~\n* SEARCH 1 2\ne "
     "OK SEARCH completed\n"
     "f NO ~\n* SEARCH\ng OK SEARCH completed\nh OK FETCH completed\ni OK SEARCH "
     "completed\n* OK [CLOSED] ~\n~\n~\n~\n~\n~\n~\n~\n~\n~\nj OK ~\n"
     "* SEARCH\nk OK SEARCH completed\n"},
    /* RFC 9394 3.3 */
    {"pages of UID FETCH",
     "a UID FETCH 1:* UID (PARTIAL 1:2)\r\nb UID FETCH 3:* (UID) (PARTIAL -1:-2)\r\nc UID FETCH "
     "1:* UID (PARTIAL 6:99)\r\n"
     "d UID FETCH 1:* UID (PARTIAL 7:8)\r\ne FETCH 1:* UID (PARTIAL 1:2)\r\nf UID FETCH 1:* UID "
     "(PARTIAL 0:1)\r\n"
     "g UID FETCH 1:* UID (PARTIAL 1:2 PARTIAL 1:2)\r\nh UID FETCH 1:* UID ()\r\ni UID FETCH 1:* "
     "UID (BOGUS 1)\r\n",
     "* 1 FETCH (UID 2)\n* 2 FETCH (UID 3)\na OK FETCH completed\n* 5 FETCH (UID 6)\n* 6 FETCH "
     "(UID 7)\nb OK FETCH completed\n"
     "* 6 FETCH (UID 7)\nc OK FETCH completed\nd OK FETCH completed\ne BAD ~\nf BAD ~\ng BAD ~\nh "
     "BAD ~\ni BAD ~\n"},
    /* RFC 5032, RFC 8514 */
    {"age and the day of saving",
     "a SEARCH RETURN (COUNT) OLDER 1000\r\nb SEARCH RETURN (COUNT) YOUNGER 1000\r\nc SEARCH OLDER "
     "0\r\n"
     "d SEARCH YOUNGER -1\r\ne SEARCH RETURN (COUNT) SAVEDBEFORE 1-Jan-2001\r\nf SEARCH RETURN "
     "(COUNT) SAVEDSINCE 1-Jan-2001\r\n"
     "g SEARCH RETURN (COUNT) SAVEDATESUPPORTED\r\nh SEARCH SAVEDON bogus\r\ni SEARCH OLDER "
     "4294967296\r\n",
     "* ESEARCH (TAG \"a\") COUNT 0\na OK SEARCH completed\n* ESEARCH (TAG \"b\") COUNT 6\nb OK "
     "SEARCH completed\nc BAD ~\nd BAD ~\n"
     "* ESEARCH (TAG \"e\") COUNT 0\ne OK SEARCH completed\n* ESEARCH (TAG \"f\") COUNT 6\nf OK "
     "SEARCH completed\n"
     "* ESEARCH (TAG \"g\") COUNT 6\ng OK SEARCH completed\nh BAD ~\ni BAD ~\n"},
    /* RFC 8474 6, 7 */
    {"objects",
     "a SEARCH RETURN (COUNT) EMAILID x\r\nb SEARCH RETURN (COUNT) NOT THREADID T-_9\r\nc SEARCH "
     "EMAILID\r\nd SEARCH EMAILID a.b\r\ne SEARCH THREADID \"x\"\r\n",
     "* ESEARCH (TAG \"a\") COUNT 0\na OK SEARCH completed\n* ESEARCH (TAG \"b\") COUNT 6\nb OK "
     "SEARCH completed\nc BAD ~\nd BAD ~\ne BAD ~\n"},
    /* RFC 5267 4.3 */
    {"a result that is kept up to date",
     "a UID SEARCH RETURN (UPDATE COUNT) UNSEEN SUBJECT yes\r\nb STORE 3:4 +FLAGS.SILENT "
     "\\Seen\r\nc STORE 1,4 -FLAGS.SILENT \\Seen\r\n"
     "d APPEND INBOX {16+}\r\nSubject: yes\r\n\r\n\r\ne APPEND INBOX {15+}\r\nSubject: "
     "no\r\n\r\n\r\n"
     "f STORE 2 +FLAGS.SILENT \\Deleted\r\ng EXPUNGE\r\nh CANCELUPDATE \"a\"\r\ni STORE 1:* "
     "+FLAGS.SILENT \\Seen\r\n",
     "* ESEARCH (TAG \"a\") UID COUNT 4\na OK SEARCH completed\n* ESEARCH (TAG \"a\") UID "
     "REMOVEFROM (0 4:5)\nb OK STORE completed\n"
     "* ESEARCH (TAG \"a\") UID ADDTO (0 5)\nc OK STORE completed\n* 7 EXISTS\n* # RECENT\n* "
     "ESEARCH (TAG \"a\") UID ADDTO (0 8)\nd OK ~\n"
     "* 8 EXISTS\n* # RECENT\ne OK ~\nf OK STORE completed\n* ESEARCH (TAG \"a\") UID REMOVEFROM "
     "(0 3)\n* 2 EXPUNGE\n* 7 EXISTS\n* # RECENT\ng OK EXPUNGE completed\n"
     "h OK CANCELUPDATE completed\ni OK STORE completed\n"},
    {"contexts by message numbers, of two searches",
     "a SEARCH RETURN (UPDATE) SUBJECT yes\r\nb SEARCH RETURN (UPDATE COUNT) FLAGGED\r\nc STORE 3 "
     "FLAGS (\\Flagged \\Deleted)\r\n"
     "d EXPUNGE\r\ne CANCELUPDATE \"b\" \"a\"\r\nf CANCELUPDATE \"a\"\r\ng CANCELUPDATE a\r\nh "
     "CANCELUPDATE\r\n",
     "* ESEARCH (TAG \"a\") ALL 2:5\na OK SEARCH completed\n* ESEARCH (TAG \"b\") COUNT 0\nb OK "
     "SEARCH completed\n"
     "* 3 FETCH (UID 4 FLAGS ~\n* ESEARCH (TAG \"b\") ADDTO (0 3)\nc OK STORE completed\n"
     "* ESEARCH (TAG \"b\") REMOVEFROM (0 3)\n* ESEARCH (TAG \"a\") REMOVEFROM (0 3)\n* 3 "
     "EXPUNGE\n* 5 EXISTS\n* # RECENT\nd OK EXPUNGE completed\n"
     "e OK CANCELUPDATE completed\nf BAD ~\ng BAD ~\nh BAD ~\n"},
    /* RFC 5267 4.3.3: positions, one change after the other */
    {"an order that is kept up to date",
     "a UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNSEEN\r\nb STORE 2,5 +FLAGS.SILENT \\Seen\r\n"
     "c STORE 5 -FLAGS.SILENT \\Seen\r\nd STORE 1,3 +FLAGS.SILENT \\Deleted\r\ne EXPUNGE\r\n"
     "f STORE 1 -FLAGS.SILENT \\Seen\r\ng CANCELUPDATE \"a\"\r\n",
     "* ESEARCH (TAG \"a\") UID ALL 2,7,3:6\na OK SORT completed\n"
     "* ESEARCH (TAG \"a\") UID REMOVEFROM (6 6 3 3)\nb OK STORE completed\n"
     "* ESEARCH (TAG \"a\") UID ADDTO (5 6)\nc OK STORE completed\nd OK STORE completed\n"
     "* ESEARCH (TAG \"a\") UID REMOVEFROM (3 4 1 2)\n* 3 EXPUNGE\n* 1 EXPUNGE\n* 4 EXISTS\n* # "
     "RECENT\ne OK EXPUNGE completed\n"
     "* ESEARCH (TAG \"a\") UID ADDTO (2 3)\nf OK STORE completed\ng OK CANCELUPDATE completed\n"},
    {"what is not kept up to date is said",
     "a SEARCH RETURN (UPDATE COUNT) 1:3\r\nb SEARCH RETURN (SAVE) 1:3\r\nc UID SEARCH RETURN "
     "(UPDATE COUNT) $ UNFLAGGED\r\n"
     "d STORE 2 +FLAGS.SILENT \\Flagged\r\n1 SEARCH RETURN (UPDATE COUNT) ALL\r\n2 SEARCH RETURN "
     "(UPDATE COUNT) ALL\r\n3 SEARCH RETURN (UPDATE COUNT) ALL\r\n"
     "4 SEARCH RETURN (UPDATE COUNT) ALL\r\n5 SEARCH RETURN (UPDATE COUNT) ALL\r\n6 SEARCH RETURN "
     "(UPDATE COUNT) ALL\r\n7 SEARCH RETURN (UPDATE COUNT) ALL\r\n"
     "8 SEARCH RETURN (UPDATE COUNT) ALL\r\n",
     "* ESEARCH (TAG \"a\") COUNT 3\n* NO [NOUPDATE \"a\"] ~\na OK SEARCH completed\nb OK SEARCH "
     "completed\n"
     "* ESEARCH (TAG \"c\") UID COUNT 3\nc OK SEARCH completed\n* ESEARCH (TAG \"c\") UID "
     "REMOVEFROM (0 3)\nd OK STORE completed\n"
     "* ESEARCH (TAG \"1\") COUNT 6\n1 OK ~\n* ESEARCH (TAG \"2\") COUNT 6\n2 OK ~\n* ESEARCH (TAG "
     "\"3\") COUNT 6\n3 OK ~\n"
     "* ESEARCH (TAG \"4\") COUNT 6\n4 OK ~\n* ESEARCH (TAG \"5\") COUNT 6\n5 OK ~\n* ESEARCH (TAG "
     "\"6\") COUNT 6\n6 OK ~\n"
     "* ESEARCH (TAG \"7\") COUNT 6\n7 OK ~\n* ESEARCH (TAG \"8\") COUNT 6\n* NO [NOUPDATE \"8\"] "
     "~\n8 OK ~\n"},
    {"$ is no part of a set",
     "a FETCH $,1 UID\r\nb FETCH 1:$ UID\r\nc FETCH $$ UID\r\nd SEARCH 1,$\r\n",
     "a BAD ~\nb BAD ~\nc BAD ~\nd BAD ~\n"},
};

static void answers(void **state)
{
    for (size_t i = 0; i < sizeof talks / sizeof *talks; i++) {
        struct str input, output;
        str_init(&input, 65536);
        str_init(&output, 1 << 20);
        assert_int_equal(account_make(state), 0);
        make_mailbox(&input);
        str_append_text(&input, talks[i].input);
        account_talk(str_slice(&input), &output);
        account_compare(talks[i].name, behind_the_setup(&output), talks[i].output);
        assert_int_equal(account_remove(state), 0);
        str_free(&input);
        str_free(&output);
    }
}

static void pages(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count, start, size;
    } cases[] = {
        {"1:10", 5, 0, 5},
        {"1:10", 0, 0, 0},
        {"3:4", 10, 2, 2},
        {"10:11", 10, 9, 1},
        {"11:12", 10, 0, 0},
        {"-1:-1", 10, 9, 1},
        {"-3:-2", 10, 7, 2},
        {"-9:-12", 10, 0, 2},
        {"-11:-12", 10, 0, 0},
        {"1:4294967295", 3, 0, 3},
        {"4294967295:4294967295", 3, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parse parse;
        struct partial partial;
        size_t start, size;
        parse_begin(&parse, slice_text(cases[i].text), NULL);
        assert_true(partial_parse(&parse, &partial) && parse_at_end(&parse));
        partial_clip(&partial, cases[i].count, &start, &size);
        assert_int_equal(size, cases[i].size);
        if (size > 0)
            assert_int_equal(start, cases[i].start);
    }
    static const char *const wrong[] = {"",      "1",    "1:",           ":1",     "0:1",
                                        "-0:-1", "1:-1", "4294967296:1", "--1:-2", "*:1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct parse parse;
        struct partial partial;
        parse_begin(&parse, slice_text(wrong[i]), NULL);
        assert_false(partial_parse(&parse, &partial));
        assert_int_equal(parse.at, 0);
    }
}

static void saved_ranges(void **state)
{
    (void)state;
    struct savedsearch saved = {0};
    uint32_t uids[] = {9, 4, 5, 3, 4294967295, 4294967294};
    assert_true(savedsearch_set(&saved, uids, sizeof uids / sizeof *uids));
    assert_int_equal(saved.count, 3);
    assert_true(saved.uids[0].first == 3 && saved.uids[0].last == 5);
    assert_true(saved.uids[1].first == 9 && saved.uids[1].last == 9);
    assert_true(saved.uids[2].first == 4294967294 && saved.uids[2].last == 4294967295);
    assert_true(savedsearch_set(&saved, uids, 0));
    assert_int_equal(saved.count, 0);
    savedsearch_clear(&saved);
}

/* ---- what is said besides --------------------------------------------------------------------- */

static void charsets_that_are_named_are_known(void **state)
{
    (void)state;
    struct slice rest = slice_text(answer_text(ANSWER_BAD_CHARSET)->code);
    size_t count = 0;
    assert_true(slice_starts(rest, SLICE("BADCHARSET (")) && slice_ends(rest, SLICE(")")));
    rest.size--;
    for (slice_cut(&rest, '('); rest.size > 0; count++) {
        struct slice name = slice_cut(&rest, ' ');
        if (!charset_is_known(name))
            fail_msg("%.*s", SLICE_PRINTF(name));
    }
    assert_true(count > 30);
}

/* RFC 9585 4 */
static void progress_is_told_when_it_is_time(void **state)
{
    (void)state;
    struct imapsession session = {.tag = SLICE("a1")};
    struct progress progress;
    char bytes[1024];
    int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
    assert_true(in >= 0 && out >= 0 && imapsession_begin(&session, in, out, SLICE("")));
    session.tag = SLICE("a1");
    progress_begin(&progress, &session, 500);
    progress_step(&progress, 1); /* too early */
    progress.next_ms = 0;
    progress_step(&progress, 100);
    progress_step(&progress, 101); /* too early again */
    progress.next_ms = 0;
    progress_step(&progress, 501); /* beyond the goal */
    progress.goal = 0;
    progress_step(&progress, 7);
    session.terms.capabilities_off = capability_named(SLICE("INPROGRESS"));
    progress_begin(&progress, &session, 500);
    assert_true(progress.next_ms == CLOCK_NEVER);
    progress_step(&progress, 8);
    ssize_t got = pread(out, bytes, sizeof bytes, 0);
    assert_true(got > 0);
    assert_slice(slice_of(bytes, (size_t)got),
                 "* OK [INPROGRESS (\"a1\" 100 500)] Still at work\r\n"
                 "* OK [INPROGRESS (\"a1\" 7 NIL)] Still at work\r\n");
    imapsession_end(&session);
    io_close(&in);
    io_close(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(pages),
        cmocka_unit_test(saved_ranges),
        cmocka_unit_test(charsets_that_are_named_are_known),
        cmocka_unit_test(progress_is_told_when_it_is_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
