/*
 * sendingfiles - control/bindroutes and control/relayauth, line by line
 */
#ifndef ADMIN_SENDINGFILES_H
#define ADMIN_SENDINGFILES_H

#include "str.h"

/* "DOMAIN ADDRESS [ADDRESS] [helo=NAME]" (bindroutes(5)). Appends what stands in
 * cdb/bindroutes.cdb: the domain as smtproutes has it ("" for "*"), and "IPV4 IPV6 HELO", each "-"
 * where nothing was given. False: `reason` says what is wrong and right. */
bool sendingfiles_parse_bindroute(struct slice line, struct str *key, struct str *value,
                                  struct str *reason);
/* "HOST[:PORT] USER PASSWORD" (relayauth(5)). Appends what stands in cdb/relay/relayauth.cdb:
 * "HOST:PORT" as in cdb/routes.cdb; user, NUL, password. */
bool sendingfiles_parse_relayauth(struct slice line, struct str *key, struct str *value,
                                  struct str *reason);

#endif
