/* number.h - numbers as people write them, without losing a digit. */
#ifndef PXS_QUERY_NUMBER_H
#define PXS_QUERY_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct query_number {
	double real;   /* the nearest double; infinite where it is too large for one */
	int64_t floor; /* the greatest whole number that is not above it */
	bool whole;    /* it is floor */
	int beyond;    /* -1 or 1: below or above all of int64_t; floor then means nothing */
};

/* Bytes of the number at the start of TEXT, 0 if there is none:
 * ["-"] 1*digit ["." 1*digit] [("e" / "E") ["+" / "-"] 1*digit] */
size_t query_number_scan(const char *text);

/* Whether the whole of TEXT is a number. The same in every locale. */
bool query_number_parse(const char *text, struct query_number *ret_number);

#endif
