/* manager: whole lives of messages (fakes.h) */
#include "fakes.h"

static const char *const host[][2] = {
    {"me", "mail.test"}, {"queue-lifetime", "1000"}, {NULL, NULL}};
static const char *const host_with_one_worker[][2] = {
    {"me", "mail.test"}, {"queue-lifetime", "1000"}, {"concurrency-remote", "1"}, {NULL, NULL}};

/* ---- tests -------------------------------------------------------------------------------------- */

static void delivers_everywhere(void **state)
{
    ID;
    add("s@example.org",
        "ok1@example.jp ok2@child.jp ok@other.example ok2@other.example "
        "ok@routed.example ok@sub.routed.example",
        "hello\r\n", id);
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    assert_int_equal(fixture->manager.messages.count, 0);
    expect_asked("local ok1 ok1@example.jp add=16\n");
    expect_asked("local ok2 ok2@child.jp add=16\n");
    expect_asked("remote :25 <s@example.org> 2\n");
    expect_asked("remote relay.example:2525 <s@example.org> 2\n");
    expect_asked("start local example.jp\n");
    assert_int_equal(fixture->manager.delivered, 6);
}

static void keeps_workers_for_the_next(void **state)
{
    ID;
    for (int i = 0; i < 20; i++) {
        add("s@example.org", "ok1@example.jp ok@other.example", "hello\r\n", id);
        run();
    }
    assert_int_equal(count_asked("start local"), 1);
    assert_int_equal(count_asked("start remote"), 1);
    assert_int_equal(count_asked("local ok1"), 20);
}

static void reports_failures(void **state)
{
    ID;
    add("s@example.org", "never@other.example ok1@example.jp nobody@example.jp", "hello\r\n", id);
    run();
    assert_int_equal(folder_count("queue/message") + folder_count("queue/failure"), 0);
    assert_int_equal(count_asked("\nbounce "), 1);
    expect_asked("bounce failed <s@example.org> never@other.example 5.1.1 no such user "
                 "mx.other.example nobody@example.jp 5.1.1 there is no such mailbox here\n");
}

static void tries_again_what_may_work(void **state)
{
    ID;
    add("s@example.org", "ok1@example.jp later1@example.jp later@other.example", "hello\r\n", id);
    run();
    assert_int_equal(status_of(id, 0), 'D');
    assert_int_equal(status_of(id, 1), 'T');
    assert_int_equal(status_of(id, 2), 'T');
    assert_null(message_table_find(&fixture->manager.messages, slice_text(id))->loaded);
    assert_true(manager_flush(&fixture->manager, slice_text(id)));
    run();
    assert_int_equal(count_asked("local ok1 "), 1);
    assert_int_equal(count_asked("local later1 "), 2);
    assert_int_equal(count_asked("\nremote "), 2);
    assert_int_equal(count_asked("\nbounce "), 0);
}

/* What went wrong behind the mailbox leaves a message there: the next try looks for it. A mailbox that took
 * nothing has none. */
static void looks_for_what_may_be_placed(void **state)
{
    ID;
    add("s@example.org", "later1@example.jp", "hello\r\n", id);
    run();
    assert_true(manager_flush(&fixture->manager, slice_text(id)));
    run();
    assert_int_equal(count_asked("local later1 later1@example.jp add=16\n"), 2);
    add("s@example.org", "half1@example.jp", "hello\r\n", id);
    run();
    expect_asked("local half1 half1@example.jp add=16\n");
    assert_true(manager_flush(&fixture->manager, slice_text(id)));
    run();
    expect_asked("local half1 half1@example.jp add=16 repeat\n");
}

