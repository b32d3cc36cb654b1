"""TLS toward other servers: DANE, MTA-STS, control/tlspolicy, good and bad; reports; a DNS in trouble."""

import json
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bed  # noqa: E402
from sink import Sink, server_tls  # noqa: E402
from suite import check, equal, free_ports, message, wait_until  # noqa: E402

BED = {}
SINKS = {}

# name of the sink: its address; see start_sinks for what it shows
ADDRESSES = {name: f"{bed.NET}.{number}" for number, name in enumerate(
    ["ee", "ta", "plain", "selfsigned", "sts", "wrongname", "expired", "changing", "alsoplain"], 2)}

ZEROS = "0" * 64


def signed_zone(ca, ee, ta):
    """What is secure. Every domain has one MX, mx.DOMAIN."""
    hosts = {"ee": "ee", "ta": "ta", "wrong": "ee", "bogus": "ee", "none": "plain",
             "unusable": "selfsigned", "stripped": "plain", "wrongta": "ta", "agile": "ee"}
    text = "".join(f"{name} MX 10 mx.{name}.test.\nmx.{name} A {ADDRESSES[sink]}\n"
                   for name, sink in hosts.items())
    records = {"ee": f"3 1 1 {bed.digest(ee, 1)}", "ta": f"2 0 1 {bed.digest(ca, 0)}",
               "wrong": f"3 1 1 {ZEROS}", "bogus": f"3 0 1 {bed.digest(ee, 0)}",
               "unusable": f"0 0 1 {ZEROS}", "stripped": f"3 1 1 {bed.digest(ee, 1)}",
               "wrongta": f"2 0 1 {bed.digest(ca, 0)}",
               # the strongest hash counts (RFC 7671 9): with SHA-512 there, SHA-256 is not looked at
               "agile": f"3 1 1 {bed.digest(ee, 1)}\n_25._tcp.mx.agile TLSA 3 1 2 {ZEROS * 2}"}
    text += "".join(f"_25._tcp.mx.{name} TLSA {record}\n" for name, record in records.items())
    # An MX that is an alias: the records are found where it leads.
    text += "alias MX 10 mx.alias.test.\nmx.alias CNAME mx.ee.test.\n"
    # Of two servers the first has wrong records: the second takes the mail.
    text += "second MX 10 mx.wrong.test.\nsecond MX 20 mx.ee.test.\n"
    return text


STS = {"good": "sts", "wrong": "wrongname", "old": "expired", "other": "sts", "test": "wrongname",
       "badweb": "wrongname", "cache": "changing", "moved": "wrongname", "html": "wrongname",
       "secondhost": "sts", "testplain": "alsoplain", "renewed": "sts"}


def plain_zone(renewed_id="1"):
    return "".join(f"{name} MX 10 mx.{name}.plain.\nmx.{name} A {ADDRESSES[sink]}\n"
                   f'_mta-sts.{name} TXT "v=STSv1; id={renewed_id if name == "renewed" else 1};"\n'
                   f"mta-sts.{name} A {bed.WEB}\n"
                   for name, sink in STS.items()) + \
        "secondhost MX 5 mx.wrong.plain.\n" \
        f"simple MX 10 mx.simple.plain.\nmx.simple A {ADDRESSES['plain']}\n" \
        f'dane MX 10 mx.dane.plain.\nmx.dane A {ADDRESSES["plain"]}\n' \
        f"_25._tcp.mx.dane TLSA 3 1 1 {ZEROS}\n"


def tamper(text):
    """One record of mx.bogus.test changes after it was signed."""
    lines = text.splitlines(True)
    for number, line in enumerate(lines):
        if line.startswith("_25._tcp.mx.bogus.test.") and "\tTLSA\t" in line:
            lines[number] = line[:line.index("TLSA")] + f"TLSA\t3 0 1 {ZEROS}\n"
            return "".join(lines)
    raise AssertionError("no record to tamper with")


