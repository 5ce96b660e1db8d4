/* See command.h. Pure; any thread. */
#include "run/command.h"

#include <assert.h>
#include <stdio.h>

void command_add(struct command *command, struct view argument)
{
    assert(command->count < COMMAND_ARGUMENTS_MAX);
    command->arguments[command->count++] = argument;
}

void command_text(struct command *command, const char *argument)
{
    command_add(command, view_of(argument));
}

void command_key(struct command *command, struct key key)
{
    assert(command->key_count < COMMAND_KEYS_MAX);
    struct key *kept = &command->keys[command->key_count++];
    *kept = key;
    command_text(command, kept->text);
}

void command_number(struct command *command, long long number)
{
    assert(command->number_count < COMMAND_NUMBERS_MAX);
    char *text = command->numbers[command->number_count++];
    snprintf(text, sizeof command->numbers[0], "%lld", number);
    command_text(command, text);
}

void command_begin(struct command *command, const char *verb)
{
    command->count = 0;
    command->key_count = 0;
    command->number_count = 0;
    command->script = NULL;
    command_text(command, verb);
}

void command_begin_script(struct command *command, const struct script *script)
{
    command_begin(command, "EVAL");
    command->script = script;
    command_text(command, script->text);
    command_number(command, script->keys);
}

bool command_complete(const struct command *command)
{
    const struct script *script = command->script;
    return script == NULL || command->count == 3 + (size_t)script->keys + (size_t)script->args;
}

void command_begin_give_back(struct command *command, const struct command_give_back *what)
{
    command_begin_script(command, &script_give_back);
    command_key(command, key_job(what->id));
    command_key(command, key_run(what->id));
    command_key(command, key_events(what->id));
    command_key(command, key_taken(what->worker));
    command_text(command, SCRIPT_QUEUE);
    command_key(command, key_worker(what->worker));
    command_add(command, what->entry);
    command_text(command, what->worker);
    command_text(command, what->used_attempt ? "1" : "0");
    command_text(command, what->ends->queued);
    command_text(command, what->ends->error);
    command_text(command, what->ends->cancelled);
    command_number(command, what->ttl_s);
    command_text(command, what->id);
    command_text(command, what->only_if_dead ? "1" : "0");
}
