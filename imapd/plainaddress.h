/*
 * plainaddress - addresses as nearly everybody writes them, without a copy of their parts
 *
 *     local@domain   <local@domain>   Some Name <local@domain>   "Some Name" <local@domain>
 *
 * What has comments, escapes, groups, routes, folds or blanks at unusual places is left to
 * addresslist.c, which would say the same of what is taken here.
 */
#ifndef IMAPD_PLAINADDRESS_H
#define IMAPD_PLAINADDRESS_H

#include "addresslist.h"

/* Cuts commas, blanks and line ends off the front. */
void plainaddress_skip(struct slice *field);
/* Cuts the address off the front that goes up to a comma or the end. False: it is not a plain one,
 * and *field as it was. */
bool plainaddress_cut(struct slice *field, struct addresslist_entry *entry);

#endif
