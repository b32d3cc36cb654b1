/* Any bytes as a header: fields, parameters, encoded words; what comes out is always UTF-8. */
#include "charset.h"
#include "mime.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct str *utf8)
{
    if (!charset_is_utf8(str_slice(utf8)))
        abort();
}

static void read_parameters(struct slice value, struct str *utf8)
{
    struct mime_parameters parameters;
    if (!mime_parse_parameters(value, &parameters))
        return;
    if (parameters.count > MIME_PARAMETERS_MAX)
        abort();
    for (size_t i = 0; i < parameters.count; i++) {
        str_clear(utf8);
        mime_decode_parameter(&parameters.list[i], utf8);
        check_text(utf8);
    }
    mime_free_parameters(&parameters);
}

static void read_value(struct slice value, struct str *utf8)
{
    struct slice type, subtype;
    str_clear(utf8);
    mime_decode_header(value, utf8);
    check_text(utf8);
    if (mime_split_type(value, &type, &subtype) && (type.size == 0 || subtype.size == 0))
        abort();
    read_parameters(value, utf8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct mime_field field;
    struct str utf8;
    str_init(&utf8, 1000000);
    read_value(rest, &utf8);
    while (mime_next_field(&rest, &field)) {
        if (field.name.size == 0)
            abort();
        read_value(field.value, &utf8);
    }
    str_free(&utf8);
    return 0;
}
