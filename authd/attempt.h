/*
 * attempt - one login from question to answer
 *
 * The order, each step by an event:
 *   look the account up -> TLS needed? -> stated: locked? -> password (cache, hash, APOP)
 *   wrong: stated counts it, says the delay -> "no"
 *   right: service on? -> stated: forgive, may it log in? -> spawnd gets the connection -> "ok"
 * A user that does not exist goes the same way with a hash that nothing matches.
 */
#ifndef AUTHD_ATTEMPT_H
#define AUTHD_ATTEMPT_H

#include "account.h"
#include "asker.h"
#include "cache.h"
#include "hasher.h"
#include "login.h"
#include "service.h"

/* A failure is told no sooner than this after the question came, so that the time that a scheme,
 * a cache or an unknown name took does not show. */
enum { ATTEMPT_FAILURE_MS = 250, ATTEMPT_LOCKED_MS = 2000 };

/* What all attempts share. */
struct attempts {
    struct loop *loop;
    struct directory directory;
    struct cache cache;
    struct hashers hashers;
    struct asker stated;
    struct asker spawnd;
    char dummy_hash[PASSWORD_HASH_MAX]; /* of no password; costs what a real one costs */
};

/* For service_start; the service's owner is the struct attempts. */
bool attempt_welcome(uid_t uid, void *owner);
void attempt_message(struct service_peer *peer, struct wire_message *message);
void attempt_gone(struct service_peer *peer);

#endif
