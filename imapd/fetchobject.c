/* fetchobject - FETCH items that are not in the message: EMAILID, THREADID (RFC 8474), MODSEQ
 * (RFC 7162) */
#include "fetch.h"
#include "messagekeys.h"
#include "modseq.h"
#include "objectid.h"

bool fetchobject_write_modseq(struct fetch_job *job, const struct fetch_item *item)
{
    (void)item;
    return modseq_append(job->out, job->session, fetch_message(job));
}

bool fetchobject_write_email(struct fetch_job *job, const struct fetch_item *item)
{
    (void)item;
    str_append_text(job->out, "EMAILID (");
    objectid_append_email(job->out, mailbox_email_id(job->session->mailbox, fetch_message(job)));
    return str_append_byte(job->out, ')');
}

bool fetchobject_make_keys(struct fetch_job *job)
{
    struct slice header;
    return source_header(&job->source, &header) && messagekeys_extract(header, NULL, &job->scratch);
}

bool fetchobject_write_thread(struct fetch_job *job, const struct fetch_item *item)
{
    struct messagekeys keys = {0};
    struct slice bytes;
    if (!fetch_fact(job, item->kind, &bytes))
        return false;
    if (!messagekeys_read(bytes, &keys))
        keys = (struct messagekeys){0};
    uint64_t email = mailbox_email_id(job->session->mailbox, fetch_message(job));
    str_append_text(job->out, "THREADID (");
    objectid_append_thread(job->out, messagekeys_thread(&keys, email));
    return str_append_byte(job->out, ')');
}
