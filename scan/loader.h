/*
 * loader - a process that loads the signatures once and keeps workers running, which share them
 */
#ifndef SCAN_LOADER_H
#define SCAN_LOADER_H

#include "scanconfig.h"

struct loader {
    const struct scanconfig *config;
    int listener;  /* shared by the workers */
    int ready;     /* a byte goes there when the workers may begin; owned */
    uid_t welcome; /* who may ask */
};

/* Runs till SIGTERM, then lets the workers finish. Ends the process. */
_Noreturn void loader_run(const struct loader *loader);

#endif
