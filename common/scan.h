/*
 * scan - the names of the scanner's protocol (ARCHITECTURE.md, "scan/1")
 */
#ifndef COMMON_SCAN_H
#define COMMON_SCAN_H

#define SCAN_SOCKET   "run/scand/socket"
#define SCAN_PROTOCOL "scan/1"

#endif
