/* See files.h. A request's path is compared with the names that were found at start, and
 * nothing else: no path of a stranger is ever opened. A file that changes later is served as it
 * was only if it is replaced, not overwritten, as builds do. */
#include "net/files.h"

#include "base/hash.h"
#include "base/buf.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_FILES = 4096,
    MAX_FILE_BYTES = 64 * 1024 * 1024,
    MAX_PATH_BYTES = 1024,
    MAX_DEPTH = 8,
};

enum coding { CODING_BR, CODING_GZIP, CODING_NONE, CODING_COUNT }; /* best first */

static const struct {
    const char *suffix;
    const char *name; /* in Accept-Encoding and Content-Encoding */
} codings[CODING_COUNT] = {{".br", "br"}, {".gz", "gzip"}, {"", ""}};

static const struct {
    const char *suffix;
    const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".webp", "image/webp"},
    {".woff2", "font/woff2"},
    {".ttf", "font/ttf"},
    {".wasm", "application/wasm"},
    {".txt", "text/plain; charset=utf-8"},
};

struct file {
    char *path;                      /* as requested: "/assets/x.js" */
    struct view bytes[CODING_COUNT]; /* mapped; .at is NULL where there is no such variant */
    uint64_t hash;                   /* of the plain bytes */
};

struct files {
    struct file *list; /* sorted by path */
    size_t count;
    const struct file *index;
};

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);
    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

/* --- mapping --- */

static bool map(int fd, struct view *bytes)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0 || stat.st_size > MAX_FILE_BYTES) {
        return false;
    }
    *bytes = (struct view){"", (size_t)stat.st_size};
    if (stat.st_size > 0) {
        void *at = mmap(NULL, bytes->len, PROT_READ, MAP_PRIVATE, fd, 0);
        bytes->at = at;
        return at != MAP_FAILED;
    }
    return true;
}

static void unmap(struct view bytes)
{
    if (bytes.len > 0) {
        munmap((void *)(uintptr_t)bytes.at, bytes.len);
    }
}

static enum coding coding_of(const char *path)
{
    return ends_with(path, ".br")   ? CODING_BR
           : ends_with(path, ".gz") ? CODING_GZIP
                                    : CODING_NONE;
}

/* The entry for a path without its .br or .gz; made if new. Linear, at start only. */
static struct file *entry_of(struct files *files, const char *path, size_t len)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strlen(files->list[i].path) == len && memcmp(files->list[i].path, path, len) == 0) {
            return &files->list[i];
        }
    }
    files->list = mem_resize(files->list, (files->count + 1) * sizeof *files->list);
    struct file *file = &files->list[files->count++];
    *file = (struct file){.path = mem_copy(path, len)};
    return file;
}

static bool add_file(struct files *files, int folder, const char *name, const char *path,
                     struct err *err)
{
    struct view bytes;
    enum coding coding = coding_of(path);
    if (files->count == MAX_FILES) {
        return err_set(err, "too_many_files", "the page has more than %d files", MAX_FILES);
    }
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool mapped = fd >= 0 && map(fd, &bytes);
    if (fd >= 0) {
        close(fd);
    }
    if (!mapped) {
        return err_set(err, "bad_file", "cannot map %s of the page", path);
    }
    size_t len = strlen(path) - strlen(codings[coding].suffix);
    struct file *file = entry_of(files, path, len);
    file->bytes[coding] = bytes;
    if (coding == CODING_NONE) {
        file->hash = hash_of(bytes);
    }
    return true;
}

static bool add_folder(struct files *files, int fd, const char *path, int depth,
                       struct err *err);

/* Links and other things that are neither file nor folder are passed over. */
static bool add_item(struct files *files, int folder, const char *name, const char *parent,
                     int depth, struct err *err)
{
    struct stat stat;
    char path[MAX_PATH_BYTES];
    int len = snprintf(path, sizeof path, "%s/%s", parent, name);
    if (name[0] == '.' || fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) != 0) {
        return true;
    }
    if (len >= (int)sizeof path || depth == MAX_DEPTH) {
        return err_set(err, "bad_file", "the page has a file that lies too deep: %s", name);
    }
    if (S_ISREG(stat.st_mode)) {
        return add_file(files, folder, name, path, err);
    }
    if (!S_ISDIR(stat.st_mode)) {
        return true;
    }
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 || add_folder(files, fd, path, depth + 1, err);
}