/* The operator has just changed something, and wants to see what becomes of it. */
static void a_flush_looks_at_the_directory(void **state)
{
    ID;
    static const char *const nobody[][2] = {
        {"scatch-all", ""}, {"sadmin", ""}, {"spostmaster", "box"}, {NULL, NULL}};
    add("s@example.org", "later1@example.jp", "hello\r\n", id);
    run();
    assert_int_equal(status_of(id, 0), 'T');
    write_cdb("cdb/new", nobody);
    assert_int_equal(rename("cdb/new", "cdb/domain/example.jp.cdb"), 0);
    assert_true(manager_flush(&fixture->manager, slice_text(id)));
    run();
    expect_asked(
        "bounce failed <s@example.org> later1@example.jp 5.1.1 there is no such mailbox here\n");
    write_directory(host);
}

static void reports_failures_while_others_wait(void **state)
{
    ID;
    add("s@example.org", "never1@example.jp later@other.example", "hello\r\n", id);
    run();
    assert_int_equal(count_asked("bounce failed <s@example.org> never1@example.jp"), 1);
    assert_int_equal(status_of(id, 0), 'D');
    assert_int_equal(status_of(id, 1), 'T');
    manager_flush_all(&fixture->manager);
    run();
    assert_int_equal(count_asked("\nbounce "), 1);
}

static void survives_dying_workers(void **state)
{
    ID;
    add("s@example.org", "die1@example.jp ok1@example.jp die@other.example", "hello\r\n", id);
    run();
    assert_int_equal(status_of(id, 0), 'T');
    assert_int_equal(status_of(id, 1), 'D');
    assert_int_equal(status_of(id, 2), 'T');
}

/* What a dying worker was sent and did not read is no suspect: another worker gets it at once. */
static void asks_another_when_it_was_not_read(void **state)
{
    ID;
    add("s@example.org", "last1@example.jp", "hello\r\n", id);
    run();
    add("s@example.org", "ok1@example.jp", "hello\r\n", id);
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    assert_int_equal(fixture->manager.deferred, 0);
    assert_int_equal(count_asked("local ok1 "), 1);
    assert_int_equal(count_asked("start local"), 2);
}

static void groups_recipients(void **state)
{
    ID;
    struct str recipients;
    str_init(&recipients, 100000);
    for (int i = 0; i < 250; i++)
        str_format(&recipients, "ok%d@other.example ", i);
    add("s@example.org", str_text(&recipients), "hello\r\n", id);
    run();
    assert_int_equal(count_asked("remote :25 <s@example.org> 60\n"), 4);
    assert_int_equal(count_asked("remote :25 <s@example.org> 10\n"), 1);
    assert_int_equal(folder_count("queue/message"), 0);
    str_free(&recipients);
}

static void reports_many_in_parts(void **state)
{
    ID;
    struct str recipients;
    str_init(&recipients, 100000);
    for (int i = 0; i < 150; i++)
        str_format(&recipients, "never%d@other.example ", i);
    add("s@example.org", str_text(&recipients), "hello\r\n", id);
    run();
    assert_int_equal(count_asked("bounce failed"), 5);
    assert_int_equal(count_asked("@other.example 5.1.1 no such user"), 150);
    assert_int_equal(folder_count("queue/message") + folder_count("queue/failure"), 0);
    str_free(&recipients);
}

static void stops_infected_mail(void **state)
{
    ID;
    add("s@example.org", "ok1@example.jp ok@other.example", "VIRUS\r\n", id);
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    assert_int_equal(asked.size, 0);
}

static void returns_refused_mail(void **state)
{
    ID;
    add("s@example.org", "ok1@example.jp", "TOODEEP\r\n", id);
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    expect_asked("bounce failed <s@example.org> ok1@example.jp 5.7.1 archives within archives\n");
    assert_int_equal(count_asked("\nlocal "), 0);
}

static void never_passes_unscanned(void **state)
{
    ID;
    static const char *const texts[] = {"NOSCAN\r\n", "NONSENSE\r\n"};
    for (size_t i = 0; i < 2; i++) {
        add("s@example.org", "ok1@example.jp", texts[i], id);
        run();
        manager_flush_all(&fixture->manager);
        run();
        assert_int_equal(status_of(id, 0), 'T');
    }
    assert_int_equal(asked.size, 0);
    assert_int_equal(folder_count("queue/message"), 2);
}

