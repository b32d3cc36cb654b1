/* mtasts - see mtasts.h */
#include "mtasts.h"

#include "clock.h"
#include "io.h"
#include "unixsocket.h"
#include "wire.h"

#include <sys/socket.h>

static enum mtasts_result read_answer(const struct wire_message *answer, struct stspolicy *policy,
                                      enum tlsreport_result *result, char reason[MTASTS_REASON_MAX])
{
    const char *trouble;
    struct slice verb = wire_field(answer, 0);
    if (slice_equal(verb, SLICE("policy")) &&
        stspolicy_parse(wire_field(answer, 1), policy, &trouble))
        return MTASTS_POLICY;
    if (!slice_equal(verb, SLICE("none")))
        return MTASTS_SILENT;
    *result = tlsreport_result_named(wire_field(answer, 1));
    (void)wire_copy_text(answer, 2, reason, MTASTS_REASON_MAX);
    return MTASTS_NONE;
}

enum mtasts_result mtasts_ask(int *fd, const char *domain, const char *id, struct stspolicy *policy,
                              enum tlsreport_result *result, char reason[MTASTS_REASON_MAX])
{
    struct str packet;
    struct wire_message answer;
    enum mtasts_result asked = MTASTS_SILENT;
    *result = TLSREPORT_SUCCESS;
    reason[0] = '\0';
    str_init(&packet, WIRE_MAX_SIZE);
    wire_init(&answer);
    wire_put_text(&packet, "mtasts/1");
    wire_put_text(&packet, "policy");
    wire_put_text(&packet, domain);
    wire_put_text(&packet, id);
    if (!packet.failed &&
        wire_ask_kept(fd, MTASTS_SOCKET, str_slice(&packet), NULL, 0, &answer, MTASTS_TIMEOUT_MS))
        asked = read_answer(&answer, policy, result, reason);
    wire_free(&answer);
    str_free(&packet);
    return asked;
}

void mtasts_report(int *fd, const struct tlsreport_line *line)
{
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, "mtasts/1");
    wire_put_text(&packet, "report");
    wire_put(&packet, line->domain);
    wire_put(&packet, line->policy_type);
    wire_put_text(&packet, tlsreport_result_name(line->result));
    wire_put(&packet, line->sending_ip);
    wire_put(&packet, line->mx);
    wire_put(&packet, line->mx_ip);
    wire_put(&packet, line->reason);
    for (size_t i = 0; i < line->policy_count; i++)
        wire_put(&packet, line->policy[i]);
    if (*fd < 0)
        *fd = unixsocket_connect(MTASTS_SOCKET, SOCK_SEQPACKET);
    if (*fd >= 0 && !packet.failed &&
        wire_send(*fd, str_slice(&packet), NULL, 0, clock_deadline(0)) == WIRE_ERROR)
        io_close(fd);
    str_free(&packet);
}
