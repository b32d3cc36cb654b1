"""Table and plot of IMAP and POP3 for README.md, and the same table as text."""

import os

import report
from imapfull import medians

BEGIN, END = "<!-- imap results: written by bench/imap -->", "<!-- end of imap results -->"
PLOT = "imap.png"
SIDES = {"mail-suite": "mail-suite", "dovecot-maildir": "Dovecot Maildir", "dovecot-sdbox": "Dovecot sdbox",
         "dovecot-fast": "Dovecot, processes reused"}
MAILDIR, SDBOX, FAST = "dovecot-maildir", "dovecot-sdbox", "dovecot-fast"


class Row:
    """`goal` and what the peers had when it was set: the ratio of the two is what has to be reached."""

    def __init__(self, name, title, unit="ms", digits=1, more=False, goal=None, **peers):
        self.name, self.title, self.unit, self.digits, self.more = name, title, unit, digits, more
        self.goal = goal
        self.peers = {f"dovecot-{peer}": value for peer, value in peers.items()}

    def wanted(self, peer):
        """The ratio to this peer."""
        return self.goal / self.peers[peer] if self.goal is not None and peer in self.peers else None

    def is_reached(self, ratio, peer):
        wanted = self.wanted(peer)
        return ratio >= wanted if self.more else ratio <= wanted

    def speed(self, value, base):
        """How many times as fast: more is always better."""
        return value / base if self.more else base / value