static void passes_by_the_scanner_that_is_off(void **state)
{
    ID;
    scanner_set_off(&fixture->manager.scanner, true);
    for (int i = 0; i < 120; i++)
        add("s@example.org", "ok1@example.jp", "NOSCAN\r\n", id);
    add("s@example.org", "later1@example.jp", "hello\r\n", id);
    run();
    assert_int_equal(scans, 0);
    assert_int_equal(count_asked("local ok1 ok1@example.jp add=0\n"), 120);
    assert_int_equal(folder_count("queue/message"), 1);
    /* What still waits when it is on again is looked at. */
    scanner_set_off(&fixture->manager.scanner, false);
    manager_flush_all(&fixture->manager);
    run();
    assert_int_equal(scans, 1);
}

static void waits_for_the_scanner(void **state)
{
    ID;
    stop_fake(&scand, SCAN_SOCKET);
    add("s@example.org", "ok1@example.jp", "hello\r\n", id);
    for (int i = 0; i < 10; i++)
        assert_true(loop_once(&fixture->loop, 10));
    assert_int_equal(asked.size, 0);
    assert_int_equal(status_of(id, 0), 'T');
    start_fake(&scand, SCAN_SOCKET);
    run(); /* after half a second */
    expect_asked("local ok1 ok1@example.jp");
    assert_int_equal(folder_count("queue/message"), 0);
}

static void waits_for_spawnd(void **state)
{
    ID;
    spawnd_refuses = true;
    add("s@example.org", "ok1@example.jp", "hello\r\n", id);
    for (int i = 0; i < 10; i++)
        assert_true(loop_once(&fixture->loop, 10));
    assert_int_equal(asked.size, 0);
    spawnd_refuses = false;
    run();
    expect_asked("local ok1 ok1@example.jp");
    assert_int_equal(folder_count("queue/message"), 0);
}

/* Changes the time of arrival in the file. */
static void make_old(const char *id)
{
    char path[64];
    struct str content;
    str_init(&content, 100000);
    snprintf(path, sizeof path, "queue/message/%s", id);
    assert_true(io_read_file(AT_FDCWD, path, &content));
    char *at = strstr(content.data, "\narrived ");
    memcpy(at + 9, "1000000000", 10);
    folder_write(path, content.data, content.size);
    str_free(&content);
}

static void gives_up_in_the_end(void **state)
{
    ID;
    put("s@example.org", "later1@example.jp down@other.example ok1@example.jp", "hello\r\n", id);
    make_old(id);
    manager_add(&fixture->manager, slice_text(id), false);
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    expect_asked("later1@example.jp 5.4.7 come back");
    expect_asked("down@other.example 5.4.7 can't connect");
    expect_asked("local ok1 ");
}

static void gives_up_unscanned_mail(void **state)
{
    ID;
    put("s@example.org", "ok1@example.jp", "NOSCAN\r\n", id);
    make_old(id);
    manager_add(&fixture->manager, slice_text(id), false);
    run();
    expect_asked("bounce failed <s@example.org> ok1@example.jp 5.4.7 the message could not be "
                 "scanned in time\n");
    assert_int_equal(count_asked("\nlocal "), 0);
}

static void reports_to_postmaster_and_then_to_nobody(void **state)
{
    ID;
    add("", "never@other.example", "a report\r\n", id);
    run();
    expect_asked("bounce double <> never@other.example 5.1.1 no such user "
                 "mx.other.example\n");
    add("#@[]", "never@other.example", "a report about a report\r\n", id);
    run();
    assert_int_equal(count_asked("\nbounce "), 1);
    expect_asked("remote :25 <> 1\n"); /* nobody else sees that sender */
    assert_int_equal(folder_count("queue/message") + folder_count("queue/failure"), 0);
}

