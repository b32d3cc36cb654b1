"""Two people exchange mail, by every way in and out, and it stays the same to the byte."""

from suite import check, equal, message

ODD = ("Lines of all kinds:\r\n.\r\n..dots\r\n.x\r\n\r\ntrailing blanks  \r\n"
       "long " + "x" * 900 + "\r\n日本語のテスト\r\nlast line without any special\r\n")


def received(text):
    """A stored message without what the servers put in front of it."""
    rest = text
    while not rest.startswith(b"From: "):
        line, _, rest = rest.partition(b"\r\n")
        check(line, "the From field of the message as sent")
    return rest


def over_imap(client):
    client.select("INBOX")
    numbers = client.search(None, "ALL")[1][0].split()
    return [client.fetch(number, "(BODY.PEEK[])")[1][0][1] for number in numbers]


def over_pop3(client):
    count = client.stat()[0]
    return [b"".join(line + b"\r\n" for line in client.retr(number)[1])
            for number in range(1, count + 1)]


def test_submission_with_starttls(suite):
    data = message("u1@example.jp", "u2@example.jp", "by 587", ODD)
    suite.submit("u1@example.jp", ["u2@example.jp"], data, options=["BODY=8BITMIME"])
    stored = suite.wait_messages("u2@example.jp", 1)
    check(stored[0].endswith(data.partition(b"\r\n\r\n")[2]), "the body as it was sent")
    check(b"Message-ID: <" in stored[0] or b"Message-Id: <" in stored[0], "a Message-ID was added")


def test_submissions_on_465(suite):
    data = message("u2@example.jp", "u1@example.jp", "by 465", ODD,
                   "Message-ID: <own@example.jp>\r\n")
    suite.submit("u2@example.jp", ["u1@example.jp"], data, service="submissions")
    stored = suite.wait_messages("u1@example.jp", 1)
    equal(received(stored[0]), data, "the message as stored")


def test_same_bytes_over_imap_and_pop3(suite):
    for address in ("u1@example.jp", "u2@example.jp"):
        stored = suite.messages(address)
        with suite.imap(address) as client:
            equal(over_imap(client), stored, "IMAP with STARTTLS, BODY[]")
        with suite.imaps(address) as client:
            equal(over_imap(client), stored, "IMAP on its TLS port, BODY[]")
        for login in (suite.pop3, suite.pop3s):
            client = login(address)
            equal(over_pop3(client), stored, "POP3 RETR")
            client.quit()


def test_port_25_delivers_to_known_users(suite):
    before = len(suite.mailbox("u1@example.jp"))
    data = message("stranger@example.org", "u1@example.jp", "by 25")
    with suite.smtp() as client:
        client.sendmail("stranger@example.org", ["u1@example.jp"], data)
    stored = suite.wait_messages("u1@example.jp", before + 1)
    newest = [text for text in stored if b"Subject: by 25" in text]
    equal(len(newest), 1, "copies")
    check(newest[0].startswith(b"Return-Path: <stranger@example.org>\r\n"), "Return-Path first")
    check(b"\r\nDelivered-To: u1@example.jp\r\n" in newest[0], "Delivered-To")
    check(b"\r\nReceived: from " in newest[0], "Received")
    suite.wait_queue_empty()
