/* rblfile - see rblfile.h */
#include "rblfile.h"

#include "blocklist.h"
#include "wire.h"

#include <stdlib.h>

#define SHOWN "control/rbl"

/* Lines are kept as they stand, once they are known to be right. */
static void take_lines(struct control_lines *lines, struct blocklist *list, struct str *record,
                       struct findings *findings)
{
    struct slice line;
    char error[BLOCKLIST_ERROR_MAX];
    while (control_next_line(lines, &line)) {
        if (blocklist_add(list, line, error))
            wire_put(record, line);
        else
            findings_error(findings, SHOWN, lines->number, "%s", error);
    }
    if (record->failed)
        findings_error(findings, SHOWN, 0, "is too long");
}

void rblfile_load(const struct sources *sources, struct findings *findings,
                  struct database *database)
{
    struct control_lines lines;
    struct str record;
    struct blocklist *list = malloc(sizeof *list);
    if (!list) {
        findings_trouble(findings, SHOWN, "find memory");
        return;
    }
    blocklist_init(list);
    str_init(&record, BLOCKLIST_RECORD_MAX);
    if (sources_lines(sources, "rbl", findings, &lines, NULL)) {
        take_lines(&lines, list, &record, findings);
        control_lines_free(&lines);
    }
    database_add(database, SLICE(BLOCKLIST_KEY), str_slice(&record));
    str_free(&record);
    free(list);
}
