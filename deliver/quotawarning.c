/* quotawarning - see quotawarning.h */
#include "quotawarning.h"

#include "clock.h"
#include "encodedword.h"
#include "hash.h"
#include "io.h"
#include "log.h"
#include "mailboxdeliver.h"
#include "maildate.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define WARNED_NAME "quota-warned"
enum { WARNED_MAX = 16, NAME_SIZE = 32 };

unsigned quotawarning_reached(const struct percents *percents, uint64_t used, uint64_t quota)
{
    unsigned reached = 0;
    for (size_t i = 0; i < percents->count; i++) {
        unsigned percent = percents->values[i];
        if (used >= quota / 100 * percent + quota % 100 * percent / 100)
            reached = percent;
    }
    return reached;
}

/* ---- the mail ----------------------------------------------------------------------------------
 */

struct notice {
    const char *owner, *domain; /* of the mailbox: owner@domain */
    unsigned percent;
    uint64_t used, quota;
};

static void put_subject_japanese(struct str *text, const struct notice *notice)
{
    str_append_text(text, "メールボックスの使用量が容量の ");
    str_append_number(text, notice->percent);
    str_append_text(text, "% に達しました");
}

static void put_subject_english(struct str *text, const struct notice *notice)
{
    str_append_text(text, "Your mailbox is ");
    str_append_number(text, notice->percent);
    str_append_text(text, "% full");
}

/* What a text says in its language, around the figures. */
struct words {
    const char *before_owner, *after_owner, *after_percent, *quota, *advice;
};

static const struct words japanese = {
    .before_owner = "",
    .after_owner = " のメールボックスの使用量が、容量の ",
    .after_percent = "% に達しました。\r\n\r\n  使用量: ",
    .quota = " MB\r\n  容量:   ",
    .advice = " MB\r\n\r\n"
              "容量に空きがなくなると、新しいメールを受信できなくなります。\r\n"
              "お手数ですが、不要なメールの削除をお願いいたします。ごみ箱のメールも使用量に含まれま"
              "す。\r\n"
              "\r\nこのメールはシステムから自動的にお送りしています。\r\n",
};

static const struct words english = {
    .before_owner = "The mailbox ",
    .after_owner = " is ",
    .after_percent = "% full.\r\n\r\n  used:  ",
    .quota = " MB\r\n  quota: ",
    .advice = " MB\r\n\r\n"
              "When no room is left, new mail can no longer be received.\r\n"
              "Please delete what you don't need; mail in the trash counts as well.\r\n"
              "\r\nThis message was sent automatically.\r\n",
};

static void put_text(struct str *text, const struct words *words, const struct notice *notice)
{
    str_append_texts(text, words->before_owner, notice->owner, "@", notice->domain,
                     words->after_owner);
    str_append_number(text, notice->percent);
    str_append_text(text, words->after_percent);
    capacity_put_megabytes(text, notice->used);
    str_append_text(text, words->quota);
    capacity_put_megabytes(text, notice->quota);
    str_append_text(text, words->advice);
}

static bool speaks(enum deliveryterms_language wanted, enum deliveryterms_language language)
{
    return wanted == DELIVERYTERMS_BOTH || wanted == language;
}

static bool put_subject(struct str *text, const struct notice *notice,
                        enum deliveryterms_language language)
{
    struct str subject;
    str_init(&subject, QUOTAWARNING_MAX);
    bool is_japanese = speaks(language, DELIVERYTERMS_JAPANESE);
    bool is_english = speaks(language, DELIVERYTERMS_ENGLISH);
    if (is_japanese)
        put_subject_japanese(&subject, notice);
    if (is_japanese && is_english)
        str_append_text(&subject, " / ");
    if (is_english)
        put_subject_english(&subject, notice);
    str_append_text(text, "Subject: ");
    bool done = !subject.failed &&
                encodedword_append(text, str_slice(&subject), sizeof "Subject: " - 1) &&
                str_append_text(text, "\r\n");
    str_free(&subject);
    return done;
}

/* RFC 5322 3.6, RFC 3834 5. */
static bool put_header(const struct local_request *request, const struct notice *notice,
                       int64_t now_seconds, struct str *text)
{
    str_append_text(text, "Return-Path: <>\r\nDelivered-To: ");
    str_append_texts(text, notice->owner, "@", notice->domain, "\r\n");
    str_append_text(text, "Date: ");
    maildate_format(text, now_seconds);
    str_append_texts(text, "\r\nFrom: postmaster@", notice->domain, "\r\nTo: ", notice->owner, "@",
                     notice->domain, "\r\n");
    if (!put_subject(text, notice, request->terms.language))
        return false;
    str_append_texts(text, "Message-ID: <", request->id, ".", notice->owner, ".quota-");
    str_append_number(text, notice->percent);
    str_append_texts(text, "@", notice->domain, ">\r\n");
    return str_append_text(text, "Auto-Submitted: auto-generated\r\n"
                                 "MIME-Version: 1.0\r\n"
                                 "Content-Type: text/plain; charset=UTF-8\r\n"
                                 "Content-Transfer-Encoding: 8bit\r\n"
                                 "\r\n");
}

