/* tlsreportverb - mailctl tls-report; see operations.h */
#include "clock.h"
#include "directory.h"
#include "io.h"
#include "operations.h"
#include "show.h"
#include "tlsreport.h"
#include "unixsocket.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { FLUSH_MS = 5000, PATH_SIZE = 64, TIME_SIZE = 32 };

/* ---- the file ---- */

/* What mtastsd has not written yet; without it the file is a few seconds old. */
static void ask_flush(void)
{
    struct str packet;
    struct wire_message answer;
    int fd = unixsocket_connect(TLSREPORT_SOCKET, SOCK_SEQPACKET);
    if (fd < 0)
        return;
    str_init(&packet, WIRE_MAX_SIZE);
    wire_init(&answer);
    wire_put_text(&packet, "mtasts/1");
    wire_put_text(&packet, "flush");
    (void)wire_ask(fd, str_slice(&packet), NULL, 0, &answer, clock_deadline(FLUSH_MS));
    wire_free(&answer);
    str_free(&packet);
    io_close(&fd);
}

static int read_day(struct commandline *command, const char *date, struct str *content)
{
    char path[PATH_SIZE];
    ask_flush();
    snprintf(path, sizeof path, "%s/%s", TLSREPORT_FOLDER, date);
    if (io_read_file(command->root, path, content))
        return EXIT_DONE;
    if (errno == ENOENT)
        return commandline_refuse(command, "no session of %s was counted", date);
    return commandline_trouble(command, "read", path);
}

/* ---- the table ---- */

static json_t *make_row(const struct tlsreport_line *line)
{
    return json_pack("{s:o, s:o, s:s, s:I, s:o, s:o, s:o}", "domain", show_text(line->domain),
                     "policy", show_text(line->policy_type), "result",
                     tlsreport_result_name(line->result), "sessions", (json_int_t)line->count, "mx",
                     show_text(line->mx), "address", show_text(line->mx_ip), "reason",
                     show_text(line->reason));
}

static json_t *make_table(struct slice rest)
{
    struct tlsreport_line line;
    json_t *rows = json_array();
    while (rest.size > 0)
        if (tlsreport_parse(slice_cut(&rest, '\n'), &line))
            json_array_append_new(rows, make_row(&line));
    return rows;
}

/* ---- reports (RFC 8460 4.4) ---- */

static json_t *make_list(const struct tlsreport_line *line, struct slice prefix)
{
    json_t *list = json_array();
    for (size_t i = 0; i < line->policy_count; i++)
        if (slice_starts(line->policy[i], prefix))
            json_array_append_new(list, show_text(slice_from(line->policy[i], prefix.size)));
    return list;
}

static json_t *make_policy(const struct tlsreport_line *line)
{
    json_t *policy =
        json_pack("{s:o, s:o, s:o}", "policy-type", show_text(line->policy_type), "policy-string",
                  make_list(line, SLICE("")), "policy-domain", show_text(line->domain));
    if (slice_equal(line->policy_type, SLICE("sts")))
        json_object_set_new(policy, "mx-host", make_list(line, SLICE("mx: ")));
    return policy;
}

static void count_session(json_t *summary, const char *key, uint64_t count)
{
    json_int_t before = json_integer_value(json_object_get(summary, key));
    json_object_set_new(summary, key, json_integer(before + (json_int_t)count));
}

static json_t *make_detail(const struct tlsreport_line *line)
{
    json_t *detail = json_pack("{s:s, s:I}", "result-type", tlsreport_result_name(line->result),
                               "failed-session-count", (json_int_t)line->count);
    const struct {
        const char *key;
        struct slice value;
    } known[] = {{"sending-mta-ip", line->sending_ip},
                 {"receiving-mx-hostname", line->mx},
                 {"receiving-ip", line->mx_ip},
                 {"failure-reason-code", line->reason}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].value.size > 0)
            json_object_set_new(detail, known[i].key, show_text(known[i].value));
    return detail;
}