def start_sinks(authority):
    shown = {
        # with usage 3 neither name nor date counts
        "ee": authority.issue("ee", ["somebody.else"], expired=True),
        "ta": authority.issue("ta", ["mx.ta.test"]),
        "plain": None,
        "alsoplain": None,
        "selfsigned": authority.self_signed("selfsigned", "mx.unusable.test"),
        "sts": authority.issue("sts", ["mx.good.plain", "*.other.plain", "mx.secondhost.plain",
                                     "mx.renewed.plain"]),
        "wrongname": authority.issue("wrongname", ["mx.somewhere.plain"]),
        "expired": authority.issue("old", ["mx.old.plain"], expired=True),
        "changing": authority.issue("changing", ["mx.cache.plain"]),
    }
    for name, files in shown.items():
        SINKS[name] = Sink(host=ADDRESSES[name], port=25, tls=server_tls(*files) if files else None)


def prepare(suite):
    authority = BED["authority"] = bed.Authority(suite.path("ca"))
    start_sinks(authority)
    BED["dns"] = bed.Dns(suite.path("dns"), signed_zone(authority.certificate,
                                                        f"{authority.folder}/ee.pem", None),
                         plain_zone(), tamper)
    web = BED["web"] = bed.Web(*authority.issue(
        "web", [f"mta-sts.{name}.plain" for name in STS if name != "badweb"]))
    for name in ("good", "wrong", "old", "cache", "renewed"):
        web.policy(f"{name}.plain", "enforce", f"mx.{name}.plain")
    web.policy("other.plain", "enforce", "mx.not-this-one.plain", "*.mx.other.plain")
    web.policy("secondhost.plain", "enforce", "*.secondhost.plain")
    web.policy("test.plain", "testing", "mx.test.plain")
    web.policy("testplain.plain", "testing", "mx.testplain.plain")
    web.pages["moved.plain"] = (301, "text/plain", f"https://mta-sts.good.plain/{'x'}")
    web.policy("html.plain", "enforce", "mx.html.plain")
    web.pages["html.plain"] = (200, "text/html", web.pages["html.plain"][2])
    suite.add_domain("example.jp", "u1")
    suite.control("resolver", f"127.0.0.1:{BED['dns'].port}\n")
    suite.control("tls-ca", f"{authority.certificate}\n")
    suite.rebuild()
    suite.start()


def send(suite, domain):
    recipient = f"x@{domain}"
    suite.submit("u1@example.jp", [recipient], message("u1@example.jp", recipient))
    return recipient


def delivered(suite, domain, sink, tls=True):
    recipient = send(suite, domain)
    one = wait_until(lambda: [t for t in SINKS[sink].transactions if recipient in t.recipients],
                     f"mail for {recipient}", 30)[-1]
    equal(one.tls, tls, f"TLS toward {domain}")
    suite.wait_queue_empty()
    SINKS[sink].transactions.clear()


def deferred(suite, domain, *words, patience=30):
    """It waits, says why, and nobody got it."""
    before = {name: len(sink.transactions) for name, sink in SINKS.items()}

    def lines():
        return [line for line in suite.logs("queued").splitlines()
                if ": deferred" in line and f"recipient=x@{domain}" in line]
    count = len(lines())
    recipient = send(suite, domain)
    found = wait_until(lambda: lines()[count:], f"{recipient} is deferred", patience)[-1]
    for word in words:
        check(word in found, f"{word!r} in {found}")
    after = {name: len(sink.transactions) for name, sink in SINKS.items()}
    equal(after, before, "transactions")
    equal(len(suite.queue()), 1, "messages in the queue")
    suite.mailctl("queue", "delete", suite.queue()[0])
    suite.wait_queue_empty()


# ---- DANE -----------------------------------------------------------------------------------------

def test_dane_by_the_servers_own_key(suite):
    """Expired and for another name: with usage 3 the record alone counts."""
    delivered(suite, "ee.test", "ee")


