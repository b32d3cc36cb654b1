/* smtpd's parsers: command lines, MAIL, RCPT, AUTH, and the header section as it streams by */
#include "header.h"
#include "smtpcommand.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const struct mailaddress *address)
{
    struct mailaddress again;
    struct str canonical;
    str_init(&canonical, ENVELOPE_ADDRESS_MAX);
    /* What is accepted has a canonical form that is accepted as well. */
    if (!mailaddress_canonical(address, &canonical) ||
        (address->domain.size > 0 &&
         !mailaddress_parse(str_slice(&canonical), MAILADDRESS_UTF8, &again)))
        abort();
    str_free(&canonical);
}

static void check_command(struct slice line)
{
    struct smtpcommand command;
    struct smtpcommand_mail mail;
    struct smtpcommand_rcpt rcpt;
    struct smtpcommand_bdat bdat;
    struct slice mechanism, initial;
    bool has_initial;
    if (smtpcommand_parse(line, &command) != SMTPCOMMAND_LINE_OK)
        return;
    if (smtpcommand_parse_mail(command.argument, &mail) == SMTPCOMMAND_FINE)
        check_address(&mail.address);
    if (smtpcommand_parse_rcpt(command.argument, true, &rcpt) == SMTPCOMMAND_FINE)
        check_address(&rcpt.address);
    (void)smtpcommand_parse_bdat(command.argument, &bdat);
    (void)smtpcommand_parse_auth(command.argument, &mechanism, &has_initial, &initial);
}

static void count(void *owner, struct slice bytes)
{
    size_t *total = owner;
    *total += bytes.size;
}

static void check_header(struct slice message, size_t step)
{
    struct header header;
    size_t total = 0;
    header_init(&header, count, &total, NULL, NULL);
    for (struct slice rest = message; rest.size > 0; rest = slice_from(rest, step))
        header_take(&header, slice_part(rest, 0, step));
    header_finish(&header);
    if (total != message.size && total != message.size + 2)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    if (size == 0)
        return 0;
    check_command(input);
    check_header(input, 1 + data[0] % 32);
    return 0;
}
