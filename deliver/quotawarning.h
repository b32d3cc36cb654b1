/*
 * quotawarning - tells the owner of a mailbox, by mail, that it fills up (setting quota-warning)
 *
 * Once for each percentage that is reached, till the mailbox had less than that again. What was told
 * last stands in the mailbox's file quota-warned; it is written behind the mail, so a crash between
 * the two may tell twice, and never loses a warning. The mail itself has room whatever the quota says:
 * it has some 2 KB, and a mailbox gets few of them.
 */
#ifndef DELIVER_QUOTAWARNING_H
#define DELIVER_QUOTAWARNING_H

#include "local_delivery.h"

enum { QUOTAWARNING_MAX = 8192 };

/* The highest percentage of `percents` that `used` is or exceeds; 0: none. */
unsigned quotawarning_reached(const struct percents *percents, uint64_t used, uint64_t quota);
/* The mail, with Return-Path and Delivered-To in front. False: no memory, or no room. */
bool quotawarning_write(const struct local_request *request, const char *domain, unsigned percent,
                        uint64_t used, int64_t now_seconds, struct str *text);

/* A message was placed in the Maildir `path`, which has `after` bytes now and had `before`. */
void quotawarning_check(const struct local_request *request, const char *domain, const char *path,
                        uint64_t before, uint64_t after);

#endif