def test_dane_by_a_trust_anchor(suite):
    delivered(suite, "ta.test", "ta")
    deferred(suite, "wrongta.test", "4.7.5", "certificate name does not match")


def test_dane_through_an_alias(suite):
    delivered(suite, "alias.test", "ee")


def test_dane_that_does_not_match_defers(suite):
    deferred(suite, "wrong.test", "4.7.5", "no TLSA record matches")


def test_dane_weaker_hash_is_not_looked_at(suite):
    deferred(suite, "agile.test", "4.7.5", "no TLSA record matches")


def test_dane_next_server_is_tried(suite):
    delivered(suite, "second.test", "ee")


def test_dane_bogus_answer_defers(suite):
    deferred(suite, "bogus.test", "4.7.5", "TLSA")


def test_dane_without_starttls_defers(suite):
    """Somebody between us and the server takes STARTTLS out."""
    deferred(suite, "stripped.test", "4.7.4", "STARTTLS")


def test_dane_records_of_unknown_kinds_want_tls(suite):
    delivered(suite, "unusable.test", "selfsigned")


def test_dane_counts_only_where_dnssec_vouches(suite):
    delivered(suite, "none.test", "plain", tls=False)
    delivered(suite, "dane.plain", "plain", tls=False)


# ---- MTA-STS --------------------------------------------------------------------------------------

def test_sts_enforced_and_good(suite):
    delivered(suite, "good.plain", "sts")
    delivered(suite, "good.plain", "sts")
    equal([request for request in BED["web"].requests if request[0] == "good.plain"],
          [("good.plain", "/.well-known/mta-sts.txt")], "requests for the policy")


def test_sts_enforced_and_bad(suite):
    deferred(suite, "wrong.plain", "4.7.5", "certificate name does not match")
    deferred(suite, "old.plain", "4.7.5", "certificate expired")
    deferred(suite, "other.plain", "4.7.5", "does not name the host mx.other.plain")


def test_sts_host_that_is_named_is_tried(suite):
    delivered(suite, "secondhost.plain", "sts")


def test_sts_testing_delivers(suite):
    delivered(suite, "test.plain", "wrongname")
    delivered(suite, "testplain.plain", "alsoplain", tls=False)


def test_sts_policy_that_can_not_be_had(suite):
    """A web server with a wrong certificate, one that redirects, one that serves pages: no policy."""
    for name in ("badweb", "moved", "html"):
        delivered(suite, f"{name}.plain", "wrongname")


def test_sts_policy_is_fetched_anew_with_a_new_id(suite):
    dns, web = BED["dns"], BED["web"]
    delivered(suite, "renewed.plain", "sts")
    web.policy("renewed.plain", "enforce", "mx.elsewhere.plain")
    delivered(suite, "renewed.plain", "sts")
    dns.change_plain(plain_zone(renewed_id="2"))
    wait_until(lambda: "id=2" in dns.ask("_mta-sts.renewed.plain", "TXT"), "the new record")
    suite.kill9("remote")
    deferred(suite, "renewed.plain", "4.7.5", "does not name the host")
    # a record that is gone changes nothing: the policy holds till its max_age is over
    dns.change_plain(plain_zone().replace("_mta-sts.renewed ", "_gone.renewed "))
    wait_until(lambda: "NXDOMAIN" in dns.ask("_mta-sts.renewed.plain", "TXT"), "no record")
    deferred(suite, "renewed.plain", "4.7.5", "does not name the host")


def test_sts_policy_that_was_kept(suite):
    """The web server is gone and the mail server is somebody else: the policy of before holds."""
    delivered(suite, "cache.plain", "changing")
    BED["web"].close()
    SINKS["changing"].tls = SINKS["selfsigned"].tls
    suite.kill9("remote")  # with the connection that it keeps
    deferred(suite, "cache.plain", "4.7.5", "certificate untrusted")
    old = suite.processes("mtastsd")
    bed.run("s6-svc", "-t", suite.path("service/mtastsd"))
    wait_until(lambda: suite.processes("mtastsd") not in (old, []) and suite.listens("mtastsd"),
               "mtastsd again")
    deferred(suite, "cache.plain", "4.7.5", "certificate untrusted")


