/* stateverbs - mailctl state; see operations.h */
#include "clock.h"
#include "io.h"
#include "number.h"
#include "operations.h"
#include "show.h"
#include "state.h"

#include <stdio.h>

#define DEFAULT_STATE "account-lock"

enum { HOURS_MAX = 87600, ADDRESS_MAX = USERLINE_LOCAL_MAX + IDN_NAME_MAX + 2, STATE_FIELDS = 4 };

/* The account's address as stated knows it. False: refused already. */
static bool find_account(struct commandline *command, char address[ADDRESS_MAX], int *result)
{
    char local[USERLINE_LOCAL_MAX + 1], name[IDN_NAME_MAX + 1];
    struct domain domain;
    *result = EXIT_REFUSED;
    if (!commandline_address(command, command->words[0], local, name))
        return false;
    bool found = commandline_load(command, name, &domain, result);
    if (found && !domain_find(&domain, local)) {
        *result = commandline_refuse(command, "there is no account %s@%s", local, name);
        found = false;
    }
    domain_free(&domain);
    snprintf(address, ADDRESS_MAX, "%s@%s", local, name);
    return found;
}

static int refuse_down(const struct commandline *command)
{
    commandline_refuse(command, "stated does not answer: is the suite running? (mailctl status)");
    return EXIT_PASSING;
}

/* "ok", or "no" and the reason. */
static int judge(const struct commandline *command, const struct wire_message *answer)
{
    struct slice reason = wire_field(answer, 1);
    if (slice_equal(wire_field(answer, 0), SLICE("ok")))
        return EXIT_DONE;
    return commandline_refuse(command, "%.*s", SLICE_PRINTF(reason));
}

static json_t *show_states(const struct wire_message *answer)
{
    json_t *states = json_array();
    for (size_t at = 1; at + STATE_FIELDS <= answer->count; at += STATE_FIELDS) {
        uint64_t since = 0, until = 0;
        (void)(wire_number(answer, at + 1, INT64_MAX, &since) &&
               wire_number(answer, at + 2, INT64_MAX, &until));
        json_array_append_new(states, json_pack("{s:o, s:o, s:o, s:o}", "state",
                                                show_text(wire_field(answer, at)), "since",
                                                show_time((int64_t)since), "until",
                                                show_time((int64_t)until), "cause",
                                                show_text(wire_field(answer, at + 3))));
    }
    return states;
}

int operations_state_show(struct commandline *command)
{
    char address[ADDRESS_MAX];
    struct wire_message answer;
    int result, fd = -1;
    if (!find_account(command, address, &result))
        return result;
    wire_init(&answer);
    if (!state_ask(&fd, &answer, "get", address, (char *)NULL))
        result = refuse_down(command);
    else if ((result = judge(command, &answer)) == EXIT_DONE)
        command->result = show_states(&answer);
    if (command->result && json_array_size(command->result) == 0 && !command->json)
        json_array_append_new(command->result, json_string("normal"));
    wire_free(&answer);
    io_close(&fd);
    return result;
}

static const char *state_word(const struct commandline *command)
{
    return command->word_count > 1 ? command->words[1] : DEFAULT_STATE;
}

static bool find_until(const struct commandline *command, char until[NUMBER_TEXT_SIZE + 1])
{
    const char *hours = commandline_option(command, "hours");
    uint64_t number = 0;
    if (hours && (!number_parse(slice_text(hours), HOURS_MAX, &number) || number == 0)) {
        commandline_refuse(command, "--hours wants a number from 1 to %d", HOURS_MAX);
        return false;
    }
    int64_t end = hours ? clock_seconds() + (int64_t)number * 3600 : 0;
    snprintf(until, NUMBER_TEXT_SIZE + 1, "%lld", (long long)end);
    return true;
}

int operations_state_lock(struct commandline *command)
{
    char address[ADDRESS_MAX], until[NUMBER_TEXT_SIZE + 1];
    struct wire_message answer;
    const char *cause = commandline_option(command, "cause");
    int result, fd = -1;
    if (!find_account(command, address, &result))
        return result;
    if (!find_until(command, until))
        return EXIT_REFUSED;
    wire_init(&answer);
    if (state_ask(&fd, &answer, "set", address, state_word(command), until,
                  cause ? cause : "set by the operator", (char *)NULL))
        result = judge(command, &answer);
    else
        result = refuse_down(command);
    wire_free(&answer);
    io_close(&fd);
    return result;
}

int operations_state_unlock(struct commandline *command)
{
    char address[ADDRESS_MAX];
    struct wire_message answer;
    int result, fd = -1;
    if (!find_account(command, address, &result))
        return result;
    wire_init(&answer);
    if (state_ask(&fd, &answer, "clear", address, state_word(command), (char *)NULL))
        result = judge(command, &answer);
    else
        result = refuse_down(command);
    wire_free(&answer);
    io_close(&fd);
    return result;
}
