/* forwarding: which rules and targets local is told, by which sender, when stated is asked, who pays */
#include "folder.h"

#include "forwarding.h"

#include "clock.h"
#include "forwardrule.h"
#include "srs.h"
#include "state.h"
#include "unixsocket.h"

#include <cdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

/* ---- what is compiled ---------------------------------------------------------------------------- */

static const char secret[] = "a secret of sixteen and more";

struct record {
    const char *key, *value;
};

static void write_cdb(const char *path, const struct record records[], size_t count)
{
    struct cdb_make make;
    int fd = open("cdb/new", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(cdb_make_start(&make, fd), 0);
    for (size_t i = 0; i < count; i++)
        if (records[i].value)
            assert_int_equal(cdb_make_add(&make, records[i].key, (unsigned)strlen(records[i].key),
                                          records[i].value, (unsigned)strlen(records[i].value)),
                             0);
    assert_int_equal(cdb_make_finish(&make), 0);
    close(fd);
    assert_int_equal(rename("cdb/new", path), 0);
}

/* One rule; targets are divided by blanks. */
static void put_rule(struct str *record, enum forwardrule_condition condition, const char *keyword,
                     const char *targets)
{
    struct str netstrings;
    struct slice rest = slice_text(targets);
    str_init(&netstrings, FORWARDRULE_RECORD_MAX);
    while (rest.size > 0)
        wire_put(&netstrings, slice_cut_word(&rest));
    assert_true(forwardrule_put(
        record, &(struct forwardrule){condition, slice_text(keyword), str_slice(&netstrings)}));
    str_free(&netstrings);
}

#define OUTSIDE "a@friend.example"
#define INSIDE  "u2@example.jp"

/* The accounts: what they forward, and whether they receive. */
static void write_example(const char *missing)
{
    static const char *const receive_off = "7:receive,3:off,";
    struct str all, both, self, keyword;
    str_init(&all, FORWARDRULE_RECORD_MAX);
    str_init(&both, FORWARDRULE_RECORD_MAX);
    str_init(&self, FORWARDRULE_RECORD_MAX);
    str_init(&keyword, FORWARDRULE_RECORD_MAX);
    put_rule(&all, FORWARDRULE_ALL, "", OUTSIDE);
    put_rule(&both, FORWARDRULE_ALL, "", OUTSIDE);
    put_rule(&both, FORWARDRULE_ALL, "", INSIDE);
    put_rule(&both, FORWARDRULE_FROM, "boss", "b@friend.example w@example.com");
    put_rule(&self, FORWARDRULE_ALL, "", "self@example.jp");
    put_rule(&self, FORWARDRULE_ALL, "", "Self+tag@Child.Example");
    put_rule(&self, FORWARDRULE_SUBJECT, "x", "self@child.example self+x@example.jp");
    put_rule(&self, FORWARDRULE_SUBJECT, "y", "self@child.example u2@example.jp");
    put_rule(&keyword, FORWARDRULE_SUBJECT, "x", OUTSIDE);
    const struct record records[] = {
        {"sreceive", "on"},
        {"spostmaster", "box"},
        {"splus-addressing", "on"},
        {"scatch-all", ""},
        {"ssend-limit", "100"},
        {"ssend-window", "60"},
        {"slimit-pause", "7200"},
        {"saccount-send-limit", "10"},
        {"saccount-recipients-limit", "20"},
        {"saccount-send-window", "3600"},
        {"ssend-lock-time", "86400"},
        {"smisuse-recipients", "0"},
        {"smisuse-rejected", "0"},
        {"smisuse-window", "3600"},
        {"aplain", ""},
        {"au2", ""},
        {"aall", ""},
        {"aboth", ""},
        {"aself", ""},
        {"aoff", receive_off},
        {"aoff-all", receive_off},
        {"aoff-keyword", receive_off},
        {"abroken", ""},
        {"fall", str_text(&all)},
        {"fboth", str_text(&both)},
        {"fself", str_text(&self)},
        {"foff", str_text(&both)},
        {"foff-all", str_text(&all)},
        {"foff-keyword", str_text(&keyword)},
        {"fbroken", "9:3:all,0:,"},
    };
    struct record kept[sizeof records / sizeof *records];
    size_t count = 0;
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        if (!missing || strcmp(records[i].key, missing) != 0)
            kept[count++] = records[i];
    write_cdb("cdb/domain/example.jp.cdb", kept, count);
    str_free(&all);
    str_free(&both);
    str_free(&self);
    str_free(&keyword);
}

static void write_all(void)
{
    static const struct record domains[] = {
        {"example.jp", "10:example.jp,5:70100,"},
        {"child.example", "10:example.jp,5:70100,"},
        {"example.com", "11:example.com,5:70101,"},
        {"catch.example", "13:catch.example,5:70101,"},
    };
    static const struct record com[] = {
        {"spostmaster", "box"}, {"splus-addressing", "on"}, {"scatch-all", ""}, {"aw", ""}};
    const struct record host = {"srs-secret", secret};
    static const struct record catch[] = {
        {"spostmaster", "box"}, {"splus-addressing", "on"}, {"scatch-all", "w"}, {"aw", ""}};
    write_cdb("cdb/domains.cdb", domains, 4);
    write_cdb("cdb/domain/catch.example.cdb", catch, 4);
    write_cdb("cdb/domain/example.com.cdb", com, 4);
    write_cdb("cdb/host.cdb", &host, 1);
    write_example(NULL);
}

/* ---- stated -------------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct str asked; /* "verb account ..." one line each */
static bool says_no;
static int listener = -1;

/* Verb, account, and what follows, in one line. */
static void note_question(const struct wire_message *message)
{
    for (size_t i = 1; i < message->count; i++) {
        str_append(&asked, wire_field(message, i));
        str_append_byte(&asked, i + 1 < message->count ? ' ' : '\n');
    }
}

static void serve(int fd)
{
    struct wire_message message;
    wire_init(&message);
    while (wire_receive(fd, &message, CLOCK_NEVER) == WIRE_OK) {
        struct str packet;
        str_init(&packet, 1000);
        pthread_mutex_lock(&lock);
        note_question(&message);
        wire_put_text(&packet, says_no ? "no" : "ok");
        if (says_no)
            wire_put_text(&packet, "send-lock");
        pthread_mutex_unlock(&lock);
        if (slice_equal(wire_field(&message, 1), SLICE("allows")))
            wire_send(fd, str_slice(&packet), NULL, 0, CLOCK_NEVER);
        str_free(&packet);
    }
    wire_free(&message);
    close(fd);
}

static void *run_stated(void *argument)
{
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    (void)argument;
    for (;;) {
        poll(&wait, 1, -1);
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        serve(fd);
    }
}

/* Of `wanted` alone stated was asked since the last look. */
static void check_asked(const char *wanted)
{
    pthread_mutex_lock(&lock);
    bool same = slice_equal(str_slice(&asked), slice_text(wanted));
    if (!same)
        print_error("asked: \"%s\"\nwanted: \"%s\"\n", str_text(&asked), wanted);
    str_clear(&asked);
    pthread_mutex_unlock(&lock);
    assert_true(same);
}

static void set_answer(bool no)
{
    pthread_mutex_lock(&lock);
    says_no = no;
    pthread_mutex_unlock(&lock);
}

#define RULES          "domain 100 60 7200 messages 10 3600 86400 recipients 20 3600 86400"
#define MAY_SEND(name) "allows " name "@example.jp send " RULES "\n"

/* ---- one question of queued ---------------------------------------------------------------------- */

struct fixture {
    pthread_t stated;
    char *path;
    struct directory directory;
    struct forwarding forwarding;
    struct queuefile_recipient recipient;
    struct queuefile file;
    struct str field, reason;
};

static struct fixture *fixture_of(void **state)
{
    struct fixture *fixture = *state;
    str_clear(&fixture->field);
    str_clear(&fixture->reason);
    fixture->forwarding.silent_until = 0;
    set_answer(false);
    return fixture;
}

static bool put_from(struct fixture *fixture, const char *local, const char *sender)
{
    struct directory_account account = {.domain = {.name = "example.jp", .uid = 70100}};
    snprintf(account.local, sizeof account.local, "%s", local);
    str_clear(&fixture->field);
    str_clear(&fixture->reason);
    return forwarding_put(&fixture->forwarding, &account, &fixture->file, 0, slice_text(sender),
                          &fixture->field, &fixture->reason);
}

static bool put(struct fixture *fixture, const char *local)
{
    return put_from(fixture, local, "u9@example.jp");
}

/* The field as text: body, utf8, notify, sender, then each rule. */
static void describe(struct slice field, struct str *text)
{
    struct forwardrule rule;
    struct slice head, target;
    if (field.size == 0)
        return;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(wire_cut_netstring(&field, ENVELOPE_ADDRESS_MAX, &head), 1);
        str_format(text, i < 3 ? "%.*s " : "<%.*s>", SLICE_PRINTF(head));
    }
    while (forwardrule_cut(&field, &rule) == 1) {
        str_format(text, "; %s", forwardrule_name(rule.condition));
        if (rule.keyword.size > 0)
            str_format(text, " \"%.*s\"", SLICE_PRINTF(rule.keyword));
        while (forwardrule_cut_target(&rule.targets, &target) == 1)
            str_format(text, " %.*s", SLICE_PRINTF(target));
    }
    assert_int_equal(field.size, 0);
}

