/* replyrules - see replyrules.h */
#include "replyrules.h"

#include "idn.h"
#include "mime.h"

#include <string.h>

static const char *const names[] = {
    [REPLYRULES_ANSWER] = "answer",
    [REPLYRULES_NO_SENDER] = "no-sender",
    [REPLYRULES_OWN] = "own-address",
    [REPLYRULES_PROGRAM] = "program",
    [REPLYRULES_LONG_HEADER] = "long-header",
    [REPLYRULES_LIST] = "list",
    [REPLYRULES_BULK] = "bulk",
    [REPLYRULES_AUTOMATIC] = "automatic",
    [REPLYRULES_SPAM] = "spam",
    [REPLYRULES_LOOP] = "loop",
    [REPLYRULES_NOT_ADDRESSED] = "not-addressed",
};

const char *replyrules_name(enum replyrules_verdict verdict)
{
    return names[verdict];
}

struct slice replyrules_header(struct slice message, bool is_all, bool *is_whole)
{
    struct slice rest = message;
    while (rest.size > 0) {
        bool is_ended = slice_has(rest, '\n');
        struct slice line = slice_cut(&rest, '\n');
        if (is_ended && (line.size == 0 || slice_equal(line, SLICE("\r")))) {
            *is_whole = true;
            return slice_part(message, 0, message.size - rest.size);
        }
    }
    *is_whole = is_all;
    return message;
}

/* ---- addresses ----------------------------------------------------------------------------------
 */

static struct slice local_of(struct slice address)
{
    return slice_part(address, 0, slice_find_last(address, '@'));
}

static struct slice domain_of(struct slice address)
{
    return slice_from(address, slice_find_last(address, '@') + 1);
}

/* International domains have two forms. */
static bool is_same_domain(struct slice a, struct slice b)
{
    char ascii[2][IDN_NAME_MAX + 1];
    if (slice_equal_nocase(a, b))
        return true;
    return (slice_has_high(a) || slice_has_high(b)) && idn_to_ascii(a, ascii[0]) &&
           idn_to_ascii(b, ascii[1]) && strcmp(ascii[0], ascii[1]) == 0;
}

/* Is it the account's? In the domain that the mail was addressed to, a child's perhaps, or in the
 * account's own; a tag (user+tag) does not matter. */
static bool is_own(const struct replyrules_mail *mail, struct slice local, struct slice domain)
{
    struct slice name = slice_part(local, 0, slice_find(local, '+'));
    return slice_equal_nocase(name, mail->mailbox) &&
           (is_same_domain(domain, domain_of(mail->recipient)) ||
            is_same_domain(domain, mail->domain));
}

static bool is_own_address(const struct replyrules_mail *mail, struct slice address)
{
    return is_own(mail, local_of(address), domain_of(address));
}

