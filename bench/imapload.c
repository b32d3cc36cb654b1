/*
 * imapload - asks IMAP and POP3 servers, measures how long they take, and counts what came
 *
 * Answers are read by lines and literals as they come and counted, nothing else is done with them, so that
 * even bodies cost it little. Sockets block; what goes on at a time has a thread each.
 *
 *   imapload [options] PORT script < steps      one session: each line NAME COMMAND is a step, timed
 *   imapload [options] PORT append FILE FOLDER  THREADS sessions append the messages of FILE
 *   imapload [options] PORT sessions            COUNT times: connect, log in, SELECT or STAT, log out
 *   imapload [options] PORT hold                COUNT sessions in IDLE till standard input ends
 *   imapload [options] PORT wake append|LMTP    COUNT times: a message for a session that is in IDLE
 *
 *   -3 POP3 (script, sessions)   -t TLS   -2 TLS 1.2 at most   -r sessions are resumed
 *   -n THREADS -m COUNT
 *   -f FIRST -u USERS -d DOMAIN -p PASSWORD   session i is of the user u(FIRST + i modulo USERS)@DOMAIN
 *
 * The server is on 127.0.0.1. Steps of a POP3 session: "NAME PIPELINE COUNT" fetches the messages 1 to COUNT with all
 * commands sent ahead. FILE has, per message, a line "SIZE (FLAGS) "DATE"", and the bytes. LMTP is a port.
 * A line per step, or one in all, name=figure: ms, bytes, and what was counted. A negative answer ends it.
 * Exits       0 done, 1 with a line on standard error
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BUFFER_SIZE = 256 * 1024, /* of a session that reads much; others have less */
    BUFFER_SMALL = 2048,
    HEAD_MAX = 512,
    TAIL_MAX = 24, /* "{18446744073709551615}\r\n" */
    COMMAND_MAX = 1024,
    SILENCE_S = 300
};

struct options {
    bool pop3, tls, old_tls, resumed;
    unsigned first, users, threads, count;
    const char *domain, *password;
    uint16_t port;
    SSL_CTX *context;
};

struct wire {
    int fd;
    SSL *ssl;
    char *buffer;
    size_t size, at, end;
    uint64_t bytes;
};

/* The answer that was read last: its first bytes, and what is counted as it streams by. */
struct answer {
    char head[HEAD_MAX];
    size_t head_length;
    char tail[TAIL_MAX + 1];
    size_t tail_length;
    uint64_t length; /* without literals */
    bool in_number;
};

struct counts {
    uint64_t fetch, expunge, exists, numbers, literals, literal_bytes, lines;
};

struct message {
    char *about; /* flags and date */
    char *data;
    size_t size;
};

struct worker {
    const struct options *options;
    unsigned number;
    const char *folder;
    const struct message *messages;
    unsigned message_count;
    atomic_uint *next;
    double *times;
    unsigned resumed;
    struct wire *held;
};

