"""A clock that is set back, while the suite runs and over a restart: what is stopped for a time is so no longer for
it (SPEC R5.3, R10). libfaketime lets stated's clock, and no other, be elsewhere. What takes the time as an argument is
tested by unit tests: rates, failures, replied, night; ageing and mail of the future: 52."""

import glob
import imaplib
import json
import os
import threading

from dialogue import logged_in
from suite import PATIENCE, check, client_tls, equal, message, wait_until

LIBRARY = "/usr/lib/*/faketime/libfaketime.so.1"
AHEAD = "+400d"
# Seconds of a lock, of a send lock, of a pause.
TIME = 6
PLANS = {
    "lock": f"lock-failures 2\nlock-time {TIME}\n",
    "mass": f"account-send-limit 2\nsend-lock-time {TIME}\n",
    "pause": f"send-limit 2\nsend-window 3600\nlimit-pause {TIME}\naccount-send-limit 0\n",
}
STOPPED = ("u1@lock.example", "u1@mass.example", "@pause.example")
WHICH = ("account-lock", "send-lock", "send-pause")


def prepare(suite):
    for name, text in PLANS.items():
        suite.control(f"plans/{name}", text)
        suite.add_domain(f"{name}.example", "u1", "u2", plan=name)
    suite.add_domain("misuse.example", "u1")
    fake_clock(suite)
    suite.start()


def fake_clock(suite):
    """stated may read what lies in state/: there the clock is turned."""
    turn(suite, "+0d")
    path = suite.path("service/stated/run")
    with open(path, encoding="ascii") as file:
        script = file.read()
    (library,) = glob.glob(LIBRARY)
    front = ("export ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0\n"
             f"export FAKETIME_TIMESTAMP_FILE={suite.path('state/clock')} FAKETIME_NO_CACHE=1 FAKETIME_DISABLE_SHM=1 "
             f"FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 LD_PRELOAD={library}\nexec ")
    with open(path, "w", encoding="ascii") as file:
        file.write(front.join(script.rsplit("exec ", 1)))


def turn(suite, offset):
    name = suite.path("state/clock")
    with open(name + ".new", "w", encoding="ascii") as file:
        file.write(offset + "\n")
    os.chmod(name + ".new", 0o644)
    os.rename(name + ".new", name)


def states(suite, name):
    shown = json.loads(suite.mailctl("state", "show", name.removeprefix("@"), "--json"))
    return {row["state"]: row for row in shown["states"]}


def in_state(suite, name, state):
    return state in states(suite, name)


def wrong_login(suite, address):
    imap = imaplib.IMAP4_SSL("127.0.0.1", suite.ports["imaps"], ssl_context=client_tls(), timeout=PATIENCE)
    try:
        imap.login(address, "wrong")
    except imaplib.IMAP4.error:
        imap.shutdown()


def mail_from(suite, address):
    with logged_in(suite, address) as smtp:
        return smtp.ask(f"MAIL FROM:<{address}>")[:3]


def stop_all(suite):
    """Each of the three by its own rule, and one without an end. The failed log-in that locks is answered late."""
    wrong_login(suite, "u1@lock.example")
    last = threading.Thread(target=wrong_login, args=(suite, "u1@lock.example"))
    last.start()
    for domain in ("mass.example", "pause.example"):
        for _ in range(2):
            suite.submit(f"u1@{domain}", [f"u2@{domain}"], message(f"u1@{domain}", f"u2@{domain}"))
        wait_until(lambda address=f"u1@{domain}": mail_from(suite, address)[0] == "4", f"{domain} stops")
    suite.mailctl("state", "lock", "u1@misuse.example", "misuse-detected")
    return last


def all_stopped(suite):
    return [state for name, state in zip(STOPPED, WHICH) if in_state(suite, name, state)]


def ends(suite, last):
    """400 days are not waited for."""
    wait_until(lambda: not all_stopped(suite), f"the end of {all_stopped(suite)}", 4 * TIME)
    for address in ("u1@mass.example", "u1@pause.example"):
        wait_until(lambda one=address: mail_from(suite, one) == "250", f"{address} sends again", 4 * TIME)
    last.join()
    suite.imap("u1@lock.example").logout()
    check(in_state(suite, "u1@misuse.example", "misuse-detected"), "what has no end stays")
    suite.mailctl("state", "unlock", "u1@misuse.example", "misuse-detected")


def kill_stated(suite):
    old = suite.processes("stated")
    suite.kill9("stated")
    wait_until(lambda: suite.processes("stated") and suite.processes("stated") != old and suite.listens("stated"), "stated")


def test_R10_what_is_stopped_when_the_clock_is_set_back_goes_on_in_time(suite):
    turn(suite, AHEAD)
    last = stop_all(suite)
    stopped = all_stopped(suite)
    check("send-lock" in stopped, f"states: {stopped}")
    year = int(states(suite, "u1@mass.example").get("send-lock", {"until": "0"})["until"][:4])
    turn(suite, "+0d")
    after = int(states(suite, "u1@mass.example").get("send-lock", {"until": str(year - 1)})["until"][:4])
    check(after < year, f"it ends in {after}, and not in {year}")
    ends(suite, last)


def test_R10_so_it_does_over_a_restart(suite):
    turn(suite, AHEAD)
    last = stop_all(suite)
    turn(suite, "+0d")
    kill_stated(suite)
    ends(suite, last)
    kill_stated(suite)
    equal(all_stopped(suite), [], "nothing comes back by another restart")


def test_R10_a_clock_that_jumps_ahead_ends_them(suite):
    last = stop_all(suite)
    turn(suite, AHEAD)
    ends(suite, last)
    turn(suite, "+0d")
    for address in ("u1@mass.example", "u1@pause.example"):
        wait_until(lambda one=address: mail_from(suite, one) == "250", f"{address} sends")
