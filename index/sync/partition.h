/* partition.h - a part of a core's documents that one can ask for: those whose values lie in
 * certain ranges. Parts are made by splitting the whole, so they overlap nowhere and leave nothing
 * out. */
#ifndef PXS_INDEX_SYNC_PARTITION_H
#define PXS_INDEX_SYNC_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct pxs_buf;

/* Properties in whose order documents are divided: by the next where the last tells no more of them
 * apart. */
#define PARTITION_KEYS 3

/* Numbers of the property; of dates, seconds since 1970. */
struct partition_range {
	bool none;	   /* documents without a value; else those with one in */
	int64_t low, high; /* [low, high); INT64_MIN and INT64_MAX: open */
};

struct partition {
	struct partition_range ranges[PARTITION_KEYS];
	size_t n; /* 0: all documents */
};

/* Into how many a part can be split at most. */
#define PARTITION_SPLIT_MAX 3

/* What PART consists of: *RET_N parts in order; 0: it cannot be split. */
void partition_split(const struct partition *part, struct partition parts[PARTITION_SPLIT_MAX],
		     size_t *ret_n);
/* Make PART what it and NEXT are together; false: that is no part. */
bool partition_join(struct partition *part, const struct partition *next);
/* <0, 0, >0: as they stand in the whole. */
int partition_compare(const struct partition *a, const struct partition *b);

/* Adds the where clause that finds PART. */
void partition_print_where(const struct partition *part, struct pxs_buf *buf);
/* The order that partition_advance() needs: a list of properties; static. */
const char *partition_sort(void);

/* All of PART that stands before ITEM was told: make PART the rest of it. False if that is no less
 * than before. */
bool partition_advance(struct partition *part, const json_t *item);
/* Whether ITEM is of PART, by its values. */
bool partition_has(const struct partition *part, const json_t *item);

/* "LOW,HIGH;none"; "*" is the whole. */
void partition_print(const struct partition *part, struct pxs_buf *buf);
/* *TEXT is moved behind it. False: it is none. */
bool partition_parse(struct partition *part, const char **text);

#endif