def test_without_mtastsd_policies_are_not_forgotten(suite):
    """A domain that says it has a policy waits; others do not."""
    folder = suite.path("service/mtastsd")
    bed.run("s6-svc", "-d", folder)
    wait_until(lambda: not suite.processes("mtastsd"), "mtastsd is down")
    deferred(suite, "good.plain", "4.7.5", "can't be asked for")
    delivered(suite, "simple.plain", "plain", tls=False)
    bed.run("s6-svc", "-u", folder)
    wait_until(lambda: suite.listens("mtastsd"), "mtastsd again")


# ---- reports --------------------------------------------------------------------------------------

def policies_of(reports, domain):
    return [one for report in reports for one in report["policies"]
            if one["policy"]["policy-domain"] == domain]


def failures_of(reports, domain):
    return {detail["result-type"]: detail for one in policies_of(reports, domain)
            for detail in one.get("failure-details", [])}


def test_reports(suite):
    reports = json.loads(suite.mailctl("tls-report", "--json"))
    good = policies_of(reports, "good.plain")[0]
    equal(good["policy"]["policy-type"], "sts", "type of good.plain")
    check("mode: enforce" in good["policy"]["policy-string"], "the policy's lines")
    equal(good["policy"]["mx-host"], ["mx.good.plain"], "the policy's hosts")
    check(good["summary"]["total-successful-session-count"] >= 1, "good.plain had success")
    equal(good["summary"]["total-failure-session-count"], 0, "failures of good.plain")
    ee = policies_of(reports, "ee.test")[0]
    equal(ee["policy"]["policy-type"], "tlsa", "type of ee.test")
    check(ee["policy"]["policy-string"][0].startswith("3 1 1 "), "the record")
    for domain, result in {"wrong.test": "validation-failure", "stripped.test": "starttls-not-supported",
                           "bogus.test": "dnssec-invalid", "unusable.test": "tlsa-invalid",
                           "wrongta.test": "certificate-host-mismatch",
                           "wrong.plain": "certificate-host-mismatch",
                           "old.plain": "certificate-expired", "other.plain": "validation-failure",
                           "test.plain": "certificate-host-mismatch",
                           "testplain.plain": "starttls-not-supported",
                           "badweb.plain": "sts-webpki-invalid",
                           "moved.plain": "sts-policy-fetch-error",
                           "html.plain": "sts-policy-invalid",
                           "cache.plain": "certificate-not-trusted"}.items():
        check(result in failures_of(reports, domain),
              f"{domain}: {result} among {list(failures_of(reports, domain))}")
    detail = failures_of(reports, "test.plain")["certificate-host-mismatch"]
    equal(detail["receiving-mx-hostname"], "mx.test.plain", "the server's name")
    equal(detail["receiving-ip"], ADDRESSES["wrongname"], "the server's address")
    check(detail["sending-mta-ip"].startswith("127."), "our address")
    check(not policies_of(reports, "none.test"), "no policy, no report")
    table = suite.mailctl("tls-report")
    check("wrong.test" in table and "certificate-expired" in table, "the table for people")
    suite.mailctl("tls-report", "2020-01-01", wanted=1)
    suite.mailctl("tls-report", "../../etc", wanted=1)


# ---- control/tlspolicy ----------------------------------------------------------------------------

