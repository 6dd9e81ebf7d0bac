/* moment.c - date math, as Elasticsearch has it (spec/pixstor.md 2.1).
 *
 *     moment = date / ( "now" / date "||" ) *op
 *     op     = ( "+" / "-" ) [ 1*9digit ] unit / "/" unit
 *     unit   = "y" / "M" / "w" / "d" / "h" / "H" / "m" / "s"
 *
 * Operations apply from left to right, in UTC; "/" goes back to the start of the unit. Where the
 * original ends an interval at its last millisecond and computes on from there, so that the end of
 * "now/M+1M" in February is the 28th of March, we compute its start and let it be one unit long. */
#include "query/moment.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "query/query.h"

#define DIGITS_MAX 9

static const char UNITS[] = "yMwdhms"; /* coarsest first */

struct op {
	char sign; /* + - / */
	int n;
	char unit;
	size_t len; /* bytes of it */
};

/* The operation at TEXT. False: it is none. */
static bool
read_op(const char *text, struct op *op)
{
	size_t digits = strspn(text + 1, "0123456789");

	*op = (struct op){ .sign = text[0], .n = digits ? 0 : 1, .len = digits + 2 };
	if (!strchr("+-/", op->sign) || digits > DIGITS_MAX || (op->sign == '/' && digits))
		return false;
	for (size_t i = 1; i <= digits; i++)
		op->n = op->n * 10 + (text[i] - '0');
	op->unit = text[digits + 1];
	if (op->unit == 'H')
		op->unit = 'h';
	return op->unit && strchr(UNITS, op->unit);
}

static civil_ns
apply(civil_ns time_ns, const struct op *op)
{
	if (op->sign == '/')
		return civil_floor(time_ns, op->unit);
	return civil_add(time_ns, op->sign == '-' ? -op->n : op->n, op->unit);
}

static int
refuse(const char *text, const char *at, struct pxs_error *err)
{
	return pxs_error_set(err, -EINVAL, at - text,
			     "'%.40s' computes no date: expected +, - or / and one of y M w d h m "
			     "s after '%.*s', as in now-7d/d",
			     text, (int)MIN(at - text, 40), text);
}

/* The coarsest unit that OPS, which are valid, round to; 0 if they round to none. */
static char
rounded_to(const char *ops)
{
	const char *coarsest = NULL;
	const char *at;
	struct op op;

	for (; *ops && read_op(ops, &op); ops += op.len) {
		at = op.sign == '/' ? strchr(UNITS, op.unit) : NULL;
		if (at && (!coarsest || at < coarsest))
			coarsest = at;
	}
	if (!coarsest)
		return '\0';
	return *coarsest;
}

/* --- Relative to now --- */

static const char *
skip_now(const char *expression)
{
	return expression + strlen("now");
}

civil_ns
query_moment_resolve(const char *expression, int64_t now_ns)
{
	civil_ns time_ns = civil_floor(now_ns, 's');
	struct op op;

	for (const char *at = skip_now(expression); *at && read_op(at, &op); at += op.len)
		time_ns = apply(time_ns, &op);
	return time_ns;
}

const char *
query_moment_end(struct pxs_arena *arena, const char *expression)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	char unit = rounded_to(skip_now(expression));

	pxs_buf_addf(&buf, "%s+1%c", expression, unit ? unit : 's');
	return buf.error ? NULL : pxs_arena_strndup(arena, buf.data, buf.len);
}

/* TEXT, which begins with "now", with its operations written in one way. */
static int
parse_relative(struct pxs_arena *arena, const char *text, struct query_moment *moment,
	       struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct op op;

	pxs_buf_add_str(&buf, "now");
	for (const char *at = skip_now(text); *at; at += op.len) {
		if (!read_op(at, &op))
			return refuse(text, at, err);
		if (op.sign == '/')
			pxs_buf_addf(&buf, "/%c", op.unit);
		else
			pxs_buf_addf(&buf, "%c%d%c", op.sign, op.n, op.unit);
	}
	moment->from = buf.error ? NULL : pxs_arena_strndup(arena, buf.data, buf.len);
	moment->to = moment->from ? query_moment_end(arena, moment->from) : NULL;
	return moment->to ? 0 : -ENOMEM;
}

/* --- From a date --- */

/* The unit that START..END is one of; 0 where it is shorter than any. */
static char
unit_of(int64_t start_ns, int64_t end_ns)
{
	for (const char *unit = UNITS; *unit; unit++)
		if (civil_add(start_ns, 1, *unit) == end_ns)
			return *unit;
	return '\0';
}

static int
compute(const char *text, const char *ops, struct query_moment *moment, struct pxs_error *err)
{
	int64_t length_ns = moment->end_ns - moment->start_ns;
	char unit = unit_of(moment->start_ns, moment->end_ns);
	civil_ns start = moment->start_ns;
	civil_ns end;
	struct op op;

	for (const char *at = ops; *at; at += op.len) {
		if (!read_op(at, &op))
			return refuse(text, at, err);
		start = apply(start, &op);
	}
	if (rounded_to(ops))
		unit = rounded_to(ops);
	end = unit ? civil_add(start, 1, unit) : start + length_ns;
	if (start < INT64_MIN || end > INT64_MAX)
		return pxs_error_set(err, -ERANGE, 0,
				     "'%.40s' lies outside of the years 1678 to 2261", text);
	moment->start_ns = (int64_t)start;
	moment->end_ns = (int64_t)end;
	return 0;
}

static int
parse_anchored(struct pxs_arena *arena, const char *text, const char *bars,
	       struct query_moment *moment, struct pxs_error *err)
{
	const char *date = pxs_arena_strndup(arena, text, (size_t)(bars - text));
	int r;

	if (!date)
		return -ENOMEM;
	r = query_time_parse(date, &moment->start_ns, &moment->end_ns, err);
	return r < 0 ? r : compute(text, bars + strlen("||"), moment, err);
}

int
query_moment_parse(struct pxs_arena *arena, const char *text, struct query_moment *ret_moment,
		   struct pxs_error *err)
{
	struct query_moment moment = { 0 };
	const char *bars = strstr(text, "||");
	int r;

	if (strncmp(text, "now", strlen("now")) == 0)
		r = parse_relative(arena, text, &moment, err);
	else if (bars)
		r = parse_anchored(arena, text, bars, &moment, err);
	else
		r = query_time_parse(text, &moment.start_ns, &moment.end_ns, err);
	if (r == 0)
		*ret_moment = moment;
	return r;
}