static void spares_dead_destinations(void **state)
{
    ID;
    for (int i = 0; i < 3; i++) {
        add("s@example.org", "down@dead.example", "hello\r\n", id);
        run();
    }
    /* Twice it was tried; the third message waits without. Others are not touched. */
    assert_int_equal(count_asked("\nremote "), 2);
    add("s@example.org", "ok@other.example", "hello\r\n", id);
    run();
    assert_int_equal(count_asked("\nremote "), 3);
    assert_int_equal(fixture->manager.messages.count, 3);
    manager_flush_all(&fixture->manager);
    run();
    assert_true(count_asked("\nremote ") >= 5);
}

static void puts_garbage_aside(void **state)
{
    ID;
    folder_write("queue/message/0000000000000", "garbage", 7);
    manager_add(&fixture->manager, SLICE("0000000000000"), true);
    put("s@example.org", "ok1@example.jp", "hello\r\n", id);
    char path[64];
    snprintf(path, sizeof path, "queue/message/%s", id);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(truncate(path, info.st_size - 1), 0);
    manager_add(&fixture->manager, slice_text(id), true);
    manager_add(&fixture->manager, SLICE("../../etc/pass"), true);
    manager_add(&fixture->manager, SLICE("0000000000009"), true); /* no such file */
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    assert_int_equal(folder_count("queue/broken"), 2);
    assert_int_equal(fixture->manager.messages.count, 0);
    assert_int_equal(asked.size, 0);
}

/* ---- scans over a restart ------------------------------------------------------------------------ */

static void scans_once_over_a_restart(void **state)
{
    ID;
    char other[QUEUEFILE_ID_SIZE + 1];
    add("s@example.org", "later1@example.jp", "hello\r\n", id);
    add("s@example.org", "later@other.example", "hello\r\n", other);
    run();
    assert_int_equal(scans, 2);
    restart();
    assert_null(message_table_find(&fixture->manager.messages, slice_text(id))->loaded);
    manager_flush_all(&fixture->manager);
    run();
    assert_int_equal(scans, 2);
    assert_int_equal(count_asked("local later1 later1@example.jp add=16"), 2);
    assert_int_equal(count_asked("\nremote "), 2);
    restart(); /* twice makes no difference */
    manager_flush_all(&fixture->manager);
    run();
    assert_int_equal(scans, 2);
    assert_int_equal(count_asked("local later1 later1@example.jp add=16"), 3);
}

/* Another file under the same name; a log that is damaged: nothing passes unscanned. */
static void scans_what_is_not_surely_clean(void **state)
{
    ID;
    char path[64];
    struct str content;
    add("s@example.org", "later1@example.jp", "hello\r\n", id);
    run();
    assert_int_equal(scans, 1);
    snprintf(path, sizeof path, "queue/message/%s", id);
    str_init(&content, 100000);
    assert_true(io_read_file(AT_FDCWD, path, &content));
    assert_int_equal(rename(path, "queue/broken/kept"), 0); /* so that the inode is another */
    folder_write(path, content.data, content.size);
    restart();
    manager_flush_all(&fixture->manager);
    run();
    assert_int_equal(scans, 2);
    folder_write("queue/scanned/journal", "00000000 garbage\n", 17);
    restart();
    run();
    assert_int_equal(scans, 3);
    assert_int_equal(status_of(id, 0), 'T');
    str_free(&content);
}

/* The disk has no room for the reason of a refusal: the message is not delivered for that. */
static void never_delivers_what_was_refused(void **state)
{
    ID;
    assert_int_equal(rename("queue/failure", "queue/away"), 0);
    assert_int_equal(symlink("/dev/full", "queue/nowhere"), 0);
    restart(); /* with queue/failure new, and then gone */
    assert_int_equal(rmdir("queue/failure"), 0);
    add("s@example.org", "ok1@example.jp", "TOODEEP\r\n", id);
    run();
    assert_int_equal(status_of(id, 0), 'T');
    manager_flush_all(&fixture->manager);
    run();
    assert_int_equal(count_asked("local "), 0);
    assert_int_equal(status_of(id, 0), 'T');
    assert_int_equal(rename("queue/away", "queue/failure"), 0);
    restart();
    run();
    expect_asked("bounce failed <s@example.org> ok1@example.jp 5.7.1 archives within archives\n");
    assert_int_equal(folder_count("queue/message"), 0);
    unlink("queue/nowhere");
}

