/* name.h - text in the names of the mount: what is written %XX beside query_name_escapes(). */
#ifndef PXS_QUERY_NAME_H
#define PXS_QUERY_NAME_H

struct pxs_buf;

/* What follows "_all=", "_sort=" ...: its commas and dots mean nothing to a segment. */
void query_name_add_text(struct pxs_buf *buf, const char *text);

/* One value: a ',', a leading '!' and dots that would read as ".." are escaped, too. */
void query_name_add_value(struct pxs_buf *buf, const char *text);

#endif
