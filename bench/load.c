/*
 * load - sends messages over many SMTP connections at a time, as fast as they are taken
 *
 * One process, one loop: what it costs is small beside any server. It waits for each answer before it goes on
 * (no PIPELINING, unless -p), as smtp-source of Postfix does. Any answer but the expected one ends it.
 *
 *   load [-s SESSIONS] [-m MESSAGES] [-k PER_CONNECTION] [-r RECIPIENTS] [-l LENGTH] [-f SENDER]
 *        [-a USER:PASSWORD] [-p] ADDRESS PORT < list of mailboxes, an address a line
 *
 * Message i goes to the mailboxes i*RECIPIENTS, i*RECIPIENTS + 1 ... of the list, round and round. Prints one line: start and end (CLOCK_MONOTONIC, seconds), and how long a message
 * took from MAIL to its 250, half of them and 99 of 100 (milliseconds).
 * Exits       0 done, 1 with a line on standard error
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_LENGTH = 78,
    HEAD_MAX = 512,
    ANSWER_MAX = 4096,
    COMMANDS_MAX = 65536,
    SILENCE_MS = 60000
};

/* What the next complete answer belongs to. */
enum stage {
    STAGE_GREETING,
    STAGE_EHLO,
    STAGE_AUTH,
    STAGE_MAIL,
    STAGE_RCPT,
    STAGE_DATA,
    STAGE_BODY,
    STAGE_QUIT,
    STAGE_COUNT
};

static const char *const stage_names[STAGE_COUNT] = {
    "the connection", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "the message", "QUIT"};
static const char stage_wants[STAGE_COUNT] = {'2', '2', '2', '2', '2', '3', '2', '2'};

struct options {
    unsigned sessions, messages, per_connection, recipients, length;
    const char *sender, *auth;
    bool pipelining;
    struct sockaddr_in server;
};

struct session {
    int fd;
    enum stage stage;
    unsigned left;      /* messages of this connection that are not begun */
    unsigned recipient; /* answers to RCPT that have come */
    unsigned number;    /* of the message under way */
    double began;
    char answer[ANSWER_MAX];
    size_t answer_length;
    char *commands; /* what is to be sent, then body from body_sent on */
    size_t commands_length, commands_sent;
    size_t body_sent, body_length; /* body_length 0: none to send now */
    bool waits_to_write;
};

struct load {
    struct options options;
    struct session *sessions;
    double *times; /* per message, from MAIL to 250 */
    char **mailboxes;
    unsigned mailbox_count;
    char *body; /* lines, the end-of-data mark included */
    size_t body_length;
    unsigned begun, done, open;
    int epoll;
};

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        die("memory");
    return memory;
}

/* ---- what is sent ------------------------------------------------------------------------------ */

/* Lines of 78 characters and CRLF, LENGTH in all, and the lone dot. */
static void build_body(struct load *load)
{
    size_t length = load->options.length;
    load->body = allocate(length + 16, 1);
    for (size_t at = 0; at < length; at++) {
        size_t column = at % (LINE_LENGTH + 2);
        load->body[at] = (char)('a' + (at / (LINE_LENGTH + 2) + column) % 26);
        if (column == LINE_LENGTH)
            load->body[at] = '\r';
        else if (column == LINE_LENGTH + 1)
            load->body[at] = '\n';
    }
    if (length > 0 && load->body[length - 1] == '\r')
        load->body[length - 1] = 'x';
    bool ended = length > 0 && load->body[length - 1] == '\n';
    const char *end = ended ? ".\r\n" : "\r\n.\r\n";
    memcpy(load->body + length, end, strlen(end));
    load->body_length = length + strlen(end);
}

__attribute__((format(printf, 2, 3))) static void say(struct session *session, const char *format,
                                                      ...)
{
    size_t space = COMMANDS_MAX - session->commands_length;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(session->commands + session->commands_length, space, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= space) {
        errno = EMSGSIZE;
        die("commands");
    }
    session->commands_length += (size_t)length;
}

