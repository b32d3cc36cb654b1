/* verdict - see verdict.h */
#include "verdict.h"

#include <errno.h>

enum verdict verdict_from_errno(int error)
{
    switch (error) {
    case 0:
        return VERDICT_OK;
    case ENAMETOOLONG:
    case EINVAL:
    case EFBIG:
        return VERDICT_PERM;
    default:
        /* Full disks, lost files, denied access: an operator can mend them, mail waits. */
        return VERDICT_TEMP;
    }
}

char verdict_letter(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_OK:
        return 'K';
    case VERDICT_PERM:
        return 'D';
    case VERDICT_TEMP:
        break;
    }
    return 'Z';
}

enum verdict verdict_from_letter(struct slice letter)
{
    if (slice_equal(letter, SLICE("K")))
        return VERDICT_OK;
    if (slice_equal(letter, SLICE("D")))
        return VERDICT_PERM;
    return VERDICT_TEMP;
}
