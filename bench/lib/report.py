"""Tables for README.md and the plot, from the figures of a whole run."""

import json
import os
import statistics

BEGIN, END = "<!-- results: written by bench/run -->", "<!-- end of results -->"
PLOT = "results.png"
LABELS = {"mail-suite": "mail-suite", "mail-suite-strict": "mail-suite, as installed",
          "postfix": "Postfix", "postfix-dovecot": "Postfix + Dovecot",
          "mail-suite-scan": "mail-suite, scanning", "postfix-clamav": "Postfix + clamav-milter",
          "floor-files": "floor, files", "floor-folders": "floor, folders"}
TITLES = {"delivery": "From the first connection to the last file in new/",
          "relay": "Relayed: from the first connection to the last message at the sink",
          "scan": "With virus scan: libclamav here, clamav-milter and clamd there, the same signatures"}


# Beside Postfix: twice the rate, half the CPU time.
GOALS = {"rate": 2, "cpu_ms": 0.5}
QUIET, BUSY = "", " - **others used the machine: figures are rough**"


class Figures:
    """Medians over the rounds."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        self.about, self.rows = data["about"], data["rows"]

    def median(self, group, case, side, kind, name):
        values = [row["figures"][name] for row in self.rows
                  if (row["group"], row["case"], row["side"], row["kind"]) == (group, case, side, kind)
                  and name in row["figures"]]
        return statistics.median(values) if values else None

    def unique(self, field, group, kind):
        found = []
        for row in self.rows:
            if row["group"] == group and row["kind"] == kind and row[field] not in found:
                found.append(row[field])
        return found


def number(value, digits):
    return "–" if value is None else f"{value:,.{digits}f}"


def ratio(ours, theirs):
    return "–" if not ours or not theirs else f"**{ours / theirs:.2f}**"


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "|".join(["---"] + ["--:"] * (len(heads) - 1)) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def rate_table(figures, group):
    sides = [side for side in figures.unique("side", group, "rate") if not side.startswith("floor")]
    floors = [side for side in figures.unique("side", group, "rate") if side.startswith("floor")]
    if len(sides) < 2:
        return []
    ours, other = sides[:2]
    compared = [side for side in sides if side.startswith("mail-suite")]
    ratios = ["ratio"] + ["ratio, as installed"] * (len(compared) - 1)
    heads = (["case"] + [f"{LABELS[side]}/s" for side in sides] + ratios +
             [f"{LABELS[side]}, CPU ms" for side in sides] + ratios +
             [f"{LABELS[floor]}/s" for floor in floors] + (["of floor, files"] if floors else []))
    rows = []
    for case in figures.unique("case", group, "rate"):
        def rate(side, case=case):
            return figures.median(group, case, side, "rate", "rate")

        def cpu(side, case=case):
            return figures.median(group, case, side, "rate", "cpu_ms")
        row = ([case] + [number(rate(side), 0) for side in sides] +
               [ratio(rate(side), rate(other)) for side in compared] +
               [number(cpu(side), 2) for side in sides] +
               [ratio(cpu(side), cpu(other)) for side in compared] +
               [number(rate(floor), 0) for floor in floors])
        if floors:
            floor = rate("floor-files")
            row.append(f"{100 * rate(ours) / floor:.0f} %" if floor and rate(ours) else "–")
        rows.append(row)
    return [f"### {TITLES[group]}", ""] + table(heads, rows) + [""]


COUNTS = [("syscalls", "system calls", 1), ("fsync", "fsync", 2), ("fdatasync", "fdatasync", 2),
          ("commits", "commits of the journal", 2), ("forks", "forks", 2), ("execs", "execs", 2),
          ("switches", "context switches", 1)]


def count_table(figures):
    rows = []
    for group in TITLES:
        for case in figures.unique("case", group, "counts"):
            for side in figures.unique("side", group, "counts"):
                values = [figures.median(group, case, side, "counts", name) for name, _, _ in COUNTS]
                if values[0] is not None:
                    rows.append([case, LABELS[side]] + [number(value, digits) for value, (_, _, digits)
                                                        in zip(values, COUNTS)])
    if not rows:
        return []
    return (["### Per message, counted in runs of their own", ""] +
            table(["case", "side"] + [head for _, head, _ in COUNTS], rows) + [""])


def memory_table(figures):
    sides = figures.unique("side", "delivery", "memory")
    if len(sides) < 2:
        return []
    rows = []
    for case in figures.unique("case", "delivery", "memory"):
        values = [figures.median("delivery", case, side, "memory", "memory_mb") for side in sides]
        rows.append([case] + [number(value, 0) for value in values] + [ratio(*values[:2])])
    return (["### Peak memory of all processes (MB, proportional set size)", ""] +
            table(["case"] + [LABELS[side] for side in sides] + ["ratio"], rows) + [""])


def floor_table(figures):
    sides = figures.unique("side", "floor", "rate")
    if not sides:
        return []
    rows = [[case.replace("connection", "worker").replace(", one message each", "")] +
            [number(figures.median("floor", case, side, "rate", "rate"), 0) for side in sides]
            for case in figures.unique("case", "floor", "rate")]
    return (["### The disk's own floor (messages/s; variants: floor.c)", ""] +
            table(["case"] + [side.removeprefix("floor-") for side in sides], rows) + [""])


def machine_line(about):
    versions = ", ".join(f"{name} {text}" for name, text in about["versions"].items() if text)
    return (f"{about['date']}, state {about['commit']}; {about['cpus']} × {about['cpu']}, "
            f"{about['memory_mb']:,} MB, Linux {about['kernel']}; {versions}.")


def busy_line(about):
    return f"CPUs busy before the start: {100 * about['busy']:.0f} %{QUIET if about['busy'] < 0.1 else BUSY}."


def about_lines(about):
    return [machine_line(about),
            f"Disk: {about['disk']}. {about['boxes']} mailboxes in {about['domains']} domain(s), "
            f"{about['rounds']} interleaved round(s), {about['scale']:g} times the usual messages, medians. "
            + busy_line(about), ""]


def failures(figures):
    lines = [f"- failed: {row['side']}, {row['case']}: {row['figures']['text']}"
             for row in figures.rows if row["kind"] == "failed"]
    return lines + [""] if lines else []


def tables(figures):
    lines = about_lines(figures.about)
    for group in TITLES:
        lines += rate_table(figures, group)
    return lines + count_table(figures) + memory_table(figures) + floor_table(figures) + failures(figures)


def plot(figures, path):
    """Two panels: rate and CPU per message, Postfix being 1."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    rows = []
    for group in TITLES:
        sides = [side for side in figures.unique("side", group, "rate") if not side.startswith("floor")]
        if len(sides) < 2:
            continue
        for case in figures.unique("case", group, "rate"):
            if all(figures.median(group, case, side, "rate", "rate") for side in sides[:2]):
                rows.append((group, case, sides))
    if not rows:
        return False
    panes = [("rate", "messages per second, Postfix = 1 (more is better)"),
             ("cpu_ms", "CPU time per message, Postfix = 1 (less is better)")]
    colors = ["#1f6fb4", "#d98c2b"]
    figure, axes = pyplot.subplots(1, 2, figsize=(15, 1.5 + 0.42 * len(rows)), sharey=True)
    for pane, (name, title) in zip(axes, panes):
        for place, (group, case, sides) in enumerate(rows):
            base = figures.median(group, case, sides[1], "rate", name)
            for offset, side in enumerate([sides[0]] + [one for one in sides if one.endswith("dovecot")]):
                value = figures.median(group, case, side, "rate", name)
                if value is None:
                    continue
                height = place + (offset - 0.5 * (sides[-1].endswith("dovecot"))) * 0.4
                pane.barh(height, value / base, 0.38, color=colors[offset])
                text = f" {value:,.0f}/s" if name == "rate" else f" {value:.2f} ms"
                pane.text(value / base, height, text, va="center", fontsize=7)
        pane.axvline(1, color="black", linewidth=1)
        pane.axvline(GOALS[name], color="green", linewidth=1, linestyle="--")
        pane.set_title(title, fontsize=10)
        pane.margins(x=0.12)
    kinds = {"delivery": "", "relay": "", "scan": " (scanned)"}
    axes[0].set_yticks(range(len(rows)), [case + kinds[group] for group, case, _ in rows], fontsize=8)
    axes[0].set_ylim(len(rows) - 0.4, -0.6)
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=color) for color in colors]
    handles.append(pyplot.Line2D([], [], color="green", linestyle="--"))
    figure.legend(handles, ["mail-suite", "Postfix + Dovecot LMTP", "goal for 2 and 20 KB, 10 and 50 connections"],
                  loc="lower center", ncols=3, fontsize=9)
    figure.suptitle(f"mail-suite beside Debian's Postfix, {figures.about['date']}, "
                    f"{figures.about['cpus']} CPUs", fontsize=12)
    figure.tight_layout(rect=(0, 0.5 / figure.get_figheight(), 1, 1))
    figure.savefig(path, dpi=90)
    return True


def put(path, begin, end, lines):
    """Puts lines between two marks of a file."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + "\n".join([begin, ""] + lines) + end + after)
    print(f"written: {path}")


def write(folder, path):
    """Puts tables and plot of one file of figures into bench/."""
    figures = Figures(path)
    lines = tables(figures)
    if plot(figures, os.path.join(folder, PLOT)):
        lines += [f"![Rates and CPU time beside Postfix]({PLOT})", ""]
    put(os.path.join(folder, "README.md"), BEGIN, END, lines)
