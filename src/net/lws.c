/* See lws.h. */
#include "net/lws.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MAX_DESCRIPTORS = 16384 };

struct lws_port {
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct lws_protocols protocols[2]; /* the second is the empty end */
};

/* Its texts are for its authors; what matters to us we see in return values. */
static void on_log(int level, const char *line)
{
    (void)level;
    log_debug("lws.log text=\"%.*s\"", (int)strcspn(line, "\n"), line);
}

/* It is given so that libwebsockets leaves SIGTERM and SIGINT alone. */
static void on_signal(void *handle, int number)
{
    (void)handle;
    (void)number;
}

/* Many systems start a process with 1,024 descriptors though it may ask for more, and some allow
 * a thousand million, for which the tables would have no room. */
size_t lws_port_descriptors(void)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t wanted = limit.rlim_max < MAX_DESCRIPTORS ? limit.rlim_max : MAX_DESCRIPTORS;
    if (limit.rlim_cur != wanted) {
        limit.rlim_cur = wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return (size_t)limit.rlim_cur;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    (void)user;
    struct lws_connection *connection = lws_get_opaque_user_data(wsi);
    if (connection == NULL) {
        return 0;
    }
    if (reason == LWS_CALLBACK_RAW_CLOSE) {
        lws_set_opaque_user_data(wsi, NULL);
    }
    connection->on_event(connection, reason, in, len);
    return 0;
}

struct lws_port *lws_port_open(uv_loop_t *loop, struct err *err)
{
    struct lws_port *port = mem_alloc(sizeof *port);
    void *loops[] = {loop};
    port->protocols[0] = (struct lws_protocols){.name = "http", .callback = on_event};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = loops,
        .signal_cb = on_signal,
        .protocols = port->protocols,
        .gid = -1,
        .uid = -1,
    };
    lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
    port->context = lws_create_context(&info);
    port->vhost = port->context != NULL ? lws_create_vhost(port->context, &info) : NULL;
    if (port->vhost == NULL) {
        err_set(err, "no_libwebsockets",
                "libwebsockets cannot start; is the package libwebsockets-evlib-uv installed?");
        lws_context_destroy(port->context);
        free(port);
        return NULL;
    }
    return port;
}

struct lws *lws_port_adopt(struct lws_port *port, int fd, struct lws_connection *connection)
{
    lws_adopt_desc_t adoption = {
        .vh = port->vhost,
        .type = LWS_ADOPT_SOCKET, /* neither HTTP nor TLS: a raw socket */
        .fd.sockfd = fd,
        .opaque = connection,
    };
    return lws_adopt_descriptor_vhost_via_info(&adoption);
}

void lws_port_close(struct lws_port *port)
{
    lws_context_destroy(port->context);
}

void lws_port_finish(struct lws_port *port)
{
    if (port != NULL) {
        lws_context_destroy(port->context);
        free(port);
    }
}
