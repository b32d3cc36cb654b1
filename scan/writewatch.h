/*
 * writewatch - notices every write that fails in this process, whoever makes it
 *
 * libclamav does not look whether the temporary files of a mail's attachments could be written
 * whole: on a full disk it scans what is there, tells nobody, and calls it clean. So this program
 * has its own write(2), pwrite(2), writev(2), open(2), fwrite(3), fflush(3) and fclose(3), which
 * the library is bound to like everything else, and which keep the first error.
 */
#ifndef SCAN_WRITEWATCH_H
#define SCAN_WRITEWATCH_H

/* Forgets what was seen. */
void writewatch_begin(void);
/* The errno of the first write (or creation of a file) that failed since; 0 when none did. */
int writewatch_error(void);

#endif
