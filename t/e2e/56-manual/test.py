"""What the manual and ARCHITECTURE list is what there is: programs, log events, folders, files.

Settings are compared by t/unit/common/test_settings, mailctl's verbs by t/unit/admin/test_text, the examples of
mailctl(1), cdb(8) and plan(5) by 47-mailctl.
"""

import glob
import os
import re

from suite import TREE, Failure, check, equal, message

FAMILIES = "tcpd authd smtpd pop3d imapd queue scan deliver store admin".split()
LIBRARIES = "mailbox message common".split()
HEADINGS = ["NAME", "SYNOPSIS", "DESCRIPTION", "DESCRIPTORS", "ENVIRONMENT", "FILES", "EXIT STATUS", "SECURITY",
            "SEE ALSO"]
# The log_begin and log_event of common/log.h itself.
LOGGERS = {"log_begin": 1, "log_event": 0}


def read(*parts):
    with open(os.path.join(TREE, *parts), encoding="utf-8") as file:
        return file.read()


def sources(folder):
    return [re.sub(r"/\*.*?\*/", "", read(path), flags=re.S)
            for path in sorted(glob.glob(os.path.join(TREE, folder, "*.c")))]


def programs():
    """name -> family, as the Makefile has it"""
    table = re.search(r"^PROGRAMS = ((?:.*\\\n)*.*)", read("Makefile"), re.M).group(1)
    return {word.split("/")[1]: word.split("/")[0] for word in table.replace("\\", " ").split()}


def page_of(program):
    found = glob.glob(os.path.join(TREE, "man", program + ".[18]"))
    check(found, f"{program} has no manual page")
    return read(found[0])


# ---- log events -----------------------------------------------------------------------------------

def arguments(text, at):
    """The arguments of the call whose parenthesis opens at text[at]."""
    found, depth, start = [], 0, at + 1
    for match in re.compile(r'"(?:\\.|[^"\\])*"|[(){},]').finditer(text, at):
        sign = match.group()
        if sign in "({":
            depth += 1
        elif sign in ")}":
            depth -= 1
        if (sign == "," and depth == 1) or depth == 0:
            found.append(text[start:match.start()].strip())
            start = match.end()
        if depth == 0:
            return found
    raise Failure(f"a call without an end: {text[at:at + 60]}")


def loggers(texts):
    """Functions that are given an event's name -> which argument that is."""
    found = dict(LOGGERS)
    for text in texts:
        for match in re.finditer(r"^\w[\w *]*?\b(\w+)(\([^;{]*\bconst char \*event\b[^;{]*\))\s*\{", text, re.M):
            names = arguments(text, match.start(2))
            found[match.group(1)] = next(i for i, one in enumerate(names) if one.endswith("*event"))
    return found


def events(texts):
    """All names of events that literally stand in these sources."""
    found = set()
    for name, position in loggers(texts).items():
        for text in texts:
            for match in re.finditer(rf"\b{name}\(", text):
                call = arguments(text, match.end() - 1)
                if len(call) > position:
                    # Of "x ? "a" : "b"" both; no text with blanks, which is an argument of another function.
                    found.update(re.findall(r'"([a-z][a-z-]+)"', call[position]))
    return found


def log_sections(page):
    return "\n".join(re.findall(r"^\.Ss Log\n(.*?)(?=^\.S[sh] )", page, re.M | re.S))


def test_every_event_of_the_log_stands_in_the_manual(suite):
    lacking = []
    for family in FAMILIES:
        pages = [page_of(name) for name, of in programs().items() if of == family]
        words = set(re.findall(r"[a-z][a-z-]+", "\n".join(map(log_sections, pages))))
        lacking += [f"{family}: {event}" for event in sorted(events(sources(family)) - words - {"trouble"})]
    equal(lacking, [], "events that no page's Log section names")


# ---- pages ----------------------------------------------------------------------------------------

def test_every_program_has_a_page_with_the_same_headings(suite):
    for name in programs():
        page = page_of(name)
        headings = [one for one in re.findall(r"^\.Sh (.*)$", page, re.M) if one in HEADINGS]
        equal(headings, HEADINGS, f"headings of {name}'s page")


def test_pages_refer_to_pages_that_there_are(suite):
    ours = {os.path.basename(path) for path in glob.glob(os.path.join(TREE, "man", "*.[158]"))}
    installed = {os.path.basename(path) for path in glob.glob(suite.path("man/man?/*"))}
    equal(installed, ours, "pages that make setup installs")
    foreign = {"crypt.3", "crypt.5", "flock.2", "iconv.3", "s6-svscan.1", "runsvdir.8", "clamscan.1", "freshclam.1",
               "openssl.1"}
    for name in sorted(ours):
        for page, section in re.findall(r"^\.?.*?\bXr (\S+) (\d)", read("man", name), re.M):
            check(f"{page}.{section}" in ours | foreign, f"{name} refers to {page}({section}), which is nowhere")


# ---- ARCHITECTURE ---------------------------------------------------------------------------------

def test_the_trust_table_has_each_program(suite):
    table = read("ARCHITECTURE.md").split("## Who runs as whom")[1].split("\n## ")[0]
    rows = {name.strip() for line in table.splitlines() if line.startswith("| ")
            for name in line.split("|")[1].split(",")}
    lacking = sorted(set(programs()) - rows)
    equal(lacking, [], "programs without a row")


def test_the_list_of_ROOT_has_each_folder(suite):
    suite.submit("u1@example.jp", ["u2@example.jp"], message("u1@example.jp", "u2@example.jp", "one"))
    suite.wait_messages("u2@example.jp", 1)
    listed = read("ARCHITECTURE.md").split("## ROOT")[1].split("\n## ")[0]
    names = {entry.name for entry in os.scandir(suite.root) if entry.is_dir()}
    names |= {f"queue/{entry.name}" for entry in os.scandir(suite.path("queue"))}
    names |= {entry.name for entry in os.scandir(suite.path("state")) if entry.is_dir()}
    equal([name for name in sorted(names) if f"{name}/" not in listed], [], "folders that the list lacks")


# ---- the Maildir ----------------------------------------------------------------------------------

def test_files_of_a_folder_stand_in_maildir(suite):
    page = read("man", "maildir.5")
    text = "\n".join(text for folder in LIBRARIES + FAMILIES for text in sources(folder))
    names = set(re.findall(r'"((?:mailbox|courier|dovecot)-?[a-z0-9-]+)"', text)) | {"quota-warned", "pop3-lock"}
    names.discard("mailbox-trouble")  # how a POP3 session ended
    equal([name for name in sorted(names) if name not in page], [], "files that maildir(5) does not name")
