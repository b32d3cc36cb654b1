/*
 * maildate - the dates of mail: RFC 5322 date-time, IMAP's date-time and date
 *
 * Seconds since 1970, with the zone's offset in minutes where the form has one.
 */
#ifndef MESSAGE_MAILDATE_H
#define MESSAGE_MAILDATE_H

#include "str.h"

#include <stdint.h>

/* "Sat, 21 Nov 2026 23:30:00 +0000"; the obsolete forms too (two-digit years, named zones,
 * comments, no seconds). False for nonsense. */
bool maildate_parse(struct slice text, int64_t *seconds, int *zone_minutes);
/* The same, for sorting (RFC 5256 2.2): of a date whose zone makes no sense the zone is UTC, of one
 * whose time makes none the time is 00:00:00 UTC. False when the day is nonsense. */
bool maildate_parse_sent(struct slice text, int64_t *seconds, int *zone_minutes);
/* In UTC ("+0000"). */
bool maildate_format(struct str *text, int64_t seconds);
/* " 1-Nov-2026 23:30:00 +0000", as in INTERNALDATE and APPEND. */
bool maildate_parse_imap(struct slice text, int64_t *seconds);
bool maildate_format_imap(struct str *text, int64_t seconds);
/* "1-Nov-2026" of SEARCH: the day as days since 1970. */
bool maildate_parse_imap_day(struct slice text, int64_t *day);

#endif
