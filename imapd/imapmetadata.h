/*
 * imapmetadata - GETMETADATA and SETMETADATA (RFC 5464), and annotations for LIST (RFC 9590)
 */
#ifndef IMAPD_IMAPMETADATA_H
#define IMAPD_IMAPMETADATA_H

#include "imapsession.h"
#include "metadatarequest.h"

/* One untagged METADATA about a folder that LIST has just told. Nothing when it can't be read. */
void imapmetadata_tell(struct imapsession *session, const struct imapfolder *folder,
                       const struct metadatarequest *request);

#endif
