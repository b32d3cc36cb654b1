/* test_places - queue-inject's workers: places, who may be served, when there are too few or many */
#include "places.h"

#include "inject_server.h"
#include "unit.h"

#include <string.h>

static void places_are_taken_and_left(void **state)
{
    struct places places;
    (void)state;
    assert_true(places_open(&places));
    assert_true(places_want_worker(&places));
    assert_int_equal(places_count(&places, PLACE_WAITING), 0);
    for (pid_t pid = 1; pid <= 3; pid++) {
        struct place *place = places_take(&places);
        assert_non_null(place);
        place->pid = pid;
    }
    /* A worker that was just forked counts: nobody starts a second one for the same peer. */
    assert_false(places_want_worker(&places));
    assert_int_equal(places_count(&places, PLACE_WAITING), 3);
    assert_true(places_leave(&places, 2));
    assert_false(places_leave(&places, 2));
    assert_false(places_leave(&places, 77));
    struct place *again = places_take(&places); /* the lowest */
    again->pid = 4;
    assert_ptr_equal(again, &places.memory->all[1]);
    for (pid_t pid = 1; pid <= 4; pid++)
        assert_int_equal(places_leave(&places, pid), pid != 2);
    assert_int_equal(places.memory->top, 0);
    places_close(&places);
}

static void one_more_when_all_serve(void **state)
{
    struct places places;
    (void)state;
    assert_true(places_open(&places));
    struct place *first = places_take(&places);
    struct place *second = places_take(&places);
    place_set(first, PLACE_BUSY);
    assert_false(places_want_worker(&places));
    place_set(second, PLACE_BUSY);
    assert_true(places_want_worker(&places));
    place_set(first, PLACE_WAITING);
    assert_false(places_want_worker(&places));
    places_close(&places);
}

static void fewer_when_many_wait(void **state)
{
    struct places places;
    (void)state;
    assert_true(places_open(&places));
    for (int i = 0; i < PLACES_IDLE; i++)
        assert_non_null(places_take(&places));
    assert_false(places_want_fewer(&places));
    struct place *surplus = places_take(&places);
    assert_true(places_want_fewer(&places));
    place_set(surplus, PLACE_BUSY);
    assert_false(places_want_fewer(&places));
    places_close(&places);
}

/* Clients of smtpd that dribble their messages leave room for bounces and forwarded mail. */
static void smtpd_leaves_room(void **state)
{
    struct places places;
    struct place *place;
    size_t count = 0;
    (void)state;
    assert_true(places_open(&places));
    for (; count < PLACES_OF_SMTPD; count++) {
        place_set(places_take(&places), PLACE_BUSY);
        assert_true(places_admit(&places, true));
    }
    for (; (place = places_take(&places)); count++) {
        place_set(place, PLACE_BUSY);
        assert_false(places_admit(&places, true));
        assert_true(places_admit(&places, false));
    }
    assert_int_equal(count, PLACES_MAX);
    places_close(&places);
}

static void strangers_are_bounded(void **state)
{
    static struct inject_stranger strangers[INJECT_SERVER_STRANGERS_MAX];
    struct inject_stranger *room;
    pid_t pid = 1;
    (void)state;
    for (int i = 0; i < INJECT_SERVER_STRANGER_MAX; i++) {
        room = inject_server_find_room(strangers, 1000);
        assert_non_null(room);
        *room = (struct inject_stranger){.pid = pid++, .uid = 1000};
    }
    assert_null(inject_server_find_room(strangers, 1000));
    for (uid_t uid = 2000; (room = inject_server_find_room(strangers, uid)); uid++)
        *room = (struct inject_stranger){.pid = pid++, .uid = uid};
    assert_int_equal(pid - 1, INJECT_SERVER_STRANGERS_MAX);
    strangers[7].pid = 0;
    assert_ptr_equal(inject_server_find_room(strangers, 1000), &strangers[7]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_taken_and_left), cmocka_unit_test(one_more_when_all_serve),
        cmocka_unit_test(fewer_when_many_wait),      cmocka_unit_test(smtpd_leaves_room),
        cmocka_unit_test(strangers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
