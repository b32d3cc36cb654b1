/* ageing - see ageing.h */
#include "ageing.h"

#include <stdio.h>

enum { PACKET_MAX = 1024 };

bool ageing_days(struct directory *directory, const struct directory_account *account,
                 struct ageing_days *days)
{
    static const char *const names[] = {"archive-days", "trash-days"};
    uint64_t numbers[2];
    *days = (struct ageing_days){0};
    if (!directory_setting_numbers(directory, account, names, numbers, 2))
        return false;
    *days = (struct ageing_days){.archive = numbers[0], .trash = numbers[1]};
    return true;
}

bool ageing_is_wanted(const struct ageing_days *days)
{
    return days->archive > 0 || days->trash > 0;
}

static bool put_request(struct str *packet, const struct ageing_request *request)
{
    wire_put_text(packet, "age/1");
    wire_put_text(packet, request->local);
    wire_put_number(packet, request->days.archive);
    wire_put_number(packet, request->days.trash);
    wire_put_text(packet, request->only_looks ? "look" : "do");
    return !packet->failed;
}

/* What ends in a path is a name: nothing hidden, no way out. */
static bool is_folder(struct slice name)
{
    return name.size > 0 && name.data[0] != '.' && !slice_has(name, '/') &&
           !slice_has_control(name);
}

bool ageing_read(const struct wire_message *message, struct ageing_request *request)
{
    *request = (struct ageing_request){
        .only_looks = slice_equal(wire_field(message, 4), SLICE("look")),
    };
    return message->count == 5 && slice_equal(wire_field(message, 0), SLICE("age/1")) &&
           is_folder(wire_field(message, 1)) &&
           wire_copy_text(message, 1, request->local, sizeof request->local) &&
           wire_number(message, 2, AGEING_DAYS_MAX, &request->days.archive) &&
           wire_number(message, 3, AGEING_DAYS_MAX, &request->days.trash) &&
           (request->only_looks || slice_equal(wire_field(message, 4), SLICE("do")));
}

void ageing_put_done(struct str *packet, const struct ageing_result *result)
{
    wire_put_text(packet, "ok");
    wire_put_number(packet, result->archived);
    wire_put_number(packet, result->archived_bytes);
    wire_put_number(packet, result->deleted);
    wire_put_number(packet, result->deleted_bytes);
}

void ageing_put_trouble(struct str *packet, const char *text)
{
    wire_put_text(packet, "trouble");
    wire_put_text(packet, text);
}

/* It comes from a program under a customer's uid: what is not of its form counts as no answer. */
static enum ageing_answer read_answer(const struct wire_message *message,
                                      struct ageing_result *result, char text[AGEING_TEXT_MAX])
{
    if (message->count == 5 && slice_equal(wire_field(message, 0), SLICE("ok")) &&
        wire_number(message, 1, INT64_MAX, &result->archived) &&
        wire_number(message, 2, INT64_MAX, &result->archived_bytes) &&
        wire_number(message, 3, INT64_MAX, &result->deleted) &&
        wire_number(message, 4, INT64_MAX, &result->deleted_bytes))
        return AGEING_DONE;
    *result = (struct ageing_result){0};
    if (message->count == 2 && slice_equal(wire_field(message, 0), SLICE("trouble")) &&
        wire_copy_text(message, 1, text, AGEING_TEXT_MAX))
        return AGEING_TROUBLE;
    snprintf(text, AGEING_TEXT_MAX, "ageing gave an answer that makes no sense");
    return AGEING_GONE;
}

bool ageing_ask(int fd, const struct ageing_request *request, int64_t deadline)
{
    char bytes[PACKET_MAX];
    struct str packet = str_on(bytes, sizeof bytes);
    return put_request(&packet, request) &&
           wire_send(fd, str_slice(&packet), NULL, 0, deadline) == WIRE_OK;
}

enum ageing_answer ageing_receive(int fd, struct wire_message *message,
                                  struct ageing_result *result, char text[AGEING_TEXT_MAX],
                                  int64_t deadline)
{
    *result = (struct ageing_result){0};
    text[0] = '\0';
    if (wire_receive(fd, message, deadline) == WIRE_OK)
        return read_answer(message, result, text);
    snprintf(text, AGEING_TEXT_MAX, "ageing does not answer");
    return AGEING_GONE;
}
