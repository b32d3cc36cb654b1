"""Mail for the mailboxes of a measurement: always the same, sizes and shapes as real mailboxes have them.

Text, alternatives and attachments; English, German and Japanese in the charsets and encodings that are in use;
encoded words in subjects and names; answers that belong to threads; dates of three years.
"""

import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../t/e2e/lib"))

import corpus  # noqa: E402

# What is searched for: a word in one text of a hundred, one in a third of all subjects.
RARE_WORD, SUBJECT_WORD = "quixotic", "project"
FIRST_DAY = 1_700_000_000
SPAN_SECONDS = 3 * 365 * 86400
# SEARCH SINCE this day finds about a fourth.
SINCE = "19-Feb-2026"

ENGLISH = ("the meeting on Monday is moved to Thursday because of the audit please send your figures until noon and "
           "tell the others about it we have looked at the new contract and found nothing that speaks against it "
           "attached is the report of last month with all the numbers you asked for kind regards").split()
GERMAN = ("die Besprechung am Montag wird auf Donnerstag verschoben bitte schicken Sie die Zahlen bis zum Mittag wir "
          "haben den Vertrag geprüft und nichts gefunden was dagegen spräche mit freundlichen Grüßen").split()
JAPANESE = corpus.JAPANESE
SUBJECTS = ["Minutes of the meeting", "Your order", "project plan", "Invoice 2026", "Re-scheduling", "project status",
            "Weekly report", "project: open questions", "Lunch?"]
JAPANESE_SUBJECTS = ["お打ち合わせの件", "請求書のご送付", "資料について", "ご確認ください"]
GERMAN_SUBJECTS = ["Rückfrage zum Angebot", "Grüße aus Köln"]
NAMES = ["Alice Miller", "Bob Smith", "Carol Jones", "Dan Brown", "Erika Mustermann"]
JAPANESE_NAMES = ["山田太郎", "鈴木花子", "佐藤一郎"]


def words(random_, source, size):
    """Lines of about `size` bytes in all."""
    lines, total = [], 0
    while total < size:
        line = " ".join(random_.choices(source, k=11))
        lines.append(line)
        total += len(line) + 2
    return "\r\n".join(lines) + "\r\n"