/* ---- fairness ------------------------------------------------------------------------------------ */

/* One customer's hundreds before another's one: it does not wait for them. There is one worker, for
 * several would not note requests in the order in which they were given them. */
static void takes_turns_between_customers(void **state)
{
    ID;
    write_directory(host_with_one_worker);
    restart();
    for (int i = 0; i < 300; i++)
        add("bulk@big.example", "ok@other.example", "hello\r\n", id);
    add("one@small.example", "ok@other.example", "hello\r\n", id);
    run();
    write_directory(host);
    const char *one = strstr(str_text(&asked), "<one@small.example>");
    unsigned before = 0;
    for (const char *at = str_text(&asked); (at = strstr(at, "<bulk@")) && at < one; at++)
        before++;
    assert_non_null(one);
    if (before > 20)
        fail_msg("%u of the other's went before", before);
    assert_int_equal(count_asked("<bulk@"), 300);
}

/* ---- what the sender wants to hear (RFC 3461) ---------------------------------------------------- */

static void reports_success_to_those_who_ask(void **state)
{
    ID;
    add("s@example.org",
        "ok1@example.jp/SUCCESS/rfc822;one@here ok2@example.jp ok@other.example/SUCCESS,FAILURE "
        "dsn@other.example/SUCCESS",
        "hello\r\n", id);
    run();
    assert_int_equal(count_asked("\nbounce "), 1);
    expect_asked(
        "bounce success <s@example.org> ok1@example.jp delivered 2.0.0 fine rfc822;one@here "
        "ok@other.example relayed 2.0.0 fine mx.other.example\n");
    assert_int_equal(folder_count("queue/message") + folder_count("queue/failure"), 0);
}

static void tells_nobody_who_does_not_want_it(void **state)
{
    ID;
    add("s@example.org",
        "never@other.example/NEVER never1@example.jp/SUCCESS never2@x.example/DELAY", "hello\r\n",
        id);
    add("", "ok1@example.jp/SUCCESS ok@other.example/SUCCESS", "a report\r\n", id);
    run();
    assert_int_equal(count_asked("\nbounce "), 0);
    assert_int_equal(folder_count("queue/message") + folder_count("queue/failure"), 0);
}

static void reports_success_and_failure_apart(void **state)
{
    ID;
    add("s@example.org", "ok1@example.jp/SUCCESS never@other.example later1@example.jp/SUCCESS",
        "hello\r\n", id);
    run();
    expect_asked("bounce failed <s@example.org> never@other.example 5.1.1 ");
    expect_asked("bounce success <s@example.org> ok1@example.jp delivered 2.0.0 fine\n");
    assert_int_equal(count_asked("\nbounce "), 2);
    assert_int_equal(status_of(id, 0), 'D');
    assert_int_equal(status_of(id, 2), 'T');
}

/* A report that can't be put into the queue is owed over a restart, too. */
static void owes_reports_over_a_restart(void **state)
{
    ID;
    bounce_refuses = true;
    add("s@example.org", "ok1@example.jp/SUCCESS ok@other.example/SUCCESS", "hello\r\n", id);
    run();
    assert_int_equal(status_of(id, 0), 'S');
    assert_int_equal(status_of(id, 1), 'R');
    bounce_refuses = false;
    restart();
    run();
    assert_int_equal(count_asked("\nlocal ") + count_asked("\nremote "), 2);
    assert_int_equal(count_asked("delivered 2.0.0 fine ok@other.example relayed 2.0.0 fine "), 2);
    assert_int_equal(folder_count("queue/message") + folder_count("queue/failure"), 0);
}

