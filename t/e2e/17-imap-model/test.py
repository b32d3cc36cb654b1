"""Several clients at once, as a model of RFC 9051 and RFC 7162 says: random steps, kills, full disks.

SEEDS=first:count and STEPS=n run more of the random steps, ROUNDS=n more of the kills, SECONDS=n
longer races.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fulldisk import fill, fill_inodes, live_through  # noqa: E402
from kills import Assault  # noqa: E402
from races import race, wreck  # noqa: E402
from stress import Run  # noqa: E402
from suite import Failure, check  # noqa: E402

FIRST, COUNT = (int(part) for part in os.environ.get("SEEDS", "1:3").split(":"))
STEPS = int(os.environ.get("STEPS", "400"))
ROUNDS = int(os.environ.get("ROUNDS", "4"))
KILLS = 5
SECONDS = float(os.environ.get("SECONDS", "5"))
# kind: what a Run gets
KINDS = {
    "two": {"clients": 2},
    "three": {"clients": 3},
    "foreign": {"clients": 2, "foreign": True},
    "forgetful": {"clients": 2, "forget": True, "foreign": True},
}


def prepare(suite):
    suite.add_domain("example.jp", "u1", "kill1", "kill2", "race", "wreck", "space",
                     "inodes")
    suite.start()


def stress(suite, kind):
    failed, done, start = [], 0, time.monotonic()
    for seed in range(FIRST, FIRST + COUNT):
        address = f"{kind}{seed}@example.jp"
        suite.add_user(address)
        try:
            run = Run(suite, address, seed, **KINDS[kind])
            run.go(STEPS)
            done += STEPS
        except Failure as error:
            failed.append(seed)
            print(f"  {kind} {error}", flush=True)
    print(f"  {kind}: {COUNT} seeds, {done} steps agreed in {time.monotonic() - start:.0f} s")
    if failed:
        raise Failure(f"{kind}: seeds {failed} differ from the model")


def test_two_clients_agree_with_the_model(suite):
    stress(suite, "two")


def test_three_clients_agree_with_the_model(suite):
    stress(suite, "three")


def test_clients_and_other_programs_agree_with_the_model(suite):
    stress(suite, "foreign")


def test_lost_indexes_change_nothing(suite):
    stress(suite, "forgetful")


def test_kills_lose_nothing_that_was_acknowledged(suite):
    assault = Assault(suite, ["kill1@example.jp", "kill2@example.jp"], FIRST)
    for _ in range(ROUNDS):
        assault.round(KILLS)
    loads = assault.everybody()
    print(f"  kill -9: {assault.kills} processes in {ROUNDS} rounds, "
          f"{sum(load.acknowledged for load in loads)} commands and deliveries acknowledged over "
          f"{sum(load.connections for load in loads)} connections, {assault.doubts} cut off, none lost")
    check(assault.kills > ROUNDS and assault.doubts > 0, "there was something to kill")


def test_races_lose_no_change(suite):
    print(f"  races: {race(suite, 'race@example.jp', 4, SECONDS, 40)} steps of 4 clients")


def test_folders_vanish_under_everybody(suite):
    wreckers = wreck(suite, "wreck@example.jp", 3, SECONDS)
    print(f"  folders: {sum(one.count for one in wreckers)} commands, "
          f"{sum(one.answers['OK'] for one in wreckers)} OK, {sum(one.ended for one in wreckers)} BYE")


def test_a_full_disk_is_lived_through(suite):
    print("  refused:", live_through(suite, "space@example.jp", "size=3m", fill))


def test_no_more_files_are_lived_through(suite):
    print("  refused:", live_through(suite, "inodes@example.jp", "nr_inodes=150", fill_inodes))
