/* csvexport - see csvexport.h */
#include "csvexport.h"

#include "csvtext.h"
#include "number.h"

#define HEADER                                                                                     \
    "mail_account,mail_password,comment,amount_of_mail_box,spam,forward,auto,pop,mail_"            \
    "capacity\r\n"

enum { MEGABYTE = 1048576 };

static uint64_t megabytes(uint64_t bytes)
{
    return bytes / MEGABYTE + (bytes % MEGABYTE != 0);
}

static void put_switch(struct str *text, bool on)
{
    str_append(text, on ? SLICE(",1") : SLICE(",0"));
}

static void put_account(struct str *text, const struct domain *domain,
                        const struct domain_account *account, uint64_t used)
{
    csvtext_put_field(text, slice_text(account->local));
    str_append_text(text, ",,");
    csvtext_put_field(text, domain_value_named(domain, account, "comment"));
    str_append_byte(text, ',');
    str_append_number(text, megabytes(used));
    put_switch(text, domain_is_on(domain, account, "spam-tag"));
    put_switch(text, account->forward_count > 0);
    put_switch(text, account->reply && domain_is_on(domain, account, "auto-reply"));
    put_switch(text, domain_is_on(domain, account, "receive"));
    str_append_byte(text, ',');
    csvtext_put_field(text, domain_value_named(domain, account, "quota"));
    str_append_text(text, "\r\n");
}

bool csvexport_write(const struct domain *domain, const uint64_t *used, struct str *text)
{
    str_append_text(text, HEADER);
    for (size_t i = 0; i < domain->account_count; i++)
        put_account(text, domain, &domain->accounts[i], used[i]);
    return !text->failed;
}