static void say_recipient(const struct load *load, struct session *session, unsigned which)
{
    uint64_t place = (uint64_t)session->number * load->options.recipients + which;
    say(session, "RCPT TO:<%s>\r\n", load->mailboxes[place % load->mailbox_count]);
}

static void begin_message(struct load *load, struct session *session)
{
    session->left--;
    session->number = load->begun++;
    session->recipient = 0;
    session->began = now();
    session->stage = STAGE_MAIL;
    say(session, "MAIL FROM:<%s>\r\n", load->options.sender);
    if (!load->options.pipelining)
        return;
    for (unsigned i = 0; i < load->options.recipients; i++)
        say_recipient(load, session, i);
    say(session, "DATA\r\n");
}

static void begin_body(struct load *load, struct session *session)
{
    session->stage = STAGE_BODY;
    session->body_sent = 0;
    session->body_length = load->body_length;
    say(session,
        "From: <%s>\r\nTo: undisclosed-recipients:;\r\nSubject: message %u of a measurement\r\n"
        "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMessage-ID: <%u.%ld.%lld@load.example>\r\n\r\n",
        load->options.sender, session->number, session->number, (long)getpid(),
        (long long)(session->began * 1e6));
}

static void begin_quit(struct session *session)
{
    session->stage = STAGE_QUIT;
    say(session, "QUIT\r\n");
}

static void say_auth(const struct load *load, struct session *session)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char plain[256] = {0};
    char encoded[512] = "";
    const char *colon = strchr(load->options.auth, ':');
    size_t length = strlen(load->options.auth) + 1;
    size_t at = 0;
    if (colon == NULL || length > sizeof plain - 3) {
        errno = EINVAL;
        die(load->options.auth);
    }
    memcpy(plain + 1, load->options.auth, length - 1);
    plain[1 + (colon - load->options.auth)] = 0;
    for (size_t i = 0; i < length; i += 3) {
        unsigned bits = (unsigned)plain[i] << 16 | (unsigned)plain[i + 1] << 8 | plain[i + 2];
        size_t have = length - i;
        encoded[at++] = digits[bits >> 18];
        encoded[at++] = digits[bits >> 12 & 63];
        encoded[at++] = have > 1 ? digits[bits >> 6 & 63] : '=';
        encoded[at++] = have > 2 ? digits[bits & 63] : '=';
    }
    say(session, "AUTH PLAIN %s\r\n", encoded);
}

/* ---- connections ------------------------------------------------------------------------------- */

static void watch(const struct load *load, struct session *session, int what, bool writing)
{
    struct epoll_event event = {.events = EPOLLIN | (writing ? (unsigned)EPOLLOUT : 0U),
                                .data.ptr = session};
    if (epoll_ctl(load->epoll, what, session->fd, &event) != 0)
        die("epoll_ctl");
    session->waits_to_write = writing;
}

