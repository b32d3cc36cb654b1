/* certificate - see certificate.h */
#include "certificate.h"

#include "clock.h"
#include "encode.h"
#include "exits.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPENSSL "/usr/bin/openssl"

enum { OUTPUT_MAX = 65536, RUN_MS = 10000 };

static bool fail(char error[CERTIFICATE_ERROR_MAX], const char *text)
{
    snprintf(error, CERTIFICATE_ERROR_MAX, "%s", text);
    return false;
}

/* In the child: standard input and output are the pipes, errors go nowhere. */
_Noreturn static void become(char *const arguments[], int in, int out)
{
    char *const environment[] = {NULL};
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(nowhere, STDERR_FILENO) >= 0)
        execve(OPENSSL, arguments, environment);
    _exit(EXIT_PASSING);
}

/* Starts openssl with its standard input and output on pipes. -1: it can't be started. */
static pid_t start(char *const arguments[], int *to, int *from)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0)
        return -1;
    if (pipe2(out, O_CLOEXEC) < 0) {
        io_close(&in[0]);
        io_close(&in[1]);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0)
        become(arguments, in[0], out[1]);
    io_close(&in[0]);
    io_close(&out[1]);
    *to = in[1];
    *from = out[0];
    return pid;
}

/* Feeds `input`, collects what comes out. False: openssl refuses it, or is not there. */
static bool run(char *const arguments[], struct slice input, struct str *output)
{
    int to = -1, from = -1, status = 0;
    int64_t deadline = clock_deadline(RUN_MS);
    pid_t pid = start(arguments, &to, &from);
    /* A PEM file fits into a pipe (64 KiB) but for giants; those it reads while we write. */
    bool good = pid > 0 && io_write_all(to, input, deadline);
    io_close(&to);
    while (good) {
        char bytes[4096];
        ssize_t got = io_read(from, bytes, sizeof bytes, deadline);
        good = got >= 0 && str_append(output, slice_of(bytes, got > 0 ? (size_t)got : 0));
        if (got <= 0)
            break;
    }
    io_close(&from);
    if (pid > 0 && !good)
        kill(pid, SIGKILL);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool certificate_kind_of(struct slice public_key, enum certificate_kind *kind)
{
    static const char rsa[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
    static const char ecdsa[] = "\x2a\x86\x48\xce\x3d\x02\x01";
    struct str base64, der;
    str_init(&base64, OUTPUT_MAX);
    str_init(&der, OUTPUT_MAX);
    while (public_key.size > 0) {
        struct slice line = slice_trim(slice_cut(&public_key, '\n'));
        if (!slice_starts(line, SLICE("-----")))
            str_append(&base64, line);
    }
    bool decoded = encode_from_base64(str_slice(&base64), &der) && der.size > 0;
    bool is_rsa = decoded && memmem(der.data, der.size, rsa, sizeof rsa - 1);
    bool is_ecdsa = decoded && memmem(der.data, der.size, ecdsa, sizeof ecdsa - 1);
    *kind = is_rsa ? CERTIFICATE_RSA : CERTIFICATE_ECDSA;
    str_free(&der);
    str_free(&base64);
    return is_rsa != is_ecdsa;
}

bool certificate_check(struct slice certificate, struct slice key, enum certificate_kind *kind,
                       char error[CERTIFICATE_ERROR_MAX])
{
    char name[] = "openssl", x509[] = "x509", noout[] = "-noout", pubkey[] = "-pubkey";
    char pkey[] = "pkey", pubout[] = "-pubout", passin[] = "-passin", empty[] = "pass:";
    char *const of_certificate[] = {name, x509, noout, pubkey, NULL};
    char *const of_key[] = {name, pkey, pubout, passin, empty, NULL};
    struct str one, other;
    bool good;
    str_init(&one, OUTPUT_MAX);
    str_init(&other, OUTPUT_MAX);
    if (access(OPENSSL, X_OK) < 0)
        good = fail(error, OPENSSL " is needed to check the pair: apt-get install openssl");
    else if (!run(of_certificate, certificate, &one))
        good = fail(error, "the first file is no certificate in PEM form");
    else if (!run(of_key, key, &other))
        good = fail(error, "the second file is no private key in PEM form without a passphrase");
    else if (!slice_equal(str_slice(&one), str_slice(&other)))
        good = fail(error, "the key does not belong to the certificate (the chain's first must be "
                           "the server's own)");
    else if (!certificate_kind_of(str_slice(&one), kind))
        good = fail(error, "the key is neither RSA nor ECDSA: make one of these kinds");
    else
        good = true;
    str_free(&other);
    str_free(&one);
    return good;
}
