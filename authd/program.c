/* program - see program.h */
#include "program.h"

#include "ip.h"

/* Ceilings are a second net below the programs' own limits: far above what they need. */
enum { MEGABYTE = 1024 * 1024, SESSION_MEMORY = 1024, WORKER_MEMORY = 512 };

static const struct program programs[] = {
    {.name = "imapd",
     .asker = ROLE_AUTHD,
     .place = PROGRAM_IN_ACCOUNT,
     .arguments = {PROGRAM_ACCOUNT, PROGRAM_TAG, PROGRAM_CLIENT, PROGRAM_TLS, PROGRAM_TERMS},
     .domain_limit = "imap-sessions",
     .is_session = true,
     .limits = {.memory_bytes = SESSION_MEMORY * (unsigned long)MEGABYTE, .open_files = 1024}},
    {.name = "pop3d",
     .asker = ROLE_AUTHD,
     .place = PROGRAM_IN_ACCOUNT,
     .arguments = {PROGRAM_ACCOUNT, PROGRAM_CLIENT, PROGRAM_TLS, PROGRAM_TERMS},
     .is_session = true,
     .limits = {.memory_bytes = SESSION_MEMORY * (unsigned long)MEGABYTE, .open_files = 256}},
    {.name = "local",
     .asker = ROLE_QUEUE,
     .place = PROGRAM_IN_DOMAIN,
     .arguments = {PROGRAM_DOMAIN},
     .limits = {.memory_bytes = WORKER_MEMORY * (unsigned long)MEGABYTE, .open_files = 256}},
    {.name = "ageing",
     .asker = ROLE_NIGHTLY,
     .place = PROGRAM_IN_DOMAIN,
     .arguments = {PROGRAM_DOMAIN},
     .limits = {.memory_bytes = SESSION_MEMORY * (unsigned long)MEGABYTE, .open_files = 256}},
    {.name = "remote",
     .asker = ROLE_QUEUE,
     .place = PROGRAM_IN_ROOT,
     .role = ROLE_REMOTE,
     .limits = {.memory_bytes = WORKER_MEMORY * (unsigned long)MEGABYTE, .open_files = 256}},
    {.name = "bounce",
     .asker = ROLE_QUEUE,
     .place = PROGRAM_IN_ROOT,
     .role = ROLE_BOUNCE,
     .limits = {.memory_bytes = WORKER_MEMORY * (unsigned long)MEGABYTE, .open_files = 256}},
};

/* Fields of a request before its arguments: protocol, program, domain, local part. */
enum { FIELDS_BEFORE_ARGUMENTS = 4 };

const char *program_argument_name(enum program_argument kind)
{
    static const char *const names[] = {
        [PROGRAM_NO_ARGUMENT] = "", [PROGRAM_ACCOUNT] = "ACCOUNT", [PROGRAM_DOMAIN] = "DOMAIN",
        [PROGRAM_TAG] = "TAG",      [PROGRAM_CLIENT] = "CLIENT",   [PROGRAM_TLS] = "TLS",
        [PROGRAM_TERMS] = "TERMS",
    };
    return names[kind];
}

size_t program_descriptors(const struct program *program)
{
    return program->is_session ? 2 : 1;
}

static const struct program *find(struct slice name)
{
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (slice_equal(name, slice_text(programs[i].name)))
            return &programs[i];
    return NULL;
}

bool program_is_folder_name(struct slice name)
{
    if (name.size == 0 || name.data[0] == '.')
        return false;
    for (size_t i = 0; i < name.size; i++) {
        unsigned char byte = (unsigned char)name.data[i];
        if (byte <= ' ' || byte == 0x7f || byte == '/' || slice_lower(name.data[i]) != name.data[i])
            return false;
    }
    return true;
}

/* RFC 3501 9: tag = 1*<any ASTRING-CHAR except "+">. */
bool program_is_tag(struct slice tag)
{
    if (tag.size == 0 || tag.size > PROGRAM_TAG_MAX)
        return false;
    for (size_t i = 0; i < tag.size; i++) {
        char byte = tag.data[i];
        if (byte <= ' ' || byte == 0x7f || slice_has(SLICE("(){%*\"\\+"), byte))
            return false;
    }
    return true;
}

static bool is_account(struct slice argument, const struct program_request *request)
{
    struct slice local = slice_text(request->local);
    return slice_starts(argument, local) && argument.size > local.size &&
           argument.data[local.size] == '@' &&
           slice_equal(slice_from(argument, local.size + 1), slice_text(request->domain));
}

static bool is_right(struct slice argument, enum program_argument kind,
                     const struct program_request *request)
{
    struct ip ip;
    switch (kind) {
    case PROGRAM_ACCOUNT:
        return is_account(argument, request);
    case PROGRAM_DOMAIN:
        return slice_equal(argument, slice_text(request->domain));
    case PROGRAM_TAG:
        return program_is_tag(argument);
    case PROGRAM_CLIENT:
        return ip_parse(argument, &ip);
    case PROGRAM_TLS:
        return slice_equal(argument, SLICE("0")) || slice_equal(argument, SLICE("1"));
    case PROGRAM_TERMS:
        return terms_is_well_formed(argument);
    case PROGRAM_NO_ARGUMENT:
        break;
    }
    return false;
}

static const char *read_names(const struct wire_message *message, struct program_request *request)
{
    struct slice domain = wire_field(message, 2);
    struct slice local = wire_field(message, 3);
    bool wants_domain = request->program->place != PROGRAM_IN_ROOT;
    bool wants_local = request->program->place == PROGRAM_IN_ACCOUNT;
    if (wants_domain ? !program_is_folder_name(domain) : domain.size > 0)
        return "the domain is no folder's name";
    if (wants_local ? !program_is_folder_name(local) : local.size > 0)
        return "the local part is no folder's name";
    if (!slice_copy_text(domain, request->domain, sizeof request->domain) ||
        !slice_copy_text(local, request->local, sizeof request->local))
        return "a name is too long";
    return NULL;
}

static const char *read_arguments(const struct wire_message *message,
                                  struct program_request *request)
{
    const enum program_argument *kinds = request->program->arguments;
    size_t wanted = 0;
    while (wanted < PROGRAM_ARGUMENTS_MAX && kinds[wanted] != PROGRAM_NO_ARGUMENT)
        wanted++;
    if (message->count != FIELDS_BEFORE_ARGUMENTS + wanted)
        return "wrong number of arguments";
    for (size_t i = 0; i < wanted; i++) {
        struct slice argument = wire_field(message, FIELDS_BEFORE_ARGUMENTS + i);
        if (!is_right(argument, kinds[i], request) ||
            !slice_copy_text(argument, request->arguments[i], PROGRAM_ARGUMENT_SIZE))
            return "an argument is not of its form";
    }
    request->argument_count = wanted;
    return NULL;
}

const char *program_read_request(const struct wire_message *message, enum role asker,
                                 struct program_request *request)
{
    *request = (struct program_request){0};
    if (!slice_equal(wire_field(message, 0), SLICE("spawn/1")))
        return "not spawn/1";
    request->program = find(wire_field(message, 1));
    if (!request->program || request->program->asker != asker)
        return "no such program for you";
    if (message->fd_count != program_descriptors(request->program))
        return "wrong number of descriptors";
    const char *wrong = read_names(message, request);
    return wrong ? wrong : read_arguments(message, request);
}
