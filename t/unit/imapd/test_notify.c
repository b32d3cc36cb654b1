/* notify: its arguments, and what comes of changes that others make (RFC 5465) */
#include "account.h"

#include "metadata.h"
#include "notify.h"
#include "subscribe.h"

#include <sys/socket.h>
#include <sys/stat.h>

/* ---- arguments --------------------------------------------------------------------------------- */

static bool reads(struct imapsession *session, struct slice text, struct notify_request *request)
{
    struct parse parse;
    arena_init(&session->arena, NOTIFY_ARENA_MAX);
    parse_begin(&parse, text, &session->arena);
    bool done = notify_parse(session, &parse, request);
    return done;
}

static void arguments(void **state)
{
    static const struct {
        const char *text;
        size_t groups;
        unsigned events, selected;
        bool has_selected, is_delayed, status, has_fetch, has_unknown;
    } all[] = {
        {.text = " (SELECTED (MessageNew MessageExpunge))",
         .selected = NOTIFY_MESSAGE_NEW | NOTIFY_MESSAGE_EXPUNGE,
         .has_selected = true},
        {.text = " status (selected-delayed (messagenew (uid flags) messageexpunge flagchange))",
         .selected = NOTIFY_ANY_MESSAGE,
         .has_selected = true,
         .is_delayed = true,
         .status = true,
         .has_fetch = true},
        {.text = " (SELECTED NONE) (PERSONAL NONE)", .groups = 1, .has_selected = true},
        {.text = " (INBOXES (MailboxName)) (SUBSCRIBED (SubscriptionChange)) "
                 "(SUBTREE (a b) (MailboxMetadataChange)) (MAILBOXES c (ServerMetadataChange))",
         .groups = 4,
         .events = NOTIFY_MAILBOX_NAME | NOTIFY_SUBSCRIPTION | NOTIFY_MAILBOX_METADATA |
                   NOTIFY_SERVER_METADATA},
        {.text = " (SUBTREE-ONE a (MailboxName))", .groups = 1, .events = NOTIFY_MAILBOX_NAME},
        {.text = " (PERSONAL (AnnotationChange))", .groups = 1, .has_unknown = true},
        {.text = " (PERSONAL (Other MessageNew))",
         .groups = 1,
         .events = NOTIFY_MESSAGE_NEW,
         .has_unknown = true},
    };
    struct imapsession session = {.account = "u1@example.jp"};
    struct notify_request request;
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!reads(&session, slice_text(all[i].text), &request))
            fail_msg("\"%s\"", all[i].text);
        assert_int_equal(request.count, all[i].groups);
        assert_int_equal(request.events, all[i].events);
        assert_int_equal(request.selected_events, all[i].selected);
        assert_int_equal(request.has_selected, all[i].has_selected);
        assert_int_equal(request.is_delayed, all[i].is_delayed);
        assert_int_equal(request.status, all[i].status);
        assert_int_equal(request.has_fetch, all[i].has_fetch);
        assert_int_equal(request.has_unknown, all[i].has_unknown);
        arena_free(&session.arena);
    }
}

static void malformed_arguments(void **state)
{
    static const char *const all[] = {
        "",
        " ",
        "(SELECTED NONE)",
        "  (SELECTED NONE)",
        " STATUS",
        " STATUS ",
        " ()",
        " (SELECTED NONE) ",
        " (SELECTED NONE) x",
        " (SELECTED NONE)(PERSONAL NONE)",
        " (SELECTED NONE) (SELECTED-DELAYED NONE)",
        " (SELECTED (MessageNew))",
        " (SELECTED (MessageExpunge))",
        " (PERSONAL (FlagChange))",
        " (PERSONAL (FlagChange MessageNew))",
        " (PERSONAL (MessageNew (UID) MessageExpunge))",
        " (SELECTED (MessageNew () MessageExpunge))",
        " (SELECTED (MessageNew (NONSENSE) MessageExpunge))",
        " (SELECTED (MessageNew (UID)MessageExpunge))",
        " (SELECTED (MessageNew MessageExpunge MailboxName))",
        " (SELECTED ())",
        " (MAILBOXES (MailboxName))",
        " (MAILBOXES () (MailboxName))",
        " (\"PERSONAL\" (MailboxName))",
        " (PERSONAL (\"MailboxName\"))",
        " (PERSONAL MailboxName)",
    };
    static const char whole[] = " STATUS (SELECTED (MessageNew (UID BODY[]) MessageExpunge)) "
                                "(MAILBOXES (a \"b\") (MailboxName))";
    struct imapsession session = {.account = "u1@example.jp"};
    struct notify_request request;
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (reads(&session, slice_text(all[i]), &request))
            fail_msg("\"%s\"", all[i]);
        arena_free(&session.arena);
    }
    for (size_t size = 0; size < sizeof whole; size++) {
        struct slice cut = slice_of(whole, size);
        bool is_whole = size > 0 && whole[size - 1] == ')' &&
                        (size + 1 == sizeof whole || strncmp(whole + size, " (MAIL", 6) == 0);
        if (reads(&session, cut, &request) != is_whole)
            fail_msg("\"%.*s\"", SLICE_PRINTF(cut));
        arena_free(&session.arena);
    }
}

