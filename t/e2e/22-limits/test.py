"""Limits with their exact words: 552 by size, 423 by rate, 452 by a full mailbox or domain."""

import os
import signal
import subprocess
import threading
import time

from dialogue import greeted, logged_in
from suite import check, equal, message, wait_until

TOO_BIG = "552 sorry, that message size exceeds my databytes limit (#5.3.4)"
PAUSED = "423 sorry, that message exceeds my limit"
FULL = "452 sorry, mailbox is full (#4.5.2)"
CLASSIC_SIZE = 20971520

# Small numbers in plans of the test's own; WINDOW is long, PAUSE is waited for.
PAUSE = 6
ROOMY = 120  # enough for smtpd to find it on stated's board
PLANS = {
    "tight": f"send-limit 3\nreceive-limit 4\nsend-window 3600\nreceive-window 3600\nlimit-pause {PAUSE}\n",
    "wide": "send-limit 0\nreceive-limit 0\n",
    "mass": "account-send-limit 3\naccount-recipients-limit 6\nsend-lock-time 5\nsend-limit 0\n",
    "sliding": "receive-limit 3\nreceive-window 3\nlimit-pause 1\n",
    "final": "over-quota-reply 552\nreceive-limit 10\n",
    "roomy": f"receive-limit {ROOMY}\nreceive-window 3600\nlimit-pause {PAUSE}\n",
}
DOMAINS = {"tight.jp": "tight", "wide.jp": "wide", "mass.jp": "mass", "sliding.jp": "sliding",
           "final.jp": "final", "roomy.jp": "roomy", "classic.jp": "classic", "business.jp": "business",
           "rental.jp": "rental"}


SENDMAIL_PAUSE = 3


def prepare(suite):
    suite.control("sendmail-limit", "3\n")
    suite.control("sendmail-pause", f"{SENDMAIL_PAUSE}\n")
    for name, text in PLANS.items():
        suite.control(f"plans/{name}", text)
    for domain, plan in DOMAINS.items():
        suite.add_domain(domain, "u1", "u2", plan=plan)
    suite.rebuild()
    suite.start()


def stranger(suite):
    dialogue = greeted(suite)
    dialogue.expect("EHLO c", "250")
    return dialogue


