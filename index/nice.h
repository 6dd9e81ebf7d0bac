/* nice.h - round numbers near given ones: bounds that people like to read.
 *
 * Numbers are those of a column (column_number()) of PROPERTY, which is of number type. All
 * arithmetic is decimal and exact, so every machine finds the same bounds. */
#ifndef PXS_INDEX_NICE_H
#define PXS_INDEX_NICE_H

#include <stdbool.h>
#include <stdint.h>

struct query_property;

/* The roundest number x with LOW < x <= HIGH: the fewest significant digits, then a multiple of 5
 * rather than of 2 rather than any. False if none has 3 digits or fewer. */
bool nice_between(const struct query_property *property, int64_t low, int64_t high,
		  int64_t *ret_number);

/* NUMBER rounded to DIGITS significant digits, halves up. False if that is too large. */
bool nice_round(const struct query_property *property, int64_t number, int digits,
		int64_t *ret_number);

/* Round limits for MIN .. MAX: multiples of the largest power of ten that is no more than a fifth
 * of the way, *RET_LOW <= MIN and *RET_HIGH > MAX. False where the type has no such number. */
bool nice_low(const struct query_property *property, int64_t min, int64_t max, int64_t *ret_low);
bool nice_high(const struct query_property *property, int64_t min, int64_t max, int64_t *ret_high);

#endif
