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

/* ---- as whom --------------------------------------------------------------------------------- */

static void take_domain(struct localsender *sender, const struct directory_domain *domain,
                        struct directory *directory)
{
    enum { LIMIT, WINDOW, PAUSE, SIZE, COUNT };
    static const char *const names[COUNT] = {"send-limit", "send-window", "limit-pause",
                                             "message-size"};
    struct directory_account nobody = {.domain = *domain};
    uint64_t value[COUNT];
    if (!directory_setting_numbers(directory, &nobody, names, value, COUNT))
        return;
    sender->limit = value[LIMIT];
    sender->window_s = value[WINDOW];
    sender->pause_s = value[PAUSE];
    sender->message_size = value[SIZE];
    snprintf(sender->domain, sizeof sender->domain, "@%s", domain->name);
    snprintf(sender->account, sizeof sender->account, "@%s", domain->name);
}

static void take_account(struct localsender *sender, const struct directory_account *account,
                         struct directory *directory)
{
    uint64_t size;
    snprintf(sender->account, sizeof sender->account, "%s@%s", account->local,
             account->domain.name);
    if (directory_setting_number(directory, account, "message-size", &size))
        sender->message_size = size;
}

void localrate_identify(struct localsender *sender, uid_t uid, struct slice address,
                        const struct localrate *rate)
{
    struct directory_domain domain;
    struct directory_account account;
    size_t at = slice_find_last(address, '@');
    struct slice local = slice_part(address, 0, at);
    struct slice rest = slice_from(address, at < address.size ? at + 1 : at);
    *sender = (struct localsender){.uid = uid, .message_size = UINT64_MAX};
    if (!rate->directory || rest.size == 0 ||
        directory_domain(rate->directory, rest, &domain) != DIRECTORY_FOUND)
        return;
    take_domain(sender, &domain, rate->directory);
    if (sender->domain[0] != '\0' &&
        directory_account(rate->directory, local, rest, &account) == DIRECTORY_FOUND)
        take_account(sender, &account, rate->directory);
}

/* ---- asking and counting --------------------------------------------------------------------- */

static bool is_stopped(int *state_fd, const char *name, const struct state_rule *rule)
{
    struct wire_message answer;
    wire_init(&answer);
    bool stopped = *state_fd >= 0 &&
                   state_ask_allows(state_fd, &answer, name, "send", rule, 1, STATE_TIMEOUT_MS) &&
                   slice_equal(wire_field(&answer, 0), SLICE("no"));
    wire_free(&answer);
    return stopped;
}

bool localrate_allows(int *state_fd, const struct localsender *sender, const struct localrate *rate)
{
    const struct state_rule own = {"domain", rate->limit, rate->window_s, rate->pause_s};
    const struct state_rule of_domain = {"domain", sender->limit, sender->window_s,
                                         sender->pause_s};
    char name[NAME_SIZE];
    put_name(sender->uid, name);
    return !is_stopped(state_fd, name, &own) &&
           (sender->account[0] == '\0' || !is_stopped(state_fd, sender->account, &of_domain));
}

static void count(int *state_fd, const char *name)
{
    if (*state_fd >= 0 && !state_sent(state_fd, name, 1))
        log_trouble("count a message at", STATE_SOCKET, 0, NULL);
}

void localrate_count(int *state_fd, const struct localsender *sender, const struct localrate *rate)
{
    char name[NAME_SIZE];
    put_name(sender->uid, name);
    if (rate->limit > 0)
        count(state_fd, name);
    if (sender->limit > 0)
        count(state_fd, sender->domain);
}
