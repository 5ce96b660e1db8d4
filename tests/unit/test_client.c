/* Who a connection counts as. */
#include "net/client.h"

#include "net/census.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char *const trusted[] = {"10.0.0.1", "10.0.0.2", "2001:db8::1", NULL};

static const struct {
    const char *peer;
    const char *first; /* X-Forwarded-For lines; NULL: none */
    const char *second;
    const char *name;
    bool loopback;
} rows[] = {
    /* no proxy */
    {"203.0.113.7", NULL, NULL, "203.0.113.7", false},
    {"::ffff:203.0.113.7", NULL, NULL, "203.0.113.7", false},
    {"2001:db8:1:2:3:4:5:6", NULL, NULL, "2001:db8:1:2::/64", false},
    {"2001:db8:1:2:ffff::1", NULL, NULL, "2001:db8:1:2::/64", false},
    {"2001:db8:1:3::1", NULL, NULL, "2001:db8:1:3::/64", false},
    {"127.0.0.1", NULL, NULL, "127.0.0.1", true},
    {"127.1.2.3", NULL, NULL, "127.1.2.3", true},
    {"::ffff:127.0.0.1", NULL, NULL, "127.0.0.1", true},
    {"::1", NULL, NULL, "::/64", true},
    {"128.0.0.1", NULL, NULL, "128.0.0.1", false},
    {"::2", NULL, NULL, "::/64", false},
    /* a peer that is not trusted says what it likes */
    {"203.0.113.7", "198.51.100.1", NULL, "203.0.113.7", false},
    {"127.0.0.1", "198.51.100.1", NULL, "127.0.0.1", false},
    {"127.0.0.1", "127.0.0.1", NULL, "127.0.0.1", false},
    {"10.0.0.3", "198.51.100.1", NULL, "10.0.0.3", false},
    /* a trusted one: the rightmost that is not trusted */
    {"10.0.0.1", "198.51.100.1", NULL, "198.51.100.1", false},
    {"::ffff:10.0.0.1", "198.51.100.1", NULL, "198.51.100.1", false},
    {"2001:db8::1", "198.51.100.1", NULL, "198.51.100.1", false},
    {"2001:db8::2", "198.51.100.1", NULL, "2001:db8::/64", false},
    {"10.0.0.1", "1.1.1.1, 198.51.100.1", NULL, "198.51.100.1", false},
    {"10.0.0.1", "1.1.1.1,198.51.100.1 , 10.0.0.2", NULL, "198.51.100.1", false},
    {"10.0.0.1", "1.1.1.1, 198.51.100.1", "10.0.0.2", "198.51.100.1", false},
    {"10.0.0.1", "1.1.1.1", "198.51.100.1", "198.51.100.1", false},
    {"10.0.0.1", "2001:db8:9:9::5", NULL, "2001:db8:9:9::/64", false},
    {"10.0.0.1", "::ffff:198.51.100.1", NULL, "198.51.100.1", false},
    {"10.0.0.1", "\t198.51.100.1\t", NULL, "198.51.100.1", false},
    {"10.0.0.1", "garbage, 198.51.100.1", NULL, "198.51.100.1", false},
    /* nobody but the peer is left */
    {"10.0.0.1", NULL, NULL, "10.0.0.1", false},
    {"10.0.0.1", "", NULL, "10.0.0.1", false},
    {"10.0.0.1", "10.0.0.2, 10.0.0.1", NULL, "10.0.0.1", false},
    {"10.0.0.1", "198.51.100.1, garbage", NULL, "10.0.0.1", false},
    {"10.0.0.1", "198.51.100.1, garbage, 10.0.0.2", NULL, "10.0.0.1", false},
    {"10.0.0.1", "198.51.100.1,", NULL, "10.0.0.1", false},
    {"10.0.0.1", "198.51.100.1, , 10.0.0.2", NULL, "10.0.0.1", false},
    {"10.0.0.1", "198.51.100.1:443", NULL, "10.0.0.1", false},
    {"10.0.0.1", "198.51.100.01", NULL, "10.0.0.1", false},
    {"10.0.0.1", "198.51.100", NULL, "10.0.0.1", false},
    {"10.0.0.1", "unknown", NULL, "10.0.0.1", false},
    {"10.0.0.1", "198.51.100.1 203.0.113.1", NULL, "10.0.0.1", false},
    {"10.0.0.1", "2001:db8:9:9::5%eth0", NULL, "10.0.0.1", false},
};

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct client_address peer;
        struct client client;
        struct view lines[2];
        size_t count = 0;
        if (rows[i].first != NULL) {
            lines[count++] = view_of(rows[i].first);
        }
        if (rows[i].second != NULL) {
            lines[count++] = view_of(rows[i].second);
        }
        assert_true(client_address_parse(view_of(rows[i].peer), &peer));
        client_name(&peer, lines, count, false, trusted, &client);
        if (strcmp(client.name, rows[i].name) != 0 || client.loopback != rows[i].loopback) {
            fail_msg("row %zu: %s %d", i, client.name, client.loopback);
        }
    }
}

static void test_forwarded_header_takes_loopback_away(void **state)
{
    (void)state;
    struct client_address peer;
    struct client client;
    assert_true(client_address_parse(view_of("127.0.0.1"), &peer));
    client_name(&peer, NULL, 0, true, NULL, &client);
    assert_false(client.loopback);
}

static void test_addresses(void **state)
{
    (void)state;
    struct client_address a;
    struct client_address b;
    struct sockaddr_storage peer = {.ss_family = AF_UNIX};
    assert_false(client_address_of(&peer, &a));
    *(struct sockaddr_in *)(void *)&peer =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x01020304)};
    assert_true(client_address_of(&peer, &a));
    assert_true(client_address_parse(view_of("::ffff:1.2.3.4"), &b));
    assert_memory_equal(&a, &b, sizeof a);
    assert_false(client_address_parse((struct view){"1.2.3.4\0", 8}, &a));
    assert_false(client_address_parse((struct view){"", 0}, &a));
    assert_false(client_trusted(&b, NULL));
}

static void test_census(void **state)
{
    (void)state;
    struct census census;
    char name[CLIENT_NAME_CAP];
    census_init(&census);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "10.0.0.%d", i);
        assert_int_equal(census_enter(&census, name), 1);
    }
    assert_int_equal(census_enter(&census, "10.0.0.7"), 2);
    assert_int_equal(census.total, 301);
    census_leave(&census, "10.0.0.7");
    census_leave(&census, "10.0.0.7");
    assert_int_equal(census_enter(&census, "10.0.0.7"), 1);
    census_leave(&census, "10.0.0.8");
    assert_int_equal(census.total, 299);
    census_finish(&census); /* the leak checker sees the rest */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_forwarded_header_takes_loopback_away),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_census),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