static void add_line(json_t *part, const struct tlsreport_line *line)
{
    json_t *summary = json_object_get(part, "summary");
    if (line->result == TLSREPORT_SUCCESS) {
        count_session(summary, "total-successful-session-count", line->count);
        return;
    }
    count_session(summary, "total-failure-session-count", line->count);
    json_array_append_new(json_object_get(part, "failure-details"), make_detail(line));
}

/* The part of a report about this policy, made if it is not there. */
static json_t *find_part(json_t *report, const struct tlsreport_line *line)
{
    size_t i;
    json_t *part, *parts = json_object_get(report, "policies");
    json_t *policy = make_policy(line);
    json_array_foreach(parts, i, part)
    {
        if (json_equal(json_object_get(part, "policy"), policy)) {
            json_decref(policy);
            return part;
        }
    }
    part = json_pack("{s:o, s:{s:i, s:i}, s:[]}", "policy", policy, "summary",
                     "total-successful-session-count", 0, "total-failure-session-count", 0,
                     "failure-details");
    json_array_append_new(parts, part);
    return part;
}

struct sender {
    char me[DIRECTORY_VALUE_MAX + 1];
    char contact[DIRECTORY_VALUE_MAX + 16];
};

static void read_sender(struct sender *sender)
{
    static struct directory directory;
    struct str value;
    str_init(&value, DIRECTORY_VALUE_MAX);
    directory_init(&directory);
    snprintf(sender->me, sizeof sender->me, "%s",
             directory_host(&directory, "me", &value) ? str_text(&value) : "localhost");
    str_clear(&value);
    if (directory_host(&directory, "postmaster", &value) && value.size > 0)
        snprintf(sender->contact, sizeof sender->contact, "%s", str_text(&value));
    else
        snprintf(sender->contact, sizeof sender->contact, "postmaster@%s", sender->me);
    directory_close(&directory);
    str_free(&value);
}

static json_t *begin_report(const struct sender *sender, const char *date, struct slice domain)
{
    char start[TIME_SIZE], end[TIME_SIZE];
    snprintf(start, sizeof start, "%sT00:00:00Z", date);
    snprintf(end, sizeof end, "%sT23:59:59Z", date);
    return json_pack(
        "{s:s, s:{s:s, s:s}, s:s, s:o, s:[]}", "organization-name", sender->me, "date-range",
        "start-datetime", start, "end-datetime", end, "contact-info", sender->contact, "report-id",
        json_sprintf("%sT00:00:00Z_%.*s@%s", date, SLICE_PRINTF(domain), sender->me), "policies");
}

/* One report for each domain: that is whom it goes to. */
static json_t *make_reports(const char *date, struct slice rest)
{
    static struct sender sender;
    struct tlsreport_line line;
    json_t *reports = json_array(), *by_domain = json_object();
    read_sender(&sender);
    while (rest.size > 0) {
        char domain[TLSREPORT_FIELD_MAX + 1];
        if (!tlsreport_parse(slice_cut(&rest, '\n'), &line) ||
            !slice_copy_text(line.domain, domain, sizeof domain))
            continue;
        json_t *report = json_object_get(by_domain, domain);
        if (!report) {
            report = begin_report(&sender, date, line.domain);
            json_object_set(by_domain, domain, report);
            json_array_append_new(reports, report);
        }
        add_line(find_part(report, &line), &line);
    }
    json_decref(by_domain);
    return reports;
}

int operations_tls_report(struct commandline *command)
{
    char date[TLSREPORT_DATE_SIZE];
    struct str content;
    tlsreport_date(clock_seconds(), date);
    if (command->word_count > 0) {
        if (!tlsreport_is_date(slice_text(command->words[0])))
            return commandline_refuse(command, "\"%s\" is no date (such as %s)", command->words[0],
                                      date);
        memcpy(date, command->words[0], sizeof date);
    }
    str_init(&content, TLSREPORT_FILE_MAX);
    int result = read_day(command, date, &content);
    if (result == EXIT_DONE)
        command->result = command->json ? make_reports(date, str_slice(&content))
                                        : make_table(str_slice(&content));
    str_free(&content);
    return result;
}
