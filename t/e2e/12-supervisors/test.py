"""The same tree under s6, daemontools and runit: starts, restarts what dies, stops whole."""

import os
import pty
import signal
import time

from suite import check, equal, message, wait_until


def prepare(suite):
    suite.add_domain("example.jp", "u1", "u2")


def round_trip(suite):
    before = len(suite.mailbox("u2@example.jp"))
    suite.submit("u1@example.jp", ["u2@example.jp"],
                 message("u1@example.jp", "u2@example.jp", "round trip"))
    suite.wait_messages("u2@example.jp", before + 1)


def under(suite, supervisor):
    os.environ["SUITE_SUPERVISOR"] = supervisor
    try:
        suite.start()
        round_trip(suite)
        suite.kill9("queued")
        wait_until(lambda: suite.processes("queued"), "queued is back")
        suite.wait_ready()
        round_trip(suite)
        check("queued" in suite.logs("queued"), "the log is written")
        idle = suite.imap("u1@example.jp")
        suite.tree.terminate()
        equal(suite.tree.wait(60), 0, "exit of suite")
        wait_until(lambda: not suite.processes(), "no process is left", 10)
        idle.shutdown()
    finally:
        suite.stop()
        del os.environ["SUITE_SUPERVISOR"]


def test_s6(suite):
    under(suite, "s6")


def test_daemontools(suite):
    under(suite, "daemontools")


def test_runit(suite):
    under(suite, "runit")


def test_ctrl_c_in_a_terminal(suite):
    """^C goes to the whole process group; the tree still stops whole. So does a terminal that closes."""
    for last_act in (lambda fd: os.write(fd, b"\x03"), os.close):
        pid, terminal = pty.fork()
        if pid == 0:
            # As a login shell starts it; who runs this test in the background ignores both.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.signal(signal.SIGQUIT, signal.SIG_DFL)
            os.execl(suite.path("bin/suite"), "suite")
        suite.wait_ready()
        last_act(terminal)
        end = time.monotonic() + 60
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            check(time.monotonic() < end, "the suite ends")
            time.sleep(0.1)
        wait_until(lambda: not suite.processes(), "no process is left", 10)


def test_a_second_one_is_refused(suite):
    suite.start()
    equal(os.waitstatus_to_exitcode(os.system(suite.path("bin/suite") + " 2>/dev/null")), 1,
          "exit of a second suite")
    round_trip(suite)
    os.kill(suite.tree.pid, signal.SIGTERM)
    equal(suite.tree.wait(60), 0, "exit of suite")
