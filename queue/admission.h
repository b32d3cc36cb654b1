/*
 * admission - who may put what into the queue
 *
 * The peer's uid, which the kernel vouches for, decides. The suite's own programs state where a
 * message came from and from whom; for everybody else it is "by=sendmail uid=N", whatever they say.
 */
#ifndef QUEUE_ADMISSION_H
#define QUEUE_ADMISSION_H

#include "envelope.h"

#include <sys/types.h>

/* The sender of a report about a report that could not be delivered: only bounce may use it, and a
 * message that bears it never causes another. (No address can be spelled so.) */
#define ADMISSION_DOUBLE_SENDER "#@[]"

enum admission_trust {
    ADMISSION_STRANGER, /* any user of this machine */
    ADMISSION_TRUSTED,  /* smtpd, queue, a domain's programs */
    ADMISSION_BOUNCE,
};

enum admission_result {
    ADMISSION_OK,
    ADMISSION_BAD,       /* not inject/2: close the connection */
    ADMISSION_NO_MEMORY, /* passing */
    ADMISSION_ORIGIN,    /* the others are refused with these reasons: admission_reason */
    ADMISSION_SENDER,
    ADMISSION_RECIPIENT,
    ADMISSION_RECIPIENT_COUNT,
};

enum admission_trust admission_trust(uid_t uid);
/* Reads the envelope's netstrings, checks all of it, and fills `envelope` (initialised or used). */
enum admission_result admission_read(struct slice fields, enum admission_trust trust, uid_t uid,
                                     struct envelope *envelope);
/* Letter and text of the answer for a refusal. */
const char *admission_answer(enum admission_result result);

#endif
