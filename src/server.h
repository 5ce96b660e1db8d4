/* The daemon: every part built in order and taken down in reverse. */
#ifndef VVE_SERVER_H
#define VVE_SERVER_H

#include "conf/conf.h"

/* Runs until SIGTERM or SIGINT. Returns the process's exit code: 0 after a clean end. */
int server_run(const struct conf *conf);

#endif
