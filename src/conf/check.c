/* See check.h. Each sentence names the option and its value. */
#include "conf/check.h"

#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool check_redis(const char *text, struct err *err)
{
    struct address address;
    struct err why;
    return address_parse(text, &address, &why) ||
           err_set(err, "bad_option", "redis: %s", why.text);
}

static bool is_ip_address(const char *text)
{
    struct in6_addr address; /* room for either */
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static bool check_ip_address(const char *option, const char *text, struct err *err)
{
    return is_ip_address(text) ||
           err_set(err, "bad_option", "%s: \"%.60s\" is no IPv4 or IPv6 address.", option,
                   text);
}

static bool matches(const char *text, const char *pattern)
{
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        abort(); /* the pattern is wrong */
    }
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

/* Compared byte by byte with what browsers send: lower case, nothing behind the port. Where names
 * are given to whoever asks first, as below vercel.app, a '*' alone would let everybody in: so part
 * of the name comes before it, and it is not in a name right below a top level. */
static bool check_origin(const char *text, struct err *err)
{
    if (strchr(text, '*') == NULL) {
        return matches(text, "^[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\\[[0-9a-f:.]+\\])"
                             "(:[0-9]{1,5})?$") ||
               err_set(err, "bad_option",
                       "allow-origin: \"%.60s\" is not scheme://host[:port], in lower case and "
                       "without a path.",
                       text);
    }
    return matches(text, "^https://[a-z0-9][a-z0-9-]{3,}[*][a-z0-9-]*([.][a-z0-9-]+){2,}"
                         "(:[0-9]{1,5})?$") ||
           err_set(
               err, "bad_option",
               "allow-origin: \"%.60s\": a * needs https://, four characters before it, and "
               "two dots behind it, as in https://vve-*.example.org.",
               text);
}

static bool check_lists(const struct conf *conf, struct err *err)
{
    for (char *const *proxy = conf->trusted_proxies; *proxy != NULL; proxy++) {
        if (!check_ip_address("trusted-proxy", *proxy, err)) {
            return false;
        }
    }
    for (char *const *origin = conf->allow_origins; *origin != NULL; origin++) {
        if (!check_origin(*origin, err)) {
            return false;
        }
    }
    return true;
}

static bool check_image(const char *image, struct err *err)
{
    return *image != '\0' || err_set(err, "bad_option", "image: \"\" names no image.");
}

static bool check_web_root(const char *folder, struct err *err)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/index.html", folder);
    if (len >= (int)sizeof path) {
        errno = ENAMETOOLONG;
    } else if (access(path, R_OK) == 0) {
        return true;
    }
    return err_set(err, "bad_option", "web-root: %.100s has no index.html to serve: %s.",
                   folder, strerror(errno));
}

static bool check_seccomp(const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return err_set(err, "bad_option", "seccomp: %.100s: %s.", path, strerror(errno));
    }
    int first = fgetc(file);
    fclose(file);
    return first == '{' || err_set(err, "bad_option",
                                   "seccomp: %.100s is no JSON profile: it must "
                                   "begin with \"{\".",
                                   path);
}

static bool check_lock_dir(const char *folder, struct err *err)
{
    struct stat found;
    if (stat(folder, &found) == 0 && !S_ISDIR(found.st_mode)) {
        errno = ENOTDIR;
    } else if (access(folder, W_OK | X_OK) == 0) {
        return true;
    }
    return err_set(err, "bad_option", "lock-dir: cannot create files in %.100s: %s.", folder,
                   strerror(errno));
}

bool conf_check(const struct conf *conf, struct err *err)
{
    bool runs = conf->worker && conf->slots > 0;
    return check_redis(conf->redis, err) &&
           check_ip_address("listen", conf->listen_host, err) && check_lists(conf, err) &&
           (!conf->gateway || check_web_root(conf->web_root, err)) &&
           (!runs || (check_image(conf->image, err) && check_seccomp(conf->seccomp, err) &&
                      check_lock_dir(conf->lock_dir, err)));
}