_Noreturn __attribute__((format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("imapload: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory == NULL)
        fail("no memory");
    return memory;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- bytes ------------------------------------------------------------------------------------- */

static void connect_wire(struct wire *wire, uint16_t port, size_t size)
{
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port)};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const struct timeval silence = {.tv_sec = SILENCE_S};
    int on = 1;
    *wire = (struct wire){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .size = size};
    wire->buffer = allocate(size, 1);
    if (wire->fd < 0 || connect(wire->fd, (struct sockaddr *)&server, sizeof server) != 0 ||
        setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        setsockopt(wire->fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence) != 0)
        fail("port %u: %s", port, strerror(errno));
}

static void start_tls(struct wire *wire, const struct options *options, SSL_SESSION *session)
{
    wire->ssl = SSL_new(options->context);
    if (wire->ssl == NULL || SSL_set_fd(wire->ssl, wire->fd) != 1 ||
        (session != NULL && SSL_set_session(wire->ssl, session) != 1) ||
        SSL_connect(wire->ssl) != 1)
        fail("no TLS with port %u", options->port);
}

static void close_wire(struct wire *wire)
{
    if (wire->ssl != NULL)
        SSL_shutdown(wire->ssl);
    SSL_free(wire->ssl);
    close(wire->fd);
    free(wire->buffer);
}

static void fill(struct wire *wire)
{
    ssize_t got = wire->ssl != NULL ? SSL_read(wire->ssl, wire->buffer, (int)wire->size)
                                    : recv(wire->fd, wire->buffer, wire->size, 0);
    if (got <= 0)
        fail("the server closed the connection, or was silent for %d s", SILENCE_S);
    wire->at = 0;
    wire->end = (size_t)got;
    wire->bytes += (uint64_t)got;
}

static void send_all(struct wire *wire, const char *data, size_t length)
{
    while (length > 0) {
        size_t part = length < 1 << 30 ? length : 1 << 30;
        ssize_t sent = wire->ssl != NULL ? SSL_write(wire->ssl, data, (int)part)
                                         : send(wire->fd, data, part, MSG_NOSIGNAL);
        if (sent <= 0)
            fail("sending: %s", strerror(errno));
        data += sent;
        length -= (size_t)sent;
    }
}

__attribute__((format(printf, 2, 3))) static void say(struct wire *wire, const char *format, ...)
{
    char text[COMMAND_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof text)
        fail("a command is too long");
    send_all(wire, text, (size_t)length);
}

/* ---- answers ----------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool lists_numbers(const char *head)
{
    return begins(head, "* SEARCH") || begins(head, "* SORT") || begins(head, "* THREAD");
}

static void keep_tail(struct answer *answer, const char *data, size_t length)
{
    if (length > TAIL_MAX) {
        data += length - TAIL_MAX;
        length = TAIL_MAX;
    }
    size_t over =
        answer->tail_length + length > TAIL_MAX ? answer->tail_length + length - TAIL_MAX : 0;
    memmove(answer->tail, answer->tail + over, answer->tail_length - over);
    answer->tail_length -= over;
    memcpy(answer->tail + answer->tail_length, data, length);
    answer->tail_length += length;
    answer->tail[answer->tail_length] = 0;
}

static void count_numbers(struct answer *answer, struct counts *counts, const char *data,
                          size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool digit = data[i] >= '0' && data[i] <= '9';
        counts->numbers += digit && !answer->in_number;
        answer->in_number = digit;
    }
}

static void take_text(struct answer *answer, struct counts *counts, const char *data, size_t length)
{
    size_t room = HEAD_MAX - 1 - answer->head_length;
    answer->length += length;
    size_t kept = length < room ? length : room;
    memcpy(answer->head + answer->head_length, data, kept);
    answer->head_length += kept;
    answer->head[answer->head_length] = 0;
    keep_tail(answer, data, length);
    if (lists_numbers(answer->head))
        count_numbers(answer, counts, data, length);
}

/* The literal that the line promises at its end. */
static bool has_literal(const struct answer *answer, uint64_t *size)
{
    const char *open = strrchr(answer->tail, '{');
    char *end;
    if (open == NULL || answer->tail_length < 4 || answer->tail[answer->tail_length - 3] != '}')
        return false;
    *size = strtoull(open + 1, &end, 10);
    return *end == '}';
}

static void skip(struct wire *wire, uint64_t size)
{
    while (size > 0) {
        if (wire->at == wire->end)
            fill(wire);
        size_t here = wire->end - wire->at;
        if (here > size)
            here = (size_t)size;
        wire->at += here;
        size -= here;
    }
}

static void count_answer(const struct answer *answer, struct counts *counts)
{
    char *word;
    counts->lines++;
    if (!begins(answer->head, "* "))
        return;
    uint64_t number = strtoull(answer->head + 2, &word, 10);
    if (begins(word, " FETCH"))
        counts->fetch++;
    else if (begins(word, " EXPUNGE"))
        counts->expunge++;
    else if (begins(word, " EXISTS"))
        counts->exists = number;
}

/* One line, with its literals when it is IMAP's. */
static void read_answer(struct wire *wire, struct answer *answer, struct counts *counts,
                        bool literals)
{
    *answer = (struct answer){.head_length = 0};
    for (;;) {
        uint64_t size;
        if (wire->at == wire->end)
            fill(wire);
        const char *start = wire->buffer + wire->at;
        const char *newline = memchr(start, '\n', wire->end - wire->at);
        size_t length = newline != NULL ? (size_t)(newline - start) + 1 : wire->end - wire->at;
        take_text(answer, counts, start, length);
        wire->at += length;
        if (newline == NULL)
            continue;
        if (!literals || !has_literal(answer, &size))
            break;
        skip(wire, size);
        counts->literals++;
        counts->literal_bytes += size;
        answer->tail_length = 0;
    }
    count_answer(answer, counts);
}

/* ---- IMAP -------------------------------------------------------------------------------------- */

static void expect(const struct answer *answer, const char *wanted, const char *what)
{
    if (!begins(answer->head, wanted))
        fail("%.60s: %.*s", what, (int)answer->head_length, answer->head);
}

/* Reads on till the answer to what was sent with the tag "a". */
static void read_tagged(struct wire *wire, struct counts *counts, const char *what)
{
    struct answer answer;
    do
        read_answer(wire, &answer, counts, true);
    while (!begins(answer.head, "a ") && !begins(answer.head, "* BYE"));
    if (begins(answer.head, "* BYE")) /* of LOGOUT, if all is well */
        read_answer(wire, &answer, counts, true);
    expect(&answer, "a OK", what);
}

static void command(struct wire *wire, struct counts *counts, const char *text)
{
    say(wire, "a %s\r\n", text);
    read_tagged(wire, counts, text);
}

static void log_in(struct wire *wire, const struct options *options, unsigned user)
{
    struct counts counts = {0};
    say(wire, "a LOGIN u%u@%s %s\r\n", options->first + user % options->users, options->domain,
        options->password);
    read_tagged(wire, &counts, "LOGIN");
}

static void greet(struct wire *wire, bool pop3)
{
    struct answer answer;
    struct counts counts = {0};
    read_answer(wire, &answer, &counts, !pop3);
    expect(&answer, pop3 ? "+OK" : "* OK", "greeting");
}

static void open_session(struct wire *wire, const struct options *options, unsigned user,
                         size_t size, SSL_SESSION *resumed)
{
    connect_wire(wire, options->port, size);
    if (options->tls)
        start_tls(wire, options, resumed);
    greet(wire, options->pop3);
    if (!options->pop3)
        log_in(wire, options, user);
}

static void begin_idle(struct wire *wire)
{
    struct answer answer;
    struct counts counts = {0};
    say(wire, "a IDLE\r\n");
    do
        read_answer(wire, &answer, &counts, true);
    while (begins(answer.head, "* "));
    expect(&answer, "+", "IDLE");
}

/* ---- POP3 -------------------------------------------------------------------------------------- */

static bool is_end(const struct answer *answer)
{
    return answer->head[0] == '.' && (answer->head[1] == '\r' || answer->head[1] == '\n');
}

static void read_reply(struct wire *wire, struct counts *counts, bool lines, const char *what)
{
    struct answer answer;
    read_answer(wire, &answer, counts, false);
    expect(&answer, "+OK", what);
    counts->lines--; /* the data are counted */
    if (!lines)
        return;
    for (;;) {
        /* Lines of messages go by quickly: take_text is for answers. */
        const char *start, *newline;
        if (wire->at == wire->end)
            fill(wire);
        start = wire->buffer + wire->at;
        newline = memchr(start, '\n', wire->end - wire->at);
        if (newline != NULL && *start != '.') {
            wire->at += (size_t)(newline - start) + 1;
            counts->lines++;
            counts->literal_bytes += (uint64_t)(newline - start) + 1;
            continue;
        }
        read_answer(wire, &answer, counts, false);
        if (is_end(&answer))
            break;
        counts->literal_bytes += answer.length;
    }
    counts->lines--;
    counts->literals++;
}

static bool has_lines(const char *text)
{
    static const char *const always[] = {"CAPA", "RETR ", "TOP "};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (begins(text, always[i]))
            return true;
    return strcmp(text, "UIDL") == 0 || strcmp(text, "LIST") == 0;
}

struct ahead {
    struct wire *wire;
    unsigned count;
};

static void *send_retrs(void *context)
{
    const struct ahead *ahead = context;
    char *text = allocate(ahead->count + 1, 17);
    size_t length = 0;
    for (unsigned i = 1; i <= ahead->count; i++)
        length += (size_t)snprintf(text + length, 17, "RETR %u\r\n", i);
    send_all(ahead->wire, text, length);
    free(text);
    return NULL;
}

static void retrieve_ahead(struct wire *wire, struct counts *counts, unsigned count)
{
    struct ahead ahead = {wire, count};
    pthread_t thread;
    if (wire->ssl != NULL)
        fail("PIPELINE: without TLS only");
    if (pthread_create(&thread, NULL, send_retrs, &ahead) != 0)
        fail("no thread");
    for (unsigned i = 0; i < count; i++)
        read_reply(wire, counts, true, "RETR");
    pthread_join(thread, NULL);
}

static void pop3_step(struct wire *wire, struct counts *counts, const char *text)
{
    if (begins(text, "PIPELINE ")) {
        retrieve_ahead(wire, counts, (unsigned)strtoul(text + 9, NULL, 10));
        return;
    }
    say(wire, "%s\r\n", text);
    read_reply(wire, counts, has_lines(text), text);
}

/* ---- script ------------------------------------------------------------------------------------ */

static void print_step(const char *name, double seconds, uint64_t bytes,
                       const struct counts *counts)
{
    printf(
        "step=%s ms=%.3f bytes=%llu fetch=%llu expunge=%llu exists=%llu numbers=%llu literals=%llu "
        "literal_bytes=%llu lines=%llu\n",
        name, seconds * 1e3, (unsigned long long)bytes, (unsigned long long)counts->fetch,
        (unsigned long long)counts->expunge, (unsigned long long)counts->exists,
        (unsigned long long)counts->numbers, (unsigned long long)counts->literals,
        (unsigned long long)counts->literal_bytes, (unsigned long long)counts->lines);
    fflush(stdout);
}

static void run_script(const struct options *options)
{
    struct wire wire;
    struct counts none = {0};
    char line[COMMAND_MAX];
    double began = now();
    connect_wire(&wire, options->port, BUFFER_SIZE);
    if (options->tls)
        start_tls(&wire, options, NULL);
    greet(&wire, options->pop3);
    print_step("connect", now() - began, wire.bytes, &none);
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct counts counts = {0};
        line[strcspn(line, "\n")] = 0;
        char *text = strchr(line, ' ');
        if (text == NULL)
            fail("step \"%s\" has no command", line);
        *text++ = 0;
        uint64_t bytes = wire.bytes;
        began = now();
        if (options->pop3)
            pop3_step(&wire, &counts, text);
        else
            command(&wire, &counts, text);
        print_step(line, now() - began, wire.bytes - bytes, &counts);
    }
    close_wire(&wire);
}

