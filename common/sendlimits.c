/* sendlimits - see sendlimits.h */
#include "sendlimits.h"

bool sendlimits_read(struct directory *directory, const struct directory_account *account,
                     struct state_rule rules[STATE_RULES_MAX])
{
    enum {
        LIMIT,
        WINDOW,
        PAUSE,
        MESSAGES,
        RECIPIENTS,
        ACCOUNT_WINDOW,
        LOCK,
        MISUSE_RECIPIENTS,
        MISUSE_REJECTED,
        MISUSE_WINDOW,
        COUNT
    };
    static const char *const names[COUNT] = {"send-limit",
                                             "send-window",
                                             "limit-pause",
                                             "account-send-limit",
                                             "account-recipients-limit",
                                             "account-send-window",
                                             "send-lock-time",
                                             "misuse-recipients",
                                             "misuse-rejected",
                                             "misuse-window"};
    uint64_t value[COUNT];
    if (!directory_setting_numbers(directory, account, names, value, COUNT))
        return false;
    rules[0] = (struct state_rule){"domain", value[LIMIT], value[WINDOW], value[PAUSE]};
    rules[1] = (struct state_rule){"messages", value[MESSAGES], value[ACCOUNT_WINDOW], value[LOCK]};
    rules[2] =
        (struct state_rule){"recipients", value[RECIPIENTS], value[ACCOUNT_WINDOW], value[LOCK]};
    rules[3] =
        (struct state_rule){"misuse-recipients", value[MISUSE_RECIPIENTS], value[MISUSE_WINDOW], 0};
    rules[4] =
        (struct state_rule){"misuse-rejected", value[MISUSE_REJECTED], value[MISUSE_WINDOW], 0};
    return true;
}
