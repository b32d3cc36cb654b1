/* addresslist_next and submission_read over any bytes: they end, and stay within their bounds */
#include "addresslist.h"
#include "submission.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_list(struct slice rest)
{
    struct str address;
    enum addresslist_result result;
    str_init(&address, ADDRESSLIST_ADDRESS_MAX);
    do {
        size_t before = rest.size;
        result = addresslist_next(&rest, &address);
        if (result != ADDRESSLIST_END && rest.size >= before)
            abort();
        if (result == ADDRESSLIST_ONE && (address.size == 0 || address.failed))
            abort();
    } while (result != ADDRESSLIST_END);
    str_free(&address);
}

static void read_header(struct slice text)
{
    struct submission submission;
    struct envelope envelope;
    submission_init(&submission);
    envelope_init(&envelope);
    submission.me = "mail.test";
    submission.unique = "unique";
    submission.reads_recipients = true;
    if (submission_read(&submission, text, &envelope) &&
        (submission.header_size > text.size ||
         !slice_ends(str_slice(&submission.header), SLICE("\r\n\r\n"))))
        abort();
    envelope_free(&envelope);
    submission_free(&submission);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_list(slice_of(data, size));
    read_header(slice_of(data, size));
    return 0;
}
