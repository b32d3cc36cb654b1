/* certverb - mailctl cert; see operations.h */
#include "certificate.h"
#include "folders.h"
#include "io.h"
#include "life.h"
#include "operations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Made by etc/setup: such a pair gives way to the first real one, of whatever kind. */
#define SELF_SIGNED_MARK ".self-signed"

struct pair {
    struct str certificate, key;
    enum certificate_kind kind;
};

static bool read_pair(struct commandline *command, struct pair *pair)
{
    str_init(&pair->certificate, CERTIFICATE_FILE_MAX);
    str_init(&pair->key, CERTIFICATE_FILE_MAX);
    if (!io_read_file(command->here, command->words[1], &pair->certificate)) {
        commandline_trouble(command, "read", command->words[1]);
        return false;
    }
    if (!io_read_file(command->here, command->words[2], &pair->key)) {
        commandline_trouble(command, "read", command->words[2]);
        return false;
    }
    return true;
}

static void free_pair(struct pair *pair)
{
    if (pair->key.data)
        explicit_bzero(pair->key.data, pair->key.size);
    str_free(&pair->certificate);
    str_free(&pair->key);
}

/* "default", a host, or "*.domain", as the folder is called. False: refused already. */
static bool folder_name(struct commandline *command, const char *host, char name[IDN_NAME_MAX + 8])
{
    char ascii[IDN_NAME_MAX + 1];
    struct slice rest = slice_text(host);
    bool wildcard = slice_starts(rest, SLICE("*.")) || slice_starts(rest, SLICE("_."));
    if (strcmp(host, "default") == 0)
        return slice_copy_text(rest, name, IDN_NAME_MAX + 8);
    if (wildcard)
        rest = slice_from(rest, 2);
    if (!idn_to_ascii(rest, ascii)) {
        commandline_refuse(command, "\"%s\" is no host name, nor \"default\"", host);
        return false;
    }
    snprintf(name, IDN_NAME_MAX + 8, "%s%s", wildcard ? "_." : "", ascii);
    return true;
}

/* Takes out the pairs that setup made. */
static bool drop_self_signed(int folder)
{
    struct folders_names names;
    if (faccessat(folder, SELF_SIGNED_MARK, F_OK, 0) < 0)
        return true;
    bool good = folders_list(folder, ".", &names);
    for (size_t i = 0; good && i < names.count; i++)
        good = unlinkat(folder, names.of[i], 0) == 0;
    folders_names_free(&names);
    return good && unlinkat(folder, SELF_SIGNED_MARK, 0) == 0;
}

static int open_host(const struct commandline *command, const char *name, gid_t group)
{
    int tls = openat(command->folder, "tls", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tls < 0)
        return -1;
    bool made = mkdirat(tls, name, 0750) == 0 || errno == EEXIST;
    int folder = made ? openat(tls, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (folder >= 0 && (fchown(folder, 0, group) < 0 || fchmod(folder, 0750) < 0))
        io_close(&folder);
    io_close(&tls);
    return folder;
}

static int install(struct commandline *command, const struct pair *pair, const char *name)
{
    gid_t group = (gid_t)life_uid(ROLE_KEYD);
    bool rsa = pair->kind == CERTIFICATE_RSA;
    int folder = open_host(command, name, group);
    /* keyd takes a pair over only once both files rest. */
    bool done = folder >= 0 && drop_self_signed(folder) &&
                io_replace_file(folder, rsa ? "key-rsa.pem" : "key.pem", str_slice(&pair->key),
                                0640, 0, group) &&
                io_replace_file(folder, rsa ? "cert-rsa.pem" : "cert.pem",
                                str_slice(&pair->certificate), 0640, 0, group);
    int result = done ? EXIT_DONE : commandline_trouble(command, "install it below", "control/tls");
    io_close(&folder);
    return result;
}

int operations_cert(struct commandline *command)
{
    struct pair pair = {.kind = CERTIFICATE_RSA};
    char name[IDN_NAME_MAX + 8], error[CERTIFICATE_ERROR_MAX];
    int result = EXIT_REFUSED;
    if (!folder_name(command, command->words[0], name))
        return EXIT_REFUSED;
    if (read_pair(command, &pair)) {
        if (certificate_check(str_slice(&pair.certificate), str_slice(&pair.key), &pair.kind,
                              error))
            result = install(command, &pair, name);
        else
            result = commandline_refuse(command, "%s", error);
    }
    free_pair(&pair);
    return result;
}