/* ---- threads ----------------------------------------------------------------------------------- */

static void run_workers(const struct worker *model, void *(*body)(void *))
{
    unsigned count = model->options->threads;
    struct worker *workers = allocate(count, sizeof *workers);
    pthread_t *threads = allocate(count, sizeof *threads);
    unsigned resumed = 0;
    double began = now();
    for (unsigned i = 0; i < count; i++) {
        workers[i] = *model;
        workers[i].number = i;
        if (pthread_create(&threads[i], NULL, body, &workers[i]) != 0)
            fail("no thread");
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        resumed += workers[i].resumed;
    }
    printf("ms=%.3f resumed=%u ", (now() - began) * 1e3, resumed);
    free(workers);
    free(threads);
}

static int compare_times(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void print_times(double *times, unsigned count)
{
    qsort(times, count, sizeof *times, compare_times);
    printf("count=%u median_ms=%.3f p99_ms=%.3f\n", count, times[count / 2] * 1e3,
           times[(size_t)count * 99 / 100] * 1e3);
}

/* ---- append ------------------------------------------------------------------------------------ */

static struct message *read_messages(const char *path, unsigned *count)
{
    FILE *file = fopen(path, "rb");
    struct message *messages = NULL;
    char line[256];
    unsigned space = 0;
    if (file == NULL)
        fail("%s: %s", path, strerror(errno));
    for (*count = 0; fgets(line, sizeof line, file) != NULL; ++*count) {
        if (*count == space) {
            space = 2 * space + 1024;
            messages = realloc(messages, space * sizeof *messages);
            if (messages == NULL)
                fail("no memory");
        }
        char *about;
        struct message *message = &messages[*count];
        line[strcspn(line, "\n")] = 0;
        message->size = strtoul(line, &about, 10);
        message->about = strdup(about);
        message->data = allocate(message->size + 2, 1);
        if (*about != ' ' || message->about == NULL ||
            fread(message->data, 1, message->size, file) != message->size)
            fail("%s: message %u", path, *count);
        memcpy(message->data + message->size, "\r\n", 2); /* the command's end */
    }
    fclose(file);
    return messages;
}

static void append(struct wire *wire, const char *folder, const struct message *message)
{
    say(wire, "a APPEND %s%s {%zu+}\r\n", folder, message->about, message->size);
    send_all(wire, message->data, message->size + 2);
}

static void *append_some(void *context)
{
    struct worker *worker = context;
    struct wire wire;
    struct counts counts = {0};
    unsigned i;
    open_session(&wire, worker->options, worker->number, BUFFER_SMALL, NULL);
    while ((i = atomic_fetch_add(worker->next, 1)) < worker->message_count) {
        double began = now();
        append(&wire, worker->folder, &worker->messages[i]);
        read_tagged(&wire, &counts, "APPEND");
        worker->times[i] = now() - began;
    }
    command(&wire, &counts, "LOGOUT");
    close_wire(&wire);
    return NULL;
}

static void run_append(const struct options *options, const char *path, const char *folder)
{
    atomic_uint next = 0;
    struct worker worker = {.options = options, .folder = folder, .next = &next};
    struct message *messages = read_messages(path, &worker.message_count);
    if (options->count > 0 && options->count < worker.message_count)
        worker.message_count = options->count;
    worker.messages = messages;
    worker.times = allocate(worker.message_count, sizeof *worker.times);
    run_workers(&worker, append_some);
    print_times(worker.times, worker.message_count);
}

/* ---- sessions ---------------------------------------------------------------------------------- */

static void imap_session(struct wire *wire, struct counts *counts)
{
    command(wire, counts, "SELECT INBOX");
    command(wire, counts, "LOGOUT");
}

static void pop3_session(struct wire *wire, struct counts *counts, const struct options *options,
                         unsigned user)
{
    char text[COMMAND_MAX];
    snprintf(text, sizeof text, "USER u%u@%s", options->first + user % options->users,
             options->domain);
    pop3_step(wire, counts, text);
    snprintf(text, sizeof text, "PASS %s", options->password);
    pop3_step(wire, counts, text);
    pop3_step(wire, counts, "STAT");
    pop3_step(wire, counts, "QUIT");
}

static SSL_SESSION *next_session(struct worker *worker, const struct wire *wire,
                                 SSL_SESSION *session)
{
    if (wire->ssl == NULL)
        return NULL;
    worker->resumed += SSL_session_reused(wire->ssl) == 1;
    if (!worker->options->resumed)
        return NULL;
    SSL_SESSION_free(session);
    return SSL_get1_session(wire->ssl);
}

static void *run_some_sessions(void *context)
{
    struct worker *worker = context;
    const struct options *options = worker->options;
    SSL_SESSION *session = NULL;
    unsigned i;
    while ((i = atomic_fetch_add(worker->next, 1)) < options->count) {
        struct wire wire;
        struct counts counts = {0};
        double began = now();
        open_session(&wire, options, i, BUFFER_SMALL, session);
        if (options->pop3)
            pop3_session(&wire, &counts, options, i);
        else
            imap_session(&wire, &counts);
        worker->times[i] = now() - began;
        session = next_session(worker, &wire, session);
        close_wire(&wire);
    }
    SSL_SESSION_free(session);
    return NULL;
}

static void run_sessions(const struct options *options)
{
    atomic_uint next = 0;
    struct worker worker = {.options = options, .next = &next};
    worker.times = allocate(options->count, sizeof *worker.times);
    run_workers(&worker, run_some_sessions);
    print_times(worker.times, options->count);
}

/* ---- hold -------------------------------------------------------------------------------------- */

static void *hold_some(void *context)
{
    struct worker *worker = context;
    unsigned i;
    while ((i = atomic_fetch_add(worker->next, 1)) < worker->options->count) {
        struct counts counts = {0};
        open_session(&worker->held[i], worker->options, i, BUFFER_SMALL, NULL);
        command(&worker->held[i], &counts, "SELECT INBOX");
        begin_idle(&worker->held[i]);
    }
    return NULL;
}

static void run_hold(const struct options *options)
{
    atomic_uint next = 0;
    struct worker worker = {.options = options, .next = &next};
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    worker.held = allocate(options->count, sizeof *worker.held);
    run_workers(&worker, hold_some);
    printf("count=%u\n", options->count);
    fflush(stdout);
    while (getchar() != EOF)
        ;
}

/* ---- wake -------------------------------------------------------------------------------------- */

static const char wake_message[] = "From: <bench@bench.example>\r\nTo: <u0@bench.example>\r\n"
                                   "Subject: wake up\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n"
                                   "\r\nThere is mail for you.\r\n";

static void lmtp_reply(struct wire *wire, const char *wanted, const char *what)
{
    struct answer answer;
    struct counts counts = {0};
    do
        read_answer(wire, &answer, &counts, false);
    while (answer.head_length > 3 && answer.head[3] == '-');
    expect(&answer, wanted, what);
}

static void lmtp_begin(struct wire *wire, const struct options *options)
{
    say(wire, "MAIL FROM:<bench@sink.example>\r\n");
    lmtp_reply(wire, "250", "MAIL");
    say(wire, "RCPT TO:<u%u@%s>\r\n", options->first, options->domain);
    lmtp_reply(wire, "250", "RCPT");
    say(wire, "DATA\r\n");
    lmtp_reply(wire, "354", "DATA");
}

/* The moment in which the server has said that a message is there. */
static double wait_exists(struct wire *wire)
{
    struct answer answer;
    for (;;) {
        struct counts counts = {0};
        read_answer(wire, &answer, &counts, true);
        if (counts.exists > 0)
            return now();
    }
}

struct giver {
    struct wire wire;
    bool lmtp;
    double answered;
};

static void *wait_answer(void *context)
{
    struct giver *giver = context;
    struct counts counts = {0};
    if (giver->lmtp)
        lmtp_reply(&giver->wire, "250", "the message");
    else
        read_tagged(&giver->wire, &counts, "APPEND");
    giver->answered = now();
    return NULL;
}

static void wait_some(unsigned number)
{
    /* Long enough for all to be at rest, and not in step with any interval of theirs. */
    struct timespec pause = {.tv_sec = 0,
                             .tv_nsec = 600000000L + (long)(number * 37 % 10) * 30000000L};
    nanosleep(&pause, NULL);
}

static void wake_once(struct giver *giver, struct wire *idle, const struct options *options,
                      double *sent, double *answered)
{
    static const struct message message = {
        .about = "", .data = (char *)(uintptr_t)wake_message, .size = sizeof wake_message - 3};
    pthread_t thread;
    double began;
    if (giver->lmtp) {
        lmtp_begin(&giver->wire, options);
        began = now();
        say(&giver->wire, "%s.\r\n", wake_message);
    } else {
        began = now();
        append(&giver->wire, "INBOX", &message);
    }
    if (pthread_create(&thread, NULL, wait_answer, giver) != 0)
        fail("no thread");
    double exists = wait_exists(idle);
    pthread_join(thread, NULL);
    *sent = exists - began;
    *answered = exists > giver->answered ? exists - giver->answered : 0;
}

static void run_wake(const struct options *options, const char *by)
{
    struct wire idle;
    struct counts counts = {0};
    struct giver giver = {.lmtp = strcmp(by, "append") != 0};
    double *sent = allocate(options->count, sizeof *sent);
    double *answered = allocate(options->count, sizeof *answered);
    open_session(&idle, options, 0, BUFFER_SMALL, NULL);
    command(&idle, &counts, "SELECT INBOX");
    begin_idle(&idle);
    if (giver.lmtp) {
        connect_wire(&giver.wire, (uint16_t)strtoul(by, NULL, 10), BUFFER_SMALL);
        lmtp_reply(&giver.wire, "220", "greeting");
        say(&giver.wire, "LHLO bench.example\r\n");
        lmtp_reply(&giver.wire, "250", "LHLO");
    } else {
        open_session(&giver.wire, options, 0, BUFFER_SMALL, NULL);
    }
    for (unsigned i = 0; i < options->count; i++) {
        wait_some(i);
        wake_once(&giver, &idle, options, &sent[i], &answered[i]);
    }
    qsort(answered, options->count, sizeof *answered, compare_times);
    printf("answered_ms=%.3f ", answered[options->count / 2] * 1e3);
    print_times(sent, options->count);
}

/* ---- the command line -------------------------------------------------------------------------- */

static unsigned number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text == 0 || *end != 0 || value > 100000000)
        fail("\"%s\" is not a number", text);
    return (unsigned)value;
}

