"""POP3 by the letter: RFC 1939, 2449, 2595, 3206, 5034, 6856, section by section."""

import base64
import re
import time

import corpus
from dialogue import Dialogue
from suite import check, equal, wait_until

DELAY = 3
CORPUS = [corpus.message(number) for number in (0, 5, 12, 13, 16, 19, 25, 30)]


def prepare(suite):
    suite.add_domain("example.jp", "u1", "u2", "international")
    suite.control("plans/slow", f"pop3-login-delay {DELAY}\npop3-expire 30\n")
    suite.add_domain("slow.jp", "u1", plan="slow")
    suite.rebuild()
    suite.start()
    with suite.imaps("u1@example.jp") as client:
        for message in CORPUS:
            client.append("INBOX", None, None, message)


class Pop3(Dialogue):
    def __init__(self, suite, address=None, service="pop3s"):
        super().__init__(suite.ports[service])
        self.suite = suite
        self.language = ""
        if service == "pop3s":
            self.start_tls()
        self.greeting = self.status()
        if address:
            self.ok(f"USER {address}")
            self.ok(f"PASS {suite.password(address)}")

    def status(self):
        """A status line: "+OK", "-ERR" or "+ ", of at most 512 bytes (RFC 2449 4)."""
        line = self.line().decode("utf-8" if self.language else "ascii")
        check(re.match(r"\+OK( |$)|-ERR( |$)|\+ ", line) and len(line) <= 510, f"status: {line!r}")
        return line

    def run(self, command):
        self.send(command + "\r\n")
        return self.status()

    def ok(self, command):
        answer = self.run(command)
        check(answer.startswith("+OK"), f"{command}: {answer}")
        return answer

    def no(self, command, code=""):
        answer = self.run(command)
        check(answer.startswith(f"-ERR [{code}]" if code else "-ERR"), f"{command}: {answer}")
        return answer

    def lines(self, command):
        """The lines of a multi-line answer, dots taken off."""
        self.ok(command)
        found = []
        while (line := self.line()) != b".":
            found.append(line[1:] if line.startswith(b".") else line)
        return found

    def listing(self, command):
        return dict(line.decode().split(" ") for line in self.lines(command))


def capabilities(session):
    return {line.decode().split(" ")[0]: line.decode() for line in session.lines("CAPA")}


def plain(name, password, authority=""):
    return base64.b64encode(f"{authority}\0{name}\0{password}".encode()).decode()


