/* See service.h. A message that gets lost is logged and not sent again: the manager has
 * deadlines of its own. */
#include "net/service.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3 /* of those that a service is started with */

struct service {
    int fd; /* -1: nobody listens */
    struct sockaddr_un manager;
    socklen_t manager_len;
    uv_timer_t watchdog;
    service_is_well *is_well;
    void *context;
    bool withholds; /* the last sign of life was not given */
};

/* --- the environment --------------------------------------------------------------------- */

/* 0: not set, or no number above it. */
static unsigned long long number_of(const char *name)
{
    const char *text = getenv(name);
    char *end;
    if (text == NULL || *text < '0' || *text > '9') {
        return 0;
    }
    unsigned long long number = strtoull(text, &end, 10);
    return *end == '\0' ? number : 0;
}

/* A variable may have come down from a parent that it was meant for. */
static bool meant_for_us(const char *pid_name)
{
    return number_of(pid_name) == (unsigned long long)getpid();
}

static unsigned long long watchdog_ms(void)
{
    bool ours = getenv("WATCHDOG_PID") == NULL || meant_for_us("WATCHDOG_PID");
    return ours ? number_of("WATCHDOG_USEC") / 1000 : 0;
}

bool service_listener(int *fd, struct err *err)
{
    unsigned long long count = meant_for_us("LISTEN_PID") ? number_of("LISTEN_FDS") : 0;
    *fd = count == 1 ? FIRST_FD : 0;
    return count <= 1 ||
           err_set(err, "cannot_listen",
                   "The service manager gives %llu sockets instead of one.", count);
}

/* --- datagrams ---------------------------------------------------------------------------- */

static void tell(struct service *service, const char *message)
{
    if (service->fd < 0) {
        return;
    }
    const struct sockaddr *manager = (const struct sockaddr *)&service->manager;
    if (sendto(service->fd, message, strlen(message), MSG_DONTWAIT | MSG_NOSIGNAL, manager,
               service->manager_len) < 0) {
        log_warn("service.unheard message=%s reason=\"%s\"", message, strerrordesc_np(errno));
    }
}

/* An address is a path, or a name in the kernel's table behind '@'. */
static bool parse_manager(struct service *service, const char *address)
{
    size_t len = strlen(address);
    if ((*address != '/' && *address != '@') || len >= sizeof service->manager.sun_path) {
        log_warn("service.unheard reason=\"NOTIFY_SOCKET is no address\"");
        return false;
    }
    service->manager.sun_family = AF_UNIX;
    memcpy(service->manager.sun_path, address, len);
    if (*address == '@') {
        service->manager.sun_path[0] = '\0';
    }
    service->manager_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return true;
}

static void on_watchdog(uv_timer_t *timer)
{
    struct service *service = timer->data;
    bool well = service->is_well(service->context);
    if (well) {
        tell(service, "WATCHDOG=1");
    }
    if (well == service->withholds) {
        service->withholds = !well;
        if (well) {
            log_info("service.well");
        } else {
            log_error("service.stuck note=\"the watchdog gets no sign of life\"");
        }
    }
}

void service_ready(struct service *service)
{
    tell(service, "READY=1");
}

void service_stopping(struct service *service)
{
    tell(service, "STOPPING=1");
}

/* --- open and close ----------------------------------------------------------------------- */

struct service *service_open(uv_loop_t *loop, service_is_well *is_well, void *context)
{
    struct service *service = mem_alloc(sizeof *service);
    const char *address = getenv("NOTIFY_SOCKET");
    service->is_well = is_well;
    service->context = context;
    service->fd = -1;
    if (address != NULL && parse_manager(service, address)) {
        service->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    uv_timer_init(loop, &service->watchdog);
    service->watchdog.data = service;
    unsigned long long every_ms = watchdog_ms() / 2;
    if (service->fd >= 0 && every_ms > 0) {
        uv_timer_start(&service->watchdog, on_watchdog, every_ms, every_ms);
    }
    return service;
}

void service_close(struct service *service)
{
    uv_close((uv_handle_t *)&service->watchdog, NULL);
}

void service_finish(struct service *service)
{
    if (service->fd >= 0) {
        close(service->fd);
    }
    free(service);
}