static void set_option(struct options *options, int letter, const char *text)
{
    switch (letter) {
    case '3':
        options->pop3 = true;
        break;
    case 't':
        options->tls = true;
        break;
    case '2':
        options->old_tls = true;
        break;
    case 'r':
        options->resumed = true;
        break;
    case 'f':
        options->first = number(text);
        break;
    case 'u':
        options->users = number(text);
        break;
    case 'd':
        options->domain = text;
        break;
    case 'p':
        options->password = text;
        break;
    case 'n':
        options->threads = number(text);
        break;
    case 'm':
        options->count = number(text);
        break;
    default:
        exit(1);
    }
}

static void make_context(struct options *options)
{
    options->context = SSL_CTX_new(TLS_client_method());
    if (options->context == NULL)
        fail("no TLS");
    SSL_CTX_set_verify(options->context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(options->context, SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(options->context, SSL_SESS_CACHE_OFF);
    if (options->old_tls && SSL_CTX_set_max_proto_version(options->context, TLS1_2_VERSION) != 1)
        fail("no TLS 1.2");
}

int main(int argc, char **argv)
{
    struct options options = {
        .users = 1, .threads = 1, .domain = "bench0.example", .password = "secret"};
    int letter;
    while ((letter = getopt(argc, argv, "3t2rf:u:d:p:n:m:")) != -1)
        set_option(&options, letter, optarg);
    char **words = argv + optind;
    int count = argc - optind;
    if (count < 2 || options.users == 0 || options.threads == 0)
        fail("use: imapload [options] PORT script|append|sessions|hold|wake ...");
    options.port = (uint16_t)number(words[0]);
    make_context(&options);
    if (strcmp(words[1], "script") == 0 && count == 2)
        run_script(&options);
    else if (strcmp(words[1], "append") == 0 && count == 4)
        run_append(&options, words[2], words[3]);
    else if (strcmp(words[1], "sessions") == 0 && count == 2 && options.count > 0)
        run_sessions(&options);
    else if (strcmp(words[1], "hold") == 0 && count == 2 && options.count > 0)
        run_hold(&options);
    else if (strcmp(words[1], "wake") == 0 && count == 3 && options.count > 0)
        run_wake(&options, words[2]);
    else
        fail("\"%s\": not known, or with other words", words[1]);
    SSL_CTX_free(options.context);
    return 0;
}