ROWS = [
    Row("select_lost", "SELECT, the index was deleted", digits=2, goal=5, maildir=24),
    Row("select_cold", "SELECT, nothing cached but the index", digits=2, goal=5, sdbox=5.3),
    Row("select_warm", "SELECT, warm", digits=2, goal=1, maildir=10, sdbox=2.1),
    Row("login_select_lost", "connect, LOGIN, SELECT, the index was deleted", digits=2),
    Row("login_select_cold", "connect, LOGIN, SELECT, nothing cached but the index", digits=2),
    Row("login_select_warm", "connect, LOGIN, SELECT, warm", digits=2),
    Row("flags_cold", "FETCH 1:* (FLAGS UID RFC822.SIZE), cold", goal=15, maildir=198, sdbox=80),
    Row("flags_warm", "the same, warm", goal=10, maildir=20, sdbox=13.5),
    Row("opened_flags_cold", "SELECT and that FETCH, cold"),
    Row("opened_flags_warm", "SELECT and that FETCH, warm"),
    Row("envelope_cold", "FETCH 1:* ENVELOPE, cold", goal=150, maildir=292, sdbox=334),
    Row("envelope_warm", "the same, warm", goal=40, maildir=89, sdbox=70),
    Row("opened_envelope_cold", "SELECT and FETCH ENVELOPE, cold"),
    Row("bodystructure_cold", "FETCH 1:* BODYSTRUCTURE, cold"),
    Row("bodystructure_warm", "the same, warm", goal=12, maildir=15, sdbox=14.7),
    Row("opened_bodystructure_cold", "SELECT and FETCH BODYSTRUCTURE, cold"),
    Row("bodies", "FETCH 1:* BODY.PEEK[]", "MB/s", 0, True, goal=700, maildir=388, sdbox=693),
    Row("bodies_tls", "the same over TLS", "MB/s", 0, True),
    Row("text_cold", "SEARCH TEXT, first time", goal=350, maildir=734, sdbox=828),
    Row("text_warm", "the same, again"),
    Row("header_cold", "SEARCH HEADER, first time", goal=90, maildir=192, sdbox=148),
    Row("header_warm", "the same, again"),
    Row("since_cold", "SEARCH SINCE, first time", digits=2),
    Row("since_warm", "the same, again", digits=2),
    Row("sort_cold", "SORT (SUBJECT), first time"),
    Row("sort_warm", "the same, again"),
    Row("thread_cold", "THREAD REFERENCES, first time"),
    Row("thread_warm", "the same, again"),
    Row("store", "STORE 1:* +FLAGS", goal=40, maildir=100, sdbox=8),
    Row("store_settled", "STORE and the NOOP after it"),
    Row("copy", "COPY 1:*", goal=110, maildir=283, sdbox=110),
    Row("copy_settled", "COPY and the NOOP after it"),
    Row("move", "MOVE 1:*", goal=170, maildir=510, sdbox=176),
    Row("move_settled", "MOVE and the NOOP after it"),
    Row("expunge", "EXPUNGE of all", goal=39, maildir=82, sdbox=39),
    Row("expunge_settled", "EXPUNGE and the NOOP after it"),
    Row("changes_cpu", "CPU of these changes in one session", digits=0),
    Row("append_one", "APPEND by 10 connections, one mailbox", "/s", 0, True, goal=2500, maildir=1498, sdbox=1859),
    Row("append_one_cpu", "the same, CPU each", digits=2),
    Row("append_ten", "APPEND by 10 connections, ten mailboxes", "/s", 0, True, goal=2500, maildir=1498, sdbox=1859),
    Row("append_ten_cpu", "the same, CPU each", digits=2),
    Row("wake_lmtp", "IDLE: end of a message over LMTP to EXISTS", goal=10, maildir=335, sdbox=335),
    Row("wake_append", "IDLE: APPEND in another session to EXISTS", goal=10, maildir=335, sdbox=335),
    Row("sessions_tls", "TLS sessions by 10", "/s", 0, True, goal=400, maildir=222, fast=666),
    Row("sessions_tls_cpu", "the same, CPU each", digits=2, goal=3, maildir=5.5, fast=1.9),
    Row("sessions_resumed", "TLS sessions by 10, resumed", "/s", 0, True),
    Row("sessions_resumed_cpu", "the same, CPU each", digits=2),
    Row("sessions_plain", "sessions by 10 without TLS", "/s", 0, True),
    Row("sessions_plain_cpu", "the same, CPU each", digits=2),
    Row("memory", "memory per idle TLS session", "KiB", 0, goal=300, maildir=1822, fast=569),
    Row("uidl_cold", "POP3 PASS, STAT, UIDL, cold", goal=20, maildir=178),
    Row("uidl_warm", "the same, warm", goal=2, maildir=21),
    Row("retr", "POP3 RETR of all, pipelined", "/s", 0, True, goal=45000, maildir=38900),
    Row("retr_mb", "the same", "MB/s", 0, True),
    Row("pop3_sessions", "POP3 TLS sessions by 10", "/s", 0, True),
    Row("pop3_sessions_cpu", "the same, CPU each", digits=2),
    Row("huge_select_lost", "100,000 messages: SELECT, the index was deleted", digits=2),
    Row("huge_select_cold", "100,000 messages: SELECT, nothing cached but the index", digits=2),
    Row("huge_select_warm", "the same, warm", digits=2),
    Row("login_huge_select_lost", "100,000 messages: connect, LOGIN, SELECT, the index was deleted", digits=2),
    Row("login_huge_select_cold", "the same, nothing cached but the index", digits=2),
    Row("login_huge_select_warm", "the same, warm", digits=2),
    Row("huge_flags_cold", "100,000 messages: FETCH FLAGS UID SIZE, cold"),
    Row("huge_flags_warm", "the same, warm"),
    Row("opened_huge_flags_cold", "100,000 messages: SELECT and that FETCH, cold"),
    Row("opened_huge_flags_warm", "100,000 messages: SELECT and that FETCH, warm"),
    Row("huge_envelope_cold", "100,000 messages: FETCH ENVELOPE, cold"),
    Row("huge_envelope_warm", "the same, warm"),
    Row("dropped_select", "page cache dropped: SELECT", digits=2),
    Row("dropped_flags", "page cache dropped: SELECT and FETCH FLAGS UID SIZE"),
    Row("dropped_envelope", "page cache dropped: SELECT and FETCH ENVELOPE"),
]


