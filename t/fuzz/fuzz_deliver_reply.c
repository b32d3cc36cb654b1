/* What servers and the DNS say to remote: SMTP replies, MX and address records. */
#include "mx.h"
#include "smtp_reply.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reply(struct slice input)
{
    struct smtp_reply reply;
    smtp_reply_init(&reply);
    while (input.size > 0) {
        struct slice text, line = slice_part(input, 0, slice_find(input, '\n') + 1);
        input = slice_from(input, line.size);
        if (smtp_reply_line(&reply, line, &text) != SMTP_REPLY_MORE)
            break;
    }
    if (strlen(reply.text) != reply.text_size || strchr(reply.text, '\n') ||
        strlen(smtp_reply_status(&reply)) < 5)
        abort();
    (void)smtp_reply_verdict(&reply);
}

static void check_names(const struct mx_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (memchr(list->hosts[i].name, '\0', sizeof list->hosts[i].name) == NULL)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_list list;
    struct mx_addresses addresses = {.count = 0};
    char alias[MX_NAME_MAX + 1];
    check_reply(slice_of(data, size));
    if (mx_parse_hosts(data, size, &list, alias) == MX_FOUND) {
        mx_sort(&list, 1);
        (void)mx_remove_self(&list, "me");
        check_names(&list);
    }
    (void)mx_parse_addresses(data, size, &addresses, alias);
    return addresses.count > MX_ADDRESSES_MAX ? abort(), 0 : 0;
}