/* What may stand in an unquoted local part (RFC 5322 3.2.3, with dots). */
static bool is_local_byte(char byte)
{
    return slice_is_letter(byte) || slice_is_digit(byte) || (unsigned char)byte >= 0x80 ||
           (byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", byte));
}

static bool is_domain_byte(char byte)
{
    return slice_is_letter(byte) || slice_is_digit(byte) || (unsigned char)byte >= 0x80 ||
           byte == '-' || byte == '.';
}

/* Looks over a field of addresses, one byte at a time; what is quoted or in a comment is none. */
struct scan {
    unsigned depth; /* of comments */
    bool is_quoted;
    size_t start; /* of the run that ends here and may be a local part */
};

/* Is the byte at `at` part of a quoted text or a comment? Steps over an escaped one. */
static bool is_aside(struct scan *scan, struct slice value, size_t *at)
{
    char byte = value.data[*at];
    if ((scan->is_quoted || scan->depth > 0) && byte == '\\') {
        (*at)++;
        return true;
    }
    if (scan->is_quoted || (byte == '"' && scan->depth == 0)) {
        scan->is_quoted = scan->is_quoted ? byte != '"' : true;
        return true;
    }
    if (byte == '(')
        scan->depth++;
    bool is_comment = scan->depth > 0;
    if (byte == ')' && scan->depth > 0)
        scan->depth--;
    return is_comment;
}

typedef bool address_test(const struct replyrules_mail *mail, struct slice local,
                          struct slice domain);

/* Does an address in the field pass the test? */
static bool has_address(const struct replyrules_mail *mail, struct slice value, address_test *test)
{
    struct scan scan = {0};
    for (size_t at = 0; at < value.size; at++) {
        if (is_aside(&scan, value, &at)) {
            scan.start = at + 1;
            continue;
        }
        if (value.data[at] == '@') {
            struct slice domain = slice_from(value, at + 1);
            size_t size = 0;
            while (size < domain.size && is_domain_byte(domain.data[size]))
                size++;
            if (test(mail, slice_part(value, scan.start, at - scan.start),
                     slice_part(domain, 0, size)))
                return true;
        }
        if (!is_local_byte(value.data[at]))
            scan.start = at + 1;
    }
    return false;
}

/* ---- the sender ---------------------------------------------------------------------------------
 */

/* Names of programs, or of nobody (RFC 5230 4.6, and what is usual). A '-' at an end says that more
 * follows there. */
static const char *const programs[] = {
    "mailer-daemon", "listserv", "majordomo",  "listproc",     "mailman",   "noreply",
    "no-reply",      "no_reply", "donotreply", "do-not-reply", "autoreply", "auto-reply",
    "owner-",        "bounce-",  "bounces-",   "noreply-",     "no-reply-", "-owner",
    "-request",      "-bounce",  "-bounces",   "-noreply",     "-no-reply",
};

static bool is_named(struct slice local, struct slice name)
{
    if (slice_starts(name, SLICE("-")))
        return local.size > name.size &&
               slice_equal_nocase(slice_from(local, local.size - name.size), name);
    if (slice_ends(name, SLICE("-")))
        return slice_starts_nocase(local, name);
    return slice_equal_nocase(local, name);
}

/* The name without a tag: bounces+17, list-bounces+user=example.jp. */
static bool is_program(const struct replyrules_mail *mail, struct slice local, struct slice domain)
{
    (void)mail;
    (void)domain;
    struct slice name = slice_part(local, 0, slice_find(local, '+'));
    if (slice_equal_nocase(name, SLICE("bounce")) || slice_equal_nocase(name, SLICE("bounces")))
        return true;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (is_named(name, slice_text(programs[i])))
            return true;
    return false;
}

static enum replyrules_verdict judge_sender(const struct replyrules_mail *mail)
{
    if (local_of(mail->sender).size == 0 || domain_of(mail->sender).size == 0)
        return REPLYRULES_NO_SENDER;
    if (is_own_address(mail, mail->sender))
        return REPLYRULES_OWN;
    return is_program(mail, local_of(mail->sender), domain_of(mail->sender)) ? REPLYRULES_PROGRAM
                                                                             : REPLYRULES_ANSWER;
}

/* ---- the header ---------------------------------------------------------------------------------
 */

/* The first word of a field: keywords end at blanks, comments, parameters, lists' commas. */
static struct slice first_word(struct slice value)
{
    size_t end = 0;
    value = slice_trim(value);
    while (end < value.size && !strchr(" \t\r\n;,(", value.data[end]))
        end++;
    return slice_part(value, 0, end);
}

static bool is_any(struct slice value)
{
    (void)value;
    return true;
}

static bool is_bulk(struct slice value)
{
    struct slice word = first_word(value);
    return slice_equal_nocase(word, SLICE("bulk")) || slice_equal_nocase(word, SLICE("junk")) ||
           slice_equal_nocase(word, SLICE("list")) || slice_equal_nocase(word, SLICE("auto_reply"));
}

/* RFC 3834 5: all keywords but "no", known or not. */
static bool is_automatic(struct slice value)
{
    return !slice_equal_nocase(first_word(value), SLICE("no"));
}

/* [MS-OXCMAIL] 2.1.3.2.20: a list; what else it names are reports. */
static bool is_suppressed(struct slice value)
{
    while (value.size > 0) {
        struct slice word = first_word(slice_cut(&value, ','));
        if (slice_equal_nocase(word, SLICE("all")) || slice_equal_nocase(word, SLICE("oof")) ||
            slice_equal_nocase(word, SLICE("autoreply")))
            return true;
    }
    return false;
}

/* A report of delivery or of reading (RFC 3834 2). */
static bool is_report(struct slice value)
{
    return slice_equal_nocase(first_word(value), SLICE("multipart/report"));
}

static bool is_yes(struct slice value)
{
    return slice_equal_nocase(first_word(value), SLICE("yes"));
}

/* It came with the null sender, or another system delivered it so before. */
static bool is_null_path(struct slice value)
{
    value = slice_trim(value);
    return value.size == 0 || slice_equal(value, SLICE("<>"));
}

/* A name that ends in '-' stands for all that begin with it. */
static const struct {
    const char *name;
    bool (*stops)(struct slice value);
    enum replyrules_verdict verdict;
} fields[] = {
    {"Auto-Submitted", is_automatic, REPLYRULES_AUTOMATIC},
    {"Content-Type", is_report, REPLYRULES_AUTOMATIC},
    {"List-", is_any, REPLYRULES_LIST}, /* RFC 2369, 2919 */
    {"Mailing-List", is_any, REPLYRULES_LIST},
    {"Precedence", is_bulk, REPLYRULES_BULK},
    {"Return-Path", is_null_path, REPLYRULES_NO_SENDER},
    {"X-Auto-Response-Suppress", is_suppressed, REPLYRULES_AUTOMATIC},
    {"X-Autoreply", is_any, REPLYRULES_AUTOMATIC},
    {"X-Autorespond", is_any, REPLYRULES_AUTOMATIC},
    {"X-BeenThere", is_any, REPLYRULES_LIST},
    {"X-ML-", is_any, REPLYRULES_LIST}, /* fml, which Japan's lists run on */
    {"X-MLServer", is_any, REPLYRULES_LIST},
    {"X-Mail-Count", is_any, REPLYRULES_LIST},
    {"X-Mailing-List", is_any, REPLYRULES_LIST},
    {"X-Mailman-", is_any, REPLYRULES_LIST},
    {"X-Spam-Flag", is_yes, REPLYRULES_SPAM},
    {"X-Spam-Status", is_yes, REPLYRULES_SPAM},
};

static bool is_field(struct slice name, struct slice wanted)
{
    return slice_ends(wanted, SLICE("-")) ? slice_starts_nocase(name, wanted)
                                          : slice_equal_nocase(name, wanted);
}

/* Who answers is not the author: From was forged then, as spam likes to, or it is a copy of one's own
 * mail; nobody waits for an answer. A program may write by a sender that is different each time. */
static enum replyrules_verdict judge_author(const struct replyrules_mail *mail,
                                            const struct mime_field *field)
{
    static const struct {
        const char *name;
        address_test *test;
        enum replyrules_verdict verdict;
    } tests[] = {
        {"From", is_own, REPLYRULES_OWN},
        {"Sender", is_own, REPLYRULES_OWN},
        {"From", is_program, REPLYRULES_PROGRAM},
        {"Sender", is_program, REPLYRULES_PROGRAM},
        {"Reply-To", is_program, REPLYRULES_PROGRAM},
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        if (slice_equal_nocase(field->name, slice_text(tests[i].name)) &&
            has_address(mail, field->value, tests[i].test))
            return tests[i].verdict;
    return REPLYRULES_ANSWER;
}

static enum replyrules_verdict judge_field(const struct replyrules_mail *mail,
                                           const struct mime_field *field)
{
    if (slice_equal_nocase(field->name, SLICE("Delivered-To")))
        return is_own_address(mail, slice_trim(field->value)) ? REPLYRULES_LOOP : REPLYRULES_ANSWER;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (is_field(field->name, slice_text(fields[i].name)) && fields[i].stops(field->value))
            return fields[i].verdict;
    return judge_author(mail, field);
}

/* RFC 5230 4.5 */
static bool names_recipients(struct slice name)
{
    static const char *const all[] = {"To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (slice_equal_nocase(name, slice_text(all[i])))
            return true;
    return false;
}

static enum replyrules_verdict judge_header(const struct replyrules_mail *mail, struct slice header,
                                            bool *is_addressed)
{
    struct mime_field field;
    while (mime_next_field(&header, &field)) {
        enum replyrules_verdict verdict = judge_field(mail, &field);
        if (verdict != REPLYRULES_ANSWER)
            return verdict;
        if (!*is_addressed && names_recipients(field.name))
            *is_addressed = has_address(mail, field.value, is_own);
    }
    return REPLYRULES_ANSWER;
}

enum replyrules_verdict replyrules_decide(const struct replyrules_mail *mail)
{
    bool is_addressed = false, ignored = false;
    enum replyrules_verdict verdict = judge_sender(mail);
    if (verdict == REPLYRULES_ANSWER && !mail->is_whole)
        verdict = REPLYRULES_LONG_HEADER;
    if (verdict == REPLYRULES_ANSWER)
        verdict = judge_header(mail, mail->added, &ignored);
    if (verdict == REPLYRULES_ANSWER)
        verdict = judge_header(mail, mail->header, &is_addressed);
    /* A catch-all took it, or it is another's alias: nobody wrote to the account. */
    if (verdict == REPLYRULES_ANSWER && (!is_addressed || !is_own_address(mail, mail->recipient)))
        verdict = REPLYRULES_NOT_ADDRESSED;
    return verdict;
}
