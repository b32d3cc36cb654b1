"""TLS: versions, suites, names, renewal without restart, resumption, a key that is gone."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import warnings

import certificates
from suite import check, equal, message, wait_until


def install(suite, host, name, kind="ec", serial=1):
    certificates.install(suite, host, [f"DNS:{name}"], kind, serial)


def context(lowest=ssl.TLSVersion.TLSv1_2, highest=ssl.TLSVersion.TLSv1_2):
    one = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    one.check_hostname = False
    one.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one.minimum_version, one.maximum_version = lowest, highest
    return one


def connect(suite, name=None, tls=None, session=None, port="imaps"):
    plain = socket.create_connection(("127.0.0.1", suite.ports[port]), timeout=30)
    return (tls or context()).wrap_socket(plain, server_hostname=name, session=session)


def common_name(suite, name=None, tls=None):
    with connect(suite, name, tls) as one:
        pem = ssl.DER_cert_to_PEM_cert(one.getpeercert(True))
    text = subprocess.run(["openssl", "x509", "-noout", "-subject", "-serial"], input=pem,
                          capture_output=True, text=True, check=True).stdout
    return re.search(r"CN ?= ?(\S+)", text).group(1), re.search(r"serial=(\w+)", text).group(1)


def test_versions_and_suites(suite):
    for port in ("imaps", "pop3s", "submissions"):
        with connect(suite, port=port) as one:
            equal(one.version(), "TLSv1.2", port)
            check("GCM" in one.cipher()[0] or "CHACHA" in one.cipher()[0], one.cipher()[0])
            check(one.cipher()[0].startswith("ECDHE"), one.cipher()[0])
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        old = context(version, version)
        old.set_ciphers("ALL:@SECLEVEL=0")
        try:
            connect(suite, tls=old).close()
            raise AssertionError(f"{version} was accepted")
        except (ssl.SSLError, ConnectionResetError):
            pass
    weak = context()
    weak.set_ciphers("AES128-SHA:AES256-SHA:AES128-GCM-SHA256:@SECLEVEL=0")
    try:
        connect(suite, tls=weak).close()
        raise AssertionError("a suite without forward secrecy was accepted")
    except (ssl.SSLError, ConnectionResetError):
        pass


def test_a_certificate_per_name(suite):
    install(suite, "mail.example.net", "mail.example.net")
    install(suite, "imap.example.org", "imap.example.org", "rsa")
    wait_until(lambda: common_name(suite, "mail.example.net")[0] == "mail.example.net",
               "the certificate of mail.example.net")
    wait_until(lambda: common_name(suite, "imap.example.org")[0] == "imap.example.org",
               "the certificate of imap.example.org")
    check(common_name(suite, "unknown.example")[0] not in ("mail.example.net", "imap.example.org"),
          "the default for an unknown name")
    rsa_only = context()
    rsa_only.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    equal(common_name(suite, "imap.example.org", rsa_only)[0], "imap.example.org", "RSA")


def test_renewal_without_restart(suite):
    pids = suite.processes("tlsd"), suite.processes("tcpd")
    install(suite, "mail.example.net", "mail.example.net", serial=77)
    wait_until(lambda: common_name(suite, "mail.example.net")[1] == "4D", "the renewed one")
    check(pids[1] == suite.processes("tcpd"), "tcpd was not restarted")
    check(set(pids[0]) & set(suite.processes("tlsd")), "tlsd was not restarted")


def test_broken_renewal_keeps_the_old(suite):
    folder = suite.path("control/tls/mail.example.net")
    names = {name: os.path.join(folder, name) for name in os.listdir(folder)}
    key = next(path for name, path in names.items() if name.startswith("key"))
    with open(key, "r+b") as file:
        file.truncate(60)
    wait_until(lambda: "key" in suite.logs("keyd") and "mail.example.net" in suite.logs("keyd"),
               "keyd names the broken file")
    equal(common_name(suite, "mail.example.net")[0], "mail.example.net", "the old one is served")
    shutil.rmtree(folder)
    wait_until(lambda: common_name(suite, "mail.example.net")[0] != "mail.example.net",
               "the default once the folder is gone")


def serves_tls(suite):
    try:
        connect(suite).close()
        return True
    except OSError:
        return False


def test_an_unreadable_key_is_named_and_the_rest_goes_on(suite):
    folder = suite.path("control/tls/default")
    keys = [os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("key")]
    for key in keys:
        os.chmod(key, 0o600)
    suite.kill9("keyd")
    wait_until(lambda: "tls/default" in suite.logs("keyd") and "denied" in suite.logs("keyd"),
               "keyd names the file and the cause")
    check(not serves_tls(suite), "no key, no TLS")
    with suite.smtp() as client:
        equal(client.noop()[0], 250, "without TLS mail still comes in")
    for key in keys:
        os.chmod(key, 0o640)
    wait_until(lambda: serves_tls(suite), "TLS again once the key can be read, without a restart")


def test_no_certificate_at_all(suite):
    folder = suite.path("control/tls/default")
    shutil.move(folder, suite.path("kept"))
    suite.kill9("keyd")
    wait_until(lambda: suite.listens("keyd"), "keyd is back")
    check(not serves_tls(suite), "no certificate, no TLS")
    shutil.move(suite.path("kept"), folder)
    wait_until(lambda: serves_tls(suite), "TLS again")


def test_resumption(suite):
    tls = context()
    with connect(suite, tls=tls) as one:
        one.recv(100)
        session = one.session
        check(not one.session_reused, "the first is a full handshake")
    with connect(suite, tls=tls, session=session) as one:
        one.recv(100)
        check(one.session_reused, "the second is resumed")


def test_no_renegotiation_and_garbage(suite):
    for garbage in (b"", b"\x16", b"\x16\x03\x01\xff\xff" + b"\0" * 1000, b"GET / HTTP/1.0\r\n\r\n",
                    os.urandom(5000)):
        with socket.create_connection(("127.0.0.1", suite.ports["imaps"]), timeout=30) as one:
            try:
                one.sendall(garbage)
                one.shutdown(socket.SHUT_WR)
                while one.recv(1000):
                    pass
            except (ConnectionResetError, BrokenPipeError):
                pass
    equal(connect(suite).version(), "TLSv1.2", "after the garbage")


def test_mail_says_how_it_came(suite):
    suite.submit("u1@example.jp", ["u2@example.jp"],
                 message("u1@example.jp", "u2@example.jp", "tls"))
    text = suite.wait_messages("u2@example.jp", 1)[0]
    check(b"ESMTPSA" in text and b"TLSv1.2" in text, "Received names protocol and version")