static void check_field(const struct fixture *fixture, const char *wanted)
{
    struct str text;
    str_init(&text, FORWARDRULE_RECORD_MAX);
    describe(str_slice(&fixture->field), &text);
    assert_slice(str_slice(&text), wanted);
    assert_int_equal(fixture->reason.size, 0);
    str_free(&text);
}

static void check_waits(const struct fixture *fixture, const char *reason)
{
    assert_slice(str_slice(&fixture->reason), reason);
    assert_int_equal(fixture->field.size, 0);
}

#define HEAD "7 0  <u9@example.jp>"

/* ---- what goes on -------------------------------------------------------------------------------- */

static void tells_nothing_without_forwards(void **state)
{
    struct fixture *fixture = fixture_of(state);
    assert_true(put(fixture, "plain"));
    check_field(fixture, "");
    assert_true(put(fixture, "no-such-account"));
    check_field(fixture, "");
    check_asked("");
}

static void tells_all_rules(void **state)
{
    struct fixture *fixture = fixture_of(state);
    assert_true(put(fixture, "both"));
    check_field(fixture, HEAD "; all " OUTSIDE "; all " INSIDE
                              "; from \"boss\" b@friend.example w@example.com");
    check_asked(MAY_SEND("both"));
}

static void tells_how_the_message_is_written(void **state)
{
    struct fixture *fixture = fixture_of(state);
    fixture->file.body = ENVELOPE_BODY_8BIT;
    fixture->file.utf8 = true;
    fixture->recipient.notify = DSN_NOTIFY_NEVER;
    assert_true(put(fixture, "all"));
    check_field(fixture, "8 1 NEVER <u9@example.jp>; all " OUTSIDE);
    fixture->file.body = ENVELOPE_BODY_BINARY;
    fixture->file.utf8 = false;
    fixture->recipient.notify = DSN_NOTIFY_FAILURE;
    assert_true(put(fixture, "all"));
    check_field(fixture, "B 0 FAILURE <u9@example.jp>; all " OUTSIDE);
    fixture->file.body = ENVELOPE_BODY_7BIT;
    fixture->recipient.notify = 0;
    check_asked(MAY_SEND("all") MAY_SEND("all"));
}

