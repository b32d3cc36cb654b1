"""The whole tree is killed at random moments under load; what was acknowledged is never lost."""

import os
import random
import re
import smtplib
import threading
import time

from suite import check, equal, message, wait_until

ROUNDS = int(os.environ.get("ROUNDS", "6"))
SENDERS = 6


class Load(threading.Thread):
    """Sends without end, and writes down what was answered 250."""

    def __init__(self, suite, name, stop):
        super().__init__(daemon=True)
        self.suite, self.label, self.stop = suite, name, stop
        self.acknowledged = []
        self.attempted = 0

    def run(self):
        while not self.stop.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self.suite.ports["smtp"], timeout=20) as client:
                    self.send_some(client)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.05)

    def send_some(self, client):
        while not self.stop.is_set():
            self.attempted += 1
            mark = f"{self.label}-{self.attempted}"
            client.sendmail("a@example.org", ["u1@example.jp", "u2@example.jp"],
                            message("a@example.org", "u1@example.jp", "load", "x\r\n" * 500,
                                    f"X-Mark: {mark}\r\n"))
            self.acknowledged.append(mark)


def marks(suite, address):
    return [re.search(rb"X-Mark: (\S+)", text).group(1).decode()
            for text in suite.messages(address)]


def test_no_acknowledged_message_is_lost(suite):
    random_ = random.Random(2026)
    acknowledged = []
    for number in range(ROUNDS):
        stop = threading.Event()
        loads = [Load(suite, f"round{number}-sender{i}", stop) for i in range(SENDERS)]
        for load in loads:
            load.start()
        time.sleep(random_.uniform(0.5, 2.5))
        suite.tree.kill()
        suite.kill_all()
        stop.set()
        for load in loads:
            load.join()
            acknowledged += load.acknowledged
        suite.start()
    # What was being tried when the tree died is tried again at once after a start.
    wait_until(lambda: not suite.queue(), "an empty queue", 120)
    lost = twice = found = 0
    for address in ("u1@example.jp", "u2@example.jp"):
        got = marks(suite, address)
        found += len(set(got) & set(acknowledged))
        lost += len(set(acknowledged) - set(got))
        twice += len(got) - len(set(got))
    print(f"kill -9: {ROUNDS} rounds, acknowledged {len(acknowledged)} messages to 2 recipients, "
          f"found {found}, lost {lost}, delivered twice {twice}")
    check(len(acknowledged) > ROUNDS, "there was load")
    equal(lost, 0, "acknowledged messages lost")
    leftovers = os.listdir(suite.path("queue/failure"))
    equal(leftovers, [], "leftovers of the queue")
