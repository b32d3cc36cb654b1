/* Control files in a temporary ROOT: read, checked, compiled; looked up as programs do. */
#include "controlroot.h"

#include "directory.h"
#include "domain.h"
#include "folders.h"
#include "mailbox.h"
#include "maildir.h"
#include "purge.h"
#include "removal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HASH "$y$j9T$PC7g/nJ696kqByfXt46vw1$7mwXp0/nFEVRPrF5cNhvPfxhQ7nNf0NQhWy2dzsXbcA"

/* A small ROOT with two domains. */
static int set_up(void **state)
{
    (void)state;
    if (!controlroot_enter())
        return -1;
    write_file("control/listen", "smtp 127.0.0.1:2525\n");
    write_file("control/smtproutes", "example.net:relay.example.net:26\n");
    write_file("control/plans/small", "quota 100\nimap off\nfree catch-all\nfixed apop off\n");
    write_file("control/domains/example.jp/plan", "small\n");
    write_file("control/domains/example.jp/uid", "70100\n");
    write_file("control/domains/example.jp/users",
               "# staff\nu1:" HASH ":quota=10\nU2::quota=500 comment=\"x y\"\n");
    write_file("control/domains/example.jp/children", "sub.example.jp\n");
    write_file("control/domains/example.org/uid", "70101\n");
    return 0;
}

static void refuse(const char *name, const char *const *errors, size_t count)
{
    struct run run;
    begin(&run);
    assert_int_equal(compile(&run, name), REBUILD_REFUSED);
    for (size_t i = 0; i < count; i++)
        if (!has_error(&run, errors[i]))
            fail_msg("\"%s\" is not in:\n%s", errors[i], str_text(&run.findings.errors));
    assert_int_equal(run.findings.error_count, count);
    end(&run);
}

static void check_setting(const char *address, const char *name, const char *value)
{
    struct directory directory;
    struct directory_account account;
    struct str found;
    directory_init(&directory);
    str_init(&found, 1024);
    assert_int_equal(directory_address(&directory, slice_text(address), &account), DIRECTORY_FOUND);
    assert_true(directory_setting(&directory, &account, name, &found));
    assert_slice(str_slice(&found), value);
    str_free(&found);
    directory_close(&directory);
}

static enum directory_result look_up(const char *address)
{
    struct directory directory;
    struct directory_account account;
    directory_init(&directory);
    enum directory_result result = directory_address(&directory, slice_text(address), &account);
    directory_close(&directory);
    return result;
}

static void check_host(const char *name, const char *value)
{
    struct directory directory;
    struct str found;
    directory_init(&directory);
    str_init(&found, 1024);
    assert_true(directory_host(&directory, name, &found));
    assert_slice(str_slice(&found), value);
    str_free(&found);
    directory_close(&directory);
}

