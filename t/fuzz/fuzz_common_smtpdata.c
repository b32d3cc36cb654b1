/*
 * smtpdata: what the encoder lets out is decoded as one message without lone line ends, whatever
 * went in, and however it is split
 */
#include "smtpdata.h"
#include "str.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(struct slice input, size_t step, bool stuffs, struct str *output)
{
    struct smtpdata_encoder encoder;
    smtpdata_encoder_init(&encoder, stuffs);
    while (input.size > 0) {
        struct slice run;
        size_t used = smtpdata_encode(&encoder, slice_part(input, 0, step), &run);
        if (used == 0 && run.size == 0)
            abort();
        str_append(output, run);
        input = slice_from(input, used);
    }
    str_append(output, smtpdata_encode_end(&encoder));
}

static void decode(struct slice input, size_t step, struct smtpdata_decoder *decoder,
                   struct str *output, struct slice *rest)
{
    smtpdata_decoder_init(decoder);
    while (input.size > 0 && !decoder->ended) {
        struct slice run;
        size_t used = smtpdata_decode(decoder, slice_part(input, 0, step), &run);
        if (used == 0 && run.size == 0)
            abort();
        str_append(output, run);
        input = slice_from(input, used);
    }
    *rest = input;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str wire, stuffed, decoded, raw;
    struct smtpdata_decoder decoder;
    struct slice rest;
    if (size < 2 || size > 10000)
        return 0;
    size_t step = 1 + data[0] % 64, other_step = 1 + data[1] % 64;
    struct slice input = slice_of(data, size);
    struct str *all[] = {&wire, &stuffed, &decoded, &raw};
    for (size_t i = 0; i < 4; i++)
        str_init(all[i], 100000);
    encode(input, step, false, &wire);
    encode(input, other_step, true, &stuffed);
    decode(str_slice(&stuffed), step, &decoder, &decoded, &rest);
    if (!decoder.ended || decoder.has_bare || rest.size > 0 ||
        !slice_equal(str_slice(&wire), str_slice(&decoded)))
        abort();
    decode(input, step, &decoder, &raw, &rest);
    for (size_t i = 0; i < 4; i++)
        str_free(all[i]);
    return 0;
}