bool quotawarning_write(const struct local_request *request, const char *domain, unsigned percent,
                        uint64_t used, int64_t now_seconds, struct str *text)
{
    const struct notice notice = {.owner = request->mailbox,
                                  .domain = domain,
                                  .percent = percent,
                                  .used = used,
                                  .quota = request->terms.quota};
    enum deliveryterms_language language = request->terms.language;
    if (!put_header(request, &notice, now_seconds, text))
        return false;
    if (speaks(language, DELIVERYTERMS_JAPANESE))
        put_text(text, &japanese, &notice);
    if (language == DELIVERYTERMS_BOTH)
        str_append_text(text, "\r\n----\r\n\r\n");
    if (speaks(language, DELIVERYTERMS_ENGLISH))
        put_text(text, &english, &notice);
    return !text->failed;
}

/* Named after the message that brought it about: repeated with that, it meets its own name. */
static bool deliver(const struct local_request *request, const char *path, struct slice text)
{
    char name[NAME_SIZE];
    struct maildir_delivery delivery;
    uint64_t hash = hash_add(hash_add(HASH_START, request->recipient), SLICE("quota-warning"));
    snprintf(name, sizeof name, "%s%016llx", request->id, (unsigned long long)hash);
    if (!maildir_begin(&delivery, AT_FDCWD, path, name, NULL)) {
        errno = delivery.error;
        return false;
    }
    delivery.spares_folder = request->spares_folder;
    maildir_write(&delivery, text);
    if (!mailboxdeliver_place(&delivery, request->is_repeat)) {
        int error = delivery.error;
        maildir_abort(&delivery);
        errno = error;
        return false;
    }
    bool done = maildir_commit(&delivery) == VERDICT_OK;
    errno = delivery.error;
    return done;
}

static void log_warned(const struct local_request *request, unsigned percent, bool is_done)
{
    struct log_line line;
    if (!is_done) {
        log_trouble("deliver a warning to", request->mailbox, errno, "look at the disk");
        return;
    }
    log_begin(&line, "quota-warned");
    log_text(&line, "id", request->id);
    log_text(&line, "mailbox", request->mailbox);
    log_number(&line, "percent", (int64_t)percent);
    log_end(&line);
}

static bool warn(const struct local_request *request, const char *domain, const char *path,
                 unsigned percent, uint64_t used)
{
    struct str text;
    str_init(&text, QUOTAWARNING_MAX);
    errno = ENOMEM;
    bool done = quotawarning_write(request, domain, percent, used, clock_seconds(), &text) &&
                deliver(request, path, str_slice(&text));
    log_warned(request, percent, done);
    str_free(&text);
    return done;
}

/* ---- what was told -----------------------------------------------------------------------------
 */

/* What makes no sense, as a torn file, is nothing. */
static unsigned read_warned(int maildir)
{
    char bytes[WARNED_MAX];
    struct str content = str_on(bytes, sizeof bytes);
    unsigned percent = 0;
    if (!io_read_file(maildir, WARNED_NAME, &content) ||
        !number_parse_unsigned(slice_without_line_end(str_slice(&content)), 100, &percent))
        return 0;
    return percent;
}

static void write_warned(int maildir, unsigned percent)
{
    char bytes[WARNED_MAX];
    struct str content = str_on(bytes, sizeof bytes);
    str_append_number(&content, percent);
    str_append_byte(&content, '\n');
    bool done = percent > 0 ? io_replace_file(maildir, WARNED_NAME, str_slice(&content), 0600,
                                              (uid_t)-1, (gid_t)-1)
                            : unlinkat(maildir, WARNED_NAME, 0) == 0 || errno == ENOENT;
    if (!done)
        log_trouble("write", WARNED_NAME, errno, "the warning may come again");
}

void quotawarning_check(const struct local_request *request, const char *domain, const char *path,
                        uint64_t before, uint64_t after)
{
    const struct percents *percents = &request->terms.warnings;
    int maildir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (maildir < 0)
        return;
    unsigned written = read_warned(maildir);
    unsigned fallen_to = quotawarning_reached(percents, before, request->terms.quota);
    unsigned warned = written > fallen_to ? fallen_to : written;
    unsigned reached = quotawarning_reached(percents, after, request->terms.quota);
    if (reached > warned && warn(request, domain, path, reached, after))
        warned = reached;
    if (warned != written)
        write_warned(maildir, warned);
    io_close(&maildir);
}
