/* Any lines as a SASL exchange: it ends, and what it gives is within its bounds. Input: the mechanism
 * and then the client's lines, each ended by LF; the first is an initial response if the mechanism's
 * line ends in '+'. */
#include "sasl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_result(const struct sasl *sasl, enum sasl_result result)
{
    if (result == SASL_CONTINUE)
        check(sasl->challenge);
    if (result != SASL_DONE)
        return;
    check(sasl->user.size > 0 && sasl->user.size <= SASL_USER_MAX);
    check(sasl->secret.size <= SASL_SECRET_MAX);
    check(!slice_has(sasl->user, '\0') && !slice_has(sasl->secret, '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct slice mechanism = slice_cut(&rest, '\n');
    bool has_initial = slice_ends(mechanism, SLICE("+"));
    struct slice initial = SLICE("");
    struct sasl sasl;
    if (has_initial) {
        mechanism.size--;
        initial = slice_cut(&rest, '\n');
    }
    sasl_init(&sasl);
    enum sasl_result result = sasl_begin(&sasl, mechanism, has_initial ? &initial : NULL);
    check_result(&sasl, result);
    for (int steps = 0; result == SASL_CONTINUE; steps++) {
        check(steps < 3); /* no mechanism asks for more */
        result = sasl_step(&sasl, slice_cut(&rest, '\n'));
        check_result(&sasl, result);
    }
    sasl_free(&sasl);
    return 0;
}
