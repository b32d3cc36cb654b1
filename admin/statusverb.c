/* statusverb - mailctl status; see operations.h */
#include "ask.h"
#include "folders.h"
#include "hostfiles.h"
#include "io.h"
#include "nightreport.h"
#include "number.h"
#include "operations.h"
#include "queueview.h"
#include "show.h"

#include <stdio.h>

enum { REASON_MAX = 512, WORD_MAX = 64 };

static bool add_service(json_t *services, const char *name, struct slice where, bool up)
{
    json_array_append_new(services, json_pack("{s:s, s:o, s:s}", "service", name, "listens on",
                                              show_text(where), "state", up ? "up" : "down"));
    return up;
}

static bool add_daemons(json_t *services)
{
    static const struct {
        const char *name, *socket;
    } daemons[] = {
        {"keyd", "run/keyd/socket"},       {"tlsd", "run/tlsd/socket"},
        {"authd", "run/authd/socket"},     {"stated", "run/stated/socket"},
        {"spawnd", "run/spawnd/socket"},   {"queue-inject", "run/inject/socket"},
        {"queued", "run/queued/socket"},   {"scand", "run/scand/socket"},
        {"lookupd", "run/lookupd/socket"}, {"mtastsd", "run/mtastsd/socket"},
    };
    bool all = true;
    for (size_t i = 0; i < sizeof daemons / sizeof daemons[0]; i++)
        all = add_service(services, daemons[i].name, slice_text(daemons[i].socket),
                          ask_is_up(daemons[i].socket)) &&
              all;
    return all;
}

/* It has no socket: it holds a lock as long as it runs. */
static bool add_nightly(struct commandline *command, json_t *services)
{
    return add_service(services, "nightly", SLICE("-"), nightreport_is_locked(command->root));
}

static bool add_listeners(struct commandline *command, json_t *services)
{
    struct control_lines lines;
    struct slice line, service, endpoint;
    struct str reason;
    bool proxy, all = true;
    if (!sources_lines(&command->sources, "listen", &command->findings, &lines, NULL))
        return false;
    str_init(&reason, REASON_MAX);
    while (control_next_line(&lines, &line)) {
        char name[WORD_MAX];
        str_clear(&reason);
        if (!hostfiles_parse_listen(line, &service, &endpoint, &proxy, &reason) ||
            slice_equal(service, SLICE("web")) || !slice_copy_text(service, name, sizeof name))
            continue;
        all = add_service(services, name, endpoint, ask_is_listening(endpoint)) && all;
    }
    str_free(&reason);
    control_lines_free(&lines);
    return all;
}

/* "messages=3 waiting=1 ..." */
static void add_words(json_t *object, struct slice words)
{
    while (words.size > 0) {
        char key[WORD_MAX];
        uint64_t number;
        struct slice value = slice_cut_word(&words);
        struct slice name = slice_cut(&value, '=');
        if (slice_copy_text(name, key, sizeof key) && number_parse(value, INT64_MAX, &number))
            json_object_set_new(object, key, json_integer((json_int_t)number));
    }
}

/* What queued says of its messages; when it is down, what lies in the folders. */
static json_t *queue_status(struct commandline *command)
{
    struct str text;
    size_t count;
    json_t *queue = json_object();
    static const char *const folders[] = {"message", "hold", "broken"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (queueview_count(command->root, folders[i], &count))
            json_object_set_new(queue, folders[i], json_integer((json_int_t)count));
    str_init(&text, ASK_TEXT_MAX);
    if (ask_queue("status", NULL, 0, &text) == ASK_OK)
        add_words(queue, str_slice(&text));
    str_free(&text);
    return queue;
}

/* What the last night's work came to; null: there was none yet. */
static json_t *night_status(struct commandline *command)
{
    char bytes[NIGHTREPORT_MAX];
    struct str text = str_on(bytes, sizeof bytes);
    struct nightreport report;
    if (!io_read_file(command->root, NIGHTREPORT_FOLDER "/" NIGHTREPORT_FILE, &text) ||
        !nightreport_read(str_slice(&text), &report))
        return json_null();
    json_t *night = json_pack("{s:o, s:o, s:s}", "began", show_time((int64_t)report.began), "ended",
                              show_time((int64_t)report.ended), "result",
                              nightreport_result_name(report.result));
    const struct {
        const char *name;
        uint64_t number;
    } numbers[] = {
        {"domains", report.domains},   {"accounts", report.accounts},
        {"archived", report.archived}, {"bytes-archived", report.archived_bytes},
        {"deleted", report.deleted},   {"bytes-deleted", report.deleted_bytes},
        {"failed", report.failed},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        json_object_set_new(night, numbers[i].name, json_integer((json_int_t)numbers[i].number));
    json_object_set_new(night, "error",
                        report.error[0] ? show_text(slice_text(report.error)) : json_null());
    return night;
}

int operations_status(struct commandline *command)
{
    struct folders_names domains;
    json_t *services = json_array();
    bool daemons = add_daemons(services);
    daemons = add_nightly(command, services) && daemons;
    bool listeners = add_listeners(command, services);
    command->result = json_object();
    json_object_set_new(command->result, "services", services);
    json_object_set_new(command->result, "queue", queue_status(command));
    json_object_set_new(command->result, "last night", night_status(command));
    if (folders_list(command->folder, "domains", &domains)) {
        json_object_set_new(command->result, "domains", json_integer((json_int_t)domains.count));
        folders_names_free(&domains);
    }
    if (daemons && listeners)
        return EXIT_DONE;
    commandline_refuse(command, "not every service answers; see the logs in log/ (ROOT/bin/suite "
                                "starts them)");
    return EXIT_PASSING;
}