class Letters:
    def __init__(self, count, small=False):
        self.count, self.small = count, small
        random_ = random.Random(1)
        # Made once: choosing paragraphs is quick, making each anew is not.
        self.english = [words(random_, ENGLISH, 700) for _ in range(50)]
        self.german = [words(random_, GERMAN, 700) for _ in range(50)]
        self.threads = []

    def size(self, random_):
        if self.small:
            return random_.randrange(200, 2000)
        return min(18000, max(1000, int(random_.lognormvariate(8.5, 0.7))))

    def text(self, random_, paragraphs, size):
        text = "\r\n".join(random_.choices(paragraphs, k=size // 700 + 1))[:size].rstrip("\r\n") + "\r\n"
        return RARE_WORD + " " + text if random_.random() < 0.01 else text

    def plain(self, random_, size):
        kind = random_.randrange(10)
        if kind < 5:
            return corpus.text_in("us-ascii", self.text(random_, self.english, size), "7bit")
        if kind < 7:
            charset, encoding = random_.choice([("iso-8859-1", "quoted-printable"), ("utf-8", "8bit"),
                                                ("utf-8", "quoted-printable")])
            return corpus.text_in(charset, self.text(random_, self.german, size), encoding)
        charset, encoding = random_.choice([("iso-2022-jp", "7bit"), ("utf-8", "base64"), ("shift_jis", "8bit")])
        return corpus.text_in(charset, JAPANESE * (size // 250 + 1), encoding)

    def body(self, random_, number):
        size = self.size(random_)
        kind = random_.randrange(100)
        if kind < 45 or self.small:
            return self.plain(random_, size)
        html = corpus.part("text/html; charset=utf-8", ("<html><body><p>" + self.text(random_, self.english, size) +
                                                        "</p></body></html>\r\n").encode(),
                           "Content-Transfer-Encoding: 8bit")
        both = corpus.multipart("alternative", f"alternative-{number}", self.plain(random_, size // 2), html)
        if kind < 90:
            return both
        length = random_.randrange(100_000, 250_000) if kind >= 99 else random_.randrange(4_000, 40_000)
        name = random_.choice([corpus.RFC2231, corpus.RFC2047, corpus.PLAIN_NAME])
        return corpus.multipart("mixed", f"mixed-{number}", both, corpus.attachment(random_, name, length))

    def subject(self, random_):
        kind = random_.randrange(10)
        if kind < 7:
            return random_.choice(SUBJECTS) + f" {random_.randrange(500)}"
        if kind < 9:
            return corpus.encoded_word(random_.choice(JAPANESE_SUBJECTS), random_.choice(["UTF-8", "ISO-2022-JP"]))
        return corpus.encoded_word(random_.choice(GERMAN_SUBJECTS), "ISO-8859-1", "Q")

    def sender(self, random_):
        if random_.randrange(10) < 7:
            name = random_.choice(NAMES)
            return f"\"{name}\" <{name.lower().replace(' ', '.')}@example.org>"
        name = random_.choice(JAPANESE_NAMES)
        return corpus.encoded_word(name, "ISO-2022-JP") + f" <p{random_.randrange(40)}@example.jp>"

    def thread(self, random_, number):
        """Subject and fields of an answer, for two of five; of a first message else."""
        identity = f"<bench-{number}@example.org>"
        if self.threads and random_.random() < 0.4:
            thread = random_.choice(self.threads[-300:])
            fields = f"In-Reply-To: {thread[-1]}\r\nReferences: {' '.join(thread[1:][-8:])}\r\n"
            subject = "Re: " + thread[0]
        else:
            subject, fields, thread = self.subject(random_), "", None
        if thread is None:
            thread = [subject]
            self.threads.append(thread)
        thread.append(identity)
        return f"Subject: {subject}\r\nMessage-ID: {identity}\r\n{fields}"

    def letter(self, number):
        """Flags, date and bytes."""
        random_ = random.Random(number)
        at = time.gmtime(FIRST_DAY + SPAN_SECONDS * number // self.count)
        stamp = time.strftime("%a, %d %b %Y %H:%M:%S +0000", at)
        hops = "".join(f"Received: from relay{hop}.example.org (relay{hop}.example.org [192.0.2.{number % 250}])\r\n"
                       f"\tby mx{hop}.example.net (Postfix) with ESMTPS id {number:08X}{hop}\r\n"
                       f"\tfor <u0@bench0.example>; {stamp}\r\n" for hop in range(1 if self.small else 3))
        copies = ", ".join(f"c{i}@example.net" for i in range(random_.randrange(4)))
        head = (hops + f"From: {self.sender(random_)}\r\nTo: <u0@bench0.example>\r\n" +
                (f"Cc: {copies}\r\n" if copies else "") + self.thread(random_, number) +
                f"Date: {stamp}\r\nMIME-Version: 1.0\r\nX-Mailer: bench 1.0\r\n")
        flags = random_.choices(["(\\Seen)", "()", "(\\Seen \\Answered)", "(\\Flagged)"], [65, 20, 12, 3])[0]
        date = time.strftime("%d-%b-%Y %H:%M:%S +0000", at)
        return flags, date, head.encode() + self.body(random_, number)


def write(path, count, small=False):
    """A file as imapload.c reads it. Returns the sum of the sizes."""
    letters, total = Letters(count, small), 0
    with open(path, "wb") as file:
        for number in range(count):
            flags, date, data = letters.letter(number)
            file.write(f"{len(data)} {flags} \"{date}\"\n".encode() + data)
            total += len(data)
    return total


if __name__ == "__main__":
    print(write(sys.argv[1], int(sys.argv[2]), len(sys.argv) > 3), "bytes")
