/*
 * faultlog - the memory that all processes of one observed suite share with the harness
 *
 * A file, mapped by the shim in each program and by the harness: one lock, under which every call
 * on the queue and the mail store is made and written down, so that the records are in the order in
 * which things happened; and what the harness wants to go wrong. Records lie one behind the other,
 * each a struct faultlog_record, its name, its second name, its bytes, padded to 8.
 */
#ifndef FAULTLOG_H
#define FAULTLOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { FAULTLOG_TRACKED_MAX = 16384, FAULTLOG_PROGRAM_SIZE = 16, FAULTLOG_SENT_MAX = 256 };

enum faultlog_kind {
    FAULTLOG_CREATE = 1, /* inode under parent/name, a file */
    FAULTLOG_MKDIR,
    FAULTLOG_WRITE,    /* bytes at offset */
    FAULTLOG_TRUNCATE, /* to offset */
    FAULTLOG_SYNC,     /* of a file or a folder; name says by which call */
    FAULTLOG_SYNC_FAILED,
    FAULTLOG_LINK,
    FAULTLOG_UNLINK, /* of a file or a folder */
    FAULTLOG_RENAME, /* parent/name to parent2/name2 */
    FAULTLOG_OWNER,  /* offset is the uid, length the gid */
    FAULTLOG_SENT,   /* the first bytes of what goes to a socket; written before it goes */
    FAULTLOG_NOTE,   /* the harness's own: what the outside world knows from here on */
    FAULTLOG_FAULT,  /* a call was made to fail; name says which */
};

struct faultlog_record {
    uint32_t size; /* of all */
    uint32_t kind;
    uint32_t pid, uid, gid, mode;
    uint64_t inode, parent, parent2;
    int64_t offset;
    uint64_t length;
    uint32_t name_size, name2_size, bytes_size, is_new;
    char program[FAULTLOG_PROGRAM_SIZE];
};

/* What a call can be told to answer. */
enum faultlog_error {
    FAULTLOG_NOTHING,
    FAULTLOG_EIO,
    FAULTLOG_ENOSPC,
    FAULTLOG_EDQUOT,
    FAULTLOG_EMFILE,
    FAULTLOG_EINTR,
    FAULTLOG_SHORT, /* half of what was asked for */
};

/* Faults planted into programs, to see that they are found. */
enum faultlog_bug {
    FAULTLOG_NO_FILE_SYNC = 1 << 0,   /* fsync of a file does nothing */
    FAULTLOG_NO_FOLDER_SYNC = 1 << 1, /* nor of a folder */
    FAULTLOG_HIDE_ERRORS = 1 << 2,    /* a failing sync is reported as done */
};

struct faultlog {
    pthread_mutex_t lock; /* robust, shared */
    uint64_t size;        /* of the mapping */
    uint64_t used;        /* bytes of records behind this struct */
    uint64_t device;      /* of what is observed */
    uint64_t tracked_count;
    uint32_t error; /* enum faultlog_error: the call number fail_at of those that can end so does */
    uint32_t fired;
    uint64_t fail_at, counted;
    uint32_t is_full; /* the disk: nothing grows, nothing is made */
    uint32_t bugs;    /* bits of enum faultlog_bug, in ... */
    char bug_program[FAULTLOG_PROGRAM_SIZE];
    uint32_t overflow; /* a record or an inode did not fit: the run says nothing */
    uint64_t tracked[FAULTLOG_TRACKED_MAX]; /* inodes of queue/ and mail/, as an open hash */
};

#endif
