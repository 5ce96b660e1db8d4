/* What a daemon of this role would refuse at its start, and can be seen without starting
 * anything: --check tells it, and a start tells it in the same words. Runs once, before any
 * thread. */
#ifndef VVE_CONF_CHECK_H
#define VVE_CONF_CHECK_H

#include "conf/conf.h"

#include <stdbool.h>

/* bad_option: the sentence names the option, its value and what is wrong with it. */
bool conf_check(const struct conf *conf, struct err *err);

#endif
