/* board - see board.h */
#include "board.h"

#include "hash.h"
#include "io.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Rooms are marked with the number of the round they were noted in, in their low bits: to forget all
 * of them, the next round begins. */
enum { ROUND_BITS = 16, ROUND_LAST = (1 << ROUND_BITS) - 1 };

struct board_memory {
    _Atomic uint64_t round;  /* 0: the board says nothing; first in every build */
    _Atomic uint64_t secret; /* so that nobody chooses names that meet */
    _Atomic unsigned char states[BOARD_STATE_BYTES];
    _Atomic uint64_t rooms[BOARD_RULES];
    /* These stay when stated starts anew. */
    _Atomic uint64_t ends_secret;
    _Atomic uint64_t moment; /* counts all ends */
    _Atomic uint64_t ends[BOARD_ENDS];
};

/* ---- names and rules --------------------------------------------------------------------------*/

static uint64_t start_hash(const struct board *board)
{
    return HASH_START ^ board->memory->secret;
}

static uint64_t add_word(uint64_t hash, struct slice word)
{
    return hash_add_byte(hash_add(hash, word), 0); /* no word has a NUL */
}

static uint64_t add_number(uint64_t hash, uint64_t number)
{
    for (unsigned bits = 0; bits < 64; bits += 8)
        hash = hash_add_byte(hash, (unsigned char)(number >> bits));
    return hash;
}

/* The byte that has the bit, and the bit in it. */
static size_t state_byte(const struct board *board, struct slice account, unsigned char *bit)
{
    size_t number = hash_fold(add_word(start_hash(board), account)) % (BOARD_STATE_BYTES * 8);
    *bit = (unsigned char)(1U << number % 8);
    return number / 8;
}

static uint64_t rule_hash(const struct board *board, const struct board_rule *rule)
{
    bool is_domains = slice_equal(rule->name, SLICE("domain"));
    uint64_t hash =
        add_word(start_hash(board), is_domains ? state_domain(rule->account) : rule->account);
    hash = add_word(add_word(hash, rule->action), rule->name);
    hash = add_number(add_number(add_number(hash, rule->limit), rule->window_s), rule->lasts_s);
    return hash_fold(hash);
}

static _Atomic uint64_t *room_of(const struct board *board, uint64_t hash)
{
    return &board->memory->rooms[(hash >> ROUND_BITS) % BOARD_RULES];
}

static uint64_t mark(uint64_t hash, uint64_t round)
{
    return (hash & ~(uint64_t)ROUND_LAST) | round;
}

/* ---- smtpd ------------------------------------------------------------------------------------*/

static bool map(struct board *board, int fd, int protection)
{
    void *memory = mmap(NULL, sizeof(struct board_memory), protection, MAP_SHARED, fd, 0);
    board->memory = memory == MAP_FAILED ? NULL : memory;
    return board->memory != NULL;
}

