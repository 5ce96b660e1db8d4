/* One Redis command as its arguments, built on the stack and sent by either side of the queue.
 * It borrows the text it is given, which must live until it is sent; keys and numbers it keeps
 * itself, so it must not be copied. */
#ifndef VVE_RUN_COMMAND_H
#define VVE_RUN_COMMAND_H

#include "base/view.h"
#include "run/job.h"
#include "run/keys.h"
#include "run/scripts.h"

#include <stdbool.h>
#include <stddef.h>

#define COMMAND_ARGUMENTS_MAX 24
#define COMMAND_KEYS_MAX 6
#define COMMAND_NUMBERS_MAX 4

struct command {
    struct view arguments[COMMAND_ARGUMENTS_MAX];
    size_t count;
    struct key keys[COMMAND_KEYS_MAX];
    size_t key_count;
    char numbers[COMMAND_NUMBERS_MAX][24];
    size_t number_count;
    const struct script *script; /* NULL: a plain command */
};

void command_begin(struct command *command, const char *verb);
void command_begin_script(struct command *command, const struct script *script);

void command_add(struct command *command, struct view argument);
void command_text(struct command *command, const char *argument);
void command_key(struct command *command, struct key key);
void command_number(struct command *command, long long number);

/* Whether a script has got as many arguments as it takes; asserted by whoever sends. */
bool command_complete(const struct command *command);

/* script_give_back for a job that lies in the taken-list of `worker`, from either side. */
struct command_give_back {
    const char *id;
    const char *worker;
    struct view entry; /* the exact bytes in the list */
    bool used_attempt;
    bool only_if_dead; /* refuse while the worker has a heartbeat */
    const struct job_ends *ends;
    int ttl_s;
};
void command_begin_give_back(struct command *command, const struct command_give_back *what);

#endif
