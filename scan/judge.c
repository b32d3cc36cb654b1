/* judge - see judge.h */
#include "judge.h"

/* The field tells the reader, and filters, that "nothing found" does not mean "looked at". */
#define STATUS_FIELD "X-Virus-Status: "

static struct judgement judge_limits(const struct policy *policy)
{
    if (policy->limits_pass)
        return (struct judgement){"clean",
                                  STATUS_FIELD "unchecked (beyond the scanner's limits)\r\n"};
    return (struct judgement){
        "refused", "an attachment is nested too deep or too large to be checked for viruses"};
}

static struct judgement judge_unopened(const struct findings *findings, const struct policy *policy)
{
    if (!policy->encrypted_passes)
        return (struct judgement){
            "refused", findings->is_encrypted
                           ? "an encrypted attachment can't be checked for viruses"
                           : "a RAR archive can't be checked for viruses; use ZIP or 7z"};
    return (struct judgement){"clean", findings->is_encrypted
                                           ? STATUS_FIELD "unchecked (encrypted attachment)\r\n"
                                           : STATUS_FIELD "unchecked (RAR archive)\r\n"};
}

struct judgement judge(const struct findings *findings, const struct policy *policy)
{
    /* What was found was found, even if the scan broke off later. */
    if (findings->infection[0] != '\0')
        return (struct judgement){"infected", findings->infection};
    if (!findings->is_complete)
        return (struct judgement){"failed", findings->reason};
    bool is_unopened = findings->is_encrypted || findings->has_rar;
    if (findings->is_beyond_limits && (!policy->limits_pass || !is_unopened))
        return judge_limits(policy);
    if (is_unopened)
        return judge_unopened(findings, policy);
    return (struct judgement){"clean", ""};
}