bool board_open(struct board *board)
{
    struct stat info;
    *board = (struct board){NULL};
    int fd = open(BOARD_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    /* stated never makes it shorter: what is mapped stays there. */
    bool done = fd >= 0 && fstat(fd, &info) == 0;
    if (done && info.st_size != (off_t)sizeof(struct board_memory)) {
        errno = EPROTO;
        done = false;
    }
    done = done && map(board, fd, PROT_READ);
    io_close(&fd);
    return done;
}

static bool has_bit(const struct board *board, struct slice name)
{
    unsigned char bit;
    size_t byte = state_byte(board, name, &bit);
    return (board->memory->states[byte] & bit) != 0;
}

uint64_t board_maker(const struct board *board)
{
    return board->memory ? board->memory->secret : 0;
}

bool board_has_state(const struct board *board, struct slice account)
{
    return !board->memory || board->memory->round == 0 || has_bit(board, account) ||
           has_bit(board, state_domain(account));
}

bool board_has_room(const struct board *board, const struct board_rule *rule)
{
    if (!board->memory)
        return false;
    uint64_t round = board->memory->round;
    uint64_t hash = rule_hash(board, rule);
    return round != 0 && *room_of(board, hash) == mark(hash, round);
}

static _Atomic uint64_t *end_of(const struct board *board, struct slice account)
{
    uint64_t hash = add_word(HASH_START ^ board->memory->ends_secret, account);
    return &board->memory->ends[hash_fold(hash) % BOARD_ENDS];
}

uint64_t board_moment(const struct board *board)
{
    return board->memory ? board->memory->moment : 0;
}

bool board_has_ended(const struct board *board, struct slice account, uint64_t moment)
{
    return board->memory &&
           (*end_of(board, account) > moment || *end_of(board, state_domain(account)) > moment);
}

/* ---- stated -----------------------------------------------------------------------------------*/

static bool prepare_file(int fd, gid_t reader)
{
    /* Its blocks are there before it is mapped: a full disk is seen now and not as SIGBUS. */
    int error = posix_fallocate(fd, 0, sizeof(struct board_memory));
    errno = error;
    return error == 0 && fchown(fd, (uid_t)-1, reader) == 0 && fchmod(fd, 0640) == 0;
}

static void clear_rooms(struct board *board)
{
    for (size_t i = 0; i < BOARD_RULES; i++)
        board->memory->rooms[i] = 0;
}

/* Says nothing first, so that nobody reads it with another secret. */
static bool clear(struct board *board)
{
    uint64_t secret;
    if (getrandom(&secret, sizeof secret, 0) != (ssize_t)sizeof secret)
        return false;
    board->memory->round = 0;
    clear_rooms(board);
    for (size_t i = 0; i < BOARD_STATE_BYTES; i++)
        board->memory->states[i] = 0;
    board->memory->secret = secret;
    if (board->memory->ends_secret == 0)
        board->memory->ends_secret = hash_fold(secret) | 1;
    return true;
}

/* One of another build is left to who has it mapped; it says nothing any more. */
static bool give_up(const char *path)
{
    static const uint64_t silence = 0; /* every build has the round in front */
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    bool done = fd >= 0 && pwrite(fd, &silence, sizeof silence, 0) == (ssize_t)sizeof silence &&
                unlink(path) == 0;
    io_close(&fd);
    return done;
}

static int open_file(void)
{
    struct stat info;
    bool is_others = lstat(BOARD_FILE, &info) == 0 && info.st_size > 0 &&
                     info.st_size != (off_t)sizeof(struct board_memory);
    if (is_others && !give_up(BOARD_FILE))
        return -1;
    return open(BOARD_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

bool board_make(struct board *board, gid_t reader)
{
    *board = (struct board){NULL};
    int fd = open_file();
    bool done = fd >= 0 && prepare_file(fd, reader) && map(board, fd, PROT_READ | PROT_WRITE) &&
                clear(board);
    io_close(&fd);
    return done;
}

void board_begin(struct board *board)
{
    if (board->memory)
        board->memory->round = 1;
}

void board_note_state(struct board *board, struct slice account)
{
    if (!board->memory)
        return;
    unsigned char bit;
    size_t byte = state_byte(board, account, &bit);
    board->memory->states[byte] |= bit;
}

void board_note_room(struct board *board, const struct board_rule *rule)
{
    if (!board->memory || board->memory->round == 0)
        return;
    uint64_t hash = rule_hash(board, rule);
    *room_of(board, hash) = mark(hash, board->memory->round);
}

/* The moment last: who began at it has seen the end. */
void board_end_sessions(struct board *board, struct slice account)
{
    if (!board->memory)
        return;
    uint64_t moment = board->memory->moment + 1;
    *end_of(board, account) = moment;
    board->memory->moment = moment;
}

void board_forget_rooms(struct board *board)
{
    if (!board->memory || board->memory->round == 0)
        return;
    if (board->memory->round < ROUND_LAST) {
        board->memory->round++;
        return;
    }
    /* Marks of the first round would count again. */
    board->memory->round = 0;
    clear_rooms(board);
    board->memory->round = 1;
}

void board_add_state(const struct board *board, struct board_states *states, struct slice account)
{
    if (!board->memory)
        return;
    unsigned char bit;
    size_t byte = state_byte(board, account, &bit);
    states->bits[byte] |= bit;
}

/* Byte by byte: a bit that stays is there at all times. */
void board_replace_states(struct board *board, const struct board_states *states)
{
    for (size_t i = 0; board->memory && i < BOARD_STATE_BYTES; i++)
        if (board->memory->states[i] != states->bits[i])
            board->memory->states[i] = states->bits[i];
}

void board_end(struct board *board)
{
    if (board->memory)
        board->memory->round = 0;
    board_close(board);
}

void board_close(struct board *board)
{
    if (board->memory)
        munmap(board->memory, sizeof(struct board_memory));
    board->memory = NULL;
}