static void goes_on_where_it_was(void **state)
{
    ID;
    /* As a crash leaves it: one done, one failed and noted, one to do. */
    put("s@example.org", "ok1@example.jp never@other.example ok2@example.jp", "hello\r\n", id);
    struct loaded *loaded;
    assert_int_equal(loaded_open(fixture->folder, id, &loaded), LOADED_OK);
    assert_true(loaded_set_status(loaded, 0, QUEUEFILE_DONE));
    assert_true(loaded_set_status(loaded, 1, QUEUEFILE_FAILED));
    loaded_close(&loaded);
    manager_add(&fixture->manager, slice_text(id), false);
    manager_add(&fixture->manager, slice_text(id), true); /* announced a second time */
    run();
    assert_int_equal(count_asked("\nlocal "), 1);
    expect_asked("local ok2 ");
    expect_asked("bounce failed <s@example.org> never@other.example 5.0.0 delivery failed\n");
    assert_int_equal(folder_count("queue/message"), 0);
}

static void obeys_the_operator(void **state)
{
    ID;
    char other[QUEUEFILE_ID_SIZE + 1];
    struct manager *manager = &fixture->manager;
    add("s@example.org", "later@other.example", "hello\r\n", id);
    add("s@example.org", "later1@example.jp", "hello\r\n", other);
    run();
    assert_true(manager_hold(manager, slice_text(id)));
    assert_false(manager_hold(manager, SLICE("0000000000000")));
    assert_int_equal(folder_count("queue/hold"), 1);
    manager_flush_all(manager);
    run();
    assert_int_equal(count_asked("\nremote "), 1);
    assert_true(manager_release(manager, slice_text(id)));
    assert_false(manager_release(manager, slice_text(id)));
    assert_int_equal(folder_count("queue/hold"), 0);
    run();
    assert_int_equal(count_asked("remote :25"), 2);
    assert_true(manager_delete(manager, slice_text(id)));
    assert_true(manager_hold(manager, slice_text(other)));
    assert_true(manager_delete(manager, slice_text(other)));
    assert_false(manager_delete(manager, slice_text(other)));
    assert_int_equal(folder_count("queue/message") + folder_count("queue/hold"), 0);
    assert_int_equal(manager->messages.count, 0);
}

static void begins_anew(void **state)
{
    ID;
    struct str packet;
    add("s@example.org", "later@other.example", "hello\r\n", id);
    run();
    assert_int_equal(scans, 1);
    assert_true(manager_requeue(&fixture->manager, slice_text(id)));
    assert_false(manager_requeue(&fixture->manager, SLICE("0000000000000")));
    run();
    assert_int_equal(scans, 2);
    assert_int_equal(count_asked("\nremote "), 2);
    assert_true(manager_hold(&fixture->manager, slice_text(id)));
    assert_true(manager_requeue(&fixture->manager, slice_text(id)));
    run();
    assert_int_equal(count_asked("\nremote "), 3);
    str_init(&packet, 10000);
    assert_false(manager_show(&fixture->manager, SLICE("0000000000000"), &packet));
    assert_true(manager_show(&fixture->manager, slice_text(id), &packet));
    assert_true(
        slice_starts(str_slice(&packet), SLICE("2:ok,26:waits for its next attempt,1:1,10:")));
    assert_true(slice_ends(str_slice(&packet), SLICE(",1:0,15:4.2.0 come back,")));
    str_free(&packet);
}

/* Jobs that wait for a worker that never comes are dropped, and put in line again. */
static void begins_anew_from_the_line(void **state)
{
    ID;
    spawnd_refuses = true;
    add("s@example.org", "ok1@example.jp ok@other.example", "hello\r\n", id);
    for (int i = 0; i < 10; i++)
        assert_true(loop_once(&fixture->loop, 10));
    struct message *message = message_table_find(&fixture->manager.messages, slice_text(id));
    assert_non_null(message);
    assert_true(manager_requeue(&fixture->manager, slice_text(id)));
    spawnd_refuses = false;
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    assert_int_equal(count_asked("local ok1 "), 1);
}

