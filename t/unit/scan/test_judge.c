/* judge: what findings mean, under each policy */
#include "unit.h"

#include "judge.h"

#include <string.h>

static const struct {
    const char *name;
    struct findings findings;
    struct policy policy;
    const char *word, *text;
} cases[] = {
    {"clean", {.is_complete = true}, {false, false}, "clean", ""},
    {"not complete", {.reason = "disk full"}, {true, true}, "failed", "disk full"},
    {"nothing known", {0}, {true, true}, "failed", ""},
    {"infected", {.is_complete = true, .infection = "X"}, {true, true}, "infected", "X"},
    {"infected, then broken off", {.infection = "X", .reason = "r"}, {true, true}, "infected", "X"},
    {"infected and encrypted",
     {.is_complete = true, .infection = "X", .is_encrypted = true, .is_beyond_limits = true},
     {true, true},
     "infected",
     "X"},
    {"encrypted, not complete", {.is_encrypted = true, .reason = "r"}, {true, true}, "failed", "r"},
    {"beyond limits, not complete",
     {.is_beyond_limits = true, .reason = "r"},
     {true, true},
     "failed",
     "r"},
    {"encrypted passes",
     {.is_complete = true, .is_encrypted = true},
     {true, false},
     "clean",
     "X-Virus-Status: unchecked (encrypted attachment)\r\n"},
    {"encrypted is refused",
     {.is_complete = true, .is_encrypted = true},
     {false, true},
     "refused",
     "an encrypted attachment can't be checked for viruses"},
    {"RAR passes",
     {.is_complete = true, .has_rar = true},
     {true, false},
     "clean",
     "X-Virus-Status: unchecked (RAR archive)\r\n"},
    {"RAR is refused",
     {.is_complete = true, .has_rar = true},
     {false, true},
     "refused",
     "a RAR archive can't be checked for viruses; use ZIP or 7z"},
    {"limits refuse",
     {.is_complete = true, .is_beyond_limits = true},
     {true, false},
     "refused",
     "an attachment is nested too deep or too large to be checked for viruses"},
    {"limits pass",
     {.is_complete = true, .is_beyond_limits = true},
     {false, true},
     "clean",
     "X-Virus-Status: unchecked (beyond the scanner's limits)\r\n"},
    {"both: limits refuse",
     {.is_complete = true, .is_beyond_limits = true, .is_encrypted = true},
     {true, false},
     "refused",
     "an attachment is nested too deep or too large to be checked for viruses"},
    {"both: encryption is refused",
     {.is_complete = true, .is_beyond_limits = true, .is_encrypted = true},
     {false, true},
     "refused",
     "an encrypted attachment can't be checked for viruses"},
    {"both pass",
     {.is_complete = true, .is_beyond_limits = true, .has_rar = true},
     {true, true},
     "clean",
     "X-Virus-Status: unchecked (RAR archive)\r\n"},
};

static void judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct judgement judgement = judge(&cases[i].findings, &cases[i].policy);
        if (strcmp(judgement.word, cases[i].word) != 0 ||
            strcmp(judgement.text, cases[i].text) != 0)
            fail_msg("%s: %s %s", cases[i].name, judgement.word, judgement.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(judges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