/* Success is told of the mailbox; of a copy is heard what else was asked for. */
static void tells_what_is_to_be_heard_of_copies(void **state)
{
    struct fixture *fixture = fixture_of(state);
    static const struct {
        unsigned asked;
        const char *field;
    } cases[] = {
        {0, "7 0  <u9@example.jp>; all " OUTSIDE},
        {DSN_NOTIFY_NEVER, "7 0 NEVER <u9@example.jp>; all " OUTSIDE},
        {DSN_NOTIFY_SUCCESS, "7 0 NEVER <u9@example.jp>; all " OUTSIDE},
        {DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE, "7 0 FAILURE <u9@example.jp>; all " OUTSIDE},
        {DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY, "7 0 DELAY <u9@example.jp>; all " OUTSIDE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture->recipient.notify = cases[i].asked;
        assert_true(put(fixture, "all"));
        check_field(fixture, cases[i].field);
    }
    fixture->recipient.notify = 0;
    check_asked(MAY_SEND("all") MAY_SEND("all") MAY_SEND("all") MAY_SEND("all") MAY_SEND("all"));
}

/* Under whichever of its names; a rule that has no other target goes out. */
static void leaves_the_account_itself_out(void **state)
{
    struct fixture *fixture = fixture_of(state);
    assert_true(put(fixture, "self"));
    check_field(fixture, HEAD "; subject \"y\" " INSIDE);
    check_asked("");
}

/* ---- receive off (SPEC R9) ----------------------------------------------------------------------- */

static void receive_off_leaves_rules_under_all(void **state)
{
    struct fixture *fixture = fixture_of(state);
    assert_true(put(fixture, "off"));
    check_field(fixture, HEAD "; all " OUTSIDE "; all " INSIDE);
    check_asked(MAY_SEND("off"));
    /* Nothing is left, so stated need not be asked. */
    assert_true(put(fixture, "off-keyword"));
    check_field(fixture, "");
    check_asked("");
}

/* ---- stated -------------------------------------------------------------------------------------- */

static void who_may_not_send_forwards_inside(void **state)
{
    struct fixture *fixture = fixture_of(state);
    set_answer(true);
    assert_true(put(fixture, "both"));
    check_field(fixture, HEAD "; all " INSIDE "; from \"boss\" w@example.com");
    assert_true(put(fixture, "all"));
    check_field(fixture, "");
    check_asked(MAY_SEND("both") MAY_SEND("all"));
}

static void what_nothing_keeps_waits(void **state)
{
    struct fixture *fixture = fixture_of(state);
    set_answer(true);
    assert_false(put(fixture, "off-all"));
    check_waits(fixture, "the account forwards only, and may not send now");
    /* One target of ours would get it, the others never would. */
    assert_false(put(fixture, "off"));
    check_waits(fixture, "the account forwards only, and may not send now");
    set_answer(false);
    assert_true(put(fixture, "off-all"));
    check_field(fixture, HEAD "; all " OUTSIDE);
    check_asked(MAY_SEND("off-all") MAY_SEND("off") MAY_SEND("off-all"));
}

static bool may_answer(struct fixture *fixture)
{
    const struct directory_account account = {.domain = {.name = "example.jp", .uid = 70100},
                                              .local = "plain"};
    return forwarding_may_answer(&fixture->forwarding, &account, SLICE("0000000000001"));
}

static void replies_are_mail_that_is_sent(void **state)
{
    struct fixture *fixture = fixture_of(state);
    assert_true(may_answer(fixture));
    set_answer(true);
    assert_false(may_answer(fixture));
    check_asked(MAY_SEND("plain") MAY_SEND("plain"));
}

/* Mail goes on when stated is away, which is not asked again for a minute. */
static void stated_away_holds_nothing_up(void **state)
{
    struct fixture *fixture = fixture_of(state);
    struct forwarding away;
    const struct directory_account account = {.domain = {.name = "example.jp", .uid = 70100},
                                              .local = "plain"};
    assert_int_equal(rename("run/stated", "run/away"), 0);
    forwarding_init(&away, &fixture->directory);
    assert_true(forwarding_may_answer(&away, &account, SLICE("0000000000001")));
    int64_t left = clock_left(away.silent_until);
    assert_true(left > 50000 && left <= 60000);
    assert_int_equal(rename("run/away", "run/stated"), 0);
    assert_true(forwarding_may_answer(&away, &account, SLICE("0000000000001")));
    fixture->file.origin = SLICE("by=forward id=0000000000001 user=plain@example.jp uid=70100");
    forwarding_count(&away, &fixture->file, 1);
    assert_int_equal(away.state_fd, -1);
    forwarding_free(&away);
    check_asked("");
}

/* ---- trouble ------------------------------------------------------------------------------------- */

static void what_cannot_be_read_waits(void **state)
{
    struct fixture *fixture = fixture_of(state);
    assert_false(put(fixture, "broken"));
    check_waits(fixture, "the account's forwards can't be read");
    write_example("sreceive");
    assert_false(put(fixture, "all"));
    check_waits(fixture, "the account's settings can't be read");
    /* Without the limits nobody can be asked; mail is not held up by that. */
    write_example("ssend-limit");
    assert_true(put(fixture, "all"));
    check_field(fixture, HEAD "; all " OUTSIDE);
    assert_int_equal(unlink("cdb/domain/example.jp.cdb"), 0);
    assert_false(put(fixture, "all"));
    check_waits(fixture, "the account's forwards can't be read");
    write_example(NULL);
    check_asked("");
}

/* ---- the sender ---------------------------------------------------------------------------------- */

static void check_sender(struct fixture *fixture, const char *sender, const char *wanted)
{
    char text[400];
    assert_true(put_from(fixture, "self", sender));
    snprintf(text, sizeof text, "7 0  <%s>; subject \"y\" " INSIDE, wanted);
    check_field(fixture, text);
}

static void rewrites_senders(void **state)
{
    struct fixture *fixture = fixture_of(state);
    char too_long[300] = "";
    check_sender(fixture, "", "");
    check_sender(fixture, "u9@example.jp", "u9@example.jp");
    assert_true(put_from(fixture, "self", "s@sender.example"));
    struct slice field = str_slice(&fixture->field), part = SLICE(""), local;
    struct str original;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(wire_cut_netstring(&field, ENVELOPE_ADDRESS_MAX, &part), 1);
    assert_true(slice_starts(part, SLICE("SRS0=")));
    local = slice_cut(&part, '@');
    assert_slice(part, "example.jp");
    str_init(&original, ENVELOPE_ADDRESS_MAX);
    assert_int_equal(
        srs_reverse(slice_text(secret), clock_seconds() / 86400, local, part, &original), SRS_OK);
    assert_slice(str_slice(&original), "s@sender.example");
    str_free(&original);
    /* What would be too long stays as it is. */
    snprintf(too_long, sizeof too_long, "%064d@%0180d.sender.example", 1, 2);
    check_sender(fixture, too_long, too_long);
    check_asked("");
}

static void without_a_secret_senders_stay(void **state)
{
    struct fixture *fixture = fixture_of(state);
    const struct record short_secret = {"srs-secret", "fifteen of them"};
    const struct record none = {"srs-secret", ""};
    const struct record good = {"srs-secret", secret};
    write_cdb("cdb/host.cdb", &short_secret, 1);
    check_sender(fixture, "s@sender.example", "s@sender.example");
    write_cdb("cdb/host.cdb", &none, 1);
    check_sender(fixture, "s@sender.example", "s@sender.example");
    assert_int_equal(unlink("cdb/host.cdb"), 0);
    check_sender(fixture, "s@sender.example", "s@sender.example");
    write_cdb("cdb/host.cdb", &good, 1);
}

/* ---- who pays ------------------------------------------------------------------------------------ */

static const struct {
    const char *origin;
    size_t outside;
    const char *told;
} counts[] = {
    {"by=forward id=0000000000001 user=both@example.jp uid=70100", 3, "sent both@example.jp 3\n"},
    {"by=reply id=0000000000001 user=both@example.jp uid=70100", 1, "sent both@example.jp 1\n"},
    {"by=forward id=0000000000001 user=Both+tag@Child.Example uid=70100", 1,
     "sent both@example.jp 1\n"},
    {"by=forward id=0000000000001 user=w@example.com uid=70101", 1, "sent w@example.com 1\n"},
    {"by=forward id=0000000000001 user=both@example.jp uid=70100", 0, ""},
    /* Another domain's program names the account. */
    {"by=forward id=0000000000001 user=both@example.jp uid=70101", 1, ""},
    {"by=forward id=0000000000001 user=both@example.jp uid=701000", 1, ""},
    {"by=forward id=0000000000001 user=both@example.jp uid=70100 uid=70101", 1, ""},
    {"by=forward id=0000000000001 user=both@example.jp uid=70100 ", 1, ""},
    /* What a catch-all took; its quotes name nobody else. */
    {"by=forward id=0000000000001 user=\"x y\"@catch.example uid=70101", 2,
     "sent w@catch.example 2\n"},
    {"by=forward id=0000000000001 user=\"x user=w@example.com \"@catch.example uid=70101", 1,
     "sent w@catch.example 1\n"},
    {"by=forward uid=70100 user=both@example.jp", 1, ""},
    {"by=forward id=0000000000001 user=both@example.jp", 1, ""},
    {"by=forward id=0000000000001 user=nobody-here@example.jp uid=70100", 1, ""},
    {"by=forward id=0000000000001 user=both@friend.example uid=70100", 1, ""},
    {"by=forward id=0000000000001 user= uid=70100", 1, ""},
    {"by=forward", 1, ""},
    {"by=submission client=192.0.2.1 user=both@example.jp uid=70100", 1, ""},
    {"by=forwards id=0000000000001 user=both@example.jp uid=70100", 1, ""},
    {"", 1, ""},
};

static void counts_what_leaves(void **state)
{
    struct fixture *fixture = fixture_of(state);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char wanted[200];
        fixture->file.origin = slice_text(counts[i].origin);
        forwarding_count(&fixture->forwarding, &fixture->file, counts[i].outside);
        /* Its answer comes behind what was told. */
        assert_true(may_answer(fixture));
        snprintf(wanted, sizeof wanted, "%s%s", counts[i].told, MAY_SEND("plain"));
        check_asked(wanted);
    }
    fixture->file.origin = SLICE("");
}