static void groups_are_bounded(void **state)
{
    struct imapsession session = {.account = "u1@example.jp"};
    struct notify_request request;
    struct str text;
    (void)state;
    str_init(&text, 1 << 20);
    for (int i = 0; i < NOTIFY_GROUPS_MAX; i++)
        str_append_text(&text, " (PERSONAL NONE)");
    assert_true(reads(&session, str_slice(&text), &request));
    arena_free(&session.arena);
    str_append_text(&text, " (PERSONAL NONE)");
    assert_false(reads(&session, str_slice(&text), &request));
    arena_free(&session.arena);
    str_free(&text);
}

/* ---- events ------------------------------------------------------------------------------------ */

struct client {
    struct imapsession session;
    int in, end; /* the session's end, and the client's */
    struct str got;
};

static void begin(struct client *client)
{
    int ends[2];
    *client =
        (struct client){.session = {.account = "u1@example.jp", .client = "192.0.2.1", .tls = "0"}};
    assert_true(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    client->in = ends[0];
    client->end = ends[1];
    str_init(&client->got, 1 << 20);
    assert_true(io_set_nonblocking(client->end, true));
    assert_true(imapsession_begin(&client->session, client->in, client->in, SLICE("")));
}

static void end(struct client *client)
{
    imapsession_end(&client->session);
    str_free(&client->got);
    io_close(&client->in);
    io_close(&client->end);
}

static void receive(struct client *client, const char *name, const char *expected)
{
    char bytes[65536];
    assert_true(stream_flush(&client->session.stream) == STREAM_OK);
    str_clear(&client->got);
    for (ssize_t got = read(client->end, bytes, sizeof bytes); got > 0;
         got = read(client->end, bytes, sizeof bytes))
        assert_true(str_append(&client->got, slice_of(bytes, (size_t)got)));
    account_compare(name, str_slice(&client->got), expected);
}

static void run(struct client *client, const char *command, const char *expected)
{
    assert_true(io_write_all(client->end, slice_text(command), INT64_MAX));
    assert_true(io_write_all(client->end, SLICE("\r\n"), INT64_MAX));
    (void)imapsession_step(&client->session);
    receive(client, command, expected);
}

/* What comes with no command at work. */
static void hear(struct client *client, const char *name, const char *expected)
{
    notify_tell(&client->session, 0);
    receive(client, name, expected);
}

static struct imapfolder named(const char *name)
{
    struct imapfolder folder;
    assert_true(imapfolder_named(slice_text(name), &folder));
    return folder;
}

#define MESSAGE SLICE("Subject: x\r\n\r\nbody\r\n")

static void figures(void **state)
{
    struct client client;
    (void)state;
    begin(&client);
    run(&client, "a NOTIFY SET STATUS (MAILBOXES (Sent Junk) (MessageNew MessageExpunge))",
        "* STATUS \"Junk\" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY # UNSEEN 0)\n"
        "* STATUS \"Sent\" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY # UNSEEN 0)\na OK NOTIFY completed\n");
    account_write_file("Maildir/.Sent/new/1.x.host", MESSAGE);
    account_write_file("Maildir/.Trash/new/1.x.host", MESSAGE);
    hear(&client, "new", "* STATUS \"Sent\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY # UNSEEN 1)\n");
    hear(&client, "once", "");
    account_write_file("Maildir/.Sent/new/2.x.host", MESSAGE);
    account_write_file("Maildir/.Sent/new/3.x.host", MESSAGE);
    run(&client, "b NOOP",
        "* STATUS \"Sent\" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY # UNSEEN 3)\nb OK NOOP completed\n");
    run(&client, "c NOTIFY NONE", "c OK NOTIFY completed\n");
    account_write_file("Maildir/.Sent/new/4.x.host", MESSAGE);
    hear(&client, "none", "");
    end(&client);
}

static void names(void **state)
{
    struct imapfolder a = named("a"), below = named("a/b"), c = named("c");
    struct client client;
    (void)state;
    begin(&client);
    run(&client, "a NOTIFY SET (PERSONAL (MailboxName SubscriptionChange))",
        "a OK NOTIFY completed\n");
    assert_true(foldertree_create(&a));
    hear(&client, "made", "* LIST () \"/\" \"a\"\n");
    assert_true(foldertree_create(&below));
    assert_true(foldertree_rename(&a, &c));
    hear(&client, "made and renamed",
         "* LIST () \"/\" \"c\" (\"OLDNAME\" (\"a\"))\n* LIST () \"/\" \"c/b\"\n");
    assert_true(foldertree_remove(&c));
    assert_true(foldertree_create(&c));
    hear(&client, "another of the same name",
         "* LIST (\\NonExistent) \"/\" \"c\"\n* LIST () \"/\" \"c\"\n");
    assert_true(foldertree_remove(&c));
    hear(&client, "gone", "* LIST (\\NonExistent) \"/\" \"c\"\n");
    assert_true(subscribe_change(SLICE("c/b"), true));
    hear(&client, "subscribed", "* LIST (\\Subscribed) \"/\" \"c/b\"\n");
    assert_true(subscribe_change(SLICE("c/b"), false));
    hear(&client, "no more", "* LIST () \"/\" \"c/b\"\n");
    assert_true(subscribe_change(SLICE("none"), true));
    hear(&client, "what is not there", "* LIST (\\Subscribed \\NonExistent) \"/\" \"none\"\n");
    run(&client, "b CREATE own", "b OK [MAILBOXID ~\n");
    run(&client, "c SUBSCRIBE own", "c OK SUBSCRIBE completed\n");
    run(&client, "d RENAME own mine", "d OK RENAME completed\n");
    run(&client, "e DELETE mine", "e OK DELETE completed\n");
    hear(&client, "its own", "");
    end(&client);
}

/* mkdir is no folder before cur/ is there. */
static void folders_piece_by_piece(void **state)
{
    struct client client;
    (void)state;
    begin(&client);
    run(&client, "a NOTIFY SET (PERSONAL (MessageNew MessageExpunge MailboxName))",
        "a OK NOTIFY completed\n");
    assert_true(mkdir("Maildir/.p", 0700) == 0);
    hear(&client, "bare", "");
    assert_true(mkdir("Maildir/.p/new", 0700) == 0);
    hear(&client, "new", "");
    assert_true(mkdir("Maildir/.p/cur", 0700) == 0 && mkdir("Maildir/.p/tmp", 0700) == 0);
    hear(&client, "whole",
         "* LIST () \"/\" \"p\"\n* STATUS \"p\" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY # UNSEEN 0)\n");
    account_write_file("Maildir/.p/new/1.x.host", MESSAGE);
    hear(&client, "watched", "* STATUS \"p\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY # UNSEEN 1)\n");
    end(&client);
}

static void set_entry(const struct imapfolder *folder, struct slice name, const char *value)
{
    struct metadata metadata;
    struct slice text = slice_text(value ? value : "");
    int lock = metadata_lock(folder, &metadata);
    assert_true(lock >= 0 && metadata_set(&metadata, name, value ? &text : NULL) &&
                metadata_store(lock, folder, &metadata));
    metadata_free(&metadata);
    metadata_unlock(&lock);
}

static void annotations(void **state)
{
    struct imapfolder sent = named("Sent");
    struct client client;
    (void)state;
    begin(&client);
    set_entry(&sent, SLICE("/private/old"), "x");
    run(&client, "a NOTIFY SET (PERSONAL (MailboxMetadataChange ServerMetadataChange))",
        "a OK NOTIFY completed\n");
    set_entry(&sent, SLICE("/private/comment"), "y");
    hear(&client, "new", "* METADATA \"Sent\" /private/comment\n");
    set_entry(&sent, SLICE("/private/old"), NULL);
    set_entry(&sent, SLICE("/private/comment"), "z");
    hear(&client, "both", "* METADATA \"Sent\" /private/comment /private/old\n");
    set_entry(&sent, SLICE("/private/comment"), "z");
    hear(&client, "the same again", "");
    set_entry(NULL, SLICE("/shared/comment"), "z");
    hear(&client, "server", "* METADATA \"\" /shared/comment\n");
    run(&client, "b SETMETADATA Sent (/private/comment NIL)", "b OK SETMETADATA completed\n");
    run(&client, "c SETMETADATA \"\" (/shared/comment NIL)", "c OK SETMETADATA completed\n");
    hear(&client, "its own", "");
    end(&client);
}

static void too_many_mailboxes(void **state)
{
    struct client client;
    (void)state;
    begin(&client);
    run(&client, "a NOTIFY SET (PERSONAL (MailboxName))", "a OK NOTIFY completed\n");
    for (int i = 0; i < NOTIFY_MAILBOXES_MAX; i++) {
        char path[64];
        snprintf(path, sizeof path, "Maildir/.m%d", i);
        assert_true(mkdir(path, 0700) == 0);
        snprintf(path, sizeof path, "Maildir/.m%d/cur", i);
        assert_true(mkdir(path, 0700) == 0);
    }
    hear(&client, "overflow", "* OK [NOTIFICATIONOVERFLOW] ~\n");
    assert_null(client.session.notify);
    run(&client, "b NOTIFY SET (PERSONAL (MailboxName))", "b NO [NOTIFICATIONOVERFLOW] ~\n");
    run(&client, "c NOTIFY SET (SELECTED (MessageNew MessageExpunge))", "c OK NOTIFY completed\n");
    end(&client);
}

static void selected(void **state)
{
    struct client client;
    (void)state;
    begin(&client);
    run(&client, "a EXAMINE Sent",
        "* FLAGS ~\n* OK [PERMANENTFLAGS ~\n* 0 EXISTS\n* 0 RECENT\n* OK [UIDVALIDITY ~\n* OK "
        "[UIDNEXT ~\n"
        "* OK [HIGHESTMODSEQ ~\n* OK [MAILBOXID ~\na OK [READ-ONLY] ~\n");
    run(&client,
        "b NOTIFY SET (SELECTED-DELAYED (MessageNew (BODY[TEXT]) MessageExpunge)) (PERSONAL NONE)",
        "b OK NOTIFY completed\n");
    account_write_file("Maildir/.Sent/new/1.x.host", MESSAGE);
    hear(&client, "new", "* 1 EXISTS\n* # RECENT\n* 1 FETCH (UID 1 BODY[TEXT] {6}\nbody\n)\n");
    hear(&client, "once", "");
    run(&client, "c NOTIFY SET (PERSONAL NONE)", "c OK NOTIFY completed\n");
    account_write_file("Maildir/.Sent/new/2.x.host", MESSAGE);
    run(&client, "d NOOP", "d OK NOOP completed\n");
    run(&client, "e NOTIFY NONE", "* 2 EXISTS\n* # RECENT\ne OK NOTIFY completed\n");
    end(&client);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(arguments, account_make, account_remove),
        cmocka_unit_test_setup_teardown(malformed_arguments, account_make, account_remove),
        cmocka_unit_test(groups_are_bounded),
        cmocka_unit_test_setup_teardown(figures, account_make, account_remove),
        cmocka_unit_test_setup_teardown(names, account_make, account_remove),
        cmocka_unit_test_setup_teardown(folders_piece_by_piece, account_make, account_remove),
        cmocka_unit_test_setup_teardown(annotations, account_make, account_remove),
        cmocka_unit_test_setup_teardown(too_many_mailboxes, account_make, account_remove),
        cmocka_unit_test_setup_teardown(selected, account_make, account_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
