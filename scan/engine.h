/*
 * engine - libclamav, with a guard against its ways of calling "clean" what it has not scanned
 *
 * libclamav answers "clean" when its temporary folder is missing, when the disk is full, and when
 * two processes share a folder. A scan counts as complete only if the result was success, no
 * message of level error came, no write failed (writewatch.h), and the inspection callback ran at
 * least once. Each process has a folder of its own.
 *
 * One scan at a time in a process: libclamav's message callback knows no scan it belongs to.
 */
#ifndef SCAN_ENGINE_H
#define SCAN_ENGINE_H

#include "judge.h"
#include "slice.h"

struct cl_engine;

enum {
    /* libclamav does not look at fewer bytes; there is no virus of that size. */
    ENGINE_LEAST_BYTES = 6,
    /* What was packed in an attachment and has so many bytes is beyond the limits (SPEC R5.2). */
    ENGINE_ATTACHMENT_LIMIT = 104857600,
    /* And the message itself of more than this: the largest that a preset allows (SPEC R5.1), with the
     * fields that servers on its way put in front. */
    ENGINE_MESSAGE_MAX = 104857600 + 1048576,
};

struct engine {
    struct cl_engine *handle;
    unsigned signatures;
};

/* Loads all signatures of the folders into one engine. A folder that does not exist, or holds no
 * signatures, adds none. `scan_ms` bounds a scan from inside. False, with a line in the log, when
 * a signature is broken, none was found at all, or there is no memory. */
bool engine_load(struct engine *engine, const char *const folders[], size_t count,
                 unsigned scan_ms);
void engine_free(struct engine *engine);

/* Where this process unpacks. Call it after fork, before the first scan. */
bool engine_set_folder(struct engine *engine, const char *folder);

/* Looks through a message in memory. */
void engine_scan(const struct engine *engine, struct slice message, struct findings *findings);

/* Scans a message with the EICAR test string in an attachment, and one without: true if the first
 * was found and the second was clean. Otherwise `reason` says what happened. */
bool engine_is_sound(const struct engine *engine, char reason[REASON_MAX]);

#endif