static void counts_who_does_not_exist(void **state)
{
    static const struct {
        const char *origin;
        size_t rejected;
        const char *told;
    } cases[] = {
        {"by=submission client=192.0.2.1 helo=c user=both@example.jp", 2,
         "rejected both@example.jp 2\n"},
        {"by=submissions client=192.0.2.1 helo=c tls=TLSv1.2 user=both@child.example", 1,
         "rejected both@example.jp 1\n"},
        {"by=submission client=192.0.2.1 helo=c user=both@example.jp", 0, ""},
        {"by=submission client=192.0.2.1 helo=c user=nobody-here@example.jp", 1, ""},
        {"by=smtp client=192.0.2.1 helo=c", 1, ""},
        {"by=sendmail uid=1000 user=both@example.jp", 1, ""},
        {"by=forward id=0000000000001 user=both@example.jp uid=70100", 1, ""},
        {"", 1, ""},
    };
    static const struct {
        const char *status;
        bool is_unknown;
    } statuses[] = {{"5.1.1", true},  {"5.1.2", true},  {"5.1.10", true}, {"5.1.7", false},
                    {"5.1.8", false}, {"5.2.2", false}, {"5.7.1", false}, {"4.1.1", false},
                    {"", false},      {"5.1", false}};
    struct fixture *fixture = fixture_of(state);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        assert_int_equal(forwarding_is_unknown(statuses[i].status), statuses[i].is_unknown);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char wanted[200];
        fixture->file.origin = slice_text(cases[i].origin);
        forwarding_count_rejected(&fixture->forwarding, &fixture->file, cases[i].rejected);
        assert_true(may_answer(fixture));
        snprintf(wanted, sizeof wanted, "%s%s", cases[i].told, MAY_SEND("plain"));
        check_asked(wanted);
    }
    fixture->file.origin = SLICE("");
}

