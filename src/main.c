/* argv -> configuration -> server -> exit code. */
#include "conf/conf.h"
#include "server.h"

int main(int argc, char **argv)
{
    struct conf conf;
    struct err err;
    int code = 0;
    switch (conf_load(argc, argv, &conf, stdout, &err)) {
    case CONF_RUN:
        log_set_level(conf.log_level);
        code = server_run(&conf);
        break;
    case CONF_DONE:
        break;
    case CONF_BAD:
        fprintf(stderr, "vve: %s\n", err.text);
        code = 2;
        break;
    }
    conf_finish(&conf);
    return code;
}
