/* Any bytes as a date: what is taken can be written, and reads as the same moment again. */
#include "maildate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void round_trip(int64_t seconds)
{
    int64_t back;
    int zone;
    struct str text;
    str_init(&text, 100);
    /* A zone can push the last year's last day over its end, and the first one's before 1900. */
    if (seconds >= -2208988800 && maildate_format(&text, seconds))
        check(maildate_parse(str_slice(&text), &back, &zone) && back == seconds && zone == 0);
    str_clear(&text);
    if (seconds >= -62135596800 && maildate_format_imap(&text, seconds))
        check(maildate_parse_imap(str_slice(&text), &back) && back == seconds);
    str_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    int64_t value;
    int zone;
    if (maildate_parse(text, &value, &zone)) {
        check(zone > -6000 && zone < 6000);
        round_trip(value);
    }
    if (maildate_parse_imap(text, &value))
        round_trip(value);
    if (maildate_parse_imap_day(text, &value))
        check(value >= -719162 && value < 2932897);
    return 0;
}
