/* The built page, served by a real server from a folder made for the test. */
#include "http_harness.h"
#include "net/files.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

struct page {
    struct served served;
    struct files *files;
    char root[64];
};

static void write_file(const struct page *page, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", page->root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void make_folder(const struct page *page, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", page->root, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static int remove_item(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void on_request(struct http_exchange *exchange, void *context)
{
    const struct page *page = context;
    if (!files_serve(page->files, exchange)) {
        http_reply_error(exchange, 404, "not_found", "None.", -1, NULL, 0);
    }
}

static struct page *make_page(void)
{
    struct page *page = mem_alloc(sizeof *page);
    snprintf(page->root, sizeof page->root, "/tmp/vve-files-XXXXXX");
    assert_non_null(mkdtemp(page->root));
    return page;
}

static void remove_page(struct page *page)
{
    files_close(page->files);
    nftw(page->root, remove_item, 8, FTW_DEPTH | FTW_PHYS);
    free(page);
}

static int set_up(void **state)
{
    struct page *page = make_page();
    char link[256];
    struct err err;
    make_folder(page, "assets");
    make_folder(page, "assets/deep");
    write_file(page, "index.html", "<!doctype html>");
    write_file(page, "icon.svg", "<svg/>");
    write_file(page, "empty.txt", "");
    write_file(page, ".secret", "secret");
    write_file(page, "assets/a.js", "plain");
    write_file(page, "assets/a.js.br", "brotli");
    write_file(page, "assets/a.js.gz", "gzip");
    write_file(page, "assets/b.css.gz", "no plain file");
    write_file(page, "assets/deep/c.wasm", "wasm");
    snprintf(link, sizeof link, "%s/passwd.txt", page->root);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    page->files = files_open(page->root, &err);
    assert_non_null(page->files);
    const struct http_settings settings = {.body_max_bytes = 10, .connections_per_client = 10};
    served_start(&page->served, settings, on_request, page);
    *state = page;
    return 0;
}

static int tear_down(void **state)
{
    struct page *page = *state;
    served_stop(&page->served);
    remove_page(page);
    return 0;
}

static char *get(void **state, const char *path, const char *fields)
{
    const struct page *page = *state;
    char request[1024];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", path, fields);
    return ask(&page->served, request);
}

static void expect_body(void **state, const char *path, const char *fields, const char *body)
{
    char *reply = get(state, path, fields);
    assert_status(reply, "200");
    assert_string_equal(body_of(reply), body);
    free(reply);
}

static void expect_line(void **state, const char *path, const char *fields, const char *line)
{
    char *reply = get(state, path, fields);
    if (strstr(reply, line) == NULL) {
        fail_msg("%s: no %s in %s", path, line, reply);
    }
    free(reply);
}

static void test_page_at_its_addresses(void **state)
{
    expect_body(state, "/", "", "<!doctype html>");
    expect_body(state, "/?x=y", "", "<!doctype html>");
    expect_body(state, "/r/some-room", "", "<!doctype html>");
    expect_body(state, "/index.html", "", "<!doctype html>");
    expect_line(state, "/", "", "\r\nContent-Type: text/html; charset=utf-8\r\n");
    expect_line(state, "/r/x", "", "\r\ncache-control: no-cache\r\n");
}

static void test_assets(void **state)
{
    expect_body(state, "/assets/a.js", "", "plain");
    expect_body(state, "/assets/deep/c.wasm", "", "wasm");
    expect_body(state, "/empty.txt", "", "");
    expect_line(state, "/assets/a.js", "",
                "\r\ncache-control: public, max-age=31536000, immutable\r\n");
    expect_line(state, "/assets/a.js", "",
                "\r\nContent-Type: text/javascript; charset=utf-8\r\n");
    expect_line(state, "/assets/a.js", "", "\r\nvary: Accept-Encoding\r\n");
    expect_line(state, "/icon.svg", "", "\r\ncache-control: no-cache\r\n");
    expect_line(state, "/icon.svg", "", "\r\nContent-Type: image/svg+xml\r\n");
}

static void test_what_is_not_there(void **state)
{
    static const char *const paths[] = {
        "/nothing",      "/assets",     "/assets/",        "/assets/../index.html",
        "/passwd.txt",   "/.secret",    "/assets/a.js.br", "/assets/a.js/",
        "//index.html",  "/r",          "/%69ndex.html",   "/../../../etc/passwd",
        "/assets/b.css", "/INDEX.html",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char *reply = get(state, paths[i], "Accept-Encoding: br, gzip\r\n");
        if (strncmp(reply, "HTTP/1.1 404 ", 13) != 0) {
            fail_msg("%s: %s", paths[i], reply);
        }
        free(reply);
    }
}

static void test_encodings(void **state)
{
    static const struct {
        const char *accept;
        const char *body;
    } rows[] = {
        {"gzip, deflate, br", "brotli"},
        {"br", "brotli"},
        {"BR;q=1.0", "brotli"},
        {"gzip", "gzip"},
        {"gzip;q=0.5, br;q=0", "gzip"},
        {"gzip;q=0.001", "gzip"},
        {"br; q=0.0, gzip ; q=0.000", "plain"},
        {"br;q=0", "plain"},
        {"identity", "plain"},
        {"brotli, xgzip", "plain"},
        {"", "plain"},
        {",,;=", "plain"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char fields[128];
        snprintf(fields, sizeof fields, "Accept-Encoding: %s\r\n", rows[i].accept);
        expect_body(state, "/assets/a.js", fields, rows[i].body);
    }
    expect_line(state, "/assets/a.js", "Accept-Encoding: br\r\n",
                "\r\ncontent-encoding: br\r\n");
    expect_body(state, "/", "Accept-Encoding: br, gzip\r\n", "<!doctype html>");
}

/* Cuts the ETag's value out of a reply. */
static void etag_of(const char *reply, char etag[64])
{
    const char *at = strstr(reply, "\r\netag: ");
    assert_non_null(at);
    at += strlen("\r\netag: ");
    snprintf(etag, 64, "%.*s", (int)strcspn(at, "\r"), at);
}

static void test_unchanged(void **state)
{
    char plain[64];
    char br[64];
    char fields[512];
    char *reply = get(state, "/assets/a.js", "");
    etag_of(reply, plain);
    free(reply);
    reply = get(state, "/assets/a.js", "Accept-Encoding: br\r\n");
    etag_of(reply, br);
    free(reply);
    assert_string_not_equal(plain, br);
    snprintf(fields, sizeof fields, "If-None-Match: \"other\", W/%s\r\n", plain);
    reply = get(state, "/assets/a.js", fields);
    assert_status(reply, "304");
    assert_string_equal(body_of(reply), "");
    assert_null(strstr(reply, "Content-Length"));
    assert_non_null(strstr(reply, plain));
    free(reply);
    reply = get(state, "/assets/a.js", "If-None-Match: *\r\n");
    assert_status(reply, "304");
    free(reply);
    snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", br);
    expect_body(state, "/assets/a.js", fields, "plain");
    snprintf(fields, sizeof fields, "Accept-Encoding: br\r\nIf-None-Match: %s\r\n", br);
    reply = get(state, "/assets/a.js", fields);
    assert_status(reply, "304");
    free(reply);
}

static void test_methods(void **state)
{
    const struct page *page = *state;
    char *reply = ask(&page->served, "HEAD /assets/a.js HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(reply, "200");
    assert_non_null(strstr(reply, "\r\nContent-Length: 5\r\n"));
    assert_string_equal(body_of(reply), "");
    free(reply);
    reply = ask(&page->served, "POST /assets/a.js HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(reply, "404");
    free(reply);
}

static void test_page_without_index(void **state)
{
    (void)state;
    struct err err;
    struct page *page = make_page();
    assert_null(files_open(page->root, &err));
    assert_string_equal(err.code, "no_page");
    assert_null(files_open("/nowhere/at/all", &err));
    assert_string_equal(err.code, "no_page");
    write_file(page, "index.html.br", "a variant alone is no page");
    assert_null(files_open(page->root, &err));
    remove_page(page);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_page_at_its_addresses),
        SERVED(test_assets),
        SERVED(test_what_is_not_there),
        SERVED(test_encodings),
        SERVED(test_unchanged),
        SERVED(test_methods),
        cmocka_unit_test(test_page_without_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