static void test_everything(void **state)
{
    (void)state;
    struct cdbfile file;
    struct slice value;
    struct stat info;
    compile_well(NULL);
    check_host("me", "mail.example.jp");
    check_host("databytes", "104857600");
    check_setting("u1@example.jp", "quota", "10");
    check_setting("u2@example.jp", "quota", "100"); /* more than the plan gives does not count */
    check_setting("u2@sub.example.jp", "comment", "x y");
    check_setting("u1@example.jp", "imap", "off");
    check_setting("postmaster@example.org", "imap", "on");
    assert_int_equal(look_up("u3@example.jp"), DIRECTORY_UNKNOWN_USER);
    assert_int_equal(look_up("u1@example.com"), DIRECTORY_UNKNOWN_DOMAIN);
    assert_true(cdbfile_open(&file, AT_FDCWD, "cdb/secret/example.jp.cdb"));
    assert_int_equal(cdbfile_find(&file, SLICE("u1"), &value), CDBFILE_FOUND);
    assert_slice(value, HASH);
    assert_int_equal(cdbfile_find(&file, SLICE("u2"), &value), CDBFILE_MISSING);
    cdbfile_close(&file);
    assert_true(cdbfile_open(&file, AT_FDCWD, "cdb/routes.cdb"));
    assert_int_equal(cdbfile_find(&file, SLICE("example.net"), &value), CDBFILE_FOUND);
    assert_slice(value, "relay.example.net:26");
    cdbfile_close(&file);
    assert_int_equal(stat("cdb/secret", &info), 0);
    assert_int_equal(info.st_mode & 0777, 0750);
    assert_int_equal(stat("cdb/secret/example.jp.cdb", &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(stat("mail/example.jp/u1", &info), 0);
}

static ino_t inode_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_ino;
}

/* A rebuild writes what changed, and nothing else. */
static void test_only_changes_are_written(void **state)
{
    (void)state;
    compile_well(NULL);
    ino_t jp = inode_of("cdb/domain/example.jp.cdb");
    ino_t org = inode_of("cdb/domain/example.org.cdb");
    ino_t domains = inode_of("cdb/domains.cdb");
    compile_well(NULL);
    assert_true(inode_of("cdb/domain/example.jp.cdb") == jp);
    assert_true(inode_of("cdb/domains.cdb") == domains);
    /* The old file stays open, so that its inode is not given out again. */
    int held = open("cdb/domain/example.jp.cdb", O_RDONLY | O_CLOEXEC);
    write_file("control/domains/example.jp/users", "u9::\n");
    compile_well("example.jp");
    assert_true(inode_of("cdb/domain/example.jp.cdb") != jp);
    assert_true(inode_of("cdb/domain/example.org.cdb") == org);
    assert_true(inode_of("cdb/domains.cdb") == domains);
    assert_int_equal(look_up("u9@example.jp"), DIRECTORY_FOUND);
    assert_int_equal(look_up("u1@example.jp"), DIRECTORY_UNKNOWN_USER);
    io_close(&held);
}

static void test_all_errors_at_once(void **state)
{
    (void)state;
    static const char *const errors[] = {
        "control/databytes line 1: \"20MB\" is not a number of bytes from 1024",
        "control/databites: there is no control file of this name",
        "control/listen line 2: \"smtps\" is no service",
        "control/listen line 3: the same as line 1 already",
        "control/smtproutes line 1: \"a b\" is no domain",
        "control/access line 1: ",
        "control/plans/small line 1: quota: \"lots\" is not a number from 0",
        "control/plans/small line 2: \"nosuch\" is no setting",
        "control/domains/example.jp/users line 1: a line is NAME:HASH:SETTINGS",
        "control/domains/example.jp/users line 2: \"databytes\" is no setting of an account",
        "control/domains/example.jp/users line 4: u1 stands in line 3 already",
        "control/domains/example.jp/settings line 1: only a plan says",
        "control/domains/example.jp/settings line 3: imap is set in line 2 already",
        "control/domains/example.jp/children line 1: \"x\" is no domain name",
        "control/domains/example.jp: there is no control file \"user\"",
        "control/domains/example.org/plan line 1: there is no plan \"nosuch\"",
        "control/domains/example.org/uid line 1: \"12\" is no uid for a domain",
        "control/domains: \"Upper.jp\" is no domain name in lower-case A-labels",
    };
    compile_well(NULL);
    write_file("control/databytes", "20MB\n");
    write_file("control/databites", "20\n");
    write_file("control/listen", "smtp 127.0.0.1:25\nsmtps 127.0.0.1:465\nimap 127.0.0.1:25\n");
    write_file("control/smtproutes", "a b:relay.jp\n");
    write_file("control/access", "smtp nonsense deny\n");
    write_file("control/plans/small", "quota lots\nnosuch 1\n");
    write_file("control/domains/example.jp/users", "nonsense\nu5::databytes=1\nu1::\nu1::\n");
    write_file("control/domains/example.jp/settings", "fixed imap off\nimap off\nimap off\n");
    write_file("control/domains/example.jp/children", "x\n");
    write_file("control/domains/example.jp/user", "");
    write_file("control/domains/example.org/plan", "nosuch\n");
    write_file("control/domains/example.org/uid", "12\n");
    write_file("control/domains/Upper.jp/uid", "70105\n");
    refuse(NULL, errors, sizeof errors / sizeof errors[0]);
    /* Nothing was written: the running configuration is what it was. */
    check_setting("u1@example.jp", "quota", "10");
}

/* What is not seen in an editor, and reads as something else. */
static void test_bytes_of_other_systems(void **state)
{
    (void)state;
    static const char *const errors[] = {
        "control/domains/example.jp/users line 1: it begins with a byte order mark: save it",
        "control/domains/example.jp/settings line 3: a CR without LF: lines end in LF or CRLF",
    };
    write_file("control/domains/example.jp/settings", "quota 10\r\nimap on\r\n# a\rpop3 off\r\n");
    write_file("control/domains/example.jp/users", "\xef\xbb\xbfu1::\r\nu2::");
    refuse(NULL, errors, 2);
    struct run run;
    begin(&run);
    assert_int_equal(compile(&run, "example.jp"), REBUILD_REFUSED);
    assert_int_equal(run.findings.error_count, 2); /* and nothing that follows from them */
    end(&run);
    write_file("control/domains/example.jp/settings", "quota 10\r\nimap on\r\n");
    write_file("control/domains/example.jp/users", "u1::\r\nu2::");
    compile_well(NULL);
}

/* Its disk is not mounted: these are not no accounts. */
static void test_a_link_that_leads_nowhere(void **state)
{
    (void)state;
    struct run run;
    compile_well(NULL);
    assert_int_equal(unlink("control/domains/example.jp/users"), 0);
    assert_int_equal(symlink("../../elsewhere", "control/domains/example.jp/users"), 0);
    begin(&run);
    assert_int_equal(compile(&run, NULL), REBUILD_TROUBLE);
    assert_true(has_error(&run, "control/domains/example.jp/users: can't read it"));
    end(&run);
    assert_int_equal(look_up("u1@example.jp"), DIRECTORY_FOUND);
    write_file("control/elsewhere~", "u1::\n");
    assert_int_equal(rename("control/elsewhere~", "elsewhere"), 0);
    assert_int_equal(unlink("control/domains/example.jp/users"), 0);
    assert_int_equal(symlink("../../../elsewhere", "control/domains/example.jp/users"), 0);
    compile_well(NULL);
}

static void test_long_names(void **state)
{
    (void)state;
    static const char *const errors[] = {
        "has more than 245 characters, and files are named after it"};
    char path[PATH_MAX], label[61];
    memset(label, 'a', 60);
    label[60] = '\0';
    snprintf(path, sizeof path, "control/domains/%s.%s.%s.%.59s.jp/uid", label, label, label,
             label);
    write_file(path, "70105\n");
    compile_well(NULL);
    *strrchr(path, '/') = '\0';
    char longer[PATH_MAX];
    snprintf(longer, sizeof longer, "control/domains/b%s", strrchr(path, '/') + 1);
    assert_int_equal(rename(path, longer), 0);
    refuse(NULL, errors, 1);
}

static void test_names_are_unique(void **state)
{
    (void)state;
    static const char *const errors[] = {
        "example.org is a domain and also in domains/example.jp/children",
        "sub.example.jp is in domains/example.jp/children and in domains/example.net/children",
        "control/domains/example.org: uid 70101 is that of example.net",
    };
    write_file("control/domains/example.jp/children", "example.org\nsub.example.jp\n");
    write_file("control/domains/example.net/children", "sub.example.jp\n");
    write_file("control/domains/example.net/uid", "70101\n");
    refuse(NULL, errors, 3);
}

static void test_partial_sees_other_domains(void **state)
{
    (void)state;
    static const char *const errors[] = {
        "example.org is a domain and also in domains/example.jp/children"};
    static const char *const unknown[] = {"there is no domain example.com"};
    compile_well(NULL);
    write_file("control/domains/example.jp/children", "example.org\n");
    refuse("example.jp", errors, 1);
    assert_int_equal(look_up("postmaster@sub.example.jp"), DIRECTORY_FOUND);
    write_file("control/domains/example.jp/children", "other.example.jp\n");
    compile_well("example.jp");
    assert_int_equal(look_up("postmaster@sub.example.jp"), DIRECTORY_UNKNOWN_DOMAIN);
    assert_int_equal(look_up("postmaster@other.example.jp"), DIRECTORY_FOUND);
    refuse("example.com", unknown, 1);
}

static void test_a_domain_goes(void **state)
{
    (void)state;
    compile_well(NULL);
    assert_int_equal(unlink("control/domains/example.org/uid"), 0);
    assert_int_equal(rmdir("control/domains/example.org"), 0);
    compile_well("example.org");
    assert_int_equal(look_up("postmaster@example.org"), DIRECTORY_UNKNOWN_DOMAIN);
    assert_int_equal(access("cdb/domain/example.org.cdb", F_OK), -1);
    assert_int_equal(access("cdb/secret/example.org.cdb", F_OK), -1);
    assert_int_equal(look_up("u1@example.jp"), DIRECTORY_FOUND);
}

static void test_limits_and_names(void **state)
{
    (void)state;
    static const char *const errors[] = {
        "control/domains/example.jp/users line 3: 2 accounts, but accounts-max is 1",
        "control/domains/example.jp/users: catch-all is u7, but there is no such account",
        "control/domains/example.jp/children: the plan small has no child domains",
    };
    write_file("control/domains/example.jp/settings",
               "accounts-max 1\ncatch-all u7\nchild-domains off\n");
    refuse(NULL, errors, 3);
    write_file("control/domains/example.jp/settings", "catch-all U1\n");
    compile_well(NULL);
    assert_int_equal(look_up("anybody@example.jp"), DIRECTORY_FOUND);
    assert_int_equal(look_up("anybody@example.org"), DIRECTORY_UNKNOWN_USER);
}

/* Where nobody is the administrator's, no account may have that name. */
static void test_reserved_names(void **state)
{
    (void)state;
    static const char *const errors[] = {
        "control/domains/example.jp/users line 2: mail for nobody goes to the administrator",
    };
    write_file("control/domains/example.jp/settings", "");
    write_file("control/domains/example.jp/users", "u1::\nnobody::\npostmaster::\n");
    refuse(NULL, errors, 1);
    write_file("control/plans/small", "quota 100\nimap off\npostmaster box\n");
    compile_well(NULL);
    assert_int_equal(look_up("nobody@example.jp"), DIRECTORY_FOUND);
}

static uint64_t imap_sessions(const char *settings)
{
    struct directory directory;
    struct directory_domain domain;
    uint64_t number = 0;
    write_file("control/domains/example.org/settings", settings);
    compile_well(NULL);
    directory_init(&directory);
    assert_int_equal(directory_domain(&directory, SLICE("example.org"), &domain), DIRECTORY_FOUND);
    assert_true(directory_derived_number(&directory, &domain, "imap-sessions", &number));
    assert_false(directory_derived_number(&directory, &domain, "nonsense", &(uint64_t){0}));
    directory_close(&directory);
    return number;
}

/* SPEC R1.5: half as many as contracted addresses, 500 at most; else two for each that is there. */
static void test_imap_sessions(void **state)
{
    static const struct {
        const char *settings;
        uint64_t sessions;
    } all[] = {
        {"accounts-max 200\n", 100},
        {"accounts-max 300\n", 150},
        {"accounts-max 900\n", 450},
        {"accounts-max 1000\n", 500},
        {"accounts-max 1500\n", 500},
        {"accounts-max 1\n", 10},
        {"accounts-max 1500\nimap-sessions 40\n", 40},
    };
    (void)state;
    write_file("control/plans/mailhosting", "imap-sessions 500\nimap-sessions-percent 50\n");
    write_file("control/domains/example.org/plan", "mailhosting\n");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_int_equal(imap_sessions(all[i].settings), all[i].sessions);
    /* u0 to u9 and postmaster */
    write_file("control/domains/example.org/users",
               "u0::\nu1::\nu2::\nu3::\nu4::\nu5::\nu6::\nu7::\nu8::\nu9::\n");
    write_file("control/domains/example.org/plan", "default\n");
    write_file("control/plans/default", "");
    assert_int_equal(imap_sessions(""), 22);
    assert_int_equal(imap_sessions("accounts-max 1000\n"), 500);
    write_file("control/plans/default", "imap-sessions-percent 0\n");
    assert_int_equal(imap_sessions(""), 500);
    write_file("control/plans/default", "imap-sessions-least 1\nimap-sessions-percent 10\n");
    assert_int_equal(imap_sessions(""), 1);
}

static void test_capabilities_off(void **state)
{
    static const char *const errors[] = {
        "names MOVES, which is no capability that can be switched off"};
    (void)state;
    write_file("control/domains/example.jp/users",
               "u1:" HASH ":imap-capabilities-off=\"IDLE MOVE\"\n");
    compile_well(NULL);
    check_setting("u1@example.jp", "imap-capabilities-off", "IDLE MOVE");
    write_file("control/domains/example.jp/users", "u1:" HASH ":imap-capabilities-off=MOVES\n");
    refuse(NULL, errors, 1);
}

static void check_reply(const char *address, const char *utf8, const char *seven)
{
    struct directory directory;
    struct directory_account account;
    struct str forms[2];
    directory_init(&directory);
    str_init(&forms[0], 8192);
    str_init(&forms[1], 8192);
    assert_int_equal(directory_address(&directory, slice_text(address), &account), DIRECTORY_FOUND);
    assert_true(directory_reply(&directory, &account, &forms[0], &forms[1]));
    assert_slice(str_slice(&forms[0]), utf8);
    assert_slice(str_slice(&forms[1]), seven);
    str_free(&forms[0]);
    str_free(&forms[1]);
    directory_close(&directory);
}

static void test_replies(void **state)
{
    static const char *const errors[] = {
        "control/domains/example.jp/replies/u1 line 2: \"\xe2\x80\x95\" (U+2015)",
        "control/domains/example.jp/replies/u7: there is no account u7",
        "control/domains/example.jp/replies/U2: there is no account U2",
    };
    (void)state;
    write_file("control/domains/example.jp/replies/u1", "\xe4\xb8\x8d\xe5\x9c\xa8\nx\n");
    write_file("control/domains/example.jp/replies/u2", "\n");
    write_file("control/domains/example.jp/replies/.u3.swp", "\xff");
    compile_well(NULL);
    check_reply("u1@example.jp", "\xe4\xb8\x8d\xe5\x9c\xa8\r\nx\r\n", "\x1b$BIT:_\x1b(B\r\nx\r\n");
    check_reply("u1@sub.example.jp", "\xe4\xb8\x8d\xe5\x9c\xa8\r\nx\r\n",
                "\x1b$BIT:_\x1b(B\r\nx\r\n");
    check_reply("u2@example.jp", "", "");
    check_reply("postmaster@example.jp", "", "");
    /* Switched off, by the account or its plan. */
    write_file("control/domains/example.jp/users", "u1::auto-reply=off\nu2::\n");
    compile_well("example.jp");
    check_reply("u1@example.jp", "", "");
    write_file("control/domains/example.jp/users", "u1::\nu2::\n");
    compile_well("example.jp");
    check_reply("u1@example.jp", "\xe4\xb8\x8d\xe5\x9c\xa8\r\nx\r\n", "\x1b$BIT:_\x1b(B\r\nx\r\n");
    write_file("control/plans/small", "auto-reply off\n");
    compile_well("example.jp");
    check_reply("u1@example.jp", "", "");
    write_file("control/domains/example.jp/replies/u1", "a\nb\xe2\x80\x95\n");
    write_file("control/domains/example.jp/replies/u7", "a\n");
    write_file("control/domains/example.jp/replies/U2", "a\n");
    refuse("example.jp", errors, 3);
}

/* A change is seen before it is written; a removal too. */
static void test_replies_that_change(void **state)
{
    struct run run;
    (void)state;
    write_file("control/domains/example.jp/replies/u2", "a\n");
    compile_well(NULL);
    begin(&run);
    assert_true(sources_change(&run.sources, "domains/example.jp/replies/u1", SLICE("b\n")));
    assert_true(sources_remove(&run.sources, "domains/example.jp/replies/u2"));
    assert_int_equal(compile(&run, "example.jp"), REBUILD_DONE);
    end(&run);
    check_reply("u1@example.jp", "b\r\n", "b\r\n");
    check_reply("u2@example.jp", "", "");
    assert_int_equal(access("control/domains/example.jp/replies/u2", F_OK), -1);
    begin(&run);
    assert_true(sources_change(&run.sources, "domains/example.jp/replies/u9", SLICE("b\n")));
    assert_int_equal(compile(&run, "example.jp"), REBUILD_REFUSED);
    end(&run);
    assert_int_equal(access("control/domains/example.jp/replies/u9", F_OK), -1);
}

/* What a layer may not say is left out with a warning, and never loosens. */
static void test_warnings(void **state)
{
    (void)state;
    struct run run;
    write_file("control/domains/example.jp/settings", "quota 200\nimap on\n");
    write_file("control/domains/example.jp/users", "u1::apop-secret=abc imap=on\n");
    begin(&run);
    assert_int_equal(compile(&run, NULL), REBUILD_DONE);
    assert_true(has(&run.findings.warnings, "quota 200 does not count: the plan says 100"));
    assert_true(has(&run.findings.warnings, "imap on does not count: the plan says off"));
    assert_true(has(&run.findings.warnings, "imap=on does not count: the plan says off"));
    assert_true(has(&run.findings.warnings, "an APOP secret without the setting apop"));
    end(&run);
    check_setting("u1@example.jp", "quota", "100");
    check_setting("u1@example.jp", "imap", "off");
}

static void test_apop_secret(void **state)
{
    (void)state;
    struct cdbfile file;
    struct slice value;
    write_file("control/plans/small", "apop on\n");
    write_file("control/domains/example.jp/users", "u1::apop-secret=\"a b\"\nu2::apop=off\n");
    compile_well(NULL);
    assert_true(cdbfile_open(&file, AT_FDCWD, "cdb/secret/example.jp.cdb"));
    assert_int_equal(cdbfile_find(&file, SLICE("apop u1"), &value), CDBFILE_FOUND);
    assert_slice(value, "a b");
    assert_int_equal(cdbfile_find(&file, SLICE("apop u2"), &value), CDBFILE_MISSING);
    cdbfile_close(&file);
}

/* A change is checked before it is written. */
static void test_changes(void **state)
{
    (void)state;
    struct run run;
    struct str text;
    str_init(&text, 1000);
    compile_well(NULL);
    begin(&run);
    assert_true(sources_change(&run.sources, "domains/example.jp/users", SLICE("bad\n")));
    assert_int_equal(compile(&run, "example.jp"), REBUILD_REFUSED);
    end(&run);
    assert_true(io_read_file(control, "domains/example.jp/users", &text));
    assert_true(has(&text, "# staff\nu1:"));
    assert_int_equal(look_up("u1@example.jp"), DIRECTORY_FOUND);
    begin(&run);
    assert_true(sources_change(&run.sources, "domains/example.jp/users", SLICE("bad\n")));
    assert_true(sources_change(&run.sources, "domains/example.jp/users", SLICE("u7::\n")));
    assert_true(sources_change(&run.sources, "domains/fresh.jp/uid", SLICE("70109\n")));
    assert_int_equal(compile(&run, "example.jp"), REBUILD_DONE);
    end(&run);
    assert_int_equal(look_up("u7@example.jp"), DIRECTORY_FOUND);
    compile_well("fresh.jp");
    assert_int_equal(look_up("postmaster@fresh.jp"), DIRECTORY_FOUND);
    str_free(&text);
}

/* cdb/domains.cdb cut short is trouble, said so, and the way out works. */
static void test_broken_database(void **state)
{
    (void)state;
    compile_well(NULL);
    assert_int_equal(truncate("cdb/domains.cdb", 100), 0);
    assert_int_equal(look_up("u1@example.jp"), DIRECTORY_TROUBLE);
    compile_well("example.jp");
    assert_int_equal(look_up("u1@example.jp"), DIRECTORY_FOUND);
    assert_int_equal(look_up("postmaster@example.org"), DIRECTORY_FOUND);
}

static void test_purge(void **state)
{
    (void)state;
    struct purge purge = {.only_looks = true};
    assert_true(maildir_create(root, "mail/a/Maildir") &&
                maildir_create(root, "mail/a/Maildir/.Sent"));
    write_file("mail/a/Maildir/new/1000000001.a", "x");
    write_file("mail/a/Maildir/cur/1000000002.b:2,S", "x");
    write_file("mail/a/Maildir/.Sent/cur/1000000003.c:2,", "x");
    int maildir = openat(root, "mail/a/Maildir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(purge_maildir(&purge, maildir));
    assert_int_equal(purge.messages, 3);
    purge.only_looks = false;
    assert_true(purge_maildir(&purge, maildir));
    assert_int_equal(purge.messages, 3);
    assert_int_equal(purge.bytes, 3);
    assert_true(purge_maildir(&purge, maildir));
    assert_int_equal(purge.messages, 0);
    /* No UID comes again. */
    struct mailbox *inbox = mailbox_open(maildir, ".", false);
    assert_true(inbox && inbox->count == 0 && inbox->uidnext == 3);
    mailbox_close(&inbox);
    close(maildir);
}

/* The account's mail goes in one step; a file keeps its place till it may be taken again. */
static void test_removal(void **state)
{
    (void)state;
    write_file("mail/d/a/Maildir/cur/1", "x");
    write_file("mail/d/b/Maildir/cur/1", "x");
    int domain = openat(root, "mail/d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(removal_finish(domain, "a")); /* none was begun */
    assert_int_equal(access("mail/d/a/Maildir/cur/1", F_OK), 0);
    assert_true(removal_begin(domain, "a") && removal_is_begun(domain, "a"));
    assert_int_equal(access("mail/d/a/Maildir/cur/1", F_OK), 0);
    assert_true(removal_sweep(domain, time(NULL)) && removal_is_begun(domain, "a"));
    /* It was not to be. */
    assert_true(removal_give_up(domain, "a") && !removal_is_begun(domain, "a"));
    assert_true(removal_finish(domain, "a") && removal_give_up(domain, "a"));
    assert_int_equal(access("mail/d/a/Maildir/cur/1", F_OK), 0);
    assert_true(removal_begin(domain, "a") && removal_is_begun(domain, "a"));
    assert_true(removal_finish(domain, "a") && !removal_is_begun(domain, "a"));
    assert_true(removal_is_marked(domain, "a") && mkdirat(domain, "a", 0700) < 0);
    assert_false(removal_unmark_old(domain, "a", time(NULL)));
    /* A second removal of what is not there, as after a mailbox was made by hand and another way. */
    assert_true(removal_begin(domain, "a") && removal_finish(domain, "a"));
    assert_true(removal_is_marked(domain, "a") && !removal_is_begun(domain, "a"));
    assert_true(removal_unmark_old(domain, "a", time(NULL) + REMOVAL_MARK_S + 1));
    /* An account that never got mail leaves its mark all the same. */
    assert_true(removal_begin(domain, "a") && removal_finish(domain, "a"));
    assert_true(removal_is_marked(domain, "a") && removal_unmark(domain, "a"));
    /* Broken off while its folder was being removed: the sweep finishes that. */
    write_file("mail/d/.removing-c/Maildir/cur/1", "x");
    assert_true(removal_is_begun(domain, "c") && removal_sweep(domain, time(NULL)));
    assert_false(removal_is_begun(domain, "c"));
    assert_int_equal(access("mail/d/b/Maildir/cur/1", F_OK), 0);
    close(domain);
}

/* What a mailbox's owner links to is not what is removed. */
static void test_remove_follows_no_links(void **state)
{
    (void)state;
    write_file("keep/file", "x");
    write_file("gone/a/b/file", "x");
    assert_int_equal(symlink("../keep", "gone/link"), 0);
    assert_true(folders_remove(root, "gone", (uid_t)-1));
    assert_int_equal(access("gone", F_OK), -1);
    assert_int_equal(access("keep/file", F_OK), 0);
    assert_true(folders_remove(root, "gone", (uid_t)-1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, controlroot_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_everything),
        TEST(test_only_changes_are_written),
        TEST(test_all_errors_at_once),
        TEST(test_bytes_of_other_systems),
        TEST(test_a_link_that_leads_nowhere),
        TEST(test_long_names),
        TEST(test_names_are_unique),
        TEST(test_partial_sees_other_domains),
        TEST(test_a_domain_goes),
        TEST(test_limits_and_names),
        TEST(test_reserved_names),
        TEST(test_imap_sessions),
        TEST(test_capabilities_off),
        TEST(test_replies),
        TEST(test_replies_that_change),
        TEST(test_warnings),
        TEST(test_apop_secret),
        TEST(test_changes),
        TEST(test_broken_database),
        TEST(test_purge),
        TEST(test_removal),
        TEST(test_remove_follows_no_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
