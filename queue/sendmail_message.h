/*
 * sendmail_message - a message of a local program on its way into the queue
 *
 * The bytes come in wire form, in pieces of any size. They are held until the header is whole, which is
 * made fit for the queue (submission.h); the rest streams to queue-inject. The first thing that goes
 * wrong is kept, and what comes behind it is thrown away.
 */
#ifndef QUEUE_SENDMAIL_MESSAGE_H
#define QUEUE_SENDMAIL_MESSAGE_H

#include "inject.h"
#include "sendmail_options.h"
#include "submission.h"

struct sendmail_message {
    const struct sendmail_options *options;
    struct str me;            /* control/me */
    struct envelope envelope; /* recipients, and what MAIL said, are the caller's to set */
    struct str reply;         /* of queue-inject: the queue id, or why not */

    int code;         /* of sysexits.h: EX_OK as long as nothing went wrong */
    const char *what; /* in words, when something did */
    const char *detail;

    /* its own */
    const char *root;
    struct str sender;
    struct str head; /* what came so far, until `is_begun` */
    size_t looked;   /* bytes of it in which the header's end was looked for */
    bool is_begun;
    struct inject inject;
    struct submission submission;
    char unique[64];
};

/* `root` is the suite's, which becomes the current folder when the first message goes. */
void sendmail_message_init(struct sendmail_message *message, const struct sendmail_options *options,
                           const char *root);
void sendmail_message_free(struct sendmail_message *message);
/* As new: the next one. One that was begun is given up. */
void sendmail_message_clear(struct sendmail_message *message);

/* False, with `code`, when something went wrong: here, or before. */
bool sendmail_message_fail(struct sendmail_message *message, int code, const char *what,
                           const char *detail);
/* Empty: the null sender. An address without a domain is one at `me`. */
bool sendmail_message_set_sender(struct sendmail_message *message, struct slice address);
/* The user who runs this program. */
bool sendmail_message_set_user(struct sendmail_message *message);
bool sendmail_message_put(struct sendmail_message *message, struct slice bytes);
/* True: it is in the queue, on disk. */
bool sendmail_message_finish(struct sendmail_message *message);

#endif