def test_capabilities_of_each_state(suite):
    """RFC 2449 5, 6; RFC 2595 4; RFC 3206 6; RFC 5034 3"""
    always = {"TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "IMPLEMENTATION", "UTF8", "LANG"}
    with Pop3(suite, service="pop3") as one:
        found = capabilities(one)
        check(always | {"STLS"} <= set(found) and "SASL" not in found and "USER" not in found, f"{found}")
        one.no("USER u1@example.jp")
        one.no("AUTH PLAIN")
        one.ok("STLS")
        one.start_tls()
        found = capabilities(one)
        check(always | {"USER", "SASL"} <= set(found) and "STLS" not in found, f"{found}")
        equal(found["SASL"], "SASL PLAIN LOGIN", "SASL")
        one.no("STLS")
        one.ok("USER u2@example.jp")
        one.ok(f"PASS {suite.password('u2@example.jp')}")
        found = capabilities(one)
        check(always <= set(found) and "STLS" not in found, f"{found}")


def test_authorization_state_allows_only_its_commands(suite):
    """RFC 1939 3, 4"""
    with Pop3(suite) as one:
        for command in ("STAT", "LIST", "RETR 1", "DELE 1", "TOP 1 1", "UIDL", "RSET", "NONSENSE", "",
                        "PASS x", "USER", "APOP u1@example.jp x"):
            one.no(command)
        equal(one.ok("QUIT")[:3], "+OK", "QUIT")
        equal(one.until_closed(), b"", "behind QUIT")


def test_transaction_state_allows_only_its_commands(suite):
    """RFC 1939 3, 5"""
    with Pop3(suite, "u2@example.jp") as one:
        for command in ("USER u2@example.jp", "PASS x", "AUTH PLAIN", "STLS", "APOP a b", "NONSENSE", ""):
            one.no(command)
        one.ok("noop")


def test_wrong_password_says_auth(suite):
    """RFC 1939 7; RFC 3206 4"""
    with Pop3(suite) as one:
        one.ok("USER u2@example.jp")
        one.no("PASS wrong", "AUTH")
        one.no("PASS " + suite.password("u2@example.jp"))
        one.ok("USER u2@example.jp")
        one.ok("PASS " + suite.password("u2@example.jp"))


def test_auth_in_every_form(suite):
    """RFC 5034 4, 5"""
    name, secret = "u2@example.jp", suite.password("u2@example.jp")
    with Pop3(suite) as one:
        one.no("AUTH X-NONE")
        equal(one.run("AUTH PLAIN"), "+ ", "empty challenge")
        one.no("*")
        one.no("AUTH PLAIN !!!")
        one.no("AUTH PLAIN =")
        one.no(f"AUTH PLAIN {plain(name, 'wrong')}", "AUTH")
        equal(one.run("auth plain"), "+ ", "challenge")
        one.ok(plain(name, secret))
        one.ok("QUIT")
    with Pop3(suite) as one:
        one.ok(f"AUTH PLAIN {plain(name, secret)}")
    with Pop3(suite) as one:
        check(one.run("AUTH LOGIN").startswith("+ "), "LOGIN")
        check(one.run(base64.b64encode(name.encode()).decode()).startswith("+ "), "password")
        one.ok(base64.b64encode(secret.encode()).decode())


def test_figures_agree(suite):
    """RFC 1939 5 (STAT, LIST), 7 (UIDL), 11"""
    with Pop3(suite, "u1@example.jp") as one:
        sizes = one.listing("LIST")
        equal(sizes, {str(n): str(len(m)) for n, m in enumerate(CORPUS, 1)}, "LIST")
        equal(one.ok("STAT"), f"+OK {len(CORPUS)} {sum(map(len, CORPUS))}", "STAT")
        equal(one.ok("LIST 2"), f"+OK 2 {len(CORPUS[1])}", "LIST 2")
        unique = one.listing("UIDL")
        equal(len(set(unique.values())), len(CORPUS), "UIDL")
        check(all(re.fullmatch(r"[\x21-\x7e]{1,70}", value) for value in unique.values()), f"{unique}")
        equal(one.ok("UIDL 3"), f"+OK 3 {unique['3']}", "UIDL 3")
        one.ok("QUIT")
    with Pop3(suite, "u1@example.jp") as again:
        equal(again.listing("UIDL"), unique, "UIDL of the next session")


def test_retr_and_top_give_the_bytes(suite):
    """RFC 1939 3 (byte-stuffing), 5 (RETR), 7 (TOP)"""
    with Pop3(suite, "u1@example.jp") as one:
        for number, message in enumerate(CORPUS, 1):
            equal(b"".join(line + b"\r\n" for line in one.lines(f"RETR {number}")), message, f"RETR {number}")
            header, _, body = message.partition(b"\r\n\r\n")
            for count in (0, 1, 3, 1000000):
                wanted = (header + b"\r\n\r\n").split(b"\r\n")[:-1] + body.split(b"\r\n")[:-1][:count]
                equal(one.lines(f"TOP {number} {count}"), wanted, f"TOP {number} {count}")


def test_bad_arguments(suite):
    """RFC 1939 3, 5; RFC 2449 4, 8"""
    with Pop3(suite, "u1@example.jp") as one:
        for command in ("RETR", "RETR 0", "RETR 99", "RETR -1", "RETR x", "RETR 1 2", "LIST 99", "LIST x",
                        "UIDL 0", "DELE", "DELE 99999999999999999999", "TOP 1", "TOP 1 x", "TOP 1 -1",
                        "TOP 99 1", "RETR 1\0", "x" * 300):
            one.no(command)
        one.ok("NOOP")


def test_deleted_messages_keep_their_numbers_till_quit(suite):
    """RFC 1939 5 (DELE, RSET), 6"""
    with Pop3(suite, "u1@example.jp") as one:
        one.ok("DELE 2")
        for command in ("DELE 2", "RETR 2", "LIST 2", "UIDL 2", "TOP 2 0"):
            one.no(command)
        check("2" not in one.listing("LIST") and "2" not in one.listing("UIDL"), "listings")
        equal(one.ok("STAT").split()[1], str(len(CORPUS) - 1), "STAT")
        one.ok("RSET")
        equal(one.ok("STAT").split()[1], str(len(CORPUS)), "RSET")
        one.ok("DELE 1")
    with once_free(suite) as one:
        equal(one.ok("STAT").split()[1], str(len(CORPUS)), "without QUIT nothing is removed")
        one.ok("DELE 1")
        one.ok("QUIT")
    with once_free(suite) as one:
        equal(one.ok("STAT"), f"+OK {len(CORPUS) - 1} {sum(map(len, CORPUS[1:]))}", "after QUIT")
        equal(one.ok("LIST 1"), f"+OK 1 {len(CORPUS[1])}", "renumbered")


def once_free(suite):
    """A session as soon as the last one, whose client hung up, has let go of the mailbox."""
    def attempt():
        session = Pop3(suite)
        session.ok("USER u1@example.jp")
        if session.run("PASS " + suite.password("u1@example.jp")).startswith("+OK"):
            return session
        session.socket.close()
        return None
    return wait_until(attempt, "the mailbox")


def test_second_session_is_refused_with_in_use(suite):
    """RFC 1939 4; RFC 2449 8.1.1"""
    with once_free(suite), Pop3(suite) as two:
        two.ok("USER u1@example.jp")
        two.no("PASS " + suite.password("u1@example.jp"), "IN-USE")


def test_pipelined_commands(suite):
    """RFC 2449 6.6"""
    with Pop3(suite) as one:
        one.send(f"USER u2@example.jp\r\nPASS {suite.password('u2@example.jp')}\r\nSTAT\r\nNOOP\r\nQUIT\r\n")
        equal([one.status()[:3] for _ in range(5)], ["+OK"] * 5, "all five")
        equal(one.until_closed(), b"", "behind QUIT")


def test_what_came_before_tls_is_forgotten(suite):
    """RFC 2595 4"""
    with Pop3(suite, service="pop3") as one:
        one.send("STLS\r\nUSER u2@example.jp\r\n")
        check(one.status().startswith("+OK"), "STLS")
        one.start_tls()
        equal(one.pending, b"", "nothing but +OK came")
        one.no("PASS " + suite.password("u2@example.jp"))
        one.ok("USER u2@example.jp")


# ---- RFC 6856 ------------------------------------------------------------------------------------
def say_utf8(suite, address, **options):
    one = Pop3(suite, **options)
    one.ok("UTF8")
    one.ok(f"USER {address}")
    one.ok(f"PASS {suite.password(address)}")
    return one


def test_utf8_belongs_before_login(suite):
    """RFC 6856 2"""
    with Pop3(suite) as one:
        equal(capabilities(one)["UTF8"], "UTF8 USER", "CAPA")
        one.no("UTF8 x")
        one.ok("UTF8")
        one.ok("utf8")
        one.ok("USER u2@example.jp")
        one.ok(f"PASS {suite.password('u2@example.jp')}")
        one.no("UTF8")


def test_names_and_passwords_in_utf8(suite):
    """RFC 6856 2.2, 5: what is not UTF-8 is refused as that, before anybody looks at it"""
    with Pop3(suite) as one:
        one.ok("UTF8")
        one.send(b"USER \xff\xfe@example.jp\r\n")
        one.status()
        one.send(b"PASS x\r\n")
        check(one.status().startswith("-ERR [UTF8]"), "a name that is not UTF-8")
        one.send("USER 誰か@example.jp\r\nPASS 秘密\r\n")
        one.status()
        check(one.status().startswith("-ERR [AUTH]"), "a name that is nobody's")
    suite.mailctl("user", "add", "word@example.jp", "--no-policy", text="合い言葉\n")
    with Pop3(suite) as one:
        one.ok("UTF8")
        one.ok("USER word@example.jp")
        one.send("PASS 合い言葉\r\n")
        check(one.status().startswith("+OK"), "a password in UTF-8")


def test_international_messages_want_utf8(suite):
    """RFC 6856 2.1, 5: RETR and TOP; what was only sent with 8-bit bytes goes out as ever"""
    text = "From: 誰か <a@example.org>\r\nSubject: 国際\r\n\r\nbody\r\n".encode()
    for options in (["SMTPUTF8", "BODY=8BITMIME"], []):
        with suite.smtp() as client:
            client.ehlo()
            client.sendmail("a@example.org", ["international@example.jp"], text, mail_options=options)
        suite.wait_messages("international@example.jp", 1 if options else 2)
    with Pop3(suite, "international@example.jp") as one:
        equal(one.ok("STAT").split()[1], "2", "STAT counts both")
        one.no("RETR 1", "UTF8")
        one.no("TOP 1 0", "UTF8")
        check("国際".encode() in b"".join(one.lines("RETR 2")), "as it was sent")
    with say_utf8(suite, "international@example.jp") as one:
        equal(len(one.lines("LIST")), 2, "LIST")
        size = int(one.listing("LIST")["1"])
        lines = one.lines("RETR 1")
        equal(sum(len(line) + 2 for line in lines), size, "its size (RFC 6856 2.3)")
        check("Subject: 国際".encode() in lines, "RETR")
        check("Subject: 国際".encode() in one.lines("TOP 1 0"), "TOP")


def test_languages(suite):
    """RFC 6856 3: in both states; it outlives the login"""
    with Pop3(suite) as one:
        equal([line.split(b" ")[0] for line in one.lines("LANG")], [b"en", b"ja"], "LANG")
        one.no("LANG xx")
        one.language = "ja"
        check("日本語" in one.ok("LANG JA"), "in that language")
        check("コマンド" in one.no("NONSENSE"), "its words")
        one.ok("USER u2@example.jp")
        check("ログイン" in one.ok(f"PASS {suite.password('u2@example.jp')}"), "pop3d's too")
        check("メール" in one.no("RETR 99"), "and there")
        equal([line.split(b" ")[0] for line in one.lines("lang")], [b"en", b"ja"], "LANG")
        check("English" in one.ok("LANG *"), "the default")
        one.language = ""
        one.no("RETR 99")
        one.ok("LANG en-GB")
        one.no("LANG *x")


def test_stls_forgets_utf8_and_language(suite):
    """RFC 2595 4"""
    password = suite.password("international@example.jp")
    with Pop3(suite, service="pop3") as one:
        one.language = "ja"
        one.ok("UTF8")
        one.ok("LANG ja")
        one.ok("STLS")
        one.start_tls()
        one.language = ""
        one.ok("USER international@example.jp")
        one.ok(f"PASS {password}")
        one.no("RETR 1", "UTF8")


# ---- RFC 2449 6.5, 6.7 -----------------------------------------------------------------------------
def test_login_delay_and_expire_of_the_plan(suite):
    with Pop3(suite, "u1@slow.jp") as one:
        found = capabilities(one)
        equal((found["LOGIN-DELAY"], found["EXPIRE"]), (f"LOGIN-DELAY {DELAY}", "EXPIRE 30"), "CAPA")
        one.ok("QUIT")
    start = time.monotonic()
    with Pop3(suite) as one:
        one.ok("USER u1@slow.jp")
        one.no(f"PASS {suite.password('u1@slow.jp')}", "LOGIN-DELAY")
        equal(one.until_closed(), b"", "closed")

    def again():
        with Pop3(suite) as one:
            one.ok("USER u1@slow.jp")
            return one.run(f"PASS {suite.password('u1@slow.jp')}").startswith("+OK")
    wait_until(again, "the delay is over")
    check(time.monotonic() - start > DELAY - 2, "not before")
    with Pop3(suite, "u2@example.jp") as one:
        found = capabilities(one)
        check("LOGIN-DELAY" not in found and found["EXPIRE"] == "EXPIRE NEVER", f"{found}")
