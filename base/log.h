/* log.h - messages for whoever runs the program; standard error, one line each. */
#ifndef PXS_LOG_H
#define PXS_LOG_H

enum pxs_log_level { PXS_LOG_ERROR, PXS_LOG_WARNING, PXS_LOG_INFO, PXS_LOG_DEBUG };

/* Messages above LEVEL are dropped. The default is PXS_LOG_INFO. */
void pxs_log_set_level(enum pxs_log_level level);

/* Under systemd (JOURNAL_STREAM is set) the line begins with the journal's priority mark, else
 * with the time. Control characters are shown as '?'. Safe from any thread. */
__attribute__((format(printf, 2, 3))) void pxs_log(enum pxs_log_level level, const char *fmt, ...);

#endif