/* Takes `fd` over. */
static bool add_folder(struct files *files, int fd, const char *path, int depth,
                       struct err *err)
{
    DIR *folder = fdopendir(fd);
    bool ok = folder != NULL;
    if (!ok) {
        close(fd);
        return err_set(err, "bad_file", "cannot read the folder %s of the page", path);
    }
    for (struct dirent *item; ok && (item = readdir(folder)) != NULL;) {
        ok = add_item(files, fd, item->d_name, path, depth, err);
    }
    closedir(folder);
    return ok;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

/* A variant is served only beside its plain file. */
static const struct file *find(const struct files *files, const char *path)
{
    struct file wanted = {.path = (char *)(uintptr_t)path};
    const struct file *file = files->count > 0 ? bsearch(&wanted, files->list, files->count,
                                                         sizeof *files->list, compare)
                                               : NULL;
    return file != NULL && file->bytes[CODING_NONE].at != NULL ? file : NULL;
}

static bool fill(struct files *files, const char *root, struct err *err)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_set(err, "no_page", "cannot open the page's folder %s: %s", root,
                       strerror(errno));
    }
    if (!add_folder(files, fd, "", 0, err)) {
        return false;
    }
    if (files->count > 0) {
        qsort(files->list, files->count, sizeof *files->list, compare);
    }
    files->index = find(files, "/index.html");
    return files->index != NULL ||
           err_set(err, "no_page", "there is no index.html in %s", root);
}

struct files *files_open(const char *root, struct err *err)
{
    struct files *files = mem_alloc(sizeof *files);
    if (!fill(files, root, err)) {
        files_close(files);
        return NULL;
    }
    return files;
}

void files_close(struct files *files)
{
    for (size_t i = 0; files != NULL && i < files->count; i++) {
        for (int c = 0; c < CODING_COUNT; c++) {
            unmap(files->list[i].bytes[c]);
        }
        free(files->list[i].path);
    }
    if (files != NULL) {
        free(files->list);
        free(files);
    }
}

/* --- serving --- */

/* Takes the first item off a comma-separated list, without the white space around it. */
static bool take_item(const char **list, struct view *item)
{
    *list += strspn(*list, ", \t");
    *item = (struct view){*list, strcspn(*list, ",")};
    *list += item->len;
    while (item->len > 0 && strchr(" \t", item->at[item->len - 1]) != NULL) {
        item->len--;
    }
    return item->len > 0;
}

/* "br;q=0" says that br is not wanted; any other weight will do. */
static bool weighs_nothing(struct view item)
{
    const char *q = memchr(item.at, ';', item.len);
    const char *end = item.at + item.len;
    while (q != NULL && q < end && (*q == ';' || *q == ' ' || *q == '\t')) {
        q++;
    }
    if (q == NULL || end - q < 3 || (q[0] != 'q' && q[0] != 'Q') || q[1] != '=' ||
        q[2] != '0') {
        return false;
    }
    for (q += 3; q < end; q++) {
        if (*q >= '1' && *q <= '9') {
            return false;
        }
    }
    return true;
}

static bool accepts(const char *accept_encoding, const char *name)
{
    struct view item;
    while (take_item(&accept_encoding, &item)) {
        size_t len = 0;
        while (len < item.len && strchr("; \t", item.at[len]) == NULL) {
            len++;
        }
        if (len == strlen(name) && strncasecmp(item.at, name, len) == 0) {
            return !weighs_nothing(item);
        }
    }
    return false;
}

static enum coding choose(const struct file *file, const char *accept_encoding)
{
    for (int c = 0; c < CODING_NONE; c++) {
        if (file->bytes[c].at != NULL && accepts(accept_encoding, codings[c].name)) {
            return (enum coding)c;
        }
    }
    return CODING_NONE;
}

static bool matches(const char *if_none_match, const char *etag)
{
    struct view item;
    while (take_item(&if_none_match, &item)) {
        if (view_starts(item, "W/")) {
            item = (struct view){item.at + 2, item.len - 2};
        }
        if (view_equals(item, "*") || view_equals(item, etag)) {
            return true;
        }
    }
    return false;
}

static const char *type_of(const char *path)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (ends_with(path, types[i].suffix)) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

static void serve(const struct file *file, struct http_exchange *exchange)
{
    const struct http_request *request = http_request(exchange);
    enum coding coding = choose(file, request->accept_encoding);
    bool immutable = strncmp(file->path, "/assets/", strlen("/assets/")) == 0;
    char etag[40];
    snprintf(etag, sizeof etag, "\"%016llx%s%s\"", (unsigned long long)file->hash,
             coding == CODING_NONE ? "" : "-", codings[coding].name);
    const struct http_header headers[] = {
        {"etag", etag},
        {"cache-control", immutable ? "public, max-age=31536000, immutable" : "no-cache"},
        {"vary", "Accept-Encoding"},
        {"content-encoding", codings[coding].name},
    };
    size_t count = sizeof headers / sizeof headers[0];
    bool unchanged = matches(request->if_none_match, etag);
    if (coding == CODING_NONE || unchanged) {
        count--;
    }
    http_reply(exchange, unchanged ? 304 : 200, unchanged ? NULL : type_of(file->path),
               unchanged ? (struct view){"", 0} : file->bytes[coding], HTTP_STATIC_BODY,
               headers, count);
}

bool files_serve(const struct files *files, struct http_exchange *exchange)
{
    const struct http_request *request = http_request(exchange);
    bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    bool page = strcmp(request->path, "/") == 0 || strncmp(request->path, "/r/", 3) == 0;
    const struct file *file = page ? files->index : find(files, request->path);
    if (!reads || file == NULL) {
        return false;
    }
    serve(file, exchange);
    return true;
}
