"""Certificates for tests, by openssl, and putting them in place as an operator would."""

import os
import shutil
import subprocess


def make(folder, names, kind="ec", serial=1):
    """A new pair cert.pem, key.pem in `folder`; `names` as subjectAltName wants them."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else \
        ["-newkey", "rsa:2048"]
    subprocess.run(["openssl", "req", "-x509", *key, "-nodes", "-days", "30", "-subj",
                    f"/CN={names[0].partition(':')[2]}", "-addext",
                    "subjectAltName=" + ",".join(names), "-set_serial", str(serial),
                    "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
                   check=True, capture_output=True)


def install(suite, host, names, kind="ec", serial=1):
    """mailctl cert puts a pair in place with the right modes. Returns the certificate's path."""
    folder = suite.path("made", host)
    make(folder, names, kind, serial)
    suite.mailctl("cert", host, f"{folder}/cert.pem", f"{folder}/key.pem")
    return f"{folder}/cert.pem"
