/* localrate - see localrate.h */
#include "localrate.h"

#include "log.h"
#include "state.h"
#include "unixsocket.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

enum { NAME_SIZE = 32 };

/* Where a control folder is older than the setting, `otherwise` holds. */
static uint64_t number(struct directory *directory, const char *name, uint64_t otherwise)
{
    uint64_t value;
    return directory_host_number(directory, name, &value) ? value : otherwise;
}

void localrate_read(struct directory *directory, struct localrate *rate)
{
    *rate = (struct localrate){
        .limit = number(directory, "sendmail-limit", 10000),
        .window_s = number(directory, "sendmail-window", 3600),
        .pause_s = number(directory, "sendmail-pause", 3600),
    };
}

int localrate_connect(void)
{
    int fd = unixsocket_connect(STATE_SOCKET, SOCK_SEQPACKET);
    if (fd < 0)
        log_trouble("connect to", STATE_SOCKET, errno, "local mail is not counted");
    return fd;
}

static void put_name(uid_t uid, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "@uid=%lu", (unsigned long)uid);
}

bool localrate_allows(int *state_fd, uid_t uid, const struct localrate *rate)
{
    const struct state_rule rule = {"domain", rate->limit, rate->window_s, rate->pause_s};
    struct wire_message answer;
    char name[NAME_SIZE];
    put_name(uid, name);
    wire_init(&answer);
    bool stopped = *state_fd >= 0 && state_ask_allows(state_fd, &answer, name, "send", &rule, 1) &&
                   slice_equal(wire_field(&answer, 0), SLICE("no"));
    wire_free(&answer);
    return !stopped;
}

void localrate_count(int *state_fd, uid_t uid, const struct localrate *rate)
{
    char name[NAME_SIZE];
    put_name(uid, name);
    if (*state_fd >= 0 && rate->limit > 0 && !state_sent(state_fd, name, 1))
        log_trouble("count a message at", STATE_SOCKET, 0, NULL);
}