def transfer(smtp, sender, *recipients, wanted="250 2.0.0", size=None, parameters=""):
    """One transaction; gives the reply to the end of data."""
    smtp.expect(f"MAIL FROM:<{sender}>{parameters}", "250")
    for recipient in recipients:
        smtp.expect(f"RCPT TO:<{recipient}>", "250")
    smtp.expect("DATA", "354")
    data = message("a@example.org", recipients[0])
    if size:
        data = data[:-2] + b"\r\n" + b"y" * 998
        data = (data + (b"\r\n" + b"y" * 998) * (size // 1000 + 1))[:size - 2]
        data = data.rstrip(b"\r\n").ljust(size - 2, b"y") + b"\r\n"
        equal(len(data), size, "the test's own message")
    smtp.send(data + b".\r\n")
    return smtp.expect(None, wanted)


def kill_stated(suite):
    old = {pid for pid, _ in suite.processes("stated")}
    check(suite.kill9("stated") > 0, "stated was running")
    wait_until(lambda: {pid for pid, _ in suite.processes("stated")} - old and
               suite.listens("stated"), "stated's return")


def counted(suite, name):
    """{counter: count} of mailctl state show."""
    rows = suite.mailctl("state", "show", name).split("counters\n")[1].splitlines()[1:]
    return {row.split()[0]: int(row.split()[1]) for row in rows}


def wait_counted(suite, name, kind, count):
    """What was accepted is told a moment later, even of a client that stays."""
    wait_until(lambda: counted(suite, name)[kind] == count, f"{count} {kind} by {name}", 3)


# ---- size --------------------------------------------------------------------------------------

def test_size_declared(suite):
    with stranger(suite) as smtp:
        smtp.expect(f"MAIL FROM:<a@example.org> SIZE={CLASSIC_SIZE}", "250")
        smtp.expect("RCPT TO:<u1@classic.jp>", "250")
        smtp.expect("RSET", "250")
        smtp.expect(f"MAIL FROM:<a@example.org> SIZE={CLASSIC_SIZE + 1}", "250")
        equal(smtp.ask("RCPT TO:<u1@classic.jp>"), TOO_BIG, "to a mailbox of the plan classic")
        smtp.expect("RCPT TO:<u1@business.jp>", "250")
        smtp.expect("RSET", "250")
        smtp.expect("MAIL FROM:<a@example.org> SIZE=104857600", "250")
        smtp.expect("RCPT TO:<u1@business.jp>", "250")
        smtp.expect("RCPT TO:<u1@rental.jp>", "250")
        equal(smtp.ask("RCPT TO:<u1@wide.jp>"), TOO_BIG, "to a mailbox with the default of 50 MB")
        smtp.expect("RSET", "250")
        equal(smtp.ask("MAIL FROM:<a@example.org> SIZE=104857601"), TOO_BIG, "beyond all")
    with logged_in(suite, "u1@classic.jp") as smtp:
        check(f"SIZE {CLASSIC_SIZE}" in smtp.expect("EHLO c", "250"), "SIZE offered")
        equal(smtp.ask(f"MAIL FROM:<u1@classic.jp> SIZE={CLASSIC_SIZE + 1}"), TOO_BIG, "at MAIL")
        smtp.expect(f"MAIL FROM:<u1@classic.jp> SIZE={CLASSIC_SIZE}", "250")


def test_size_found_out_after_data(suite):
    with stranger(suite) as smtp:
        transfer(smtp, "a@example.org", "u1@classic.jp", size=CLASSIC_SIZE)
        equal(transfer(smtp, "a@example.org", "u1@classic.jp", size=CLASSIC_SIZE + 1, wanted="552"),
              TOO_BIG, "one byte more")
    with logged_in(suite, "u1@classic.jp") as smtp:
        equal(transfer(smtp, "u1@classic.jp", "u1@business.jp", size=CLASSIC_SIZE + 1,
                       wanted="552"), TOO_BIG, "the sender's limit")
        # Who has logged in hears it at once, even where a limit is a recipient's.
    with logged_in(suite, "u1@business.jp") as smtp:
        equal(transfer(smtp, "u1@business.jp", "u2@business.jp", "u2@classic.jp",
                       size=CLASSIC_SIZE + 1, wanted="552"), TOO_BIG, "the smaller of two")
    suite.wait_queue_empty()
    equal([len(text) > CLASSIC_SIZE for text in suite.messages("u1@classic.jp")], [True], "stored")


def test_recipients_with_different_sizes(suite):
    """Neither refuses the one for the other nor takes what can't be kept."""
    with stranger(suite) as smtp:
        smtp.expect("MAIL FROM:<a@example.org>", "250")
        smtp.expect("RCPT TO:<u2@business.jp>", "250")
        smtp.expect("RCPT TO:<u2@rental.jp>", "250")
        smtp.expect("RCPT TO:<u2@classic.jp>", "452 4.5.3")
        smtp.expect("DATA", "354")
        smtp.send(message("a@example.org", "u2@business.jp") + b".\r\n")
        smtp.expect(None, "250")
        transfer(smtp, "a@example.org", "u2@classic.jp")
        transfer(smtp, "a@example.org", "u2@classic.jp", "u2@business.jp", parameters=" SIZE=500")
    for address, count in (("u2@business.jp", 2), ("u2@rental.jp", 1), ("u2@classic.jp", 2)):
        equal(len(suite.wait_messages(address, count)), count, address)


# ---- stated's board ----------------------------------------------------------------------------

def test_who_is_far_from_a_limit_does_not_wait_for_stated(suite):
    def send():
        with stranger(suite) as smtp:
            transfer(smtp, "a@example.org", "u1@roomy.jp")
    send()
    stated = [pid for pid, _ in suite.processes("stated")]
    for pid in stated:
        os.kill(pid, signal.SIGSTOP)
    try:
        send()
    finally:
        for pid in stated:
            os.kill(pid, signal.SIGCONT)
    wait_counted(suite, "roomy.jp", "received", 2)


def test_a_state_holds_at_once(suite):
    with stranger(suite) as smtp:
        smtp.expect("MAIL FROM:<a@example.org>", "250")
        smtp.expect("RCPT TO:<u1@roomy.jp>", "250")
        suite.mailctl("state", "lock", "u1@roomy.jp", "over-capacity")
        equal(smtp.ask("RCPT TO:<u1@roomy.jp>"), FULL, "in the same session")
        smtp.expect("RCPT TO:<u2@roomy.jp>", "250")
        suite.mailctl("state", "lock", "roomy.jp", "over-capacity")
        equal(smtp.ask("RCPT TO:<u2@roomy.jp>"), FULL, "of the domain")
    suite.mailctl("state", "unlock", "roomy.jp", "over-capacity")
    suite.mailctl("state", "unlock", "u1@roomy.jp", "over-capacity")


def test_the_limit_is_the_limit(suite):
    """A session each, most without a question."""
    before = counted(suite, "roomy.jp")["received"]
    for count in range(before, ROOMY):
        with stranger(suite) as smtp:
            transfer(smtp, "a@example.org", "u2@roomy.jp")
            if count + 1 == ROOMY:  # told, but on another connection than the next question
                wait_counted(suite, "roomy.jp", "received", ROOMY)
    with stranger(suite) as smtp:
        smtp.expect("MAIL FROM:<a@example.org>", "250")
        equal(smtp.ask("RCPT TO:<u1@roomy.jp>"), PAUSED, "the next")
    wait_until(lambda: "receive-pause" not in suite.mailctl("state", "show", "roomy.jp"),
               "the pause's end", 3 * PAUSE)


# ---- rates -------------------------------------------------------------------------------------

def test_sending_pauses_and_goes_on(suite):
    with logged_in(suite, "u1@tight.jp") as smtp:
        for _ in range(3):
            transfer(smtp, "u1@tight.jp", "u1@wide.jp", "u2@wide.jp")
        wait_counted(suite, "tight.jp", "sent", 3)  # messages, not recipients
        began = time.monotonic()
        equal(smtp.ask("MAIL FROM:<u1@tight.jp>"), PAUSED, "the fourth")
        equal(smtp.ask("MAIL FROM:<>"), PAUSED, "the null sender")
    # The whole contract, by other accounts and connections as well.
    with logged_in(suite, "u2@tight.jp") as smtp:
        equal(smtp.ask("MAIL FROM:<u2@tight.jp>"), PAUSED, "another account of the domain")
    # Receiving is counted apart, and others send as ever.
    with stranger(suite) as smtp:
        transfer(smtp, "a@example.org", "u1@tight.jp")
    with logged_in(suite, "u1@wide.jp") as smtp:
        transfer(smtp, "u1@wide.jp", "u2@wide.jp")
    text = suite.mailctl("state", "show", "tight.jp")
    check("send-pause" in text and "3 messages sent within 3600 seconds" in text, text)
    check("receive-pause" not in text, text)

    def sends():
        with logged_in(suite, "u1@tight.jp") as smtp:
            return smtp.ask("MAIL FROM:<u1@tight.jp>").startswith("250")
    wait_until(sends, "the end of the pause", PAUSE + 10)
    check(time.monotonic() - began >= PAUSE - 1, "it lasted as long as the plan says")
    equal(counted(suite, "tight.jp")["sent"], 0, "and the counter began anew")


def test_receiving_pauses_and_survives_kill_9(suite):
    with stranger(suite) as smtp:
        before = counted(suite, "tight.jp")["received"]
        for _ in range(4 - before):
            transfer(smtp, "a@example.org", "u1@tight.jp", "u2@tight.jp")
        smtp.expect("MAIL FROM:<a@example.org>", "250")
        equal(smtp.ask("RCPT TO:<u1@tight.jp>"), PAUSED, "the fifth")
        kill_stated(suite)
        equal(smtp.ask("RCPT TO:<u2@tight.jp>"), PAUSED, "after kill -9")
        smtp.expect("RCPT TO:<u1@wide.jp>", "250")
        smtp.expect("DATA", "354")
        smtp.send(message("a@example.org", "u1@wide.jp") + b".\r\n")
        smtp.expect(None, "250")
    with logged_in(suite, "u1@tight.jp") as smtp:
        smtp.expect("MAIL FROM:<u1@tight.jp>", "250")
    suite.mailctl("state", "unlock", "tight.jp")
    with stranger(suite) as smtp:
        transfer(smtp, "a@example.org", "u1@tight.jp")
    check("neither" in suite.mailctl("state", "unlock", "tight.jp", wanted=1), "nothing to unlock")


def test_counts_survive_kill_9(suite):
    with stranger(suite) as smtp:
        for _ in range(7):
            transfer(smtp, "a@example.org", "u1@final.jp")
    wait_counted(suite, "final.jp", "received", 7)
    time.sleep(1.3)
    kill_stated(suite)
    equal(counted(suite, "final.jp")["received"], 7, "after")


def test_a_window_slides(suite):
    """Three in three seconds: four in ten seconds pass, four at once do not."""
    with stranger(suite) as smtp:
        for _ in range(4):
            transfer(smtp, "a@example.org", "u1@sliding.jp")
            time.sleep(2.1)
        transfer(smtp, "a@example.org", "u1@sliding.jp")
        smtp.expect("MAIL FROM:<a@example.org>", "250")
        # Asked no more than once: a pause of a second ends with the clock's.
        for _ in range(2):
            answer = smtp.ask("RCPT TO:<u1@sliding.jp>")
            if not answer.startswith("250"):
                break
            smtp.expect("DATA", "354")
            smtp.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
            smtp.expect(None, "250")
            smtp.expect("MAIL FROM:<a@example.org>", "250")
        else:
            answer = smtp.ask("RCPT TO:<u1@sliding.jp>")
        equal(answer, PAUSED, "three in three seconds")
        time.sleep(2)
        smtp.expect("RCPT TO:<u1@sliding.jp>", "250")


def test_ten_connections_at_once(suite):
    """They go beyond a limit by no more than what is on its way."""
    accepted = []

    def flood():
        with stranger(suite) as smtp:
            for _ in range(10):
                smtp.expect("MAIL FROM:<a@example.org>", "250")
                reply = smtp.ask("RCPT TO:<u1@tight.jp>")
                if not reply.startswith("250"):
                    equal(reply, PAUSED, "the refusal")
                    return
                smtp.expect("DATA", "354")
                smtp.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
                smtp.expect(None, "250")
                accepted.append(1)
    threads = [threading.Thread(target=flood) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(len(accepted) <= 4 + 10, f"{len(accepted)} messages accepted")
    check("receive-pause" in suite.mailctl("state", "show", "tight.jp"), "it pauses")


def test_mass_sending_locks_the_account(suite):
    with logged_in(suite, "u1@mass.jp") as smtp:
        for _ in range(3):
            transfer(smtp, "u1@mass.jp", "u1@wide.jp")
        smtp.expect("MAIL FROM:<u1@mass.jp>", "450 4.7.1")
    text = suite.mailctl("state", "show", "u1@mass.jp")
    check("send-lock" in text and "3 messages sent" in text, text)
    with logged_in(suite, "u2@mass.jp") as smtp:
        transfer(smtp, "u2@mass.jp", *[f"u1+{i}@wide.jp" for i in range(6)])
        smtp.expect("MAIL FROM:<u2@mass.jp>", "450 4.7.1")
    check("6 recipients" in suite.mailctl("state", "show", "u2@mass.jp"), "its cause")
    with stranger(suite) as smtp:
        transfer(smtp, "a@example.org", "u1@mass.jp", "u2@mass.jp")

    def sends():
        with logged_in(suite, "u1@mass.jp") as smtp:
            return smtp.ask("MAIL FROM:<u1@mass.jp>").startswith("250")
    wait_until(sends, "the end of the lock", 20)


def test_the_words_on_the_plan_classic(suite):
    """Its own numbers are large: the operator lowers them for this domain."""
    suite.mailctl("domain", "set", "classic.jp", "send-limit", "1")
    suite.mailctl("domain", "set", "classic.jp", "receive-limit", "1")
    text = suite.mailctl("explain", "u1@classic.jp", "send-limit")
    check("domain" in text and PAUSED in text, text)
    suite.wait_queue_empty()
    with stranger(suite) as smtp:
        smtp.expect("MAIL FROM:<a@example.org>", "250")
        if smtp.ask("RCPT TO:<u1@classic.jp>").startswith("250"):
            smtp.expect("RSET", "250")
            transfer(smtp, "a@example.org", "u1@classic.jp")
            smtp.expect("MAIL FROM:<a@example.org>", "250")
        equal(smtp.ask("RCPT TO:<u1@classic.jp>"), PAUSED, "received")
        equal(smtp.ask("RCPT TO:<u2@classic.jp>"), PAUSED, "by all of the domain")
        smtp.expect("RCPT TO:<u1@wide.jp>", "250")
    with logged_in(suite, "u1@classic.jp") as smtp:
        transfer(smtp, "u1@classic.jp", "u1@wide.jp")
        equal(smtp.ask("MAIL FROM:<u1@classic.jp>"), PAUSED, "sent")
    text = suite.mailctl("state", "show", "u1@classic.jp")
    check("send-pause" in text and "receive-pause" in text, text)
    suite.mailctl("domain", "unset", "classic.jp", "send-limit")
    suite.mailctl("domain", "unset", "classic.jp", "receive-limit")
    suite.mailctl("state", "unlock", "classic.jp")
    with logged_in(suite, "u1@classic.jp") as smtp:
        smtp.expect("MAIL FROM:<u1@classic.jp>", "250")
        smtp.expect("RCPT TO:<u2@classic.jp>", "250")


def test_the_plans_have_their_rates(suite):
    rows = {("classic.jp", "send-limit"): "3000", ("classic.jp", "limit-pause"): "7200",
            ("u1@business.jp", "account-send-limit"): "2000", ("business.jp", "send-limit"): "0",
            ("u1@rental.jp", "send-limit"): "50000", ("u1@final.jp", "over-quota-reply"): "552"}
    for (name, setting), value in rows.items():
        text = suite.mailctl("explain", name, setting)
        check(value in text, text)
    check(PAUSED in suite.mailctl("explain", "u1@classic.jp", "send-limit"), "the exact words")
    text = suite.mailctl("domain", "set", "classic.jp", "limit-pause", "7201", wanted=1)
    check("7200" in text, text)


def sendmail(suite, uid):
    """The sendmail command of a program under this uid: exit code and complaint."""
    done = subprocess.run([suite.path("bin/sendmail"), "-f", "u1@wide.jp", "u2@wide.jp"], user=uid,
                          group=uid, extra_groups=[], input="Subject: local\n\nx\n", text=True,
                          capture_output=True)
    return done.returncode, done.stderr


def test_local_programs_are_limited_by_uid(suite):
    uid = 64123  # none of the suite's
    for number in range(3):
        equal(sendmail(suite, uid), (0, ""), f"message {number + 1}")
    code, complaint = sendmail(suite, uid)
    equal(code, 75, "the fourth")
    check("sorry, that message exceeds my limit" in complaint, complaint)
    # Neither another uid nor the domain whose address was used pauses with it (its own limit: 48-sendmail).
    equal(sendmail(suite, uid + 1)[0], 0, "another uid")
    with logged_in(suite, "u1@wide.jp") as smtp:
        smtp.expect("MAIL FROM:<u1@wide.jp>", "250")
    text = suite.mailctl("state", "show", f"uid={uid}")
    check("send-pause" in text and "3 messages" in text, text)
    wait_until(lambda: sendmail(suite, uid)[0] == 0, "the end of the pause", SENDMAIL_PAUSE + 10)
    suite.mailctl("state", "lock", f"uid={uid}", "send-lock")
    equal(sendmail(suite, uid)[0], 75, "locked by the operator")
    suite.mailctl("state", "unlock", f"uid={uid}", "send-lock")
    equal(sendmail(suite, uid)[0], 0, "unlocked")


# ---- full --------------------------------------------------------------------------------------

def test_a_full_mailbox(suite):
    suite.mailctl("state", "lock", "u1@classic.jp", "over-capacity")
    with stranger(suite) as smtp:
        smtp.expect("MAIL FROM:<a@example.org>", "250")
        equal(smtp.ask("RCPT TO:<u1@classic.jp>"), FULL, "the box")
        smtp.expect("RCPT TO:<u2@classic.jp>", "250")
    suite.mailctl("state", "unlock", "u1@classic.jp", "over-capacity")
    with stranger(suite) as smtp:
        smtp.expect("MAIL FROM:<a@example.org>", "250")
        smtp.expect("RCPT TO:<u1@classic.jp>", "250")


def test_a_full_domain(suite):
    suite.mailctl("state", "lock", "classic.jp", "over-capacity", "--cause", "its disk is full")
    with stranger(suite) as smtp:
        smtp.expect("MAIL FROM:<a@example.org>", "250")
        for user in ("u1", "u2", "postmaster"):
            equal(smtp.ask(f"RCPT TO:<{user}@classic.jp>"), FULL, user)
        smtp.expect("RCPT TO:<u1@wide.jp>", "250")
    with logged_in(suite, "u1@classic.jp") as smtp:
        smtp.expect("MAIL FROM:<u1@classic.jp>", "250")
    for name in ("classic.jp", "u2@classic.jp"):
        check("its disk is full" in suite.mailctl("state", "show", name), "its cause")
    suite.mailctl("state", "unlock", "classic.jp", "over-capacity")


def test_full_for_good_where_the_plan_says_so(suite):
    suite.mailctl("state", "lock", "u2@final.jp", "over-capacity")
    with stranger(suite) as smtp:
        smtp.expect("MAIL FROM:<a@example.org>", "250")
        equal(smtp.ask("RCPT TO:<u2@final.jp>"), "552 sorry, mailbox is full (#5.2.2)", "the box")


def test_a_whole_domain_can_be_stopped(suite):
    suite.mailctl("state", "lock", "wide.jp", "send-lock", "--hours", "1")
    with logged_in(suite, "u1@wide.jp") as smtp:
        smtp.expect("MAIL FROM:<u1@wide.jp>", "450 4.7.1")
    suite.mailctl("state", "unlock", "wide.jp", "send-lock")
    with logged_in(suite, "u1@wide.jp") as smtp:
        smtp.expect("MAIL FROM:<u1@wide.jp>", "250")
