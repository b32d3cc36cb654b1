/* children - see children.h */
#include "children.h"

#include "clock.h"
#include "exits.h"
#include "log.h"
#include "number.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { CHILDREN_FIRST = 64 };

void children_free(struct children *children)
{
    for (size_t i = 0; i < children->count; i++)
        free(children->all[i].owner);
    free(children->all);
    *children = (struct children){0};
}

bool children_reserve(struct children *children)
{
    size_t capacity = children->capacity > 0 ? children->capacity : CHILDREN_FIRST / 2;
    size_t bytes;
    if (children->count < children->capacity)
        return true;
    if (!number_multiply(capacity, 2, &capacity) ||
        !number_multiply(capacity, sizeof *children->all, &bytes))
        return false;
    struct child *all = realloc(children->all, bytes);
    if (!all)
        return false;
    children->all = all;
    children->capacity = capacity;
    return true;
}

static char *owner_of(const struct program_request *request)
{
    size_t size = sizeof request->local + sizeof request->domain + 1;
    char *owner = malloc(size); /* without memory the log goes without the name */
    if (owner)
        snprintf(owner, size, "%s%s%s", request->local, request->local[0] ? "@" : "",
                 request->domain);
    return owner;
}

void children_add(struct children *children, pid_t pid, uid_t uid,
                  const struct program_request *request)
{
    if (children->count == children->capacity)
        return;
    children->all[children->count++] = (struct child){
        .pid = pid, .uid = uid, .program = request->program, .owner = owner_of(request)};
}

void children_add_session(struct children *children, uint64_t seat, uid_t uid,
                          const struct program_request *request)
{
    size_t before = children->count;
    children_add(children, 0, uid, request);
    if (children->count > before)
        children->all[before].seat = seat;
}

static struct child *find_waiting(struct children *children, uint64_t seat)
{
    for (size_t i = 0; i < children->count; i++)
        if (children->all[i].pid == 0 && children->all[i].seat == seat)
            return &children->all[i];
    return NULL;
}

/* One that has just ended, and is not reaped, takes it too: its number is nobody else's till then. */
static void tell_to_end(const struct child *child)
{
    if (!sessionend_signal(child->pid, child->ends))
        log_trouble("signal", child->program->name, errno, NULL);
}

void children_begin_session(struct children *children, uint64_t seat, pid_t pid)
{
    struct child *child = find_waiting(children, seat);
    if (!child)
        return;
    child->pid = pid;
    if (child->ends != SESSIONEND_NOT)
        tell_to_end(child);
}

/* The owner's name is the caller's then. */
static struct child cut(struct children *children, struct child *child)
{
    struct child one = *child;
    *child = children->all[--children->count];
    children->all[children->count].owner = NULL;
    return one;
}

void children_drop_session(struct children *children, uint64_t seat)
{
    struct child *child = find_waiting(children, seat);
    if (child)
        free(cut(children, child).owner);
}

size_t children_count(const struct children *children, bool sessions)
{
    size_t count = 0;
    for (size_t i = 0; i < children->count; i++)
        if (children->all[i].program->is_session == sessions)
            count++;
    return count;
}

size_t children_count_program(const struct children *children, const struct program *program,
                              uid_t uid)
{
    size_t count = 0;
    for (size_t i = 0; i < children->count; i++)
        if (children->all[i].program == program && children->all[i].uid == uid)
            count++;
    return count;
}

size_t children_count_of(const struct children *children, bool sessions, uid_t uid)
{
    size_t count = 0;
    for (size_t i = 0; i < children->count; i++)
        if (children->all[i].program->is_session == sessions && children->all[i].uid == uid)
            count++;
    return count;
}

static bool is_of(const struct child *child, const char *domain, const char *local)
{
    struct slice owner = slice_text(child->owner ? child->owner : "");
    struct slice name = slice_cut(&owner, '@');
    return child->program->is_session && slice_equal(owner, slice_text(domain)) &&
           (local[0] == '\0' || slice_equal(name, slice_text(local)));
}

size_t children_end_sessions(struct children *children, const char *domain, const char *local,
                             enum sessionend why, int64_t now_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < children->count; i++) {
        struct child *child = &children->all[i];
        if (!is_of(child, domain, local))
            continue;
        count++;
        if (child->ends != SESSIONEND_NOT)
            continue;
        child->ends = why;
        child->killed_at = now_ms + SESSIONEND_GRACE_MS;
        if (child->pid > 0)
            tell_to_end(child);
    }
    return count;
}

int64_t children_kill_late(const struct children *children, int64_t now_ms)
{
    int64_t next = CLOCK_NEVER;
    for (size_t i = 0; i < children->count; i++) {
        const struct child *child = &children->all[i];
        if (child->ends == SESSIONEND_NOT || child->pid == 0)
            continue;
        if (child->killed_at <= now_ms)
            kill(child->pid, SIGKILL);
        else if (child->killed_at < next)
            next = child->killed_at;
    }
    return next;
}

static struct child *find(struct children *children, pid_t pid)
{
    for (size_t i = 0; i < children->count; i++)
        if (children->all[i].pid == pid)
            return &children->all[i];
    return NULL;
}

static void log_end_of(const struct child *child, int status)
{
    struct log_line line;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE)
        return;
    log_begin(&line, "child-ended");
    log_text(&line, "program", child->program->name);
    if (child->owner && child->owner[0])
        log_text(&line, "account", child->owner);
    log_number(&line, "child", child->pid);
    if (WIFSIGNALED(status))
        log_number(&line, "signal", WTERMSIG(status));
    else
        log_number(&line, "exit", WEXITSTATUS(status));
    log_end(&line);
}

void children_reap(struct children *children, children_ended *ended, void *owner)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        struct child *child = find(children, pid);
        if (!child) {
            ended(NULL, pid, status, owner);
            continue;
        }
        struct child one = cut(children, child);
        log_end_of(&one, status);
        ended(&one, pid, status, owner);
        free(one.owner);
    }
}