def test_tlspolicy(suite):
    plain, good = SINKS["plain"], SINKS["sts"]
    suite.control("smtproutes", f"must.example:[{ADDRESSES['plain']}]\n"
                                f"named.example:[{ADDRESSES['sts']}]\n"
                                f"never.example:[{ADDRESSES['ta']}]\n")
    suite.control("tlspolicy", f"[{ADDRESSES['plain']}] encrypt\n"
                               f"[{ADDRESSES['sts']}] verify match=mx.good.plain\n"
                               f"[{ADDRESSES['ta']}] none\n"
                               "good.plain secure\n"
                               ".test dane-only\n"
                               "old.plain may\n")
    suite.rebuild()
    deferred(suite, "must.example", "4.7.4", "STARTTLS")
    delivered(suite, "named.example", "sts")
    delivered(suite, "never.example", "ta", tls=False)
    # its name is mx.good.plain: below good.plain, as secure wants it
    delivered(suite, "good.plain", "sts")
    delivered(suite, "ee.test", "ee")
    deferred(suite, "none.test", "4.7.5", "no TLSA records")
    # the operator's word goes before the domain's own policy
    delivered(suite, "old.plain", "expired")
    suite.control("tlspolicy", f"[{ADDRESSES['sts']}] verify match=mx.other.name\n")
    suite.rebuild()
    deferred(suite, "named.example", "4.7.5", "certificate name does not match")
    equal(good.tls is None, False, "the sink offers TLS")
    equal(plain.tls, None, "the sink offers none")


def test_tlspolicy_errors_name_the_line(suite):
    suite.control("tlspolicy", "# a comment\nexample.org encrypted\n")
    done = bed.subprocess.run([suite.path("bin/cdb"), "rebuild"], capture_output=True, text=True)
    equal(done.returncode, 1, "exit code")
    check("control/tlspolicy" in done.stderr and "line 2" in done.stderr and
          "dane-only" in done.stderr, done.stderr)
    suite.control("tlspolicy", "")
    suite.control("smtproutes", "")
    suite.rebuild()


def test_tls_out_for_all(suite):
    suite.set_host("tls-out", "encrypt")
    suite.kill9("remote")
    deferred(suite, "simple.plain", "4.7.4", "STARTTLS")
    delivered(suite, "unusable.test", "selfsigned")
    suite.set_host("tls-out", "may")
    suite.kill9("remote")


# ---- a DNS in trouble -----------------------------------------------------------------------------

class BadDns:
    """Answers each question with what `answer` makes of it; None: not at all."""

    def __init__(self, answer):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.answer = answer
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                packet, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            reply = self.answer(packet)
            if reply is not None:
                self.socket.sendto(reply, peer)


def loop_of_aliases(packet):
    """Whatever is asked for is an alias of a0.<name>, for ever."""
    end = packet.index(b"\0", 12) + 5
    head = packet[:2] + b"\x81\x80" + b"\0\1\0\1\0\0\0\0"
    target = b"\2a0\xc0\x0c"
    return head + packet[12:end] + b"\xc0\x0c\0\5\0\1\0\0\0\x3c" + \
        len(target).to_bytes(2, "big") + target


def garbage(packet):
    return packet[:2] + b"\x81\x80" + b"\0\1\0\7\0\3\0\2" + packet[12:] + b"\xc0\xff\xff\xff" * 20


def test_dns_in_trouble_defers(suite):
    """Silent, in loops, out of its mind: mail waits; it neither bounces nor goes elsewhere."""
    before = len(suite.mailbox("u1@example.jp"))
    suite.set_host("dane", "on")
    for name, answer in (("garbage", garbage), ("loop", loop_of_aliases),
                         ("silent", lambda packet: None)):
        server = BadDns(answer)
        suite.set_host("resolver", f"127.0.0.1:{server.port}")
        suite.kill9("remote")
        start = time.monotonic()
        deferred(suite, f"{name}.example", "4.4.3", patience=120)
        check(time.monotonic() - start < 100, "the wait has an end")
        server.socket.close()
    port = free_ports(1)[0]
    suite.set_host("resolver", f"127.0.0.1:{port}")
    suite.kill9("remote")
    deferred(suite, "refused.example", "4.4.3")
    equal(len(suite.mailbox("u1@example.jp")), before, "no bounce came")
    BED["dns"].stop()
    for sink in SINKS.values():
        sink.close()
