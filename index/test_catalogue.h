/* test_catalogue.h - an index in a folder of its own, with properties that a test declares. */
#ifndef PXS_INDEX_TEST_CATALOGUE_H
#define PXS_INDEX_TEST_CATALOGUE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"

static char dir[64];
static struct index *catalogue;
static struct pxs_error err;

/* Open what is in the folder. 0, or -1 as the set-up functions of cmocka. */
static inline int
start_catalogue(const struct query_property *declared, const struct query_property **property,
		size_t n)
{
	memset(&err, 0, sizeof(err));
	if (index_open(dir, INDEX_CREATE, &catalogue, &err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct query_property named = declared[i];

		named.prompt = named.prompt ? named.prompt : named.name;
		if (index_property_add(catalogue, &named, &property[i], &err) < 0)
			return -1;
	}
	return 0;
}

static inline int
open_catalogue(const struct query_property *declared, const struct query_property **property,
	       size_t n)
{
	strcpy(dir, "/tmp/pxs-test-index-XXXXXX");
	return mkdtemp(dir) ? start_catalogue(declared, property, n) : -1;
}

static inline void
reopen_catalogue(const struct query_property *declared, const struct query_property **property,
		 size_t n)
{
	index_close(STEAL(catalogue));
	if (start_catalogue(declared, property, n) < 0)
		fail_msg("%s", err.text);
}

static inline int
close_catalogue(void **state)
{
	char command[96];

	(void)state;
	index_close(STEAL(catalogue));
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static inline struct index_write *
begin(void)
{
	struct index_write *write;

	assert_int_equal(index_write_begin(catalogue, &write), 0);
	return write;
}

static inline void
end(struct index_write *write)
{
	if (index_write_commit(write, &err) < 0)
		fail_msg("%s", err.text);
}

#endif