def ratio_words(row, values, peer):
    """Bold where it is what the goal asks for."""
    ours, theirs = values.get((row.name, "mail-suite")), values.get((row.name, peer))
    if not ours or not theirs:
        return "–"
    ratio, wanted = ours / theirs, row.wanted(peer)
    if wanted is None:
        return f"{ratio:.2f}"
    words = f"{ratio:.2f} ({'≥' if row.more else '≤'} {wanted:.2f})"
    return f"**{words}**" if row.is_reached(ratio, peer) else words


def goal_words(row):
    if row.goal is None:
        return ""
    return f"{'≥' if row.more else '≤'} {row.goal:,g}"


def table(values):
    sides = [side for side in SIDES if any(side == key[1] for key in values)]
    peers = [side for side in sides if side != "mail-suite"]
    rows = [[f"{row.title}, {row.unit}"] + [report.number(values.get((row.name, side)), row.digits) for side in sides] +
            [goal_words(row)] + [ratio_words(row, values, peer) for peer in peers]
            for row in ROWS if any(row.name == key[0] for key in values)]
    return report.table(["measure"] + [SIDES[side] for side in sides] + ["goal"] +
                        [f"to {SIDES[peer]}" for peer in peers], rows)


def tables(about, notes, values):
    lines = [report.machine_line(about),
             f"Disk: {about['disk']}. {about['messages']:,} messages, {about['huge']:,} where it says so, "
             f"{about['rounds']} interleaved round(s), medians. " + report.busy_line(about), "",
             "Bold: the ratio that the goal wants (in brackets) is reached.", ""]
    lines += table(values) + [""]
    return lines + [f"- {note}" for note in notes] + ([""] if notes else [])


def plot(about, values, path):
    """How many times as fast as Dovecot with Maildir."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    rows = [row for row in ROWS if values.get((row.name, "mail-suite")) and values.get((row.name, MAILDIR))]
    if not rows:
        return False
    colors = {"mail-suite": "#1f6fb4", SDBOX: "#d98c2b", FAST: "#9a9a9a"}
    figure, pane = pyplot.subplots(figsize=(12, 1.5 + 0.4 * len(rows)))
    for place, row in enumerate(rows):
        base = values[row.name, MAILDIR]
        beside = [side for side in colors if values.get((row.name, side))]
        for offset, side in enumerate(beside):
            value = values[row.name, side]
            height = place + (offset - (len(beside) - 1) / 2) * 0.8 / len(beside)
            pane.barh(height, row.speed(value, base), 0.75 / len(beside), color=colors[side])
            pane.text(row.speed(value, base), height, f" {value:,.{row.digits}f} {row.unit}", va="center", fontsize=6)
        if row.wanted(MAILDIR):
            goal = row.speed(row.goal, row.peers[MAILDIR])
            pane.plot([goal, goal], [place - 0.45, place + 0.45], color="green", linewidth=2)
    pane.axvline(1, color="black", linewidth=1)
    pane.set_xscale("log")
    pane.set_yticks(range(len(rows)), [row.title for row in rows], fontsize=8)
    pane.set_ylim(len(rows) - 0.4, -0.6)
    pane.margins(x=0.12)
    pane.set_xlabel("how many times as fast, or as small, as Dovecot with Maildir (= 1)", fontsize=10)
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=color) for color in colors.values()]
    handles.append(pyplot.Line2D([], [], color="green", linewidth=2))
    figure.legend(handles, [SIDES[side] for side in colors] + ["goal"], loc="lower center", ncols=4, fontsize=9)
    figure.suptitle(f"IMAP and POP3 beside Debian's Dovecot, {about['date']}, {about['cpus']} CPUs", fontsize=12)
    figure.tight_layout(rect=(0, 0.4 / figure.get_figheight(), 1, 1))
    figure.savefig(path, dpi=90)
    return True


def write(folder, path):
    about, notes, values = medians(path)
    lines = tables(about, notes, values)
    if plot(about, values, os.path.join(folder, PLOT)):
        lines += [f"![IMAP and POP3 beside Dovecot]({PLOT})", ""]
    report.put(os.path.join(folder, "README.md"), BEGIN, END, lines)


def show(path):
    print(*tables(*medians(path)), sep="\n")