static void deletes_what_is_being_scanned(void **state)
{
    ID;
    struct manager *manager = &fixture->manager;
    add("s@example.org", "ok1@example.jp", "hello\r\n", id);
    assert_true(loop_once(&fixture->loop, 0)); /* the question is out */
    assert_true(manager_delete(manager, slice_text(id)));
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    assert_int_equal(asked.size, 0);
}

static void answers_commands(void **state)
{
    ID;
    struct wire_message message;
    struct str packet;
    add("s@example.org", "later1@example.jp", "hello\r\n", id);
    run();
    str_init(&packet, 10000);
    wire_init(&message);
    message.fields[0] = SLICE(QUEUECTL_PROTOCOL);
    message.fields[1] = SLICE("status");
    message.count = 2;
    operator_run(&fixture->manager, &message, &packet);
    assert_true(slice_starts(str_slice(&packet), SLICE("2:ok,")));
    assert_non_null(strstr(str_text(&packet), "messages=1 "));
    str_clear(&packet);
    message.fields[1] = SLICE("delete");
    operator_run(&fixture->manager, &message, &packet);
    assert_true(slice_starts(str_slice(&packet), SLICE("2:no,")));
    str_clear(&packet);
    message.fields[2] = SLICE("0000000000000");
    message.fields[3] = slice_text(id);
    message.count = 4;
    operator_run(&fixture->manager, &message, &packet);
    assert_slice(str_slice(&packet), "2:no,24:no message 0000000000000,1:1,");
    assert_int_equal(folder_count("queue/message"), 0);
    str_clear(&packet);
    message.fields[1] = SLICE("dance");
    operator_run(&fixture->manager, &message, &packet);
    assert_true(slice_starts(str_slice(&packet), SLICE("2:no,")));
    wire_free(&message);
    str_free(&packet);
}

static void waits_when_the_directory_is_broken(void **state)
{
    ID;
    assert_int_equal(rename("cdb/domains.cdb", "cdb/away"), 0);
    add("s@example.org", "ok1@example.jp", "hello\r\n", id);
    run();
    assert_int_equal(status_of(id, 0), 'T');
    assert_int_equal(asked.size, 0);
    assert_int_equal(rename("cdb/away", "cdb/domains.cdb"), 0);
    manager_flush_all(&fixture->manager);
    run();
    expect_asked("local ok1 ");
}

static int enter(void **state)
{
    return enter_quietly(state, host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(delivers_everywhere),
        TEST(keeps_workers_for_the_next),
        TEST(reports_failures),
        TEST(tries_again_what_may_work),
        TEST(looks_for_what_may_be_placed),
        TEST(a_flush_looks_at_the_directory),
        TEST(reports_failures_while_others_wait),
        TEST(survives_dying_workers),
        TEST(asks_another_when_it_was_not_read),
        TEST(groups_recipients),
        TEST(reports_many_in_parts),
        TEST(stops_infected_mail),
        TEST(returns_refused_mail),
        TEST(never_passes_unscanned),
        TEST(waits_for_the_scanner),
        TEST(passes_by_the_scanner_that_is_off),
        TEST(waits_for_spawnd),
        TEST(gives_up_in_the_end),
        TEST(gives_up_unscanned_mail),
        TEST(reports_to_postmaster_and_then_to_nobody),
        TEST(spares_dead_destinations),
        TEST(puts_garbage_aside),
        TEST(scans_once_over_a_restart),
        TEST(scans_what_is_not_surely_clean),
        TEST(never_delivers_what_was_refused),
        TEST(takes_turns_between_customers),
        TEST(reports_success_to_those_who_ask),
        TEST(tells_nobody_who_does_not_want_it),
        TEST(reports_success_and_failure_apart),
        TEST(owes_reports_over_a_restart),
        TEST(goes_on_where_it_was),
        TEST(obeys_the_operator),
        TEST(begins_anew),
        TEST(begins_anew_from_the_line),
        TEST(deletes_what_is_being_scanned),
        TEST(answers_commands),
        TEST(waits_when_the_directory_is_broken),
    };
    return cmocka_run_group_tests(tests, enter, folder_leave);
}