/* ---- the group ----------------------------------------------------------------------------------- */

static int begin(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    void *path;
    if (!fixture || folder_enter(&path) != 0 || mkdir("run/stated", 0700) < 0)
        return -1;
    fixture->path = path;
    listener = unixsocket_listen(STATE_SOCKET, SOCK_SEQPACKET, 10);
    str_init(&asked, 100000);
    if (listener < 0 || pthread_create(&fixture->stated, NULL, run_stated, NULL) != 0)
        return -1;
    write_all();
    directory_init(&fixture->directory);
    forwarding_init(&fixture->forwarding, &fixture->directory);
    str_init(&fixture->field, WIRE_MAX_SIZE);
    str_init(&fixture->reason, 1000);
    fixture->file = (struct queuefile){.id = SLICE("0000000000001"),
                                       .body = ENVELOPE_BODY_7BIT,
                                       .recipients = &fixture->recipient,
                                       .recipient_count = 1};
    *state = fixture;
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    void *path = fixture->path;
    forwarding_free(&fixture->forwarding);
    directory_close(&fixture->directory);
    shutdown(listener, SHUT_RDWR);
    pthread_join(fixture->stated, NULL);
    close(listener);
    str_free(&fixture->field);
    str_free(&fixture->reason);
    str_free(&asked);
    free(fixture);
    return folder_leave(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_nothing_without_forwards),
        cmocka_unit_test(tells_all_rules),
        cmocka_unit_test(tells_how_the_message_is_written),
        cmocka_unit_test(tells_what_is_to_be_heard_of_copies),
        cmocka_unit_test(leaves_the_account_itself_out),
        cmocka_unit_test(receive_off_leaves_rules_under_all),
        cmocka_unit_test(who_may_not_send_forwards_inside),
        cmocka_unit_test(what_nothing_keeps_waits),
        cmocka_unit_test(replies_are_mail_that_is_sent),
        cmocka_unit_test(stated_away_holds_nothing_up),
        cmocka_unit_test(what_cannot_be_read_waits),
        cmocka_unit_test(rewrites_senders),
        cmocka_unit_test(without_a_secret_senders_stay),
        cmocka_unit_test(counts_what_leaves),
        cmocka_unit_test(counts_who_does_not_exist),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