/* The next connection of a place, if there is more to send than those that are open will. */
static void connect_session(struct load *load, struct session *session, unsigned share)
{
    session->stage = STAGE_GREETING;
    session->left = share;
    session->answer_length = session->commands_length = session->commands_sent = 0;
    session->body_length = 0;
    session->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (session->fd < 0)
        die("socket");
    if (connect(session->fd, (const struct sockaddr *)&load->options.server,
                sizeof load->options.server) != 0)
        die("connect");
    int on = 1;
    if (setsockopt(session->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        die("TCP_NODELAY");
    if (fcntl(session->fd, F_SETFL, O_NONBLOCK) != 0)
        die("fcntl");
    watch(load, session, EPOLL_CTL_ADD, false);
    load->open++;
}

/* Messages that no connection has promised to send yet. */
static unsigned unpromised(const struct load *load)
{
    unsigned promised = load->begun;
    for (unsigned i = 0; i < load->options.sessions; i++)
        if (load->sessions[i].fd >= 0)
            promised += load->sessions[i].left;
    return load->options.messages - promised;
}

static void open_next(struct load *load, struct session *session)
{
    unsigned free = unpromised(load);
    if (free > 0)
        connect_session(load, session,
                        free < load->options.per_connection ? free : load->options.per_connection);
}

static void end_session(struct load *load, struct session *session)
{
    close(session->fd);
    session->fd = -1;
    load->open--;
    open_next(load, session);
}

static void send_waiting(const struct load *load, struct session *session)
{
    size_t total = session->commands_length - session->commands_sent + session->body_length -
                   session->body_sent;
    while (total > 0) {
        struct iovec parts[2] = {
            {session->commands + session->commands_sent,
             session->commands_length - session->commands_sent},
            {load->body + session->body_sent, session->body_length - session->body_sent}};
        ssize_t sent = writev(session->fd, parts, 2);
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0)
            die("send");
        size_t of_commands = (size_t)sent < parts[0].iov_len ? (size_t)sent : parts[0].iov_len;
        session->commands_sent += of_commands;
        session->body_sent += (size_t)sent - of_commands;
        total -= (size_t)sent;
    }
    if (total == 0)
        session->commands_length = session->commands_sent = session->body_length =
            session->body_sent = 0;
    if (session->waits_to_write != (total > 0))
        watch(load, session, EPOLL_CTL_MOD, total > 0);
}

/* ---- answers ----------------------------------------------------------------------------------- */

static void after_greeting(struct load *load, struct session *session)
{
    (void)load;
    session->stage = STAGE_EHLO;
    say(session, "EHLO load.example\r\n");
}

static void after_ehlo(struct load *load, struct session *session)
{
    if (load->options.auth == NULL) {
        begin_message(load, session);
        return;
    }
    session->stage = STAGE_AUTH;
    say_auth(load, session);
}

static void after_mail(struct load *load, struct session *session)
{
    session->stage = STAGE_RCPT;
    if (!load->options.pipelining)
        say_recipient(load, session, 0);
}

static void after_recipient(struct load *load, struct session *session)
{
    session->recipient++;
    if (session->recipient == load->options.recipients) {
        session->stage = STAGE_DATA;
        if (!load->options.pipelining)
            say(session, "DATA\r\n");
    } else if (!load->options.pipelining) {
        say_recipient(load, session, session->recipient);
    }
}

static void after_body(struct load *load, struct session *session)
{
    load->times[session->number] = now() - session->began;
    load->done++;
    if (session->left > 0)
        begin_message(load, session);
    else
        begin_quit(session);
}

static void (*const stage_ends[STAGE_COUNT])(struct load *, struct session *) = {
    after_greeting,  after_ehlo, begin_message, after_mail,
    after_recipient, begin_body, after_body,    end_session};

/* The length of the first complete answer, all its lines; 0: not all here. */
static size_t answer_complete(const char *text, size_t length)
{
    size_t line = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\n')
            continue;
        if (i - line >= 3 && text[line + 3] != '-')
            return i + 1;
        line = i + 1;
    }
    return 0;
}

static void take_answer(struct load *load, struct session *session, size_t length)
{
    if (session->answer[0] != stage_wants[session->stage]) {
        fprintf(stderr, "load: answer to %s: %.*s", stage_names[session->stage], (int)length,
                session->answer);
        exit(1);
    }
    stage_ends[session->stage](load, session);
    if (session->fd < 0 || session->stage == STAGE_GREETING)
        return; /* ended, or another connection already */
    session->answer_length -= length;
    memmove(session->answer, session->answer + length, session->answer_length);
}

static void read_answers(struct load *load, struct session *session)
{
    int fd = session->fd;
    ssize_t got = recv(fd, session->answer + session->answer_length,
                       sizeof session->answer - session->answer_length, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        fprintf(stderr, "load: the server closed the connection after %s\n",
                stage_names[session->stage]);
        exit(1);
    }
    session->answer_length += (size_t)got;
    size_t length;
    while (session->fd >= 0 &&
           (length = answer_complete(session->answer, session->answer_length)) > 0)
        take_answer(load, session, length);
}

/* ---- the run ----------------------------------------------------------------------------------- */

