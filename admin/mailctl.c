/*
 * mailctl - everything that an operator does
 *
 * Runs as     root, but for "help" and "csv sample"
 * Started by  the operator, and by scripts
 * Descriptors 0 a password or a file, where a verb wants one; 1 the result; 2 why not
 * Reads       control/, queue/, cdb/domains.cdb; a mailbox that is checked, as the domain's uid
 * Writes      control/domains/, and compiles what it touched; removes mail of removed accounts, and
 *             makes indexes of mailboxes anew, as the domain's uid; log/mailctl/
 * Trusts      root's command line and control files, but checks both; --as about who asks (rights.h)
 * If taken    is root; strangers' bytes reach it only in queue files that it shows, with control
 *             bytes replaced, and in CSV files of customers
 * Limits      waits 30 s for another one that changes control files
 * Leaves      a process that hashes the passwords of a CSV file anew (strengthen.h)
 * Exits       0 done, 1 refused (the reason is on standard error, nothing was changed), 111 passing
 *             trouble
 */
#include "commandline.h"
#include "life.h"

#include <sys/stat.h>

int main(int argc, char **argv)
{
    life_begin_command("mailctl");
    umask(022);
    return commandline_main(argc - 1, argv + 1);
}
