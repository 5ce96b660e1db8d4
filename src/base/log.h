/* One line per event on standard error: time, level, event name, then key=value pairs. Safe
 * from any thread (a line is one write). Never log program text, output or secrets; control
 * characters in a line are written as '?'. */
#ifndef VVE_BASE_LOG_H
#define VVE_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level); /* before threads start; default info */
bool log_level_parse(const char *name, enum log_level *level); /* debug info warn error */

#define LOG_FORMAT __attribute__((format(printf, 1, 2)))
void log_debug(const char *format, ...) LOG_FORMAT;
void log_info(const char *format, ...) LOG_FORMAT;
void log_warn(const char *format, ...) LOG_FORMAT;
void log_error(const char *format, ...) LOG_FORMAT;

#endif