static void run(struct load *load)
{
    struct epoll_event events[64];
    for (unsigned i = 0; i < load->options.sessions; i++)
        load->sessions[i].fd = -1;
    for (unsigned i = 0; i < load->options.sessions; i++) {
        load->sessions[i].commands = allocate(COMMANDS_MAX, 1);
        open_next(load, &load->sessions[i]);
    }
    while (load->open > 0) {
        int count = epoll_wait(load->epoll, events, 64, SILENCE_MS);
        if (count < 0 && errno != EINTR)
            die("epoll_wait");
        if (count == 0) {
            fprintf(stderr, "load: silence for %d s; %u of %u messages are taken\n",
                    SILENCE_MS / 1000, load->done, load->options.messages);
            exit(1);
        }
        for (int i = 0; i < count; i++) {
            struct session *session = events[i].data.ptr;
            if (events[i].events & ~(unsigned)EPOLLOUT)
                read_answers(load, session);
            if (session->fd >= 0)
                send_waiting(load, session);
        }
    }
}

static int compare_times(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static unsigned number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text == 0 || *end != 0 || value > 100000000) {
        fprintf(stderr, "load: \"%s\" is not a number\n", text);
        exit(1);
    }
    return (unsigned)value;
}

static void read_mailboxes(struct load *load)
{
    char line[512];
    unsigned space = 0;
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (load->mailbox_count == space) {
            space = 2 * space + 64;
            load->mailboxes = realloc(load->mailboxes, space * sizeof *load->mailboxes);
            if (load->mailboxes == NULL)
                die("memory");
        }
        line[strcspn(line, "\n")] = 0;
        load->mailboxes[load->mailbox_count] = strdup(line);
        if (load->mailboxes[load->mailbox_count++] == NULL)
            die("memory");
    }
    if (load->mailbox_count == 0) {
        errno = EINVAL;
        die("no mailboxes on standard input");
    }
}

static void read_options(struct options *options, int argc, char **argv)
{
    int letter;
    while ((letter = getopt(argc, argv, "s:m:k:r:l:f:a:p")) != -1) {
        switch (letter) {
        case 's':
            options->sessions = number(optarg);
            break;
        case 'm':
            options->messages = number(optarg);
            break;
        case 'k':
            options->per_connection = number(optarg);
            break;
        case 'r':
            options->recipients = number(optarg);
            break;
        case 'l':
            options->length = number(optarg);
            break;
        case 'f':
            options->sender = optarg;
            break;
        case 'a':
            options->auth = optarg;
            break;
        case 'p':
            options->pipelining = true;
            break;
        default:
            exit(1);
        }
    }
    options->server.sin_family = AF_INET;
    if (argc - optind != 2 || inet_pton(AF_INET, argv[optind], &options->server.sin_addr) != 1 ||
        options->sessions == 0 || options->messages == 0 || options->per_connection == 0 ||
        options->recipients == 0) {
        fprintf(stderr, "load: use: load [options] ADDRESS PORT\n");
        exit(1);
    }
    options->server.sin_port = htons((uint16_t)number(argv[optind + 1]));
}

static void release(struct load *load)
{
    for (unsigned i = 0; i < load->mailbox_count; i++)
        free(load->mailboxes[i]);
    for (unsigned i = 0; i < load->options.sessions; i++)
        free(load->sessions[i].commands);
    free(load->mailboxes);
    free(load->sessions);
    free(load->times);
    free(load->body);
}

int main(int argc, char **argv)
{
    struct load load = {.options = {.sessions = 1,
                                    .messages = 1,
                                    .per_connection = 1,
                                    .recipients = 1,
                                    .length = 2048,
                                    .sender = "load@load.example"}};
    read_options(&load.options, argc, argv);
    read_mailboxes(&load);
    load.sessions = allocate(load.options.sessions, sizeof *load.sessions);
    load.times = allocate(load.options.messages, sizeof *load.times);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load.epoll < 0)
        die("epoll_create1");
    build_body(&load);
    double start = now();
    run(&load);
    double end = now();
    qsort(load.times, load.done, sizeof *load.times, compare_times);
    printf("start=%.6f end=%.6f median_ms=%.3f p99_ms=%.3f\n", start, end,
           load.times[load.done / 2] * 1e3, load.times[(size_t)load.done * 99 / 100] * 1e3);
    release(&load);
    return 0;
}
